// Decodes one section of a VFIO device: what stands between a section header
// and its footer. FORMAT.md section 9.
//
//   SectionDecoder decoder(SectionType::kPart, dialect, {.offset = offset});
//   for (Event event;;) {
//     switch (decoder.Next(input, event)) {  // Takes from input's front.
//       case Step::kEvent:
//         Use(event);
//         break;
//       case Step::kNeedInput:  // Put more bytes behind what is left.
//         break;
//       case Step::kDone:  // input begins with what follows.
//         return {};
//       case Step::kError:
//         return decoder.error("0000:00:05.0/vfio");
//     }
//   }
//
// The decoder keeps no bytes. On kNeedInput, what is left of `input` has to be
// presented again with more behind it, `bytes_needed()` in all; it is less than
// 16 bytes except before a config payload, which has to be seen as a whole (at
// most 37 KiB; see config_layout.h for what a live loader should tell
// beforehand). DATA payload is handed out as it comes, as views into the input,
// and any cut of the input gives the same records.
//
// No allocation, no copy of payload, no threads, no I/O. Copyable, so that a
// caller can try something and go back.

#ifndef MIGSTREAM_CODEC_DEVICE_SECTION_DECODER_H_
#define MIGSTREAM_CODEC_DEVICE_SECTION_DECODER_H_

#include <sys/uio.h>

#include <cstdint>
#include <span>
#include <string_view>

#include "codec/device/config_layout.h"
#include "codec/device/event.h"
#include "codec/device/limits.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"
#include "codec/wire/guessed.h"
#include "codec/wire/step.h"
#include "flags/dialect.h"
#include "flags/tag.h"

namespace migstream {

struct DecoderOptions {
  uint64_t offset = 0;  // Of the section's content in the stream.
  ConfigHints config = {};
  DeviceLimits limits = {};
  // The migration runs without switchover-ack: INIT_DATA_SENT is an error, as
  // it is for QEMU's loader.
  bool switchover_ack_off = false;
};
inline constexpr DecoderOptions kDefaultDecoderOptions;

class SectionDecoder {
 public:
  // `dialect` must outlive the decoder. DialectId::kAuto takes what any
  // release writes.
  SectionDecoder(SectionType type, const Dialect& dialect,
                 const DecoderOptions& options = kDefaultDecoderOptions);

  Step Next(ByteSpan& input, Event& event);

  // What Next() does with most of a section, without a call and an Event: takes
  // a whole DATA record from input's front, and gives its payload. False, and
  // nothing has changed: something else stands there, which is for Next().
  bool NextRecord(ByteSpan& input, ByteSpan& payload) {
    if (payload_left_ != 0 || state_ != State::kElements ||
        input.size() < kRecordHeaderBytes ||
        dialect_->Meaning(LoadBe64(input.data())) != Element::kData ||
        !grammar_->After(previous_).Contains(Element::kData)) {
      return false;
    }
    const uint64_t bytes =
        Guessed(LoadBe64(input.data() + kTagBytes), record_bytes_);
    if (bytes > options_.limits.record_bytes ||
        bytes > input.size() - kRecordHeaderBytes) {
      return false;
    }
    payload = ByteSpan(input.data() + kRecordHeaderBytes, bytes);
    previous_ = Element::kData;
    record_bytes_ = bytes;
    Consume(input, kRecordHeaderBytes + bytes);
    return true;
  }

  // Takes whole DATA records from input's front, as many as it begins with and
  // `records` has room for, and gives their number: the same records that
  // Next() would give, for half of its time where they are small. An iovec is
  // a record's payload, a view into the input; headers of 16 bytes stand
  // before each. Whatever stands behind them is for Next(), errors too:
  //
  //   size_t count = decoder.NextBatch(input, records);
  //   Use(std::span(records, count));
  //   Step step = decoder.Next(input, event);
  size_t NextBatch(ByteSpan& input, std::span<iovec> records);

  // The caller moved `count` bytes of the current record's payload itself, say
  // from socket to device with splice(2), and they will not be in any input.
  // kError if the record has fewer left.
  Step TakeOver(uint64_t count);

  // Bytes of the current record's payload that are still to come.
  uint64_t payload_left() const { return payload_left_; }

  // After kNeedInput: with how many bytes of input there will be progress.
  size_t bytes_needed() const { return bytes_needed_; }

  // No byte will ever follow those of the next input. Only a config payload's
  // deduction makes use of it, before it gives up.
  void SetEndOfInput() { end_of_input_ = true; }

  // For a caller whose input has ended with kNeedInput: kTruncated, with what
  // was under way. `left` is what remains of the input.
  Error Truncated(std::string_view device, ByteSpan left) const;

  // After kError. `device` names the section: "0000:00:05.0/vfio".
  Error error(std::string_view device) const;

  // Where the next byte to be decoded is.
  uint64_t offset() const { return offset_; }

 private:
  enum class State : uint8_t { kElements, kConfig, kDone, kError };

  Step NextElement(ByteSpan& input, Event& event);
  Step NextPiece(ByteSpan& input, Event& event);
  Step StartRecord(ByteSpan& input, Event& event);
  Step StartConfig(ByteSpan& input, Event& event);
  Step NextInConfig(ByteSpan& input, Event& event);
  Step TagAlone(Element element, ByteSpan& input, Event& event);
  Step Need(size_t bytes);
  Step Fail(ErrorCode code, uint64_t offset, uint64_t found);
  Step FailTag(uint64_t tag, Element element);
  void Consume(ByteSpan& input, size_t bytes) {
    input = ByteSpan(input.data() + bytes, input.size() - bytes);
    offset_ += bytes;
  }

  const Dialect* dialect_;
  const SectionGrammar* grammar_;
  DecoderOptions options_;
  uint64_t content_offset_;
  uint64_t offset_;
  uint64_t payload_left_ = 0;
  uint64_t record_bytes_ = 0;
  size_t bytes_needed_ = kTagBytes;
  SectionType type_;
  State state_ = State::kElements;
  Element previous_ = Element::kNone;
  bool end_of_input_ = false;

  // In a config payload: how much of it is still to come.
  uint64_t config_left_ = 0;

  // The error, in numbers; words are made of it on demand.
  ErrorCode error_ = ErrorCode::kNone;
  uint64_t error_offset_ = 0;
  uint64_t error_found_ = 0;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DEVICE_SECTION_DECODER_H_
