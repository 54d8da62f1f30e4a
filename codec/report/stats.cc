#include "codec/report/stats.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <string>
#include <string_view>

#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "codec/io/absl_view.h"

namespace migstream {

report::Stats MakeStats(const report::Report& report,
                        double link_bits_per_second) {
  report::Stats stats;
  stats.set_file(report.file());
  stats.set_complete(report.complete());
  stats.set_ram_bytes(report.switchover().ram_bytes_before() +
                      report.switchover().ram_bytes_after());
  report::Stopped& stopped = *stats.mutable_stopped();
  uint64_t on_channels = 0;  // Stopped, but not on the main channel.
  for (const report::Device& device : report.devices()) {
    report::DeviceStats& row = *stats.add_devices();
    row.set_idstr(device.idstr());
    row.set_instance_id(device.instance_id());
    *row.mutable_pre_copy() = device.pre_copy();
    *row.mutable_stop_copy() = device.stop_copy();
    row.set_config_bytes(device.config().bytes());
    row.set_partial(device.multifd_device_state() && !device.multifd_read());
    stopped.set_device_bytes(stopped.device_bytes() +
                             device.stop_copy().bytes());
    stopped.set_config_bytes(stopped.config_bytes() + device.config().bytes());
    if (device.multifd_device_state()) {
      on_channels += device.stop_copy().bytes() + device.config().bytes();
    }
  }
  report::ChannelStats& main = *stats.add_channels();
  main.set_file(report.file());
  main.set_bytes(report.bytes());
  for (const report::Channel& channel : report.channels()) {
    report::ChannelStats& row = *stats.add_channels();
    row.set_file(channel.file());
    row.set_id(channel.id());
    row.set_bytes(channel.bytes());
    row.set_ram_packets(channel.ram_packets());
    row.set_device_packets(channel.device_packets());
  }
  stopped.set_ram_bytes(report.switchover().ram_bytes_after());
  uint64_t named = stopped.device_bytes() + stopped.config_bytes() +
                   stopped.ram_bytes() - on_channels;
  // A stream that is cut has no end to count to.
  uint64_t main_bytes = std::max(report.switchover().bytes(), named);
  stopped.set_other_bytes(main_bytes - named);
  stopped.set_total_bytes(main_bytes + on_channels);
  stopped.set_link_bits_per_second(link_bits_per_second);
  stopped.set_seconds(static_cast<double>(stopped.total_bytes()) * 8 /
                      link_bits_per_second);
  return stats;
}

namespace {

bool ConsumeSuffix(std::string_view* text, std::string_view suffix) {
  if (!text->ends_with(suffix)) return false;
  text->remove_suffix(suffix.size());
  return true;
}

}  // namespace

double ParseLinkRate(std::string_view text) {
  if (!ConsumeSuffix(&text, "/s")) ConsumeSuffix(&text, "ps");
  double unit = 1;
  if (ConsumeSuffix(&text, "B")) {
    unit = 8;
  } else if (!ConsumeSuffix(&text, "bit") && !ConsumeSuffix(&text, "b")) {
    return 0;
  }
  double step = ConsumeSuffix(&text, "i") ? 1024 : 1000;
  constexpr std::string_view kPrefixes = "kMGT";
  // "10gbit" is as good as "10Gbit".
  const int last =
      text.empty() ? 0 : std::toupper(static_cast<unsigned char>(text.back()));
  size_t prefix = last == 0     ? std::string_view::npos
                  : last == 'K' ? 0
                                : kPrefixes.find(static_cast<char>(last));
  if (prefix != std::string_view::npos) {
    unit *= std::pow(step, static_cast<double>(prefix + 1));
    text.remove_suffix(1);
  } else if (step == 1024) {
    return 0;
  }
  double number = 0;
  bool digits = !text.empty() &&
                text.find_first_not_of("0123456789.") == std::string_view::npos;
  if (!digits || !absl::SimpleAtod(AbslView(text), &number)) return 0;
  double rate = number * unit;
  return rate >= kLeastLinkRate && rate <= kMostLinkRate ? rate : 0;
}

}  // namespace migstream
