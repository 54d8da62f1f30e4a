// Encodes a migration's main channel, scatter-gather: headers into a small
// buffer of the caller's, payload by reference, ready for writev(2). The exact
// inverse of StreamDecoder. FORMAT.md sections 2 to 9.
//
//   uint8_t headers[StreamEncoder::kMinHeaderBytes];
//   iovec pieces[StreamEncoder::kMinPieces];
//   StreamEncoder encoder(dialect, headers, pieces);
//   encoder.Section(part);  // Of a VFIO device.
//   encoder.device().Data(payload);
//   encoder.device().EndOfState();
//   encoder.EndSection(/*footer=*/true);
//   if (!encoder.ok()) return encoder.error();
//   Write(encoder.pieces());  // As writev(2) does.
//   encoder.Clear();
//
// A call that does not fit into what is left of the two buffers gives kFull and
// changes nothing: write the pieces, Clear(), and call again. A call that may
// not stand here gives kError, and so does every call after it.
//
// No allocation, no copy of payload. The pieces point into the headers buffer
// and the caller's payloads; both must live until they are written.

#ifndef MIGSTREAM_CODEC_QEMU_STREAM_ENCODER_H_
#define MIGSTREAM_CODEC_QEMU_STREAM_ENCODER_H_

#include <sys/uio.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "codec/device/section_encoder.h"
#include "codec/qemu/stream_event.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"
#include "codec/wire/gather.h"
#include "codec/wire/step.h"
#include "codec/wire/writer.h"
#include "flags/command.h"
#include "flags/dialect.h"
#include "flags/section_type.h"

namespace migstream {

class StreamEncoder {
 public:
  // Both buffers that suffice for any one call.
  static constexpr size_t kMinHeaderBytes = SectionEncoder::kMinHeaderBytes;
  static constexpr size_t kMinPieces = SectionEncoder::kMinPieces;

  // The dialect must outlive the encoder.
  StreamEncoder(const Dialect& dialect, std::span<uint8_t> headers,
                std::span<iovec> pieces)
      : dialect_(&dialect), gather_(headers, pieces) {}

  Put Header(uint32_t version = kStreamVersion);
  Put Configuration(std::string_view machine_type);
  Put ConfigurationSubsection(const ConfigurationView::Subsection& subsection);
  // A PART and an END need only type, id and vfio.
  Put Section(const SectionView& section);
  // In a VFIO device's section: what encodes its content. Asserts that one is
  // open.
  SectionEncoder& device();
  // An event of its content.
  Put Device(const Event& event) {
    return device_ ? device_->Append(event)
                   : Refuse("an event of a device outside of its section");
  }
  // In any other section.
  Put Content(ByteSpan bytes);
  Put EndSection(bool footer);
  Put Command(migstream::Command command, ByteSpan data = {});
  Put Eof();
  // Behind EOF: JSON.
  Put Description(ByteSpan json);

  // Any event of a decoder; put in the order in which they came, they give the
  // same bytes.
  Put Append(const StreamEvent& event);

  bool ok() const { return error_.ok() && (!device_ || device_->ok()); }
  Error error() const;

  // What is to be written, in order, since the last Clear().
  std::span<const iovec> pieces() const {
    return device_ ? device_->pieces() : gather_.pieces();
  }
  // Forgets the pieces; the stream goes on.
  void Clear();

  // The content of the VFIO device's section that is open, so far.
  uint64_t device_bytes() const { return device_ ? device_->bytes() : 0; }

 private:
  enum class State : uint8_t { kBetween, kContent, kDevice, kEof, kDone };

  // Numbers that `write` puts into the headers, then payload by reference.
  template <typename Write>
  Put Record(State from, State to, ByteSpan payload, Write write);
  Put Refuse(const char* what);

  const Dialect* dialect_;
  Gather gather_;
  std::optional<SectionEncoder> device_;
  uint32_t section_id_ = 0;
  char name_[256] = {};  // idstr of the device's section, for errors.
  State state_ = State::kBetween;
  Error error_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_STREAM_ENCODER_H_
