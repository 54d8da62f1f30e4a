// File descriptors for benchmarks: a stream to write into and to read from, and
// a memfd that stands for a device.

#ifndef MIGSTREAM_BENCH_DESCRIPTORS_H_
#define MIGSTREAM_BENCH_DESCRIPTORS_H_

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <vector>

#include "bench/measure.h"

namespace migstream {

enum class StreamKind { kPipe, kSocket, kMemfd };

// More than a pipe and a socket hold at once must not be written before it is
// drained.
inline constexpr size_t kStreamBytes = 1 << 20;

class Stream {
 public:
  // A memfd has room for `bytes`, and its pages from the start.
  Stream(StreamKind kind, size_t bytes) : kind_(kind) {
    int ends[2] = {-1, -1};
    switch (kind) {
      case StreamKind::kPipe:
        Require(pipe2(ends, O_CLOEXEC) == 0, "pipe()");
        Require(fcntl(ends[1], F_SETPIPE_SZ, kStreamBytes) > 0,
                "a pipe of 1 MiB");
        null_ = open("/dev/null", O_WRONLY | O_CLOEXEC);
        break;
      case StreamKind::kSocket: {
        Require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0,
                "socketpair()");
        int room = 4 * kStreamBytes;
        setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
        break;
      }
      case StreamKind::kMemfd: {
        ends[0] = ends[1] = memfd_create("stream", MFD_CLOEXEC);
        std::vector<uint8_t> filling(bytes, 'x');
        Require(write(ends[1], filling.data(), bytes) ==
                    static_cast<ssize_t>(bytes),
                "a memfd is written");
        break;
      }
    }
    out_ = ends[0];
    in_ = ends[1];
    Rewind();
  }
  ~Stream() {
    close(in_);
    if (out_ != in_) close(out_);
    if (null_ >= 0) close(null_);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  StreamKind kind() const { return kind_; }
  int in() const { return in_; }
  int out() const { return out_; }

  // Takes out what was written.
  void Drain(size_t bytes) {
    if (kind_ == StreamKind::kMemfd) return;
    if (kind_ == StreamKind::kSocket && sink_.empty()) {
      sink_.resize(kStreamBytes);
    }
    while (bytes > 0) {
      ssize_t got = kind_ == StreamKind::kPipe
                        ? splice(out_, nullptr, null_, nullptr, bytes, 0)
                        : read(out_, sink_.data(), sink_.size());
      Require(got > 0, "a stream is drained");
      bytes -= got;
    }
  }

  // A memfd is read and written from its start again.
  void Rewind() {
    if (kind_ == StreamKind::kMemfd) lseek(in_, 0, SEEK_SET);
  }

 private:
  const StreamKind kind_;
  int in_ = -1;
  int out_ = -1;
  int null_ = -1;
  std::vector<uint8_t> sink_;
};

}  // namespace migstream

#endif  // MIGSTREAM_BENCH_DESCRIPTORS_H_
