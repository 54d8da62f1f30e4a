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
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "codec/wire/text.h"

namespace migstream {
namespace {

constexpr size_t kBufferBytes = 256 << 10;
constexpr int kMaxLinks = 16;
constexpr int kMaxNames = 1000;
constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

// A file that a signal must not leave behind. For the signal handler, so these
// are never freed, but used again.
struct UnfinishedFile {
  char path[4096];
  bool ours = false;  // To be removed.
  UnfinishedFile* next = nullptr;
};

// Held by whoever changes files or the list of them.
std::atomic_flag changing;
UnfinishedFile* all_unfinished = nullptr;

void Take() {
  while (changing.test_and_set(std::memory_order_acquire)) {
  }
}

sigset_t BlockSignals() {
  sigset_t signals;
  sigset_t before;
  sigemptyset(&signals);
  for (int signal : kSignals) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, &before);
  return before;
}

// While it lives no signal ends the process: not in this thread, which has it
// blocked, and not in another, where the handler waits.
class Uninterrupted {
 public:
  Uninterrupted() : before_(BlockSignals()) { Take(); }
  ~Uninterrupted() {
    changing.clear(std::memory_order_release);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  Uninterrupted(const Uninterrupted&) = delete;
  Uninterrupted& operator=(const Uninterrupted&) = delete;

 private:
  const sigset_t before_;
};

void EndUnfinished(int signal) {
  RemoveUnfinishedFiles();
  // As if there were no handler: the caller sees what ended the process.
  std::signal(signal, SIG_DFL);
  raise(signal);
}

void HandleSignals() {
  static bool done = false;
  if (std::exchange(done, true)) return;
  struct sigaction action = {};
  action.sa_handler = EndUnfinished;
  for (int signal : kSignals) {
    struct sigaction before = {};
    sigaction(signal, nullptr, &before);
    // One that is ignored, as under nohup, stays so.
    if (before.sa_handler != SIG_IGN) sigaction(signal, &action, nullptr);
  }
}

// Creates `path`, to be removed by a signal; -1 if it cannot be.
int Create(const std::string& path, mode_t mode) {
  Uninterrupted uninterrupted;
  int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return fd;
  UnfinishedFile* file = all_unfinished;
  while (file != nullptr && file->ours) file = file->next;
  if (file == nullptr) {
    file = new UnfinishedFile;
    file->next = all_unfinished;
    all_unfinished = file;
  }
  // No path that can be opened is longer.
  std::strncpy(file->path, path.c_str(), sizeof file->path - 1);
  file->ours = true;
  return fd;
}

// It is gone, or in its place. Only while uninterrupted.
void Forget(const std::string& path) {
  for (UnfinishedFile* file = all_unfinished; file != nullptr;
       file = file->next) {
    if (file->ours && path == file->path) file->ours = false;
  }
}

absl::Status Problem(std::string_view path, int error) {
  return absl::UnavailableError(StrCat(path, ": ", std::strerror(error)));
}

}  // namespace

void RemoveUnfinishedFiles() {
  BlockSignals();  // A second one would wait for the first.
  Take();          // For good.
  for (UnfinishedFile* file = all_unfinished; file != nullptr;
       file = file->next) {
    if (file->ours) unlink(file->path);
  }
}

OutputFile::~OutputFile() {
  if (fd_ >= 0) close(fd_);
  Discard();
}

absl::Status OutputFile::Open(const std::string& path, bool force) {
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
  HandleSignals();
  static int count = 0;
  std::string beside;
  // A killed process may have left one of the same name.
  for (int tries = 0; tries < kMaxNames; ++tries) {
    beside = (std::filesystem::path(path_).parent_path() /
              StrCat(".migstream.", getpid(), ".", count++, ".unfinished"))
                 .string();
    fd_ = Create(beside, replaces_ ? 0600 : 0666);
    if (fd_ >= 0 || errno != EEXIST) break;
  }
  if (fd_ < 0) return Problem(errno == EEXIST ? beside : path, errno);
  beside_ = beside;
  // Guest memory stays as private as what it replaces was.
  if (replaces_ && fchmod(fd_, info.st_mode & 0777) != 0) {
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

// All of it is written, though not in its place.
void OutputFile::Finish() {
  if (status_.ok()) Flush();
  if (!status_.ok() || beside_.empty() || fd_ < 0) return;
  if (close(fd_) != 0) status_ = Problem(path_, errno);
  fd_ = -1;
}

// Only while uninterrupted. False, and status_ says why, if it cannot be.
bool OutputFile::Place() {
  if (beside_.empty()) return true;
  // link() does not replace what somebody else has put there meanwhile.
  int failed = force_ ? rename(beside_.c_str(), path_.c_str())
                      : link(beside_.c_str(), path_.c_str());
  if (failed != 0 && !force_ && errno != EEXIST) {
    // No links on this file system.
    failed = renameat2(AT_FDCWD, beside_.c_str(), AT_FDCWD, path_.c_str(),
                       RENAME_NOREPLACE);
  }
  if (failed != 0) {
    status_ = Problem(path_, errno);
    return false;
  }
  placed_ = true;
  unlink(beside_.c_str());
  Forget(beside_);
  beside_.clear();
  return true;
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
  Forget(beside_);
  beside_.clear();
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
