#include "codec/io/write_behind.h"

#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace migstream {
namespace {

// Copying so much costs more than a call.
constexpr size_t kLargeBytes = 64 << 10;

ByteSpan BytesOf(const iovec& piece) {
  return {static_cast<const uint8_t*>(piece.iov_base), piece.iov_len};
}

int WriteAll(int fd, uint64_t offset, ByteSpan bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote =
        pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return wrote < 0 ? errno : ENOSPC;
    offset += wrote;
    bytes = bytes.subspan(wrote);
  }
  return 0;
}

}  // namespace

int WriteBehind::Write(int fd, uint64_t offset, ByteSpan bytes) {
  const bool follows = fd == fd_ && offset == offset_ + held_.size();
  if (!follows || held_.size() + bytes.size() > kHeldBytes) {
    if (const int error = Flush(); error != 0) return error;
  }
  if (bytes.size() >= kLargeBytes) {
    const int error = Flush();
    return error != 0 ? error : WriteAll(fd, offset, bytes);
  }
  if (held_.empty()) {
    held_.reserve(kHeldBytes);
    fd_ = fd;
    offset_ = offset;
  }
  held_.insert(held_.end(), bytes.begin(), bytes.end());
  return 0;
}

int WriteBehind::Write(int fd, uint64_t offset, std::span<const iovec> pieces) {
  size_t total = 0;
  for (const iovec& piece : pieces) total += piece.iov_len;
  if (total >= kLargeBytes) {
    if (const int error = Flush(); error != 0) return error;
    const int most = static_cast<int>(std::min<size_t>(pieces.size(), IOV_MAX));
    ssize_t wrote;
    do {
      wrote = pwritev(fd, pieces.data(), most, static_cast<off_t>(offset));
    } while (wrote < 0 && errno == EINTR);
    if (wrote < 0) return errno;
    // What was not taken goes the plain way.
    auto left = static_cast<size_t>(wrote);
    offset += left;
    while (!pieces.empty() && left >= pieces[0].iov_len) {
      left -= pieces[0].iov_len;
      pieces = pieces.subspan(1);
    }
    if (!pieces.empty()) {
      const ByteSpan rest = BytesOf(pieces[0]).subspan(left);
      if (const int error = Write(fd, offset, rest); error != 0) return error;
      offset += rest.size();
      pieces = pieces.subspan(1);
    }
  }
  for (const iovec& piece : pieces) {
    if (const int error = Write(fd, offset, BytesOf(piece)); error != 0) {
      return error;
    }
    offset += piece.iov_len;
  }
  return 0;
}

int WriteBehind::Flush() {
  if (held_.empty()) return 0;
  const int error = WriteAll(fd_, offset_, held_);
  held_.clear();
  return error;
}

}  // namespace migstream
