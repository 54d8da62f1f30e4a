#include "codec/qemu/temp_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"

namespace migstream {
namespace {

std::string Folder() {
  const char* folder = std::getenv("TMPDIR");
  return folder != nullptr && *folder != '\0' ? folder : "/var/tmp";
}

Error Problem(int error) {
  return {ErrorCode::kWriteFailed, 0, "",
          absl::StrCat("a temporary file in ", Folder(), ": ",
                       std::strerror(error))};
}

}  // namespace

TempFile::~TempFile() {
  if (fd_ >= 0) close(fd_);
}

Error TempFile::WriteAt(uint64_t offset, ByteSpan bytes) {
  if (fd_ < 0) {
    std::string path = absl::StrCat(Folder(), "/migstream.XXXXXX");
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
    bytes.remove_prefix(wrote);
  }
  return {};
}

Error TempFile::ReadAt(uint64_t offset, absl::Span<uint8_t> bytes) const {
  while (!bytes.empty()) {
    ssize_t got = pread(fd_, bytes.data(), bytes.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Problem(got < 0 ? errno : EIO);
    offset += got;
    bytes.remove_prefix(got);
  }
  return {};
}

}  // namespace migstream
