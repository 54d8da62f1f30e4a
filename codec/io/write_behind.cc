#include "codec/io/write_behind.h"

#include <unistd.h>

#include <cerrno>

namespace migstream {
namespace {

// Copying so much costs more than a call.
constexpr size_t kLargeBytes = 64 << 10;

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

int WriteBehind::Flush() {
  const int error = WriteAll(fd_, offset_, held_);
  held_.clear();
  return error;
}

}  // namespace migstream
