// What two streams differ in, by device: fields, config registers, records and
// ranges of payload, pages of guest memory.
//
//   std::vector<Difference> differences;
//   Error error = CompareStreams(a, b, {}, differences);
//
// The first of each kind are listed, the others counted. What one stream
// lacks only since it is cut short, or damaged, is a line for each device it
// ends within, and one for all that come after.

#ifndef MIGSTREAM_CODEC_DIFF_STREAM_DIFF_H_
#define MIGSTREAM_CODEC_DIFF_STREAM_DIFF_H_

#include <vector>

#include "codec/diff/difference.h"
#include "codec/diff/stream_state.h"
#include "codec/wire/error.h"

namespace migstream {

struct DiffOptions {
  // Only what a destination would end up with: not how many PARTs there were,
  // how payload was cut into records, and what the phases held.
  bool ignore_cuts = false;
  // How many of one device's ranges of payload, registers, fields and so on are
  // listed; those beyond are counted.
  size_t max_of_a_kind = 10;
  // So many compare the pages of large blocks of guest memory.
  int threads = 1;
};

// Adds to `differences`, nothing if there are none. Guest memory is compared if
// both states have kept it. An error is one of reading what was kept.
Error CompareStreams(StreamState& a, StreamState& b, const DiffOptions& options,
                     std::vector<Difference>& differences);

// What each VFIO device's first snapshot of itself and its last one differ in,
// where the driver sends several. `devices` is how many have some.
Error CompareSnapshots(const StreamState& state, const DiffOptions& options,
                       std::vector<Difference>& differences, size_t& devices);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DIFF_STREAM_DIFF_H_
