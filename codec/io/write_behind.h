// Writes to files, anywhere in them: neighbours are put together, so that a
// page or a record is no system call of its own. Several files may share one;
// then an error may be that of the file that was written to before.
//
//   WriteBehind behind;
//   int error = behind.Write(fd, offset, bytes);
//   if (error == 0) error = behind.Flush();  // Before anything is read.
//
// Both give 0 or an errno. What is not flushed is lost with the object; memory
// is kHeldBytes, once something small was written.

#ifndef MIGSTREAM_CODEC_IO_WRITE_BEHIND_H_
#define MIGSTREAM_CODEC_IO_WRITE_BEHIND_H_

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "codec/wire/bytes.h"

namespace migstream {

class WriteBehind {
 public:
  static constexpr size_t kHeldBytes = 256 << 10;

  int Write(int fd, uint64_t offset, ByteSpan bytes);
  // The bytes stand apart, and follow each other in the file.
  int Write(int fd, uint64_t offset, std::span<const iovec> pieces);
  int Flush();

 private:
  std::vector<uint8_t> held_;
  int fd_ = -1;          // Whose these are.
  uint64_t offset_ = 0;  // Of what is held.
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_IO_WRITE_BEHIND_H_
