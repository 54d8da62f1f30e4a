#include "codec/session/vfio_calls.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

namespace migstream {
namespace {

template <typename Result>
Result OrErrno(Result result) {
  return result < 0 ? static_cast<Result>(-errno) : result;
}

class SystemCalls : public VfioCalls {
 public:
  int Ioctl(int fd, unsigned long request, void* argument) override {
    return OrErrno(ioctl(fd, request, argument));
  }
  ssize_t Read(int fd, void* buffer, size_t bytes) override {
    return OrErrno(read(fd, buffer, bytes));
  }
  ssize_t Write(int fd, const void* bytes, size_t size) override {
    return OrErrno(write(fd, bytes, size));
  }
  ssize_t Pread(int fd, void* buffer, size_t bytes, uint64_t at) override {
    return OrErrno(pread(fd, buffer, bytes, static_cast<off_t>(at)));
  }
  ssize_t Pwrite(int fd, const void* bytes, size_t size, uint64_t at) override {
    return OrErrno(pwrite(fd, bytes, size, static_cast<off_t>(at)));
  }
  int Poll(int fd, bool writing, int milliseconds) override {
    pollfd ready = {fd, static_cast<short>(writing ? POLLOUT : POLLIN), 0};
    return OrErrno(poll(&ready, 1, milliseconds));
  }
  void Close(int fd) override { close(fd); }
};

}  // namespace

VfioCalls& SystemVfioCalls() {
  static SystemCalls calls;
  return calls;
}

}  // namespace migstream
