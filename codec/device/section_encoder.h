// Encodes one section of a VFIO device, scatter-gather: headers into a small
// buffer of the caller's, payload by reference, ready for writev(2).
// FORMAT.md section 9.
//
//   uint8_t headers[SectionEncoder::kMinHeaderBytes];
//   iovec pieces[SectionEncoder::kMinPieces];
//   SectionEncoder encoder(SectionType::kEnd, dialect, headers, pieces);
//   encoder.Data(payload);
//   encoder.EndOfState();
//   if (!encoder.ok()) return encoder.error(device);
//   std::span<const iovec> all = encoder.pieces();
//   ssize_t sent = writev(fd, all.data(), static_cast<int>(all.size()));
//
// A call that does not fit into what is left of the two buffers gives kFull and
// changes nothing: write the pieces, Clear(), and call again. A call that the
// dialect does not allow here gives kError, and so does every call after it.
//
// No allocation, no copy of payload. The pieces point into the headers buffer
// and the caller's payloads; both must live until they are written.

#ifndef MIGSTREAM_CODEC_DEVICE_SECTION_ENCODER_H_
#define MIGSTREAM_CODEC_DEVICE_SECTION_ENCODER_H_

#include <sys/uio.h>

#include <cstdint>
#include <span>
#include <string_view>

#include "codec/device/config_view.h"
#include "codec/device/event.h"
#include "codec/device/subsection.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"
#include "codec/wire/gather.h"
#include "codec/wire/step.h"
#include "flags/dialect.h"
#include "flags/tag.h"

namespace migstream {

class SectionEncoder {
 public:
  // Both buffers that suffice for any one call.
  static constexpr size_t kMinHeaderBytes = 300;
  static constexpr size_t kMinPieces = 8;

  SectionEncoder(SectionType type, const Dialect& dialect,
                 std::span<uint8_t> headers, std::span<iovec> pieces);

  // Goes on behind what `gather` holds; gather() is what has become of it.
  SectionEncoder(SectionType type, const Dialect& dialect,
                 const Gather& gather);
  const Gather& gather() const { return gather_; }

  // Any element that is its tag alone.
  Put TagAlone(Element element);
  // The SETUP tag; EndOfState() closes it.
  Put Setup() { return TagAlone(Element::kSetup); }
  // A whole record. In the v1 protocol a record is one transaction of the
  // device and must stay one; in v2 any cut will do, but no empty one.
  Put Data(ByteSpan payload);
  // What Data() does with most records, without a call. False, and nothing has
  // changed: Data() says why.
  bool PutRecord(ByteSpan payload) {
    if (!Allowed(Element::kData) || !gather_.Room(kRecordHeaderBytes, 2)) {
      return false;
    }
    uint8_t* header = gather_.HeaderAndPiece(kRecordHeaderBytes, payload);
    StoreBe64(header, static_cast<uint64_t>(Tag::kDevDataState));
    StoreBe64(header + kTagBytes, payload.size());
    bytes_ += kRecordHeaderBytes + payload.size();
    previous_ = Element::kData;
    return true;
  }
  // A whole record of each payload, for half of the time or less where they are
  // small. Those that were put are taken from payloads' front: with kDone all,
  // with kFull and kError the first that was not put is the front one now.
  Put DataBatch(std::span<const iovec>& payloads);
  // A record whose payload comes by Payload(), or by other means, with
  // TakeOver().
  Put DataHeader(uint64_t bytes);
  Put Payload(ByteSpan piece);
  Put TakeOver(uint64_t bytes);
  // CONFIG and its payload; then any Subsection()s, then EndConfig().
  // `trigger_flags` are for E3 only, and decide there whether `config` is
  // written.
  Put Config(const ConfigView& config, uint8_t trigger_flags = 0);
  Put Subsection(const SubsectionView& subsection);
  Put EndConfig();
  Put EndOfState() { return TagAlone(Element::kEndOfState); }
  Put InitDataSent() { return TagAlone(Element::kInitDataSent); }
  Put ConfigLoadReady() { return TagAlone(Element::kConfigLoadReady); }
  Put Trigger() { return TagAlone(Element::kTrigger); }
  Put DataStateComplete() { return TagAlone(Element::kDataStateComplete); }

  // Any event of a decoder; put in the order in which they came, they give the
  // same bytes.
  Put Append(const Event& event);

  bool ok() const { return error_ == ErrorCode::kNone; }
  // Nothing may follow.
  bool done() const { return state_ == State::kDone; }
  Error error(std::string_view device) const;

  // What is to be written, in order, since the last Clear().
  std::span<const iovec> pieces() const { return gather_.pieces(); }
  // Forgets the pieces; the section goes on.
  void Clear() { gather_.Clear(); }

  // Bytes put so far, those of TakeOver() too.
  uint64_t bytes() const { return bytes_; }

 private:
  enum class State : uint8_t { kElements, kConfig, kDone, kError };

  Put ConfigWithSubflag(const ConfigView& config, uint8_t trigger_flags,
                        uint64_t subflag_value);
  bool IsWritable(const ConfigView& config) const;
  bool Allowed(Element element) const {
    return state_ == State::kElements && payload_left_ == 0 &&
           grammar_->After(previous_).Contains(element);
  }
  // The answer to an element that is not.
  Put Refuse(Element element);
  uint8_t* Header(size_t bytes);
  void Piece(ByteSpan bytes);
  Put Fail(ErrorCode code, Element element);

  const Dialect* dialect_;
  const SectionGrammar* grammar_;
  Gather gather_;
  uint64_t bytes_ = 0;
  uint64_t payload_left_ = 0;
  SectionType type_;
  State state_ = State::kElements;
  Element previous_ = Element::kNone;
  bool config_has_payload_ = false;
  ErrorCode error_ = ErrorCode::kNone;
  Element refused_ = Element::kNone;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DEVICE_SECTION_ENCODER_H_
