#include "codec/session/channel_output.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace migstream {
namespace {

// A session's call has fewer; more are written in turns.
constexpr size_t kPieces = 32;

int WritePieces(int fd, std::span<iovec> pieces) {
  while (!pieces.empty()) {
    ssize_t put = writev(fd, pieces.data(), static_cast<int>(pieces.size()));
    if (put < 0 && errno == EAGAIN) {
      pollfd ready = {fd, POLLOUT, 0};
      if (poll(&ready, 1, -1) < 0 && errno != EINTR) return errno;
      continue;
    }
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno;
    size_t left = static_cast<size_t>(put);
    while (!pieces.empty() && left >= pieces.front().iov_len) {
      left -= pieces.front().iov_len;
      pieces = pieces.subspan(1);
    }
    if (left != 0) {
      iovec& piece = pieces.front();
      piece = {static_cast<char*>(piece.iov_base) + left, piece.iov_len - left};
    }
  }
  return 0;
}

}  // namespace

int FdOutput::Write(std::span<const iovec> pieces) {
  std::array<iovec, kPieces> now;
  while (!pieces.empty()) {
    const size_t count = std::min(pieces.size(), now.size());
    std::copy_n(pieces.begin(), count, now.begin());
    if (int error = WritePieces(fd_, std::span(now).first(count)); error != 0) {
      return error;
    }
    pieces = pieces.subspan(count);
  }
  return 0;
}

}  // namespace migstream
