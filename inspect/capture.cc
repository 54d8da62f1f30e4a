#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "codec/capture/capture_session.h"
#include "codec/capture/socket_address.h"
#include "codec/wire/text.h"
#include "inspect/console.h"
#include "inspect/inputs.h"
#include "inspect/verb.h"

namespace migstream {
namespace {

// Where a signal's handler writes, and RunCapture() reads.
int stop_fds[2] = {-1, -1};

void OnSignal(int) { (void)!write(stop_fds[1], "", 1); }

bool CatchSignals() {
  if (pipe(stop_fds) != 0) return false;
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  return sigaction(SIGINT, &action, nullptr) == 0 &&
         sigaction(SIGTERM, &action, nullptr) == 0;
}

bool Exists(const std::string& path) {
  struct stat info;
  return lstat(path.c_str(), &info) == 0;
}

// Those of a former capture: beside a new main channel its channels would be
// taken for this one's. False, and said why, if they may not be replaced.
bool MakeRoom(const std::string& name, bool force) {
  auto channel = [&name](int i) { return StrCat(name, ".ch", i, ".qvm"); };
  if (!force) {
    for (const std::string& file :
         {StrCat(name, ".qvm"), StrCat(name, ".return"), channel(1),
          StrCat(name, ".cpr"), StrCat(name, ".preempt")}) {
      if (!Exists(file)) continue;
      PrintError(StrCat(file, ": exists; --force replaces it"));
      return false;
    }
    return true;
  }
  for (int i = 1; IsChannelFile(channel(i)); ++i) unlink(channel(i).c_str());
  return true;
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
  if (!MakeRoom(options.name, options.replaces)) return kUnusable;
  if (!CatchSignals()) {
    PrintError("signals cannot be caught");
    return kUnusable;
  }
  const CaptureResult result = RunCapture(options, stop_fds[0]);
  if (!result.has_main) {
    PrintError(result.files.empty()
                   ? StrCat(result.problem.empty() ? "no migration came"
                                                   : result.problem)
                   : "no main channel came");
    return kUnusable;
  }
  Arguments check;
  for (const std::string& file : result.files) {
    if (file == result.files[0] || IsChannelFile(file)) {
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
