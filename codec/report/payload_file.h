// Reads a payload that has no stream around it: a blob that another VMM saved,
// what extract wrote, or the text that a driver prints.
//
//   PayloadReport payload;
//   Error error = ReadPayload(source, {.split = 24}, payload, report);
//
// The report's payload is filled in, and its findings. Offsets in the stream
// are those in the file. kReadFailed: the source failed. kBadOptions: the
// options do not fit what is there.

#ifndef MIGSTREAM_CODEC_REPORT_PAYLOAD_FILE_H_
#define MIGSTREAM_CODEC_REPORT_PAYLOAD_FILE_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "codec/io/byte_source.h"
#include "codec/payload/format.h"
#include "codec/payload/payload_report.h"
#include "codec/report/report.pb.h"
#include "codec/wire/error.h"

namespace migstream {

struct PayloadFileOptions {
  // Read it as this one's; null: the bytes have to say.
  const payload::Format* format = nullptr;
  // So many bytes were read before the guest was stopped; unset: nobody knows.
  std::optional<uint64_t> split = {};
  size_t records = 1 << 16;  // As in ReportOptions.
};

Error ReadPayload(ByteSource& source, const PayloadFileOptions& options,
                  PayloadReport& payload, report::Report& report);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REPORT_PAYLOAD_FILE_H_
