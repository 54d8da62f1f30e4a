#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "codec/qemu/byte_source.h"

namespace migstream {

FileSource::FileSource(int fd) : fd_(fd) {
  struct stat info;
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return;
  off_t start = lseek(fd, 0, SEEK_CUR);
  if (start < 0) return;
  start_ = start;
  size_ = start < info.st_size ? info.st_size - start : 0;
}

FileSource::~FileSource() { close(fd_); }

size_t FileSource::Read(uint8_t* to, size_t count) {
  while (true) {
    ssize_t got =
        size_ ? pread(fd_, to, count, static_cast<off_t>(start_ + position_))
              : read(fd_, to, count);
    if (got >= 0) {
      position_ += got;
      return got;
    }
    if (errno == EINTR) continue;
    Fail(std::strerror(errno));
    return 0;
  }
}

uint64_t FileSource::Seek(uint64_t count) {
  if (!size_ || position_ >= *size_) return 0;
  uint64_t sought = std::min(count, *size_ - position_);
  position_ += sought;
  return sought;
}

bool FileSource::ReachEnd(uint64_t limit) {
  return size_ ? true : ByteSource::ReachEnd(limit);
}

std::vector<uint8_t> FileSource::Tail(uint64_t count) {
  if (!size_) return ByteSource::Tail(count);
  if (offset() >= *size_) return {};
  count = std::min(count, *size_ - offset());
  std::vector<uint8_t> tail(count);
  uint64_t done = 0;
  while (done < count) {
    ssize_t got = pread(fd_, tail.data() + done, count - done,
                        static_cast<off_t>(start_ + *size_ - count + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      Fail(got < 0 ? std::strerror(errno) : "the file has become shorter");
      return {};
    }
    done += got;
  }
  return tail;
}

absl::StatusOr<std::unique_ptr<ByteSource>> OpenFile(const std::string& path) {
  int fd = path == "-" ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                       : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return absl::NotFoundError(std::strerror(errno));
  auto source = std::make_unique<FileSource>(fd);
  struct stat info;
  if (fstat(fd, &info) == 0 && S_ISDIR(info.st_mode)) {
    return absl::InvalidArgumentError("is a directory");
  }
  return source;
}

}  // namespace migstream
