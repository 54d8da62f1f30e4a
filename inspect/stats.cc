#include "codec/report/stats.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_format.h"
#include "codec/report/report.pb.h"
#include "codec/report/report_builder.h"
#include "codec/wire/text.h"
#include "inspect/inputs.h"
#include "inspect/json_output.h"
#include "inspect/table.h"
#include "inspect/verb.h"

namespace migstream {
namespace {

std::string Duration(double seconds) {
  if (seconds < 1e-3) return absl::StrFormat("%.3g us", seconds * 1e6);
  if (seconds < 1) return absl::StrFormat("%.3g ms", seconds * 1e3);
  return absl::StrFormat("%.4g s", seconds);
}

std::string DeviceTable(const report::Stats& stats) {
  Table table("lrrrrrrr");
  table.Row({"", "PRE-COPY", "", "", "STOP-COPY", "", "", ""});
  table.Row({"DEVICE", "SECTIONS", "RECORDS", "BYTES", "SECTIONS", "RECORDS",
             "BYTES", "CONFIG"});
  for (const report::DeviceStats& device : stats.devices()) {
    auto stopped = [&device](uint64_t number) {
      return device.partial() ? "?" : StrCat(number);
    };
    table.Row(
        {device.idstr(), StrCat(device.pre_copy().sections()),
         StrCat(device.pre_copy().records()), StrCat(device.pre_copy().bytes()),
         StrCat(device.stop_copy().sections()),
         stopped(device.stop_copy().records()),
         stopped(device.stop_copy().bytes()), stopped(device.config_bytes())});
  }
  return table.Text();
}

std::string ChannelTable(const report::Stats& stats) {
  Table table("lrrrp");
  table.Row({"CHANNEL", "BYTES", "RAM PACKETS", "DEVICE PACKETS", "FILE"});
  for (const report::ChannelStats& channel : stats.channels()) {
    bool main = !channel.has_id();
    table.Row({main ? "main" : StrCat(channel.id()), StrCat(channel.bytes()),
               main ? "-" : StrCat(channel.ram_packets()),
               main ? "-" : StrCat(channel.device_packets()), channel.file()});
  }
  return table.Text();
}

std::string StoppedTable(const report::Stats& stats) {
  const report::Stopped& stopped = stats.stopped();
  auto time = [&stopped](uint64_t bytes) {
    return Duration(static_cast<double>(bytes) * 8 /
                    stopped.link_bits_per_second());
  };
  Table table("lrr");
  table.Row(
      {"WHILE STOPPED", "BYTES",
       absl::StrFormat("AT %g Gb/s", stopped.link_bits_per_second() / 1e9)});
  const bool partial =
      std::any_of(stats.devices().begin(), stats.devices().end(),
                  [](const auto& device) { return device.partial(); });
  auto row = [&](const char* name, uint64_t bytes, bool known = true) {
    table.Row({name, known ? StrCat(bytes) : "?", known ? time(bytes) : "?"});
  };
  row("VFIO data", stopped.device_bytes(), !partial);
  row("VFIO config", stopped.config_bytes(), !partial);
  row("RAM, main channel", stopped.ram_bytes());
  row("other", stopped.other_bytes());
  row("total", stopped.total_bytes(), !partial);
  return table.Text();
}

std::string TextStats(const report::Stats& stats) {
  std::string text;
  if (stats.devices_size() != 0) {
    StrAppend(&text, DeviceTable(stats), "\n");
  }
  StrAppend(&text, ChannelTable(stats), "\n",
            "RAM on the main channel: ", stats.ram_bytes(), " bytes\n\n");
  return StrCat(text, stats.complete()
                          ? StoppedTable(stats)
                          : "What moved while the guest was stopped is not "
                            "known: the stream is not complete.\n");
}

ExitStatus Run(const Arguments& arguments) {
  Inputs inputs = OpenInputs(arguments);
  if (!inputs.main) return kUnusable;
  report::Report report;
  ReportOptions options;
  options.payloads = false;
  Error error = ReadReport(arguments, inputs, options, report);
  if (IsUnusable(error)) {
    PrintError(inputs.file, error);
    return kUnusable;
  }
  report::Stats stats = MakeStats(report, arguments.link_bits_per_second);
  ExitStatus status = error.ok() ? kFine : kFindings;
  status = arguments.format == "text"
               ? Print(TextStats(stats), status)
               : PrintMessage(stats, "stats", arguments.format, status);
  status = std::max(status, SayFileFindings(inputs.file, report));
  if (!error.ok()) PrintError(inputs.file, error);
  return status;
}

const Option kOptions[] = {
    {"link", "RATE",
     "how fast the migration's link is: 100Gb (the default),\n"
     "25Gbit/s, 10GB/s, 500MiB/s; b is bits, B bytes, k M G T\n"
     "are powers of 1000, with an i of 1024",
     [](Arguments& arguments, const std::string& value) {
       arguments.link_bits_per_second = ParseLinkRate(value);
       return arguments.link_bits_per_second > 0
                  ? std::string()
                  : StrCat(
                        "--link is a rate like 100Gb or 10GB/s, from "
                        "1kb to 1000Tb, not '",
                        value, "'");
     }},
    kRecoverOption,
    kFormatOption,
    kJsonStringsOption,
};

}  // namespace

const Verb kStatsVerb = {
    "stats",
    "FILE [CHANNEL]...",
    "bytes by phase and channel, and the estimated downtime",
    kAnyFiles,
    kOptions,
    Run};

}  // namespace migstream
