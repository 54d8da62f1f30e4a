#include "inspect/ram_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <vector>

#include "codec/io/temp_file.h"
#include "codec/wire/text.h"

namespace migstream {

RamFile::RamFile(OutputFile& output)
    : output_(output), name_(output.name()), fd_(output.image()) {
  if (fd_ >= 0) return;
  fd_ = OpenTempFile();
  own_ = true;
  name_ = StrCat("a temporary file in ", TempFolder());
  if (fd_ < 0) Fail();
}

RamFile::~RamFile() {
  if (own_ && fd_ >= 0) close(fd_);
}

void RamFile::Fail() {
  if (status_.ok()) {
    status_ = absl::UnavailableError(StrCat(name_, ": ", std::strerror(errno)));
  }
}

void RamFile::Resize(uint64_t bytes) {
  size_ = bytes;
  if (status_.ok() && ftruncate(fd_, static_cast<off_t>(bytes)) != 0) Fail();
}

void RamFile::Write(uint64_t offset, ByteSpan bytes) {
  end_ = std::max(end_, offset + bytes.size());
  while (!bytes.empty() && status_.ok()) {
    ssize_t wrote =
        pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (wrote >= 0) {
      bytes = bytes.subspan(wrote);
      offset += wrote;
    } else if (errno != EINTR) {
      Fail();
    }
  }
}

void RamFile::Zero(uint64_t offset, uint64_t bytes) {
  if (offset >= end_ || !status_.ok()) return;  // It is zero already.
  bytes = std::min(bytes, end_ - offset);
  if (fallocate(fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                static_cast<off_t>(offset), static_cast<off_t>(bytes)) == 0) {
    return;
  }
  // No holes on this file system.
  std::vector<uint8_t> zeros(std::min<uint64_t>(bytes, 64 << 10));
  while (bytes > 0 && status_.ok()) {
    uint64_t here = std::min<uint64_t>(bytes, zeros.size());
    Write(offset, ByteSpan(zeros.data(), here));
    offset += here;
    bytes -= here;
  }
}

void RamFile::Read(uint64_t offset, std::span<uint8_t> bytes) {
  while (!bytes.empty() && status_.ok()) {
    ssize_t got =
        pread(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (got > 0) {
      bytes = bytes.subspan(got);
      offset += got;
    } else if (got == 0) {
      errno = EIO;
      Fail();
    } else if (errno != EINTR) {
      Fail();
    }
  }
}

absl::Status RamFile::Finish() {
  if (!own_) return status_;
  std::vector<uint8_t> piece(256 << 10);
  for (uint64_t at = 0; at < size_ && status_.ok();) {
    size_t here = std::min<uint64_t>(piece.size(), size_ - at);
    Read(at, std::span(piece.data(), here));
    output_.Write(ByteSpan(piece.data(), here));
    at += here;
  }
  return status_;
}

}  // namespace migstream
