#include "codec/io/temp_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>

#include "codec/wire/text.h"

namespace migstream {
namespace {

std::string Folder() {
  const char* folder = std::getenv("TMPDIR");
  return folder != nullptr && *folder != '\0' ? folder : "/var/tmp";
}

Error Problem(int error) {
  return {ErrorCode::kWriteFailed, 0, "",
          StrCat("a temporary file in ", Folder(), ": ", std::strerror(error))};
}

}  // namespace

TempFile::~TempFile() {
  if (fd_ >= 0) close(fd_);
}

Error TempFile::WriteAt(uint64_t offset, ByteSpan bytes) {
  if (fd_ < 0) {
    std::string path = StrCat(Folder(), "/migstream.XXXXXX");
    fd_ = mkostemp(path.data(), O_CLOEXEC);
    if (fd_ < 0) return Problem(errno);
    unlink(path.c_str());
  }
  while (!bytes.empty()) {
    ssize_t wrote = pwrite(fd_, bytes.data(), bytes.size(), offset);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return Problem(wrote < 0 ? errno : ENOSPC);
    offset += wrote;
    size_ = std::max(size_, offset);
    bytes = bytes.subspan(wrote);
  }
  return {};
}

Error TempFile::ReadAt(uint64_t offset, std::span<uint8_t> bytes) const {
  while (!bytes.empty()) {
    ssize_t got = pread(fd_, bytes.data(), bytes.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Problem(got < 0 ? errno : EIO);
    offset += got;
    bytes = bytes.subspan(got);
  }
  return {};
}

}  // namespace migstream
