// Whether a destination takes a stream, as far as the two of them show it, and
// what QEMU says if not. LOADERS.md section 4.
//
//   for (const LoadRefusal& refusal : CheckLoadable(stream, idle,
//   1101).refusals)
//     …
//
// A loader stops at the first; the others are what it would find next.

#ifndef MIGSTREAM_CODEC_DESTINATION_LOADABLE_CHECK_H_
#define MIGSTREAM_CODEC_DESTINATION_LOADABLE_CHECK_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "codec/destination/loadable_state.h"
#include "flags/release.h"

namespace migstream {

struct LoadRefusal {
  uint64_t offset = 0;  // In the stream: what is refused, or its section.
  std::string section;  // "ram START", fit to be printed.
  std::string message;  // QEMU's.
  // The same for people: what differs, and what it is here and there; empty
  // where there is none.
  std::string what = {};
  std::string stream = {};
  std::string destination = {};
};

struct LoadComparison {
  // More are counted by a last one of the whole stream.
  static constexpr size_t kMaxRefusals = 1000;

  std::vector<LoadRefusal> refusals;  // In the stream's order.
  size_t sections = 0;                // Compared: those of both.
  size_t blocks = 0;
  size_t config_spaces = 0;
  // Devices of the destination that the stream has no section of: they stay as
  // they are after a reset.
  std::vector<std::string> untouched;
};

// `destination` is of a stream that an idle destination saved. The release is
// the destination's.
LoadComparison CheckLoadable(const LoadableState& stream,
                             const LoadableState& destination, Release release);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DESTINATION_LOADABLE_CHECK_H_
