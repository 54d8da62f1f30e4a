#include "inspect/lost_input.h"

#include <unistd.h>

#include <csignal>

#include "inspect/output_file.h"
#include "inspect/say.h"

namespace migstream {
namespace {

constexpr char kMessage[] =
    "migstream: an input has become shorter while it was read, or its disk "
    "fails\n";

void EndLostInput(int) {
  RemoveUnfinishedFiles();
  // Nothing else can be done if this fails as well.
  [[maybe_unused]] ssize_t written =
      write(STDERR_FILENO, kMessage, sizeof kMessage - 1);
  _exit(kUnusable);
}

}  // namespace

void HandleLostInput() { std::signal(SIGBUS, EndLostInput); }

}  // namespace migstream
