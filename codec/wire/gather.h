// Collects what is to be written, scatter-gather: numbers in a small buffer of
// the caller's, payload by reference, ready for writev(2).
//
//   Gather gather(headers, iovecs);
//   if (!gather.Room(8, 2)) return false;  // Write the pieces, Clear().
//   StoreBe64(gather.Header(8), tag);
//   gather.Piece(payload);
//
// Allocates nothing. The pieces point into the buffer and into the caller's
// payloads; both must live until they are written.

#ifndef MIGSTREAM_CODEC_WIRE_GATHER_H_
#define MIGSTREAM_CODEC_WIRE_GATHER_H_

#include <sys/uio.h>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>

#include "codec/wire/bytes.h"

namespace migstream {

class Gather {
 public:
  Gather(std::span<uint8_t> headers, std::span<iovec> pieces)
      : headers_(headers), pieces_(pieces) {
    Clear();
  }

  bool Room(ptrdiff_t header_bytes, ptrdiff_t pieces) const {
    return header_bytes <= headers_.data() + headers_.size() - header_ &&
           pieces <= pieces_.data() + pieces_.size() - piece_;
  }

  // How often there is Room() at least.
  size_t Rooms(size_t header_bytes, size_t pieces) const {
    return std::min(
        (headers_.data() + headers_.size() - header_) / header_bytes,
        (pieces_.data() + pieces_.size() - piece_) / pieces);
  }

  // Where to put `bytes` bytes; they take one piece at the most. Only if there
  // is Room().
  uint8_t* Header(size_t bytes) {
    assert(Room(static_cast<ptrdiff_t>(bytes), header_ == piece_end_ ? 0 : 1));
    uint8_t* header = header_;
    header_ = header + bytes;
    // Behind another header it is the same piece.
    if (header == piece_end_) {
      piece_[-1].iov_len += bytes;
    } else {
      *piece_++ = {header, bytes};
    }
    piece_end_ = header + bytes;
    return header;
  }

  // Payload, by reference. Only if there is Room().
  void Piece(ByteSpan bytes) {
    if (bytes.empty()) return;
    assert(Room(0, 1));
    *piece_++ = {const_cast<uint8_t*>(bytes.data()), bytes.size()};
    piece_end_ = nullptr;
  }

  // Header() and then Piece(), for an encoder of small records: what both need
  // stays in registers. Only if there is Room() for two pieces.
  uint8_t* HeaderAndPiece(size_t bytes, ByteSpan payload) {
    assert(Room(static_cast<ptrdiff_t>(bytes), 2));
    uint8_t* header = header_;
    iovec* piece = piece_;
    const uint8_t* end = header + bytes;
    header_ = header + bytes;
    if (header == piece_end_) {
      piece[-1].iov_len += bytes;
    } else {
      *piece++ = {header, bytes};
    }
    if (!payload.empty()) {
      *piece++ = {const_cast<uint8_t*>(payload.data()), payload.size()};
      end = nullptr;
    }
    piece_ = piece;
    piece_end_ = end;
    return header;
  }

  std::span<const iovec> pieces() const {
    return std::span(pieces_.data(), piece_);
  }

  void Clear() {
    header_ = headers_.data();
    piece_ = pieces_.data();
    piece_end_ = nullptr;
  }

 private:
  std::span<uint8_t> headers_;
  std::span<iovec> pieces_;
  // The next ones in both: pointers, since counts would cost an encoder of
  // small records a third more.
  uint8_t* header_;
  iovec* piece_;
  // Where the last piece ends, if it is a header.
  const uint8_t* piece_end_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_WIRE_GATHER_H_
