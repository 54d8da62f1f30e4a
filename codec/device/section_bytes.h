// For tests: sections as annotated bytes, and decoding them in many ways.

#ifndef MIGSTREAM_CODEC_DEVICE_SECTION_BYTES_H_
#define MIGSTREAM_CODEC_DEVICE_SECTION_BYTES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "codec/device/section_decoder.h"
#include "codec/wire/be_text.h"
#include "codec/wire/error.h"
#include "flags/dialect.h"

namespace migstream {

inline constexpr auto& Be64Bytes = Be64Text;
inline constexpr auto& TagBytes = TagText;
std::string DataBytes(const std::string& payload);

inline const std::string kEos = TagBytes(1);
inline const std::string kSetupTag = TagBytes(3);

// An event without its cut: the pieces of a record are put together.
struct WholeEvent {
  EventKind kind = EventKind::kTag;
  std::string element;  // Its name.
  uint64_t offset = 0;
  std::string payload;
  uint64_t record_bytes = 0;
  std::string name;  // Of a subsection.
  uint8_t trigger_flags = 0;

  bool operator==(const WholeEvent&) const = default;
};

struct Decoded {
  std::vector<WholeEvent> events;
  Error error;  // Of the decoder, or kTruncated.
  bool done = false;
  std::string left;     // What stands after the section.
  std::string encoded;  // The events, through an encoder.
};

// `bytes` in pieces of the given sizes; the last size is used on and on. Whole
// records by batches of up to `batch`, decoded and encoded; 0: each singly.
Decoded DecodeInPieces(const std::string& bytes, SectionType type,
                       const Dialect& dialect, const DecoderOptions& options,
                       const std::vector<size_t>& sizes, size_t batch = 0);

// Whole, a byte at a time and at random cuts, singly and by batches; expects
// the same of all, and that what was decoded is encoded to the same bytes.
Decoded DecodeAllWays(const std::string& bytes, SectionType type,
                      const Dialect& dialect,
                      const DecoderOptions& options = {});

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DEVICE_SECTION_BYTES_H_
