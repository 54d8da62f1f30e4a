#include "inspect/verb.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <iostream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "codec/qemu/file_kind.h"
#include "codec/report/report_builder.h"

namespace migstream {
namespace {

constexpr absl::string_view kVersion = "migstream 0.1";

const std::vector<Verb>& Verbs() {
  static const auto* verbs = new std::vector<Verb>{
      {"inspect",
       "FILE [CHANNEL]... [--records] [--format=text|json|textproto]",
       "what is in a stream, and which VFIO devices",
       "  --records            list every element of the devices' sections\n"
       "  --format=FORMAT      text, json or textproto (report.proto)\n",
       true,
       {"records", "format"},
       RunInspect},
      {"check",
       "FILE [--switchover-ack=off] [--destination-config=FILE]",
       "what is wrong with a stream, a finding a line",
       "  --switchover-ack=off refuse INIT_DATA_SENT, as a destination without "
       "the\n"
       "                       capability does\n"
       "  --destination-config=FILE\n"
       "                       compare the device's config space with this "
       "one, "
       "as a\n"
       "                       loader does (see extract --what=config)\n"
       "  --device=IDSTR       compare only that device's\n",
       true,
       {"switchover-ack", "destination-config", "device"},
       RunCheck},
      {"extract",
       "FILE [CHANNEL]... [--device=IDSTR] [--what=payload|config] -o OUT",
       "a device's payload, or its config space",
       "  --device=IDSTR       as inspect names it; needed if there are "
       "several\n"
       "  --what=WHAT          payload (the default) or config\n"
       "  -o OUT               the file to write; - is standard output\n"
       "  --force              replace OUT if it exists\n",
       true,
       {"device", "what", "o", "force"},
       RunExtract},
      {"repack",
       "FILE -o OUT",
       "decode a stream and encode it again",
       "  -o OUT               the file to write; - is standard output\n"
       "  --force              replace OUT if it exists\n",
       false,
       {"o", "force"},
       RunRepack},
  };
  return *verbs;
}

constexpr absl::string_view kCommonHelp =
    "  --dialect=NAME       take the stream for V52, V60, V80, V81, V100, "
    "V100M,\n"
    "                       V101M, V111, V111M or E1 to E7 (E5-v7, E5-v26)\n"
    "                       instead of finding out\n"
    "  -q, --quiet          no progress on the terminal\n";

std::string GeneralHelp() {
  std::string text =
      "usage: migstream VERB FILE [OPTION]...\n"
      "Reads what QEMU writes when it migrates a VM with VFIO devices.\n\n";
  for (const Verb& verb : Verbs()) {
    absl::StrAppend(&text, "  ", verb.name,
                    std::string(10 - verb.name.size(), ' '), verb.summary,
                    "\n");
  }
  absl::StrAppend(
      &text,
      "\nFILE is a migration's main channel, CHANNEL one of its multifd "
      "channels, in any\norder; - is standard input; zstd is seen by its "
      "magic.\n`migstream VERB --help` tells a verb's options.\n\n"
      "exit status: 0 fine; 1 findings; 2 unreadable input or wrong usage\n");
  return text;
}

std::string VerbHelp(const Verb& verb) {
  return absl::StrCat("usage: migstream ", verb.name, " ", verb.usage, "\n",
                      "Tells ", verb.summary, ".\n\n", verb.help, kCommonHelp);
}

ExitStatus WrongUsage(absl::string_view message, const Verb* verb) {
  Complain(message);
  std::cerr << "usage: migstream "
            << (verb ? absl::StrCat(verb->name, " ", verb->usage)
                     : "VERB FILE [OPTION]...; --help tells more")
            << "\n";
  return kUnusable;
}

// One option with its value; empty if all is well, else what is wrong.
std::string SetOption(absl::string_view name, const std::string& value,
                      Arguments& arguments) {
  auto one_of = [&](std::initializer_list<absl::string_view> choices) {
    return std::find(choices.begin(), choices.end(), value) != choices.end()
               ? ""
               : absl::StrCat("--", name, " is one of ",
                              absl::StrJoin(choices, ", "), ", not '", value,
                              "'");
  };
  if (name == "format") {
    arguments.format = value;
    return one_of({"text", "json", "textproto"});
  }
  if (name == "what") {
    arguments.what = value;
    return one_of({"payload", "config"});
  }
  if (name == "switchover-ack") {
    arguments.switchover_ack_off = value == "off";
    return one_of({"on", "off"});
  }
  if (name == "dialect") {
    arguments.dialect = FindDialect(value);
    return arguments.dialect
               ? ""
               : absl::StrCat("there is no dialect '", value, "'");
  }
  if (name == "device") arguments.device = value;
  if (name == "destination-config") arguments.destination_config = value;
  if (name == "o") arguments.output = value;
  return value.empty() ? absl::StrCat("--", name, " needs a value") : "";
}

// Options that stand for themselves.
bool SetSwitch(absl::string_view name, Arguments& arguments) {
  if (name == "records") return arguments.records = true;
  if (name == "force") return arguments.force = true;
  if (name == "quiet") return arguments.quiet = true;
  return false;
}

// Empty if all is well, else what is wrong.
std::string ParseWords(const Verb& verb, const std::vector<std::string>& words,
                       Arguments& arguments) {
  bool only_files = false;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (only_files || word == "-" || word.empty() || word[0] != '-') {
      arguments.files.push_back(word);
      continue;
    }
    if (word == "--") {
      only_files = true;
      continue;
    }
    std::string name = word.substr(word[1] == '-' ? 2 : 1);
    if (word == "-q") name = "quiet";
    size_t equals = name.find('=');
    bool has_value = equals != std::string::npos;
    std::string value = has_value ? name.substr(equals + 1) : "";
    name = name.substr(0, equals);
    bool known = name == "dialect" || name == "quiet" ||
                 std::find(verb.options.begin(), verb.options.end(), name) !=
                     verb.options.end();
    if (!known || (name == "o") != (word[1] != '-' && word != "-q")) {
      return absl::StrCat(verb.name, " has no option ", word);
    }
    if (!has_value && SetSwitch(name, arguments)) continue;
    if (!has_value) {
      if (i + 1 == words.size()) return absl::StrCat(word, " needs a value");
      value = words[++i];
    } else if (Arguments unused; SetSwitch(name, unused)) {
      return absl::StrCat("--", name, " takes no value");
    }
    std::string problem = SetOption(name, value, arguments);
    if (!problem.empty()) return problem;
  }
  if (arguments.files.empty()) return "which FILE?";
  if (arguments.files.size() > 1 && !verb.takes_channels) {
    return absl::StrCat("one FILE at a time, not also '", arguments.files[1],
                        "'");
  }
  bool writes = std::find(verb.options.begin(), verb.options.end(), "o") !=
                verb.options.end();
  if (writes && arguments.output.empty()) return "-o OUT is missing";
  return "";
}

}  // namespace

ExitStatus RunMain(const std::vector<std::string>& words) {
  // A reader that goes away is seen by write() itself.
  std::signal(SIGPIPE, SIG_IGN);
  // So is a limit on the size of files.
  std::signal(SIGXFSZ, SIG_IGN);
  if (words.empty()) return WrongUsage("which verb?", nullptr);
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    return Print(GeneralHelp(), kFine);
  }
  if (words[0] == "--version")
    return Print(absl::StrCat(kVersion, "\n"), kFine);
  for (const Verb& verb : Verbs()) {
    if (verb.name != words[0]) continue;
    std::vector<std::string> rest(words.begin() + 1, words.end());
    for (const std::string& word : rest) {
      if (word == "--") break;
      if (word == "--help" || word == "-h") return Print(VerbHelp(verb), kFine);
    }
    Arguments arguments;
    std::string problem = ParseWords(verb, rest, arguments);
    return problem.empty() ? verb.run(arguments) : WrongUsage(problem, &verb);
  }
  return WrongUsage(absl::StrCat("there is no verb '", words[0], "'"), nullptr);
}

std::unique_ptr<ByteSource> OpenInput(const std::string& file) {
  if (file == "-" && isatty(STDIN_FILENO)) {
    Complain("standard input is a terminal, not a stream");
    return nullptr;
  }
  auto source = OpenSource(file);
  if (source.ok()) return *std::move(source);
  Complain(absl::StrCat(file, ": ", source.status().message()));
  return nullptr;
}

Inputs OpenInputs(const Arguments& arguments) {
  Inputs inputs;
  Inputs none;
  for (const std::string& file : arguments.files) {
    std::unique_ptr<ByteSource> source = OpenInput(file);
    if (!source) return none;
    FileKind kind = KindOf(source->Peek(8));
    if (kind == FileKind::kMultifd && arguments.files.size() > 1) {
      inputs.channel_files.push_back(file);
      inputs.channels.push_back(std::move(source));
    } else if (kind == FileKind::kReturnPath && arguments.files.size() > 1) {
      continue;  // It holds nothing of the devices.
    } else if (inputs.main) {
      Complain(absl::StrCat(file, ": is a second main channel, beside ",
                            inputs.file));
      return none;
    } else {
      inputs.file = file;
      inputs.main = std::move(source);
    }
  }
  if (!inputs.main) {
    Complain("there is no main channel among the files");
    return none;
  }
  return inputs;
}

std::vector<ChannelReader::Channel> Inputs::Channels() const {
  std::vector<ChannelReader::Channel> all;
  for (size_t i = 0; i < channels.size(); ++i) {
    all.push_back({channel_files[i], channels[i].get()});
  }
  return all;
}

void Complain(absl::string_view message) {
  std::cerr << "migstream: " << Printable(message) << "\n";
}

std::string ErrorLine(absl::string_view file, const Error& error) {
  return absl::StrCat(file, ":", ToString(error));
}

bool IsUnusable(const Error& error) {
  return error.code == ErrorCode::kNotAStream ||
         error.code == ErrorCode::kUnknownVersion ||
         error.code == ErrorCode::kReadFailed;
}

ExitStatus Print(absl::string_view text, ExitStatus status) {
  while (!text.empty()) {
    ssize_t wrote = write(STDOUT_FILENO, text.data(), text.size());
    if (wrote >= 0) {
      text.remove_prefix(wrote);
    } else if (errno == EPIPE) {
      return status;  // Whoever read it has seen enough.
    } else if (errno != EINTR) {
      Complain(absl::StrCat("standard output: ", std::strerror(errno)));
      return kUnusable;
    }
  }
  return status;
}

}  // namespace migstream
