#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "codec/capture/capture_session.h"
#include "codec/capture/socket_address.h"
#include "codec/wire/text.h"
#include "inspect/console.h"
#include "inspect/file_set.h"
#include "inspect/inputs.h"
#include "inspect/verb.h"

namespace migstream {
namespace {

// Where a signal's handler writes, and RunCapture() reads.
int stop_fds[2] = {-1, -1};
constexpr int kStopSignals[] = {SIGINT, SIGTERM, SIGHUP};

void OnSignal(int) {
  const int before = errno;
  (void)!write(stop_fds[1], "", 1);
  errno = before;
}

// One that is ignored, as under nohup, stays so.
bool CatchSignals(void (*handler)(int)) {
  return std::all_of(std::begin(kStopSignals), std::end(kStopSignals),
                     [&](int signal) {
                       struct sigaction action = {};
                       if (sigaction(signal, nullptr, &action) != 0)
                         return false;
                       if (action.sa_handler == SIG_IGN) return true;
                       action = {};
                       action.sa_handler = handler;
                       return sigaction(signal, &action, nullptr) == 0;
                     });
}

// A connection has two descriptors, and a file for either direction.
void AllowManyFiles() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

bool IsThere(const std::string& path) {
  struct stat info;
  return lstat(path.c_str(), &info) == 0;
}

// False, and said why, if files of that name cannot be made, or there are some
// that may not be replaced.
bool MayMake(const std::string& name, bool force) {
  const size_t slash = name.rfind('/');
  if (slash + 1 == name.size()) {
    PrintError(StrCat(name, ": is a folder; -o NAME begins files' names"));
    return false;
  }
  const std::string folder =
      slash == std::string::npos ? "." : name.substr(0, slash + 1);
  // Before a migration has come for nothing.
  if (access(folder.c_str(), W_OK | X_OK) != 0) {
    PrintError(StrCat(folder, ": ", std::strerror(errno)));
    return false;
  }
  if (force) return true;
  std::vector<std::string> files = FilesOfSet(name, true);
  // What these stand for need not be there.
  for (std::string_view ending : {".qvm", ".return", ".cpr", ".preempt"}) {
    files.push_back(StrCat(name, ending));
  }
  const auto there = std::find_if(files.begin(), files.end(), IsThere);
  if (there == files.end()) return true;
  PrintError(StrCat(*there, ": exists; --force replaces it"));
  return false;
}

// Those of a former capture would be taken for the new one's. Empty; or why one
// stays.
std::string RemoveFormer(const std::string& name) {
  for (const std::string& file : FilesOfSet(name, true)) {
    struct stat info;
    // A pipe or a device is written into.
    if (lstat(file.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    if (unlink(file.c_str()) != 0) {
      return StrCat(file, ": ", std::strerror(errno));
    }
  }
  return "";
}

ExitStatus Run(const Arguments& arguments) {
  CaptureOptions options;
  options.name = arguments.output;
  options.replaces = arguments.force;
  options.say = [](const std::string& line) { PrintError(line); };
  for (size_t i = 0; i < arguments.listen.size(); ++i) {
    CaptureOptions::Route route;
    // They were looked at before.
    ParseAddress(arguments.listen[i], route.listen);
    if (i < arguments.forward.size()) {
      ParseAddress(arguments.forward[i], route.forward.emplace());
    }
    options.routes.push_back(std::move(route));
  }
  if (options.replaces) {
    options.on_first = [&options] { return RemoveFormer(options.name); };
  }
  if (!MayMake(options.name, options.replaces)) return kUnusable;
  if (pipe2(stop_fds, O_CLOEXEC) != 0 || !CatchSignals(OnSignal)) {
    PrintError("signals cannot be caught");
    return kUnusable;
  }
  AllowManyFiles();
  const CaptureResult result = RunCapture(options, stop_fds[0]);
  // What follows may be ended at once.
  CatchSignals(SIG_DFL);
  if (!result.has_main) {
    if (!result.files.empty()) {
      PrintError("no main channel came");
    } else if (result.problem.empty()) {
      PrintError("no migration came");
    }
    return kUnusable;
  }
  Arguments check;
  check.format = arguments.format;
  for (const std::string& file : result.files) {
    // CPR state tells that no pages were to come.
    if (file == result.files[0] || IsChannelFile(file) ||
        file.ends_with(".cpr")) {
      check.files.push_back(file);
    }
  }
  const ExitStatus status = kCheckVerb.run(check);
  return result.problem.empty() ? status : std::max(status, kFindings);
}

std::string Misused(const Arguments& arguments) {
  if (!arguments.files.empty()) {
    return StrCat("capture takes no FILE: '", arguments.files[0], "'");
  }
  if (arguments.listen.empty()) return "--listen=ADDRESS is missing";
  if (!arguments.forward.empty() &&
      arguments.forward.size() != arguments.listen.size()) {
    return "each --listen needs a --forward, or none has one";
  }
  if (arguments.forward.empty() && arguments.listen.size() > 1) {
    return "several --listen go with as many --forward";
  }
  if (arguments.output.empty()) return "-o NAME is missing";
  if (arguments.output == "-") return "-o names files, not standard output";
  return "";
}

template <std::vector<std::string> Arguments::*kMember>
std::string AddAddress(Arguments& arguments, const std::string& value) {
  SocketAddress address;
  std::string problem = ParseAddress(value, address);
  (arguments.*kMember).push_back(value);
  return problem.empty() ? "" : StrCat("'", value, "': ", problem);
}

const Option kOptions[] = {
    {"listen",
     "ADDRESS",
     "where the source's `migrate` goes: unix:PATH or\n"
     "tcp:HOST:PORT; the capture is the destination, and\n"
     "the source's guest stays stopped in the end",
     AddAddress<&Arguments::listen>,
     {},
     {},
     {},
     true},
    {"forward",
     "ADDRESS",
     "pass everything on to this destination, both ways;\n"
     "a second --listen goes to a second --forward, as\n"
     "CPR's channel does",
     AddAddress<&Arguments::forward>,
     {},
     {},
     "listen",
     true},
    {"o", "NAME",
     "the files' name: NAME.qvm, NAME.ch1.qvm for the first\n"
     "multifd channel, NAME.return; each verb takes NAME",
     Set<&Arguments::output>},
    kLinesFormatOption,
    kJsonStringsOption,
    {"force", "", "replace the files of a former capture",
     Set<&Arguments::force>},
};

}  // namespace

const Verb kCaptureVerb = {
    "capture",
    "--listen=ADDRESS",
    "records a migration as its destination, or on the way to it",
    0,
    kOptions,
    Run,
    {},
    Misused,
    false};

}  // namespace migstream
