// A source that a thread of its own reads some pieces ahead of who takes its
// bytes: what one decompresses, the other looks at meanwhile.
//
//   AheadSource ahead(std::move(source));
//
// `source` must never wait for what may not come, as a pipe does: the thread
// ends with this object. Offsets go on where it stood. It cannot go back.
// Memory is kPieces of kPieceBytes.

#ifndef MIGSTREAM_CODEC_IO_AHEAD_SOURCE_H_
#define MIGSTREAM_CODEC_IO_AHEAD_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codec/io/byte_source.h"
#include "codec/io/ordered_work.h"

namespace migstream {

class AheadSource : public ByteSource {
 public:
  static constexpr size_t kPieces = 4;
  static constexpr size_t kPieceBytes = 256 << 10;

  explicit AheadSource(std::unique_ptr<ByteSource> source);

  uint64_t raw_offset() const override { return shown_.raw_offset; }
  std::optional<uint64_t> raw_size() const override { return raw_size_; }
  uint64_t padding_bytes() const override { return shown_.padding_bytes; }
  bool works_ahead() const override { return true; }

 protected:
  size_t Read(uint8_t* to, size_t count) override;
  std::optional<ByteSpan> View(size_t count) override;

 private:
  struct Piece {
    std::vector<uint8_t> bytes;  // None: the input has ended.
    uint64_t raw_offset = 0;
    uint64_t padding_bytes = 0;
    std::string failure;
  };
  static void ReadPiece(ByteSource& source, Piece& piece);
  // Lets go of what was shown. False at the end.
  bool NextPiece();

  const std::unique_ptr<ByteSource> source_;  // The thread's.
  const std::optional<uint64_t> raw_size_;
  Piece shown_;
  uint64_t shown_at_;    // The offset of its first byte,
  uint64_t read_at_;     // of what Read() gives next,
  bool viewed_ = false;  // unless View() has given more.
  bool ended_ = false;
  OrderedWork<Piece> work_;  // The last: it ends before the rest goes.
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_IO_AHEAD_SOURCE_H_
