#include "inspect/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace migstream {

// For the signal handler. Never freed: a program writes few.
struct UnfinishedFile {
  char path[4096];
  std::atomic<bool> ours = false;  // To be removed.
  UnfinishedFile* next = nullptr;
};

namespace {

constexpr size_t kBufferBytes = 256 << 10;
constexpr int kMaxLinks = 16;

std::atomic<UnfinishedFile*> all_unfinished = nullptr;

void EndUnfinished(int signal) {
  RemoveUnfinishedFiles();
  // As if there were no handler: the caller sees what ended the process.
  std::signal(signal, SIG_DFL);
  raise(signal);
}

// Gets ready to remove `path`, which is not there yet; null if it is too long.
UnfinishedFile* Guard(const std::string& path) {
  if (path.size() >= sizeof UnfinishedFile::path) return nullptr;
  auto* file = new UnfinishedFile;
  std::memcpy(file->path, path.c_str(), path.size() + 1);
  file->next = all_unfinished;
  all_unfinished = file;
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    // One that is ignored, as under nohup, stays so.
    if (std::signal(signal, EndUnfinished) == SIG_IGN) {
      std::signal(signal, SIG_IGN);
    }
  }
  return file;
}

absl::Status Problem(absl::string_view path, int error) {
  return absl::UnavailableError(absl::StrCat(path, ": ", std::strerror(error)));
}

}  // namespace

void RemoveUnfinishedFiles() {
  for (UnfinishedFile* file = all_unfinished; file != nullptr;
       file = file->next) {
    if (file->ours) unlink(file->path);
  }
}

OutputFile::~OutputFile() {
  if (fd_ >= 0) close(fd_);
  if (!beside_.empty()) unlink(beside_.c_str());
  if (guard_ != nullptr) guard_->ours = false;
}

absl::Status OutputFile::Open(const std::string& path, bool force) {
  path_ = path;
  force_ = force;
  if (path == "-") {
    fd_ = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    return fd_ < 0 ? Problem("standard output", errno) : absl::OkStatus();
  }
  struct stat info;
  const bool replaced = stat(path.c_str(), &info) == 0;
  if (replaced) {
    if (S_ISDIR(info.st_mode)) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": is a directory"));
    }
    if (!S_ISREG(info.st_mode)) {
      fd_ = open(path.c_str(), O_WRONLY | O_CLOEXEC);
      return fd_ < 0 ? Problem(path, errno) : absl::OkStatus();
    }
    if (!force) {
      return absl::AlreadyExistsError(
          absl::StrCat(path, ": exists; --force replaces it"));
    }
  }
  // Through symbolic links, to what they stand for.
  std::error_code error;
  for (int links = 0; std::filesystem::is_symlink(path_, error); ++links) {
    std::filesystem::path target = std::filesystem::read_symlink(path_, error);
    if (error || links == kMaxLinks) return Problem(path, ELOOP);
    path_ = (std::filesystem::path(path_).parent_path() / target).string();
  }
  static int count = 0;
  std::string beside =
      (std::filesystem::path(path_).parent_path() /
       absl::StrCat(".migstream.", getpid(), ".", count++, ".unfinished"))
          .string();
  guard_ = Guard(beside);
  fd_ = open(beside.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
             replaced ? 0600 : 0666);
  if (fd_ < 0) return Problem(errno == EEXIST ? beside : path, errno);
  beside_ = beside;
  if (guard_ != nullptr) guard_->ours = true;
  // Guest memory stays as private as what it replaces was.
  if (replaced && fchmod(fd_, info.st_mode & 0777) != 0) {
    return Problem(path, errno);
  }
  return absl::OkStatus();
}

void OutputFile::Write(ByteSpan bytes) {
  if (!status_.ok()) return;
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  if (buffer_.size() >= kBufferBytes) Flush();
}

void OutputFile::Flush() {
  size_t done = 0;
  while (done < buffer_.size() && status_.ok()) {
    ssize_t wrote = write(fd_, buffer_.data() + done, buffer_.size() - done);
    if (wrote >= 0) {
      done += wrote;
    } else if (errno != EINTR) {
      status_ = Problem(path_, errno);
    }
  }
  buffer_.clear();
}

absl::Status OutputFile::Commit() {
  if (status_.ok()) Flush();
  if (status_.ok() && !beside_.empty()) {
    if (close(fd_) != 0) status_ = Problem(path_, errno);
    fd_ = -1;
  }
  if (!status_.ok() || beside_.empty()) return status_;
  // link() does not replace what somebody else has put there meanwhile.
  int failed = force_ ? rename(beside_.c_str(), path_.c_str())
                      : link(beside_.c_str(), path_.c_str());
  if (failed != 0 && !force_ && errno != EEXIST) {
    // No links on this file system.
    failed = renameat2(AT_FDCWD, beside_.c_str(), AT_FDCWD, path_.c_str(),
                       RENAME_NOREPLACE);
  }
  if (failed != 0) return status_ = Problem(path_, errno);
  unlink(beside_.c_str());
  beside_.clear();
  if (guard_ != nullptr) guard_->ours = false;
  return absl::OkStatus();
}

}  // namespace migstream
