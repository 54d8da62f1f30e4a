// A payload's report in a few lines for people: the driver and how it is known,
// what a destination needs, what is inside, and what moved while the guest
// stood.
//
//   for (const PayloadLine& line : Summarize(report)) Print(line.label,
//   line.text);
//
// Guest addresses are device registers and are shown; bytes of firmware, memory
// and buffers never are.

#ifndef MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_SUMMARY_H_
#define MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_SUMMARY_H_

#include <string>
#include <vector>

#include "codec/payload/payload_report.h"

namespace migstream {

struct PayloadLine {
  std::string label;  // "generation".
  std::string text;
};

std::vector<PayloadLine> Summarize(const PayloadReport& report);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_SUMMARY_H_
