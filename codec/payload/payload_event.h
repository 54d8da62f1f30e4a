// What a PayloadDecoder finds.
//
// The views of a payload's events, one behind the other, are the payload: each
// byte is in one of them, and in one only.

#ifndef MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_EVENT_H_
#define MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_EVENT_H_

#include <cstdint>

#include "codec/payload/format.h"
#include "codec/wire/bytes.h"

namespace migstream {

// The length of a record whose end is the payload's.
inline constexpr uint64_t kAllThereIs = UINT64_MAX;

enum class PayloadEventKind : uint8_t {
  kRecord,  // A record begins: `view` is its header, `bytes` its body's size.
  kFields,  // Its body, whole.
  kOpaque,  // A piece of its body; `left` bytes of it follow.
  kRecordEnd,  // The end of a list. Other records end with their last byte.
  // A record claims more than the list that it stands in has. What is left of
  // the list follows as kOpaque without a row; the records behind it are sound.
  kOverrun,
};

struct PayloadEvent {
  PayloadEventKind kind = PayloadEventKind::kRecord;
  uint8_t depth = 0;
  // The record's first byte was read while the guest stood.
  bool stop_copy = false;
  bool big_endian = false;
  uint64_t offset = 0;  // Of the view's first byte, in the payload.
  uint64_t record_offset = 0;
  uint64_t key = 0;
  uint64_t bytes = 0;
  uint64_t left = 0;
  const payload::Level* level = nullptr;
  const payload::Record* record = nullptr;  // Null: the table has no such key.
  ByteSpan view;  // Into the input of Next(), and not valid for longer.

  // The length of the view.
  uint64_t Number(size_t at, int width) const {
    return at + width <= view.size()
               ? payload::LoadNumber(view.data() + at, width, big_endian)
               : 0;
  }
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_EVENT_H_
