#include "inspect/each_file.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>
#include <utility>

#include "codec/report/answers.pb.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "inspect/file_set.h"
#include "inspect/inputs.h"
#include "inspect/json_output.h"
#include "inspect/terminal.h"

namespace migstream {
namespace {

constexpr int kMostProcesses = 8;

// What a process prints is kept until it is its turn.
struct Child {
  std::string file;
  pid_t process = -1;
  int output = -1;
  int errors = -1;
};

void Close(const Child& child) {
  if (child.output >= 0) close(child.output);
  if (child.errors >= 0) close(child.errors);
}

// Empties `from` into `to`; false if not all of it could be written.
bool Copy(int from, int to) {
  char buffer[4096];
  if (lseek(from, 0, SEEK_SET) != 0) return false;
  while (true) {
    const ssize_t got = read(from, buffer, sizeof(buffer));
    if (got <= 0) return got == 0;
    if (to == STDOUT_FILENO) {
      if (Print({buffer, static_cast<size_t>(got)}, kFine) != kFine) {
        return false;
      }
    } else if (write(to, buffer, got) != got) {
      return false;
    }
  }
}

bool Begin(const Arguments& arguments,
           const std::function<ExitStatus(const Arguments&)>& run,
           Child& child) {
  child.output = memfd_create("output", MFD_CLOEXEC);
  child.errors = memfd_create("errors", MFD_CLOEXEC);
  if (child.output < 0 || child.errors < 0) return false;
  const pid_t parent = getpid();
  child.process = fork();
  if (child.process != 0) return child.process > 0;
  // Nobody would read what it prints.
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(kUnusable);
  dup2(child.output, STDOUT_FILENO);
  dup2(child.errors, STDERR_FILENO);
  Arguments one = arguments;
  one.files = ExpandSets({child.file}, true);
  one.threads = 1;
  _exit(run(one));
}

// Says what became of a file that no process says anything of.
ExitStatus Fail(const std::string& file, const std::string& what, bool json) {
  PrintError(StrCat(Printable(file), ": ", what));
  if (!json) return kUnusable;
  report::Failure failure;
  failure.mutable_error()->set_file(Printable(file));
  failure.mutable_error()->set_message(what);
  return PrintMessage(failure, "error", "json", kUnusable);
}

// `writable` is false once output could not be written, which was said.
ExitStatus End(Child& child, bool json, bool& writable) {
  // Nothing is printed any more.
  if (!writable) kill(child.process, SIGTERM);
  int status = 0;
  while (waitpid(child.process, &status, 0) < 0 && errno == EINTR) {
  }
  json = json && lseek(child.output, 0, SEEK_END) == 0;
  writable = writable && Copy(child.output, STDOUT_FILENO);
  const bool said = writable && Copy(child.errors, STDERR_FILENO);
  Close(child);
  if (!said) return kUnusable;
  if (WIFEXITED(status)) return static_cast<ExitStatus>(WEXITSTATUS(status));
  return Fail(
      child.file,
      StrCat("the process that read it ended: ", strsignal(WTERMSIG(status))),
      json);
}

}  // namespace

ExitStatus RunForEachFile(
    const Arguments& arguments,
    const std::function<ExitStatus(const Arguments&)>& run) {
  // As the terminal has it, which the processes do not see.
  Arguments shared = arguments;
  if (shared.color == "auto") {
    shared.color = WantsColor("auto") ? "always" : "never";
  }
  if (const size_t columns = LineColumns(STDOUT_FILENO); columns != 0) {
    setenv("COLUMNS", StrCat(columns).c_str(), 1);
  }
  const bool json = arguments.format.starts_with("json");
  const size_t most = ThreadsOf(arguments, kMostProcesses);
  std::deque<Child> children;
  ExitStatus worst = kFine;
  bool first = true;
  bool writable = true;
  const auto end_oldest = [&] {
    if (!std::exchange(first, false) && arguments.format == "text" &&
        writable) {
      writable = Print("\n", kFine) == kFine;
    }
    worst = std::max(worst, End(children.front(), json, writable));
    children.pop_front();
  };
  for (const std::string& file : arguments.files) {
    if (children.size() == most) end_oldest();
    if (!writable) break;
    Child& child = children.emplace_back();
    child.file = file;
    if (Begin(shared, run, child)) continue;
    const std::string why = std::strerror(errno);
    Close(child);
    children.pop_back();
    // There may be room for it when the others have ended.
    while (!children.empty()) end_oldest();
    if (!writable) break;
    if (Begin(shared, run, children.emplace_back(Child{file}))) continue;
    Close(children.back());
    children.pop_back();
    worst = Fail(file, StrCat("no process to read it: ", why), json);
  }
  while (!children.empty()) end_oldest();
  return worst;
}

}  // namespace migstream
