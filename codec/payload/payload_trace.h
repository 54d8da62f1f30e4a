// A payload walked in a given cut, as lines: what tests and fuzz targets
// compare.

#ifndef MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_TRACE_H_
#define MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_TRACE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "codec/payload/format.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"

namespace migstream {

struct PayloadTrace {
  std::vector<std::string> lines;  // As in slow_reader.h.
  std::string rebuilt;             // The views of all events.
  ErrorCode error = ErrorCode::kNone;
  std::string error_text;
  uint64_t offset = 0;  // The decoder's, at the end.
  uint64_t steps = 0;
  uint64_t kept_back = 0;  // The most that had to come again.
};

// `seed` 0: pieces of `longest` bytes; else of any length up to it. The phases
// are cut at `split`, which shows as " stop" behind a record's line if
// `phases`.
PayloadTrace TracePayload(const payload::Level& root, ByteSpan bytes,
                          size_t longest, uint32_t seed = 0, uint64_t split = 0,
                          bool phases = false);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_TRACE_H_
