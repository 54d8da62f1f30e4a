// Something about a stream that is worth reporting: FORMAT.md sections 8 and
// 15, FINDINGS.md.

#ifndef MIGSTREAM_CODEC_WIRE_FINDING_H_
#define MIGSTREAM_CODEC_WIRE_FINDING_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace migstream {

enum class Severity : uint8_t {
  kNote,     // Nothing is wrong; how something is known, or what is missing.
  kWarning,  // Loads, but no release writes it, or data may be lost.
  kError,    // A loader refuses it, or the stream is not all there.
};

std::string_view ToString(Severity severity);

struct Finding {
  Severity severity = Severity::kNote;
  std::string id;  // Stable: "truncated", "guessed-end".
  uint64_t offset = 0;
  std::string section;  // As in Error.
  std::string message;
  std::string file = {};  // As in Error.
  // What the destination's kernel does with what is inside a payload.
  std::string kernel = {};
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_WIRE_FINDING_H_
