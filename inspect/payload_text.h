// What is inside a payload, for people, in 80 columns.

#ifndef MIGSTREAM_INSPECT_PAYLOAD_TEXT_H_
#define MIGSTREAM_INSPECT_PAYLOAD_TEXT_H_

#include <string>

namespace migstream {

namespace report {
class Payload;
class Report;
}  // namespace report

// Its summary, a label and its text a line.
std::string PayloadText(const report::Payload& payload);

// Each record that its driver wrote, with its fields.
std::string PayloadRecords(const report::Payload& payload);

// What was read without a stream around it.
std::string BarePayloadText(const report::Report& report);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_PAYLOAD_TEXT_H_
