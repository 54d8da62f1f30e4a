// Walks what a driver put inside a device's DATA records: one walker for all of
// them, led by the rows of a format (format.h).
//
//   PayloadDecoder decoder(*format->root);
//   PayloadEvent event;
//   while (true) {
//     switch (decoder.Next(input, event)) {  // Takes from input's front.
//       case Step::kEvent:     Use(event); break;
//       case Step::kNeedInput: /* Put more bytes behind what is left. */ break;
//       case Step::kDone:      return;       // Never: payloads just end.
//       case Step::kError:     return decoder.error(device);
//     }
//   }
//   decoder.Finish(input);  // kDone: complete to the last byte.
//
// The caller feeds one device's payload in order; how the stream cut it into
// records or packets says nothing. The decoder keeps no bytes: on kNeedInput
// what is left of `input` has to be presented again with more behind it,
// `bytes_needed()` in all, which is kMaxWhole at the most. Opaque bytes are
// handed out as they come, as views into the input, and any cut of the input
// gives the same events. No allocation, no copy, no I/O. Copyable.

#ifndef MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_DECODER_H_
#define MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_DECODER_H_

#include <cstdint>
#include <string_view>

#include "codec/payload/format.h"
#include "codec/payload/payload_event.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"
#include "codec/wire/step.h"

namespace migstream {

// Where a payload is not what its framing says.
struct PayloadFault {
  ErrorCode code = ErrorCode::kNone;
  uint64_t offset = 0;  // Of the record that is to blame.
  const payload::Record* record = nullptr;
  uint64_t wanted = 0;  // Bytes behind its header; records, for kPayloadCount.
  uint64_t found = 0;
};

class PayloadDecoder {
 public:
  // A body of fields that is larger comes as opaque pieces.
  static constexpr size_t kMaxWhole = 512;
  // Lists within lists. What is deeper comes as opaque pieces.
  static constexpr int kMaxDepth = 6;

  // `root` must outlive the decoder.
  explicit PayloadDecoder(const payload::Level& root, bool big_endian = false);

  Step Next(ByteSpan& input, PayloadEvent& event);

  // After kNeedInput: with how many bytes of input there will be progress.
  size_t bytes_needed() const { return bytes_needed_; }

  // From payload offset `at`, which is not decoded yet, bytes were read while
  // the guest stood. Once; without it all are.
  void BeginStopCopy(uint64_t at) { stop_copy_at_ = at; }
  // All that comes is pre-copy until BeginStopCopy().
  void BeginPreCopy() { stop_copy_at_ = UINT64_MAX; }

  // Opaque bytes of the current record that are still to come.
  uint64_t opaque_left() const {
    return state_ == State::kOpaque ? body_end_ - offset_ : 0;
  }

  // The caller moved `count` of them itself, and they will not be in any
  // input. kError if there are fewer.
  Step TakeOver(uint64_t count);

  // No byte follows `left`, which is what Next() did not take. kDone if the
  // payload may end here; else kError, with fault() and error().
  Step Finish(ByteSpan left);

  // After kError.
  const PayloadFault& fault() const { return fault_; }
  Error error(std::string_view device) const;

  // The offset of the next byte to be decoded, in the payload.
  uint64_t offset() const { return offset_; }
  bool big_endian() const { return big_endian_; }

 private:
  enum class State : uint8_t { kRecord, kFields, kOpaque, kError };

  struct Frame {
    const payload::Level* level;
    const payload::Record* record;  // The list's; null for the payload.
    uint64_t start;                 // Its record's first byte.
    uint64_t key;
    uint64_t bytes;  // Of its body, as its header claims.
    uint64_t end;
    uint64_t count;  // Records still to come; kNoCount: as many as there are.
    uint16_t row;    // Of a table in order: the next one.
    bool stop_copy;
  };
  static constexpr uint64_t kNoCount = UINT64_MAX;

  Step NextRecord(ByteSpan& input, PayloadEvent& event);
  Step NextFields(ByteSpan& input, PayloadEvent& event);
  Step NextPiece(ByteSpan& input, PayloadEvent& event);
  Step EndList(PayloadEvent& event);
  Step Overrun(PayloadEvent& event, uint64_t wanted, bool has_header);
  void Enter(const Frame& top, uint64_t count);
  void Give(PayloadEvent& event, PayloadEventKind kind, ByteSpan& input,
            size_t bytes);
  Step Need(size_t bytes);
  Step Fail(ErrorCode code, uint64_t offset, uint64_t wanted, uint64_t found);

  Frame frames_[kMaxDepth];
  uint64_t offset_ = 0;
  uint64_t stop_copy_at_ = 0;
  // The current record.
  const payload::Record* record_ = nullptr;
  uint64_t record_offset_ = 0;
  uint64_t key_ = 0;
  uint64_t body_bytes_ = 0;
  uint64_t body_end_ = 0;
  size_t bytes_needed_ = 0;
  State state_ = State::kRecord;
  bool stop_copy_ = true;
  bool big_endian_;
  int depth_ = 0;
  PayloadFault fault_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_DECODER_H_
