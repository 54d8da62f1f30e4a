// The return path of a migration: what the destination sends back to the
// source. FORMAT.md section 4.2.
//
//   ReturnPathEncoder encoder(headers, pieces);  // At the destination.
//   encoder.Send({.type = ReturnMessage::kPong, .value = ping});
//   Write(encoder.pieces());
//
//   ReturnPathDecoder decoder;  // At the source.
//   ReturnPathMessage message;
//   while (decoder.Next(input, message) == Step::kEvent) Use(message);
//
// It has no header and no end of its own: any message may be the last. Neither
// allocates; decoding takes bytes in any pieces.

#ifndef MIGSTREAM_CODEC_QEMU_RETURN_PATH_H_
#define MIGSTREAM_CODEC_QEMU_RETURN_PATH_H_

#include <sys/uio.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "codec/qemu/content_walk.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"
#include "codec/wire/gather.h"
#include "codec/wire/step.h"
#include "flags/command.h"

namespace migstream {

struct ReturnPathMessage {
  uint64_t offset = 0;
  ReturnMessage type = ReturnMessage::kShut;
  uint32_t value = 0;           // SHUT, PONG, RESUME_ACK.
  uint64_t start = 0;           // REQ_PAGES, REQ_PAGES_ID: offset in the block,
  uint32_t bytes = 0;           // and length.
  std::string_view block = "";  // REQ_PAGES_ID, RECV_BITMAP; a view.
  uint64_t bitmap_bytes = 0;    // RECV_BITMAP: they follow.
};

// "PONG 1"; "REQ_PAGES_ID pc.ram 0x1000, 4096 bytes"
std::string ToString(const ReturnPathMessage& message);

class ReturnPathDecoder {
 public:
  // `offset` is that of the first byte.
  explicit ReturnPathDecoder(uint64_t offset = 0) { walk_.offset = offset; }

  // kEvent, with a message; kNeedInput, with bytes_needed(); kError. A
  // RECV_BITMAP comes before its bitmap, which is left to the caller: see
  // TakeOver(). What Next() meets of it, it passes over.
  Step Next(ByteSpan& input, ReturnPathMessage& message);

  // The caller moved so many bytes of the bitmap, of which payload_left() are
  // still to come.
  void TakeOver(uint64_t bytes) { walk_.Passed(bytes); }
  uint64_t payload_left() const { return walk_.payload_left; }
  // After kNeedInput.
  size_t bytes_needed() const { return walk_.bytes_needed; }
  // Between two messages, where the return path may end.
  bool between() const { return walk_.payload_left == 0 && !in_bitmap_; }
  // The input has ended with these bytes.
  Error AtEndOfInput(ByteSpan left) const;
  const Error& error() const { return walk_.error; }
  uint64_t offset() const { return walk_.offset; }

 private:
  Step Fail(uint64_t at, std::string section, std::string reason);

  ContentWalk walk_;
  bool in_bitmap_ = false;  // Its end mark is due.
};

class ReturnPathEncoder {
 public:
  // Both buffers that suffice for any one message.
  static constexpr size_t kMinHeaderBytes = 300;
  static constexpr size_t kMinPieces = 4;

  ReturnPathEncoder(std::span<uint8_t> headers, std::span<iovec> pieces)
      : gather_(headers, pieces) {}

  // kFull: write the pieces, Clear(), and call again. kError: a block's name is
  // empty or has more than 255 bytes. `bitmap` is RECV_BITMAP's.
  Put Send(const ReturnPathMessage& message, ByteSpan bitmap = {});

  std::span<const iovec> pieces() const { return gather_.pieces(); }
  void Clear() { gather_.Clear(); }

 private:
  Gather gather_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_RETURN_PATH_H_
