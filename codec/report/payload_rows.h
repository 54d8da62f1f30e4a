// What a payload holds, and what is wrong inside it, as rows of a report.

#ifndef MIGSTREAM_CODEC_REPORT_PAYLOAD_ROWS_H_
#define MIGSTREAM_CODEC_REPORT_PAYLOAD_ROWS_H_

#include <span>
#include <string>
#include <string_view>

#include "codec/payload/payload_report.h"
#include "codec/report/report.pb.h"

namespace migstream {

// `files` are the names of PayloadPlace::channel, from 1 on.
void FillPayload(const PayloadReport& payload,
                 std::span<const std::string> files, report::Payload& row);

// Adds the payload's findings to the report's, each where its bytes stand in
// the stream. `name` is printable: "0000:00:05.0/vfio".
void AddPayloadFindings(const PayloadReport& payload,
                        std::span<const std::string> files,
                        std::string_view name, report::Report& report);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REPORT_PAYLOAD_ROWS_H_
