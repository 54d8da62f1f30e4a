#include "inspect/command_line.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <csignal>
#include <iostream>
#include <span>
#include <string_view>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "codec/io/absl_view.h"
#include "codec/report/answers.pb.h"
#include "codec/version.h"
#include "codec/wire/text.h"
#include "flags/qemu_version.h"
#include "flags/ram_flags.h"
#include "inspect/each_file.h"
#include "inspect/file_set.h"
#include "inspect/json_output.h"
#include "inspect/nearest_word.h"
#include "inspect/sigbus.h"
#include "inspect/verb.h"

namespace migstream {
namespace {

constexpr Option kCommonOptions[] = {
    {"dialect", "NAME",
     "take the stream for one of these instead of finding\n"
     "out:",
     SetDialect<&Arguments::dialect>, kDialectChoices},
    {"offset", "N",
     "the stream begins behind N bytes of something else, as\n"
     "with QEMU's file:NAME,offset=N",
     [](Arguments& arguments, const std::string& value) {
       return ParseNumber("offset", " of bytes", value, 0, UINT64_MAX,
                          arguments.offset);
     }},
    {"snapshot", "NAME",
     "of a qcow2 image: the snapshot whose VM state is read,\n"
     "by its name or id; not needed if there is but one",
     Set<&Arguments::snapshot>},
    {"window", "MIB",
     "how far compressed input may refer back, and so how\n"
     "much memory that needs: 8 MiB if not said",
     [](Arguments& arguments, const std::string& value) {
       constexpr uint64_t kMost = 4096;
       uint64_t mib = 0;
       std::string problem =
           ParseNumber("window", " of MiB", value, 1, kMost, mib);
       arguments.window_bytes = mib << 20;
       return problem;
     }},
    {"threads", "N",
     "how many decode a .zst of several frames, inflate multifd\n"
     "channels' pages, compare blocks for diff --ram,\n"
     "compress what repack --zstd writes, or read the\n"
     "files of check --each; as many as there are cores, but\n"
     "no more than 4, 4, 4, 6 and 8, if not said; with 1\n"
     "nothing is decompressed ahead either",
     [](Arguments& arguments, const std::string& value) {
       constexpr uint64_t kMost = 64;
       return ParseNumber("threads", "", value, 1, kMost, arguments.threads);
     }},
    {"page-size", "BYTES",
     "of the target's memory, where the stream does not say\n"
     "it and nothing shows it; a power of two",
     [](Arguments& arguments, const std::string& value) {
       std::string problem =
           ParseNumber("page-size", " of bytes", value, 1 << kMinPageBits,
                       1 << kMaxPageBits, arguments.page_bytes);
       return !problem.empty() || IsPageSize(arguments.page_bytes)
                  ? problem
                  : StrCat("--page-size is a power of two, not ", value);
     }},
    {"quiet", "", "no progress on the terminal (also -q)",
     Set<&Arguments::quiet>},
};

// In the order of the help.
const std::vector<const Verb*>& Verbs() {
  static const auto* verbs = new std::vector<const Verb*>{
      &kInspectVerb,  &kCheckVerb,   &kStatsVerb,    &kExtractVerb,
      &kRepackVerb,   &kDiffVerb,    &kGenerateVerb, &kModelVerb,
      &kDescribeVerb, &kExplainVerb, &kSchemaVerb,   &kCaptureVerb};
  return *verbs;
}

// What a verb takes beside its own.
std::span<const Option> CommonOptions(const Verb& verb) {
  if (!verb.reads_stream) return {};
  return kCommonOptions;
}

bool IsOptional(const Option& option) { return option.value.starts_with("["); }

// "--name=VALUE", "--name[=VALUE]", or "-o OUT".
std::string Spelled(const Option& option) {
  if (option.name.size() == 1) {
    return StrCat("-", option.name, " ", option.value);
  }
  bool equals = !option.value.empty() && !IsOptional(option);
  return StrCat("--", option.name, equals ? "=" : "", option.value);
}

// Each way to call a verb, a line.
std::string Usage(const Verb& verb) {
  std::string usage =
      StrCat("usage: migstream ", verb.name, " ", verb.files, " [OPTION]...");
  for (const Option& option : verb.options) {
    if (option.name == "o") StrAppend(&usage, " ", Spelled(option));
  }
  if (!verb.other_usage.empty()) {
    StrAppend(&usage, "\n       migstream ", verb.name, " ", verb.other_usage);
  }
  return usage;
}

std::vector<std::string> Choices(const Option& option) {
  std::vector<std::string> choices;
  if (option.choices == kDialectChoices) {
    for (const Dialect& row : AllDialects()) {
      if (row.id != DialectId::kAuto) choices.emplace_back(row.name);
    }
  } else if (option.choices == kLoaderChoices) {
    for (const ReleaseRow& row : kReleases) {
      choices.push_back(ReleaseName(row.release));
    }
    choices.push_back(ReleaseName(kNextRelease.release));
    choices.emplace_back("all");
  } else if (!option.choices.empty()) {
    choices.emplace_back(option.choices);
  }
  return choices;
}

std::string OptionHelp(const Option& option) {
  constexpr size_t kColumn = 23;
  constexpr size_t kHelpColumns = 55;
  std::string text = StrCat("  ", Spelled(option));
  text += text.size() < kColumn - 1 ? std::string(kColumn - text.size(), ' ')
                                    : "\n" + std::string(kColumn, ' ');
  std::string help(option.help);
  if (help.ends_with(":")) {
    size_t line = help.size() - help.rfind('\n') - 1;
    for (const std::string& choice : Choices(option)) {
      line += 1 + choice.size();
      bool fits = line <= kHelpColumns;
      if (!fits) line = choice.size();
      StrAppend(&help, fits ? " " : "\n", choice);
    }
  }
  std::vector<std::string_view> lines = Split(help, '\n');
  StrAppend(&text, StrJoin(lines, "\n" + std::string(kColumn, ' ')), "\n");
  return text;
}

// A verb's own option comes before one that all have.
const Option* FindOption(const Verb& verb, std::string_view name) {
  for (std::span<const Option> options : {verb.options, CommonOptions(verb)}) {
    for (const Option& option : options) {
      if (option.name == name) return &option;
    }
  }
  return nullptr;
}

std::string VerbHelp(const Verb& verb) {
  std::string text = StrCat(Usage(verb), "\n", verb.summary, "\n\n");
  for (const Option& option : verb.options) text += OptionHelp(option);
  for (const Option& option : CommonOptions(verb)) {
    if (FindOption(verb, option.name) == &option) text += OptionHelp(option);
  }
  return text;
}

std::string GeneralHelp() {
  std::string text =
      "usage: migstream VERB FILE [CHANNEL]... [OPTION]...\n"
      "Reads and writes what QEMU writes when it migrates a VM with VFIO "
      "devices.\n\n";
  for (const Verb* verb : Verbs()) {
    StrAppend(&text, "  ", verb->name, std::string(10 - verb->name.size(), ' '),
              verb->summary, "\n");
  }
  StrAppend(
      &text,
      "\nFILE is a migration's main channel, CHANNEL one of its multifd "
      "channels, in any\norder; - is standard input. gzip, bzip2, xz, zstd and "
      "libvirt's save files are\nseen by their magic.\n`migstream help VERB` "
      "tells a verb's options.\n\n"
      "exit status: 0 fine; 1 findings, or a difference; 2 unreadable input, "
      "unwritable\noutput, or wrong usage\n");
  return text;
}

ExitStatus WrongUsage(std::string_view message, const Verb* verb) {
  PrintError(message);
  std::cerr << (verb ? Usage(*verb) : "usage: migstream VERB FILE [OPTION]...")
            << "; --help tells more\n";
  return kUnusable;
}

const Verb* FindVerb(std::string_view name) {
  for (const Verb* verb : Verbs()) {
    if (verb->name == name) return verb;
  }
  return nullptr;
}

ExitStatus NoVerb(const std::string& word) {
  if (word.find('/') != std::string::npos || access(word.c_str(), F_OK) == 0) {
    return WrongUsage(
        StrCat("a verb comes before the file: migstream inspect ", word),
        nullptr);
  }
  std::vector<std::string> names;
  for (const Verb* verb : Verbs()) names.emplace_back(verb->name);
  const std::string nearest = NearestWord(word, names);
  return WrongUsage(
      StrCat("there is no verb '", word, "'; ",
             nearest.empty() ? StrCat("there is ", StrJoin(names, ", "))
                             : StrCat("did you mean ", nearest, "?")),
      nullptr);
}

// A standard file that the caller has closed fails when it is used. Otherwise
// it would be the next file that is opened: an output, with complaints in it.
void KeepStandardFiles() {
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    // The lowest that is free, and opened the wrong way round.
    (void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

// What completion.bash asks for, and the test of the manual: a line for each
// verb's option, "VERB|--OPTION|VALUE|CHOICES".
std::string OptionList() {
  std::string text;
  for (const Verb* verb : Verbs()) {
    for (std::span<const Option> options :
         {verb->options, CommonOptions(*verb)}) {
      for (const Option& option : options) {
        // A verb's own stands for a common one of the same name.
        if (FindOption(*verb, option.name) != &option) continue;
        bool letter = option.name.size() == 1;
        StrAppend(&text, verb->name, "|", letter ? "-" : "--", option.name, "|",
                  option.value, "|", StrJoin(Choices(option), " "), "\n");
      }
    }
  }
  return text;
}

// An option of the command line, with its value.
struct Given {
  const Option* option;
  std::string value;
};

// "--ram", "-o".
std::string Dashed(std::string_view name) {
  size_t letters = name.substr(0, name.find('=')).size();
  return StrCat(letters == 1 ? "-" : "--", name);
}

// Whether it is what `wanted` says: "ram", "what=config", "*".
bool Is(const Given& given, std::string_view wanted) {
  if (wanted == "*") return given.option->name != "quiet";
  std::string_view name = given.option->name;
  return name == wanted || StrCat(name, "=", given.value) == wanted;
}

// What is wrong with options beside each other; empty if nothing is.
std::string Contradiction(const std::vector<Given>& given) {
  for (const Given& one : given) {
    const Option& option = *one.option;
    const std::string name = Dashed(option.name);
    bool needed = option.needs.empty();
    for (const Given& other : given) {
      if (&other == &one) continue;
      if (other.option == &option && !option.repeats && !option.value.empty()) {
        return StrCat(name, " is given twice");
      }
      if (other.option == &option) continue;
      for (std::string_view wanted : Split(option.excludes, ' ')) {
        if (wanted.empty() || !Is(other, wanted)) continue;
        return StrCat(name, " does not go together with ",
                      Dashed(wanted == "*" ? other.option->name : wanted));
      }
      for (std::string_view wanted : Split(option.needs, ' ')) {
        needed |= Is(other, wanted);
      }
    }
    if (needed) continue;
    std::vector<std::string> names;
    for (std::string_view wanted : Split(option.needs, ' ')) {
      names.push_back(Dashed(wanted));
    }
    return StrCat(name, " needs ", StrJoin(names, " or "));
  }
  return "";
}

// "; did you mean --records?"; empty if none is near.
std::string DidYouMean(std::string_view word,
                       const std::vector<std::string>& choices) {
  const std::string nearest = NearestWord(word, choices);
  return nearest.empty() ? "" : StrCat("; did you mean ", nearest, "?");
}

std::string NoOption(const Verb& verb, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  std::vector<std::string> names;
  for (std::span<const Option> options : {verb.options, CommonOptions(verb)}) {
    for (const Option& option : options) names.push_back(Dashed(option.name));
  }
  std::vector<std::string> others;
  for (const Verb* other : Verbs()) {
    const size_t dashes = name.find_first_not_of('-');
    if (dashes > 2) break;  // Or there is nothing but dashes.
    if (FindOption(*other, name.substr(dashes)) != nullptr) {
      others.emplace_back(other->name);
    }
  }
  return StrCat(verb.name, " has no option ", word,
                others.empty() ? DidYouMean(name, names)
                               : StrCat(", but ", StrJoin(others, " and "),
                                        others.size() == 1 ? " has" : " have"));
}

// Takes word `i`, and the next if that is its value. Empty if all is well, else
// what is wrong.
std::string TakeOption(const Verb& verb, const std::vector<std::string>& words,
                       size_t& i, std::vector<Given>& given,
                       Arguments& arguments) {
  const std::string& word = words[i];
  size_t equals = word.find('=');
  std::string name = word == "-q" ? "--quiet" : word.substr(0, equals);
  size_t dashes = name[1] == '-' ? 2 : 1;
  const Option* option = FindOption(verb, name.substr(dashes));
  if (!option || (option->name.size() == 1) != (dashes == 1)) {
    return NoOption(verb, word);
  }
  given.push_back({option, ""});
  if (option->value.empty()) {
    return equals == std::string::npos ? option->set(arguments, "")
                                       : StrCat(name, " takes no value");
  }
  if (equals == std::string::npos && IsOptional(*option)) {
    return option->set(arguments, "");
  }
  if (equals == std::string::npos && ++i == words.size()) {
    return StrCat(word, " needs a value");
  }
  std::string value =
      equals == std::string::npos ? words[i] : word.substr(equals + 1);
  given.back().value = value;
  return value.empty() ? StrCat(name, " needs a value")
                       : option->set(arguments, value);
}

// Empty if all is well, else what is wrong.
std::string ParseWords(const Verb& verb, const std::vector<std::string>& words,
                       Arguments& arguments) {
  std::vector<Given> given;
  bool only_files = false;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word.empty()) return kWhichFile;
    if (only_files || word == "-" || word[0] != '-') {
      arguments.files.push_back(word);
    } else if (word == "--") {
      only_files = true;
    } else if (std::string problem =
                   TakeOption(verb, words, i, given, arguments);
               !problem.empty()) {
      return problem;
    }
  }
  if (std::string problem = Contradiction(given); !problem.empty()) {
    return problem;
  }
  // With --each, a set is one of them.
  if (verb.reads_stream && !arguments.each_file) {
    const bool sides = &verb == &kInspectVerb || &verb == &kCheckVerb ||
                       &verb == &kExtractVerb;
    arguments.files = ExpandSets(arguments.files, sides);
  }
  if (std::count(arguments.files.begin(), arguments.files.end(), "-") > 1) {
    return "standard input, -, can be read only once";
  }
  if (verb.misused != nullptr) {
    std::string problem = verb.misused(arguments);
    if (!problem.empty()) return problem;
  } else if (arguments.files.empty()) {
    return kWhichFile;
  } else if (FindOption(verb, "o") && arguments.output.empty()) {
    return "-o OUT is missing";
  }
  if (arguments.files.size() > verb.max_files) {
    return StrCat(verb.max_files == 1 ? "one FILE at a time" : verb.files,
                  ", not also '", arguments.files[verb.max_files], "'");
  }
  return "";
}

// Takes "k", "M", "GiB", … off the end: by how many bits to shift. As with
// QEMU's sizes, each is a power of 1024.
unsigned TakeUnit(std::string_view& text) {
  std::string_view rest = text;
  if (rest.ends_with("iB")) {
    rest.remove_suffix(2);
  } else if (rest.ends_with("B")) {
    rest.remove_suffix(1);
  }
  constexpr std::string_view kUnits = "KMGTP";
  if (rest.empty()) return 0;
  const int last = std::toupper(static_cast<unsigned char>(rest.back()));
  const size_t unit = kUnits.find(static_cast<char>(last));
  if (unit == std::string_view::npos) return 0;
  text = rest.substr(0, rest.size() - 1);
  return 10 * static_cast<unsigned>(unit + 1);
}

}  // namespace

std::string ParseNumber(std::string_view name, std::string_view unit,
                        const std::string& value, uint64_t least, uint64_t most,
                        uint64_t& number) {
  // Signs and spaces are rejected.
  std::string_view text = value;
  const bool hex = text.starts_with("0x");
  const unsigned shift = hex || unit != " of bytes" ? 0 : TakeUnit(text);
  const bool digits =
      text.find_first_not_of(hex ? "0123456789abcdefABCDEF" : "0123456789",
                             hex ? 2 : 0) == std::string_view::npos;
  const bool good =
      digits && (hex ? absl::SimpleHexAtoi(AbslView(text), &number)
                     : absl::SimpleAtoi(AbslView(text), &number));
  const bool fits = good && number <= UINT64_MAX >> shift;
  if (fits) number <<= shift;
  if (fits && number >= least && number <= most) return "";
  return StrCat("--", name, " is a number", unit, " from ", least, " to ", most,
                ", not '", value, "'");
}

namespace {

std::string SetFormat(Arguments& arguments, const std::string& value) {
  arguments.format = value;
  return OneOf("format", value, {"text", "json", "textproto"});
}

std::string SetLinesFormat(Arguments& arguments, const std::string& value) {
  arguments.format = value;
  return OneOf("format", value, {"text", "json", "jsonl", "textproto"});
}

}  // namespace

const Option kFormatOption = {
    "format", "FORMAT",
    "text, json or textproto; `migstream schema` has the form", SetFormat,
    "text json textproto"};

const Option kRecoverOption = {
    "recover", "",
    "go on behind an error where the next section begins;\n"
    "what lies between is named as a gap, and the exit\n"
    "status is 1",
    Set<&Arguments::recover>};
const Option kLinesFormatOption = {
    "format", "FORMAT",
    "text; json; jsonl, a line of JSON for each row; or\n"
    "textproto; `migstream schema` has the form",
    SetLinesFormat, "text json jsonl textproto"};

const Option kJsonStringsOption = {
    "json-strings",
    "",
    "JSON as protobuf has it: 64-bit numbers are strings, and\n"
    "what is zero is left out",
    [](Arguments& arguments, const std::string&) {
      arguments.format = "json-strings";
      return std::string();
    },
    {},
    "format"};

const Option kOutputOption = {"o", "OUT",
                              "the file to write; - is standard output",
                              Set<&Arguments::output>};

const Option kForceOption = {"force", "", "replace OUT if it exists",
                             Set<&Arguments::force>};

std::string NoDialect(const std::string& name) {
  std::vector<std::string_view> names;
  for (const Dialect& dialect : AllDialects()) names.push_back(dialect.name);
  return StrCat("there is no dialect '", name, "', but ", StrJoin(names, ", "),
                "; `migstream explain V100` says whose one is");
}

std::string OneOf(std::string_view name, const std::string& value,
                  std::initializer_list<std::string_view> choices) {
  return std::find(choices.begin(), choices.end(), value) != choices.end()
             ? ""
             : StrCat("--", name, " is one of ", StrJoin(choices, ", "),
                      ", not '", value, "'");
}

namespace {

// After wrong usage `arguments` may lack what stands behind what is wrong.
bool WantsJson(const Arguments& arguments,
               const std::vector<std::string>& words) {
  bool wanted = arguments.format.starts_with("json");
  std::string_view before;
  for (const std::string& word : words) {
    wanted |= word == "--json-strings" || word.starts_with("--format=json") ||
              (before == "--format" && word.starts_with("json"));
    before = word;
  }
  return wanted;
}

// Where a script waits for JSON, it gets what failed as JSON too.
ExitStatus PrintFailure(bool wanted, ExitStatus status) {
  if (!wanted || status != kUnusable || HasPrinted()) return status;
  report::Failure failure = TakeFailure();
  return PrintMessage(failure, "error", "json", status);
}

}  // namespace

ExitStatus RunMain(const std::vector<std::string>& words) {
  KeepStandardFiles();
  // A reader that goes away is seen by write() itself.
  std::signal(SIGPIPE, SIG_IGN);
  // So is a limit on the size of files.
  std::signal(SIGXFSZ, SIG_IGN);
  HandleSigbus();
  if (words.empty()) return WrongUsage("which verb?", nullptr);
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    if (words.size() == 1) return Print(GeneralHelp(), kFine);
    const Verb* verb = FindVerb(words[1]);
    return verb != nullptr ? Print(VerbHelp(*verb), kFine) : NoVerb(words[1]);
  }
  if (words[0] == "--version" || words[0] == "-V" || words[0] == "version") {
    return Print("migstream " MIGSTREAM_VERSION "\n", kFine);
  }
  if (words[0] == "--list-options") return Print(OptionList(), kFine);
  const Verb* verb = FindVerb(words[0]);
  if (verb == nullptr) return NoVerb(words[0]);
  std::vector<std::string> rest(words.begin() + 1, words.end());
  for (const std::string& word : rest) {
    if (word == "--") break;
    if (word == "--help" || word == "-h") return Print(VerbHelp(*verb), kFine);
  }
  Arguments arguments;
  std::string problem = ParseWords(*verb, rest, arguments);
  const bool json = WantsJson(arguments, rest);
  if (!problem.empty()) return PrintFailure(json, WrongUsage(problem, verb));
  const auto run = [&](const Arguments& used) {
    return PrintFailure(json, verb->run(used));
  };
  return arguments.each_file ? RunForEachFile(arguments, run) : run(arguments);
}

}  // namespace migstream
