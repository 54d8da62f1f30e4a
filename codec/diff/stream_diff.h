// What two streams differ in, by device: fields, config registers, ranges of
// payload.
//
//   std::vector<Difference> differences;
//   Error error = CompareStreams(a, b, {}, differences);

#ifndef MIGSTREAM_CODEC_DIFF_STREAM_DIFF_H_
#define MIGSTREAM_CODEC_DIFF_STREAM_DIFF_H_

#include <string>
#include <vector>

#include "codec/diff/stream_state.h"
#include "codec/wire/error.h"

namespace migstream {

struct Difference {
  std::string device;  // Printable; "stream" for what belongs to none.
  std::string what;    // "config 0x4 command", "payload 0x100-0x1ff".
  std::string a;       // Its value in each; empty where it is not.
  std::string b;
};

struct DiffOptions {
  // Only what a destination would end up with: not how many PARTs there were,
  // how payload was cut into records, and what the phases held.
  bool ignore_cuts = false;
  // Ranges of one device's payload; those beyond are counted.
  size_t max_ranges = 10;
};

// Adds to `differences`, nothing if there are none. An error is one of reading
// what was kept.
Error CompareStreams(const StreamState& a, const StreamState& b,
                     const DiffOptions& options,
                     std::vector<Difference>& differences);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DIFF_STREAM_DIFF_H_
