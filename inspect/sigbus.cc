#include "inspect/sigbus.h"

#include <unistd.h>

#include <csignal>

#include "inspect/console.h"
#include "inspect/unfinished_files.h"

namespace migstream {
namespace {

constexpr char kMessage[] =
    "migstream: an input has become shorter while it was read, or its disk "
    "fails\n";

void OnSigbus(int) {
  RemoveUnfinishedFiles();
  // Nothing else can be done if this fails as well.
  [[maybe_unused]] ssize_t written =
      write(STDERR_FILENO, kMessage, sizeof kMessage - 1);
  _exit(kUnusable);
}

}  // namespace

void HandleSigbus() { std::signal(SIGBUS, OnSigbus); }

}  // namespace migstream
