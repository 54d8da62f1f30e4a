// Bytes of a stream that are kept to be looked at again: where they stand in
// it, if it can be read a second time, or else in a file without a name.
//
//   KeptBytes kept;
//   kept.SetStream(open_again());
//   std::optional<uint64_t> place = kept.InStream(offset);
//   if (!place) error = kept.Append(bytes, place.emplace());
//   …
//   error = kept.Get(*place, buffer, bytes);

#ifndef MIGSTREAM_CODEC_IO_KEPT_BYTES_H_
#define MIGSTREAM_CODEC_IO_KEPT_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "codec/io/byte_source.h"
#include "codec/io/temp_file.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"

namespace migstream {

class KeptBytes {
 public:
  static constexpr size_t kMostPieces = 1 << 16;

  // A source of the same stream as the one that is being read, with the same
  // offsets. Null, or one that cannot go back, is of no use: then there is no
  // place in the stream.
  void SetStream(std::unique_ptr<ByteSource> stream);

  // The place of what stands at an offset of the stream.
  std::optional<uint64_t> InStream(uint64_t offset) const;
  // The place of what stands at an offset of the file.
  static uint64_t InFile(uint64_t offset) { return offset; }

  // At the file's end. kWriteFailed if there is no room.
  Error Append(ByteSpan bytes, uint64_t& place);
  // The place of so many bytes of the file, for Write() to fill from the front.
  uint64_t Reserve(uint64_t bytes);
  Error Write(uint64_t place, ByteSpan bytes);
  TempFile& file() { return file_; }

  // Whether one more piece may be remembered that is not large: of all users
  // together kMostPieces may.
  bool TakePiece() { return pieces_left_ != 0 && pieces_left_-- != 0; }

  // As many bytes as `buffer` has, from `place` on: where they are, or put into
  // the buffer. Good until the next call. kReadFailed: they are not there any
  // more.
  Error Get(uint64_t place, std::span<uint8_t> buffer, ByteSpan& bytes) const;
  // The same, always in the buffer.
  Error Read(uint64_t place, std::span<uint8_t> buffer) const;

  // For a thread of its own, while nothing is added; this must outlive it.
  class Reader {
   public:
    Error Get(uint64_t place, std::span<uint8_t> buffer, ByteSpan& bytes) {
      return GetFrom(*file_, stream_.get(), place, buffer, bytes);
    }

   private:
    friend class KeptBytes;
    Reader(const TempFile& file, std::unique_ptr<ByteSource> stream)
        : file_(&file), stream_(std::move(stream)) {}

    const TempFile* file_;
    std::unique_ptr<ByteSource> stream_;
  };
  // Null where the stream cannot be had once more, or the file not be written:
  // then reading it fails.
  std::optional<Reader> NewReader() const;

 private:
  static Error GetFrom(const TempFile& file, ByteSource* stream, uint64_t place,
                       std::span<uint8_t> buffer, ByteSpan& bytes);

  TempFile file_;
  uint64_t reserved_to_ = 0;  // In the file.
  size_t pieces_left_ = kMostPieces;
  std::unique_ptr<ByteSource> stream_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_IO_KEPT_BYTES_H_
