// The names of files that are still being written, and of folders for them, so
// that no signal leaves them behind. Each signal that can be caught and would
// end the process removes them first.
//
//   int fd = CreateUnfinished(beside, 0600);  // Removed by a signal.
//   ...
//   Uninterrupted uninterrupted;
//   rename(beside, path);
//   ForgetUnfinished(beside);                 // It stays.

#ifndef MIGSTREAM_INSPECT_UNFINISHED_FILES_H_
#define MIGSTREAM_INSPECT_UNFINISHED_FILES_H_

#include <sys/types.h>

#include <csignal>
#include <string>

namespace migstream {

// While it lives no signal ends the process: not in this thread, which has them
// blocked, and not in another, where the handler waits. Not to be nested.
class Uninterrupted {
 public:
  Uninterrupted();
  ~Uninterrupted();
  Uninterrupted(const Uninterrupted&) = delete;
  Uninterrupted& operator=(const Uninterrupted&) = delete;

 private:
  const sigset_t before_;
};

// Creates `path`, to be read and written; -1, and errno, if it cannot be.
int CreateUnfinished(const std::string& path, mode_t mode);

// Makes a folder, which a signal removes if nothing is in it then. False, and
// errno, if it cannot be.
bool CreateUnfinishedFolder(const std::string& path);

// It is gone, or in its place. Only while uninterrupted.
void ForgetUnfinished(const std::string& path);

// For a signal handler that ends the process: no file can be created or placed
// any more.
void RemoveUnfinishedFiles();

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_UNFINISHED_FILES_H_
