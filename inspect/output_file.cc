#include "inspect/output_file.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "codec/io/absl_view.h"
#include "codec/io/zero_bytes.h"
#include "codec/wire/text.h"
#include "inspect/console.h"
#include "inspect/unfinished_files.h"

namespace migstream {
namespace {

// Each output has so many, and there may be hundreds of them.
constexpr size_t kBufferBytes = 64 << 10;
constexpr size_t kCopiedBytes = 256 << 10;
// Copying so much into the buffer costs more than a call. Until the buffer was
// full once, nothing is written: a stream with an error leaves nothing then.
constexpr size_t kLargeBytes = 16 << 10;
// Zeros that are left out, at a multiple of their number: one page or more of
// the guest, and a multiple of what file systems allocate.
constexpr size_t kHoleBytes = 64 << 10;
constexpr size_t kLeastHoleBytes = 4 << 10;
constexpr int kMaxLinks = 16;
constexpr int kMaxNames = 1000;
constexpr mode_t kPermissions = 0777;

absl::Status Problem(std::string_view path, int error) {
  return absl::UnavailableError(StrCat(path, ": ", std::strerror(error)));
}

bool IsZero(ByteSpan bytes) {
  return bytes[0] == 0 &&
         std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

std::string OpenFileName(int fd) { return StrCat("/proc/self/fd/", fd); }

// False, and errno, if they cannot all be written.
bool WriteAt(int fd, std::span<const uint8_t> bytes, off_t at) {
  while (!bytes.empty()) {
    ssize_t wrote = pwrite(fd, bytes.data(), bytes.size(), at);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    bytes = bytes.subspan(wrote);
    at += wrote;
  }
  return true;
}

// Copies what is no hole; false, and errno, if that fails.
bool CopyFile(int from, int to, off_t size) {
  std::vector<uint8_t> buffer(kCopiedBytes);
  for (off_t at = 0; at < size;) {
    at = lseek(from, at, SEEK_DATA);
    if (at < 0) break;  // Only a hole is left.
    off_t end = lseek(from, at, SEEK_HOLE);
    if (end < 0) return false;
    while (at < end) {
      ssize_t got = pread(from, buffer.data(),
                          std::min<off_t>(kCopiedBytes, end - at), at);
      if (got < 0 && errno == EINTR) continue;
      if (got == 0) errno = EIO;
      if (got <= 0 || !WriteAt(to, std::span(buffer.data(), got), at)) {
        return false;
      }
      at += got;
    }
  }
  return ftruncate(to, size) == 0;
}

}  // namespace

mode_t ModeOf(std::span<const std::string> files) {
  mode_t mode = 0666;
  for (const std::string& file : files) {
    struct stat info;
    int failed =
        file == "-" ? fstat(STDIN_FILENO, &info) : stat(file.c_str(), &info);
    if (failed != 0) continue;
    if (S_ISREG(info.st_mode) || S_ISBLK(info.st_mode)) mode &= info.st_mode;
  }
  return mode;
}

bool IsWrittenDirectly(const std::string& path) {
  struct stat info;
  return path == "-" || (stat(path.c_str(), &info) == 0 &&
                         !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode));
}

OutputFile::~OutputFile() {
  if (fd_ >= 0) close(fd_);
  if (old_fd_ >= 0) close(old_fd_);
  Discard();
}

absl::Status OutputFile::Open(const std::string& path, bool force,
                              mode_t mode) {
  path_ = path;
  force_ = force;
  if (path == "-") {
    path_ = "standard output";
    fd_ = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    return fd_ < 0 ? Problem(path_, errno) : absl::OkStatus();
  }
  struct stat info;
  replaces_ = stat(path.c_str(), &info) == 0;
  if (replaces_) {
    if (S_ISDIR(info.st_mode)) {
      return absl::InvalidArgumentError(StrCat(path, ": is a directory"));
    }
    if (!S_ISREG(info.st_mode)) {
      fd_ = open(path.c_str(), O_WRONLY | O_CLOEXEC);
      return fd_ < 0 ? Problem(path, errno) : absl::OkStatus();
    }
    if (!force) {
      return absl::AlreadyExistsError(
          StrCat(path, ": exists; --force replaces it"));
    }
  }
  // Through symbolic links, to what they stand for.
  std::error_code error;
  for (int links = 0; std::filesystem::is_symlink(path_, error); ++links) {
    std::filesystem::path target = std::filesystem::read_symlink(path_, error);
    if (error || links == kMaxLinks) return Problem(path, ELOOP);
    path_ = (std::filesystem::path(path_).parent_path() / target).string();
  }
  absl::Status status = OpenNew(replaces_ ? 0600 : mode);
  return status.ok() && replaces_ ? KeepOwner(info) : status;
}

// A file in the folder of path_, for the new bytes.
absl::Status OutputFile::OpenNew(mode_t mode) {
  std::string folder = std::filesystem::path(path_).parent_path().string();
  if (folder.empty()) folder.push_back('.');
  fd_ = open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, mode);
  // It gets its name by the one that /proc has for it.
  if (fd_ >= 0 && access(OpenFileName(fd_).c_str(), F_OK) == 0) {
    way_ = Way::kWithoutName;
    return absl::OkStatus();
  }
  if (fd_ >= 0) close(fd_);
  // A killed process may have left one of the same name.
  for (int tries = 0; tries < kMaxNames; ++tries) {
    beside_ = NameBeside();
    fd_ = CreateUnfinished(beside_, mode);
    if (fd_ >= 0 || errno != EEXIST) break;
  }
  if (fd_ >= 0) {
    way_ = Way::kBeside;
    return absl::OkStatus();
  }
  absl::Status problem = Problem(errno == EEXIST ? beside_ : path_, errno);
  beside_.clear();
  return problem;
}

// What --force replaces keeps what people gave it. One file cannot take the
// place of another under several names, nor be given to somebody else without
// the right to do so: there the old one gets the new bytes in the end.
absl::Status OutputFile::KeepOwner(const struct stat& old) {
  struct stat mine;
  if (fstat(fd_, &mine) != 0) return Problem(path_, errno);
  const bool same_owner =
      (mine.st_uid == old.st_uid && mine.st_gid == old.st_gid) ||
      fchown(fd_, old.st_uid, old.st_gid) == 0;
  if (!same_owner || old.st_nlink > 1) {
    // One that may not be written to is replaced after all, as by cp --force.
    old_fd_ = open(path_.c_str(), O_WRONLY | O_CLOEXEC);
    if (old_fd_ >= 0) return absl::OkStatus();
  }
  return fchmod(fd_, old.st_mode & kPermissions) == 0 ? absl::OkStatus()
                                                      : Problem(path_, errno);
}

std::string OutputFile::NameBeside() const {
  static int count = 0;
  return (std::filesystem::path(path_).parent_path() /
          StrCat(".migstream.", getpid(), ".", count++, ".unfinished"))
      .string();
}

void OutputFile::Write(ByteSpan bytes) {
  if (!status_.ok()) return;
  if (AreZeroBytes(bytes) && way_ != Way::kDirect) {
    Flush();
    return LeaveHole(bytes.size());
  }
  if (bytes.size() >= kLargeBytes &&
      (position_ > 0 || buffer_.size() + bytes.size() >= kBufferBytes)) {
    Flush();
    return PutSparsely(bytes);
  }
  // Piece by piece: what is written may be all of a file.
  while (!bytes.empty()) {
    const ByteSpan piece =
        bytes.first(std::min(bytes.size(), kBufferBytes - buffer_.size()));
    buffer_.insert(buffer_.end(), piece.begin(), piece.end());
    if (buffer_.size() >= kBufferBytes) Flush();
    bytes = bytes.subspan(piece.size());
  }
}

void OutputFile::WriteAll(std::span<iovec> pieces) {
  if (way_ == Way::kDirect) {
    Flush();
    while (!pieces.empty() && status_.ok()) {
      const size_t most = std::min<size_t>(pieces.size(), IOV_MAX);
      ssize_t wrote = writev(fd_, pieces.data(), static_cast<int>(most));
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote <= 0) status_ = Problem(path_, wrote < 0 ? errno : ENOSPC);
      if (wrote <= 0) return;
      position_ += wrote;
      auto left = static_cast<size_t>(wrote);
      while (!pieces.empty() && left >= pieces[0].iov_len) {
        left -= pieces[0].iov_len;
        pieces = pieces.subspan(1);
      }
      if (left == 0) continue;
      pieces[0].iov_base = static_cast<uint8_t*>(pieces[0].iov_base) + left;
      pieces[0].iov_len -= left;
    }
    return;
  }
  for (const iovec& piece : pieces) {
    Write({static_cast<const uint8_t*>(piece.iov_base), piece.iov_len});
  }
}

void OutputFile::Flush() {
  PutSparsely(buffer_);
  buffer_.clear();
}

// All but zeros, which become holes where there can be any.
void OutputFile::PutSparsely(ByteSpan left) {
  size_t data = 0;  // At the front of `left`.
  while (status_.ok() && data < left.size()) {
    const uint64_t at = position_ + data;
    const ByteSpan piece = left.subspan(
        data,
        std::min<size_t>(left.size() - data, kHoleBytes - at % kHoleBytes));
    if (way_ == Way::kDirect || piece.size() < kLeastHoleBytes ||
        !IsZero(piece)) {
      data += piece.size();
      continue;
    }
    Put(left.first(data));
    left = left.subspan(data + piece.size());
    data = 0;
    LeaveHole(piece.size());
  }
  Put(left.first(data));
}

void OutputFile::LeaveHole(uint64_t bytes) {
  if (!status_.ok()) return;
  position_ += bytes;
  ends_in_hole_ = true;
  if (lseek(fd_, static_cast<off_t>(position_), SEEK_SET) < 0) {
    status_ = Problem(path_, errno);
  }
}

void OutputFile::Put(ByteSpan bytes) {
  while (!bytes.empty() && status_.ok()) {
    ssize_t wrote = write(fd_, bytes.data(), bytes.size());
    if (wrote >= 0) {
      bytes = bytes.subspan(wrote);
      position_ += wrote;
      ends_in_hole_ = false;
    } else if (errno != EINTR) {
      status_ = Problem(path_, errno);
    }
  }
}

// All of it is written, though not in its place.
void OutputFile::Finish() {
  if (status_.ok()) Flush();
  if (status_.ok() && ends_in_hole_ &&
      ftruncate(fd_, static_cast<off_t>(position_)) != 0) {
    status_ = Problem(path_, errno);
  }
  if (!status_.ok() || way_ != Way::kBeside || old_fd_ >= 0 || fd_ < 0) return;
  // Some file systems say only now that there is no room.
  if (close(fd_) != 0) status_ = Problem(path_, errno);
  fd_ = -1;
}

// 0, or -1 and errno, also if there is something of that name.
int OutputFile::LinkTo(const std::string& path) const {
  if (way_ == Way::kWithoutName) {
    return linkat(AT_FDCWD, OpenFileName(fd_).c_str(), AT_FDCWD, path.c_str(),
                  AT_SYMLINK_FOLLOW);
  }
  if (link(beside_.c_str(), path.c_str()) == 0) return 0;
  // No links on this file system?
  return errno == EEXIST ? -1
                         : renameat2(AT_FDCWD, beside_.c_str(), AT_FDCWD,
                                     path.c_str(), RENAME_NOREPLACE);
}

// Only while uninterrupted. False, and status_ says why, if it cannot be.
bool OutputFile::Place() {
  if (way_ == Way::kDirect || placed_) return true;
  if (!(old_fd_ >= 0 ? Overwrite() : PutInPlace())) {
    status_ = Problem(path_, errno);
    return false;
  }
  placed_ = true;
  if (!beside_.empty()) {
    unlink(beside_.c_str());
    ForgetUnfinished(beside_);
    beside_.clear();
  }
  return true;
}

bool OutputFile::PutInPlace() {
  // Nothing that somebody else has put there meanwhile is replaced.
  if (!force_) return LinkTo(path_) == 0;
  if (way_ == Way::kBeside) return rename(beside_.c_str(), path_.c_str()) == 0;
  if (LinkTo(path_) == 0) return true;
  // A link replaces nothing, but a name does.
  for (int tries = 0; tries < kMaxNames && errno == EEXIST; ++tries) {
    std::string name = NameBeside();
    if (LinkTo(name) != 0) continue;
    if (rename(name.c_str(), path_.c_str()) == 0) return true;
    const int error = errno;
    unlink(name.c_str());
    errno = error;
    return false;
  }
  return false;
}

// The old file gets the new bytes; none, if there is no room for all.
bool OutputFile::Overwrite() {
  struct stat mine;
  struct stat old;
  struct statvfs room;
  if (fstat(fd_, &mine) != 0 || fstat(old_fd_, &old) != 0 ||
      fstatvfs(old_fd_, &room) != 0) {
    return false;
  }
  constexpr int64_t kBlock = 512;
  if ((mine.st_blocks - old.st_blocks) * kBlock >
      static_cast<int64_t>(room.f_bavail * room.f_frsize)) {
    errno = ENOSPC;
    return false;
  }
  return ftruncate(old_fd_, 0) == 0 && CopyFile(fd_, old_fd_, mine.st_size);
}

// Takes it out of its place again, where nothing was before.
void OutputFile::Withdraw() {
  if (placed_ && !replaces_) unlink(path_.c_str());
  placed_ = false;
}

void OutputFile::Discard() {
  if (beside_.empty()) return;
  Uninterrupted uninterrupted;
  unlink(beside_.c_str());
  ForgetUnfinished(beside_);
  beside_.clear();
}

bool IsFine(const absl::Status& status) {
  if (!status.ok()) PrintError(StdView(status.message()));
  return status.ok();
}

absl::Status OutputFile::Commit() {
  OutputFile* self = this;
  return CommitAll(std::span(&self, 1));
}

absl::Status CommitAll(std::span<OutputFile* const> files) {
  for (OutputFile* file : files) {
    file->Finish();
    if (!file->status_.ok()) return file->status_;
  }
  Uninterrupted uninterrupted;
  for (OutputFile* file : files) {
    if (file->Place()) continue;
    for (OutputFile* placed : files) placed->Withdraw();
    return file->status_;
  }
  return absl::OkStatus();
}

}  // namespace migstream
