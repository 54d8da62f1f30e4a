// The system calls by which a VFIO device is driven, so that a test can be the
// kernel. All give -errno instead of -1.

#ifndef MIGSTREAM_CODEC_SESSION_VFIO_CALLS_H_
#define MIGSTREAM_CODEC_SESSION_VFIO_CALLS_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace migstream {

class VfioCalls {
 public:
  virtual ~VfioCalls() = default;

  virtual int Ioctl(int fd, unsigned long request, void* argument) = 0;
  virtual ssize_t Read(int fd, void* buffer, size_t bytes) = 0;
  virtual ssize_t Write(int fd, const void* bytes, size_t size) = 0;
  virtual ssize_t Pread(int fd, void* buffer, size_t bytes, uint64_t at) = 0;
  virtual ssize_t Pwrite(int fd, const void* bytes, size_t size,
                         uint64_t at) = 0;
  // 1: ready; 0: `milliseconds` are over.
  virtual int Poll(int fd, bool writing, int milliseconds) = 0;
  virtual void Close(int fd) = 0;
};

// The real ones. Lives for ever.
VfioCalls& SystemVfioCalls();

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_SESSION_VFIO_CALLS_H_
