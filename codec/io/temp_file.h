// A file without a name in $TMPDIR or /var/tmp, for what does not fit into
// memory: bytes are appended, or written anywhere, and read again at any place.
// It goes with the object, or with the process. Small writes are put together:
// that there is no room may be said by a later call.

#ifndef MIGSTREAM_CODEC_IO_TEMP_FILE_H_
#define MIGSTREAM_CODEC_IO_TEMP_FILE_H_

#include <cstdint>
#include <span>
#include <utility>

#include "codec/io/write_behind.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"

namespace migstream {

class TempFile {
 public:
  TempFile() = default;
  ~TempFile();
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;

  // At size(). The first call makes the file; kWriteFailed if that cannot be,
  // or if its folder is full.
  Error Append(ByteSpan bytes) { return WriteAt(size_, bytes); }

  // What is left out before `offset` is zero, and takes no room.
  Error WriteAt(uint64_t offset, ByteSpan bytes);

  // All of `bytes`, which must be within size().
  Error ReadAt(uint64_t offset, std::span<uint8_t> bytes) const;

  uint64_t size() const { return size_; }

  // Before Release(): all that was written is in the file, or kWriteFailed.
  Error Flush() const;

  // Gives its descriptor away, to be closed by the caller; -1 if it was never
  // written to.
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
  uint64_t size_ = 0;
  mutable WriteBehind behind_;  // Reading flushes it.
  mutable int error_ = 0;       // What was held is lost then: for good.
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_IO_TEMP_FILE_H_
