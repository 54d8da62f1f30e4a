#include "codec/report/channel_report.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "codec/report/report_findings.h"
#include "codec/wire/printable.h"

namespace migstream {
namespace {

void AddChannel(const ChannelStats& stats, report::Report& report) {
  report::Channel& row = *report.add_channels();
  row.set_file(Printable(stats.file));
  row.set_id(stats.id);
  row.set_bytes(stats.bytes);
  row.set_ram_packets(stats.ram_packets);
  row.set_sync_packets(stats.sync_packets);
  row.set_normal_pages(stats.normal_pages);
  row.set_zero_pages(stats.zero_pages);
  row.set_device_packets(stats.device_packets);
}

}  // namespace

Error ReportChannels(std::vector<ChannelReader::Channel> channels,
                     const ChannelReaderOptions& options,
                     DeviceReports& devices, report::Report& report) {
  ChannelReader reader(std::move(channels), options);
  Error error = reader.Read(
      [&devices](const ReassembledPiece& piece) { devices.OnPiece(piece); });
  const std::vector<ChannelStats> stats = reader.stats();
  for (const ChannelStats& channel : stats) AddChannel(channel, report);
  if (error.code == ErrorCode::kReadFailed) return error;
  if (!error.ok()) {
    if (error.file.empty()) error.offset = devices.FirstOffset(error.section);
    AddFinding({Severity::kError, "multifd", error.offset, error.section,
                error.reason, error.file},
               report);
    return {};
  }
  // The highest one tells of the others.
  auto highest = [&stats](auto ChannelStats::*member) {
    return *std::max_element(stats.begin(), stats.end(),
                             [member](const auto& a, const auto& b) {
                               return a.*member < b.*member;
                             });
  };
  if (std::string missing = reader.MissingIds(); !missing.empty()) {
    AddFinding({Severity::kWarning, "multifd-missing", kMultifdIdOffset,
                kMultifdSection, absl::StrCat("channels not given: ", missing),
                highest(&ChannelStats::id).file},
               report);
  } else if (uint64_t packets = reader.MissingPackets(); packets != 0) {
    const ChannelStats last = highest(&ChannelStats::highest_packet_number);
    AddFinding({Severity::kWarning, "multifd-missing", last.highest_offset,
                kMultifdSection,
                absl::StrCat("of the RAM packets up to this one, number ",
                             last.highest_packet_number, ", ", packets,
                             " are in no channel that was given"),
                last.file},
               report);
  }
  return {};
}

}  // namespace migstream
