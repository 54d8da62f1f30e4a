#include "inspect/unfinished_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <utility>

namespace migstream {
namespace {

// Those that end a process, and can be caught. The first of the real-time ones
// are the C library's own.
constexpr int kSignals[] = {
    SIGHUP,  SIGINT,  SIGQUIT,   SIGILL,    SIGTRAP, SIGABRT, SIGBUS,  SIGFPE,
    SIGUSR1, SIGSEGV, SIGUSR2,   SIGPIPE,   SIGALRM, SIGTERM, SIGXCPU, SIGXFSZ,
    SIGPROF, SIGIO,   SIGVTALRM, SIGSTKFLT, SIGPWR,  SIGSYS};

// For the signal handler, so these are never freed, but used again.
struct UnfinishedFile {
  char path[4096];
  bool ours = false;  // To be removed.
  bool folder = false;
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
  sigfillset(&signals);
  pthread_sigmask(SIG_BLOCK, &signals, &before);
  return before;
}

void EndUnfinished(int signal) {
  RemoveUnfinishedFiles();
  // As if there were no handler: the caller sees what ended the process. It is
  // blocked while this runs, and comes when it is not.
  std::signal(signal, SIG_DFL);
  raise(signal);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, signal);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

void HandleSignals() {
  static bool done = false;
  if (std::exchange(done, true)) return;
  struct sigaction action = {};
  action.sa_handler = EndUnfinished;
  auto handle = [&action](int signal) {
    struct sigaction before = {};
    sigaction(signal, nullptr, &before);
    // One that is ignored, as under nohup, stays so; one that is handled is
    // somebody else's.
    if (before.sa_handler == SIG_DFL) sigaction(signal, &action, nullptr);
  };
  for (int signal : kSignals) handle(signal);
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) handle(signal);
}

// While uninterrupted.
void Remember(const std::string& path, bool folder) {
  UnfinishedFile* file = all_unfinished;
  while (file != nullptr && file->ours) file = file->next;
  if (file == nullptr) {
    file = new UnfinishedFile;
    file->next = all_unfinished;
    all_unfinished = file;
  }
  // No path that can be opened is longer.
  std::strncpy(file->path, path.c_str(), sizeof file->path - 1);
  file->folder = folder;
  file->ours = true;
}

}  // namespace

Uninterrupted::Uninterrupted() : before_(BlockSignals()) { Take(); }

Uninterrupted::~Uninterrupted() {
  changing.clear(std::memory_order_release);
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

int CreateUnfinished(const std::string& path, mode_t mode) {
  HandleSignals();
  Uninterrupted uninterrupted;
  int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd >= 0) Remember(path, false);
  return fd;
}

bool CreateUnfinishedFolder(const std::string& path) {
  HandleSignals();
  Uninterrupted uninterrupted;
  if (mkdir(path.c_str(), 0777) != 0) return false;
  Remember(path, true);
  return true;
}

void ForgetUnfinished(const std::string& path) {
  for (UnfinishedFile* file = all_unfinished; file != nullptr;
       file = file->next) {
    if (file->ours && path == file->path) file->ours = false;
  }
}

void RemoveUnfinishedFiles() {
  BlockSignals();  // A second one would wait for the first.
  Take();          // For good.
  for (UnfinishedFile* file = all_unfinished; file != nullptr;
       file = file->next) {
    if (file->ours && !file->folder) unlink(file->path);
  }
  for (UnfinishedFile* file = all_unfinished; file != nullptr;
       file = file->next) {
    if (file->ours && file->folder) rmdir(file->path);
  }
}

}  // namespace migstream
