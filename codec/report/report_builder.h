// Reads a stream into a report: what is in it, and what is wrong with it.
//
//   report::Report report;
//   Error error = BuildReport(source, options, report);
//
// The report holds all that was found before an error. Its findings hold the
// error as well, except where the input is no stream at all (kNotAStream,
// kUnknownVersion) or could not be read (kReadFailed).

#ifndef MIGSTREAM_CODEC_REPORT_REPORT_BUILDER_H_
#define MIGSTREAM_CODEC_REPORT_REPORT_BUILDER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "codec/channels/channel_reader.h"
#include "codec/io/byte_source.h"
#include "codec/payload/payload_report.h"
#include "codec/qemu/stream_reader.h"
#include "codec/wire/error.h"

namespace migstream {

namespace report {
class Record;
class Report;
}  // namespace report

struct ReportOptions {
  ReaderOptions reader = {};
  // Lists each device's elements in Device.records.
  bool records = false;
  // Called for each of them as it is found, with the device's idstr.
  std::function<void(const std::string& idstr, const report::Record& record)>
      on_record = nullptr;
  // Lists each vector of the MSI-X tables in Config.msix.
  bool msix_table = false;
  // Whether what is inside payloads is looked at.
  bool payloads = true;
  // Driver records, and their fields, that are kept of each device's payload.
  size_t payload_records = 1 << 16;
  // Called for each device that sent any payload, at the end; `files` are the
  // names of PayloadPlace::channel, from 1 on.
  std::function<void(const std::string& idstr, const PayloadReport& payload,
                     const std::vector<std::string>& files)>
      on_payload = nullptr;
  // A PCI configuration space that the destination's device has; the loader's
  // comparison is made against it for each device named `destination_device`,
  // or for all if that is empty.
  std::string destination_config = "";
  std::string destination_device = "";
  // Bytes of data that the destination's migration region holds; 0: unknown.
  // Only a device of the v1 interface has one.
  uint64_t region_bytes = 0;
  // CPR state came with the stream: the guest's memory is handed over by file
  // descriptors, and no page of it is sent.
  bool with_cpr = false;
};

Error BuildReport(ByteSource& source, const ReportOptions& options,
                  report::Report& report);

// With the migration's multifd channels, in any order. What is wrong with them
// is a finding; the error is the main channel's, or that a channel could not be
// read: kReadFailed, and its section is that channel's name.
Error BuildReport(ByteSource& source,
                  std::vector<ChannelReader::Channel> channels,
                  const ReportOptions& options, report::Report& report);

// Whether a finding changes the verdict: anything but a note.
bool HasFindings(const report::Report& report);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REPORT_REPORT_BUILDER_H_
