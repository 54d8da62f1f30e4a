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

std::string TempFolder() {
  const char* folder = std::getenv("TMPDIR");
  return folder != nullptr && *folder != '\0' ? folder : "/var/tmp";
}

// -1, and errno, if it cannot be.
int OpenTempFile() {
  const std::string folder = TempFolder();
  int fd = open(folder.c_str(), O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) return fd;
  // A file system that has none without a name.
  std::string path = StrCat(folder, "/migstream.XXXXXX");
  fd = mkostemp(path.data(), O_CLOEXEC);
  if (fd >= 0) unlink(path.c_str());
  return fd;
}

Error Problem(int error) {
  return {
      ErrorCode::kWriteFailed, 0, "",
      StrCat("a temporary file in ", TempFolder(), ": ", std::strerror(error))};
}

}  // namespace

TempFile::~TempFile() {
  if (fd_ >= 0) close(fd_);
}

Error TempFile::WriteAt(uint64_t offset, ByteSpan bytes) {
  if (fd_ < 0) {
    fd_ = OpenTempFile();
    if (fd_ < 0) return Problem(errno);
  }
  if (error_ == 0) error_ = behind_.Write(fd_, offset, bytes);
  if (error_ != 0) return Problem(error_);
  size_ = std::max(size_, offset + bytes.size());
  return {};
}

Error TempFile::Flush() const {
  // Several threads read at a time; then nothing is left to be written.
  if (error_ == 0) {
    if (const int error = behind_.Flush(); error != 0) error_ = error;
  }
  return error_ == 0 ? Error() : Problem(error_);
}

Error TempFile::ReadAt(uint64_t offset, std::span<uint8_t> bytes) const {
  if (Error error = Flush(); !error.ok()) return error;
  while (!bytes.empty()) {
    ssize_t got =
        pread(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Problem(got < 0 ? errno : EIO);
    offset += got;
    bytes = bytes.subspan(got);
  }
  return {};
}

}  // namespace migstream
