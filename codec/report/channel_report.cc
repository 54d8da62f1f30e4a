#include "codec/report/channel_report.h"

#include <string>
#include <utility>

#include "codec/report/report_findings.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"

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
  for (const ChannelStats& channel : reader.stats()) {
    AddChannel(channel, report);
  }
  if (error.code == ErrorCode::kReadFailed) return error;
  if (!error.ok()) {
    AddFinding({Severity::kError, "multifd", error.offset, error.section,
                error.reason, error.file},
               report);
    return {};
  }
  if (Error missing = reader.FindMissing(); !missing.ok()) {
    AddFinding({Severity::kWarning, "multifd-missing", missing.offset,
                missing.section, missing.reason, missing.file},
               report);
  }
  return {};
}

}  // namespace migstream
