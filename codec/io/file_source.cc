#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include "codec/io/byte_source.h"
#include "codec/io/mapping_cost.h"
#include "codec/io/zero_bytes.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

// A window doubles while the file is read on, to where mapping costs little
// beside stepping through it; what lies behind a leap may be short.
constexpr size_t kFirstWindowBytes = 256 << 10;
constexpr size_t kLastWindowBytes = 4 << 20;

// With less to come it does not matter which way is faster.
constexpr uint64_t kLargeFileBytes = 16 << 20;

// How many bytes from `position` to `end` are of a hole, which reads as zeros
// and need not be read.
uint64_t HoleBytes(int fd, uint64_t position, uint64_t end) {
  const off_t data = lseek(fd, static_cast<off_t>(position), SEEK_DATA);
  if (data >= 0) return std::min(static_cast<uint64_t>(data), end) - position;
  // No data is left; unless the file has become shorter.
  struct stat info;
  const bool ends_in_hole = errno == ENXIO && fstat(fd, &info) == 0 &&
                            static_cast<uint64_t>(info.st_size) >= end;
  return ends_in_hole ? end - position : 0;
}

}  // namespace

bool FileSource::Window::Map(int fd, uint64_t offset, size_t size) {
  Unmap();
  void* data = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd,
                    static_cast<off_t>(offset));
  if (data == MAP_FAILED) return false;
  data_ = data;
  size_ = size;
  // What cannot be read is found here, not by a signal. Before Linux 5.14 the
  // pages come one by one.
  return madvise(data, size, MADV_POPULATE_READ) == 0 || errno == EINVAL;
}

void FileSource::Window::Unmap() {
  if (data_ != nullptr) munmap(data_, size_);
  data_ = nullptr;
}

FileSource::FileSource(int fd, FileAccess access)
    : fd_(fd), access_(access), finds_holes_(access != FileAccess::kRead) {
  struct stat info;
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return;
  off_t start = lseek(fd, 0, SEEK_CUR);
  if (start < 0) return;
  start_ = start;
  size_ = start < info.st_size ? info.st_size - start : 0;
}

FileSource::~FileSource() { close(fd_); }

ssize_t FileSource::ReadFrom(uint64_t position, std::span<uint8_t> to) const {
  ssize_t got;
  do {
    got =
        pread(fd_, to.data(), to.size(), static_cast<off_t>(start_ + position));
  } while (got < 0 && errno == EINTR);
  return got;
}

size_t FileSource::ReadAt(uint64_t offset, std::span<uint8_t> to) const {
  constexpr uint64_t kMost = std::numeric_limits<off_t>::max();
  if (!size_ || offset > kMost - start_) return 0;
  const ssize_t got = ReadFrom(offset, to);
  return got > 0 ? got : 0;
}

std::unique_ptr<ByteSource> FileSource::Again() const {
  const int fd = size_ ? fcntl(fd_, F_DUPFD_CLOEXEC, 0) : -1;
  if (fd < 0) return nullptr;
  auto again = std::make_unique<FileSource>(fd, FileAccess::kRead);
  again->finds_holes_ = finds_holes_;
  // The position of a descriptor is that of all its copies.
  again->start_ = start_;
  again->size_ = size_;
  return again;
}

size_t FileSource::Read(uint8_t* to, size_t count) {
  ssize_t got;
  if (size_) {
    got = ReadFrom(position_, {to, count});
  } else {
    do {
      got = read(fd_, to, count);
    } while (got < 0 && errno == EINTR);
  }
  if (got >= 0) {
    position_ += got;
    return got;
  }
  if (errno == EAGAIN) return kNothingYet;
  Fail(std::strerror(errno));
  return 0;
}

uint64_t FileSource::Seek(uint64_t count) {
  if (!size_ || position_ >= *size_) return 0;
  uint64_t sought = std::min(count, *size_ - position_);
  if (sought > kFirstWindowBytes) window_bytes_ = 0;
  position_ += sought;
  return sought;
}

bool FileSource::MoveTo(uint64_t offset) {
  if (!size_) return false;
  position_ = std::min(offset, *size_);
  window_bytes_ = 0;
  Restart(position_);
  return true;
}

std::optional<ByteSpan> FileSource::View(size_t count) {
  std::optional<ByteSpan> view = ViewFrom(offset(), count);
  if (view) {
    position_ = offset() + view->size();
  } else if (viewed_) {
    position_ = offset();
  }
  viewed_ = view.has_value();
  return view;
}

std::optional<ByteSpan> FileSource::ViewFrom(uint64_t position, size_t count) {
  // What is behind the size may be there by now, to be read.
  if (!size_ || position >= *size_ || *size_ - position < count) {
    return std::nullopt;
  }
  const bool mapped = access_ != FileAccess::kRead;
  if (mapped || (finds_holes_ && reads_ahead())) {
    if (std::optional<ByteSpan> hole = HoleFrom(position, count)) return hole;
  }
  if (!mapped) return std::nullopt;
  if (std::optional<ByteSpan> view = MapFrom(position, count)) return view;
  // Where a file cannot be mapped, or is read faster, it is read from here on.
  access_ = FileAccess::kRead;
  window_.Unmap();
  return std::nullopt;
}

std::optional<ByteSpan> FileSource::HoleFrom(uint64_t position, size_t count) {
  const uint64_t hole = std::min<uint64_t>(
      ZeroBytes().size(), HoleBytes(fd_, start_ + position, start_ + *size_));
  // Less is not worth the small pieces.
  if (hole < std::max(count, kLastWindowBytes)) return std::nullopt;
  return ZeroBytes().first(hole);
}

std::optional<ByteSpan> FileSource::MapFrom(uint64_t position, size_t count) {
  static const uint64_t kPage = sysconf(_SC_PAGESIZE);
  const uint64_t lead = (start_ + position) % kPage;
  // A page is there as a whole.
  uint64_t wanted = (lead + count + kPage - 1) / kPage * kPage - lead;
  if (reads_ahead()) {
    window_bytes_ =
        std::clamp(2 * window_bytes_, kFirstWindowBytes, kLastWindowBytes);
    wanted = std::max<uint64_t>(wanted, window_bytes_);
  }
  const size_t bytes = std::min<uint64_t>(wanted, *size_ - position);
  if (!window_.Map(fd_, start_ + position - lead, lead + bytes)) {
    return std::nullopt;
  }
  if (access_ == FileAccess::kFastest && bytes >= kLastWindowBytes &&
      *size_ - position >= kLargeFileBytes) {
    access_ = FileAccess::kMap;
    if (IsReadFaster(fd_, start_ + position - lead,
                     ByteSpan(window_.data(), bytes))) {
      return std::nullopt;
    }
  }
  return ByteSpan(window_.data() + lead, bytes);
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
    const ssize_t got =
        ReadFrom(*size_ - count + done, std::span(tail).subspan(done));
    if (got <= 0) {
      Fail(got < 0 ? std::strerror(errno) : "the file has become shorter");
      return {};
    }
    done += got;
  }
  return tail;
}

}  // namespace migstream
