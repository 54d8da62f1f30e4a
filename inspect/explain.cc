// `migstream explain`: a word, a line, or all of a log.

#include "codec/explain/explain.h"

#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <unordered_map>

#include "codec/explain/line_matcher.h"
#include "codec/explain/log_lines.h"
#include "codec/io/byte_source.h"
#include "codec/io/decompressing_source.h"
#include "codec/report/answers.pb.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "inspect/inputs.h"
#include "inspect/json_output.h"
#include "inspect/table.h"
#include "inspect/terminal.h"
#include "inspect/verb.h"

namespace migstream {
namespace {

constexpr size_t kShownBytes = 200;

std::string Shown(std::string_view text) {
  return Printable(text.substr(0, kShownBytes));
}

void Fill(const Explanation& about, std::string_view text,
          report::ExplainedText& row) {
  row.set_text(Shown(text));
  row.set_kind(about.kind);
  row.set_meaning(about.meaning);
  row.set_who(about.who);
  row.set_advice(about.advice);
}

std::string RowText(const report::ExplainedText& row) {
  Table table("lw");
  table.Row({"  means", row.meaning()});
  if (!row.who().empty()) table.Row({"  who says it", row.who()});
  if (!row.advice().empty()) table.Row({"  what to do", row.advice()});
  return table.Text();
}

// Text goes out as it is found; all else at the end.
class Explainer {
 public:
  explicit Explainer(const Arguments& arguments) : arguments_(arguments) {}

  // False, with a message, if it cannot be read.
  bool ReadLog(const std::string& file) {
    std::unique_ptr<ByteSource> source = OpenRaw(file);
    if (!source) return false;
    source = Decompressed(std::move(source), OpenOptionsOf(arguments_).limits);
    const uint64_t lines =
        ForEachLine(*source, [this](uint64_t number, std::string_view line) {
          const KnownLine* known = matcher_.Find(line);
          if (known == nullptr) return;
          answer_.set_known(answer_.known() + 1);
          auto [at, added] = rows_.try_emplace(known, answer_.explained_size());
          if (!added) {
            report::ExplainedText& row = *answer_.mutable_explained(at->second);
            return row.set_count(row.count() + 1);
          }
          Add(ExplainLine(*known, line), line, number, true);
        });
    answer_.set_lines(answer_.lines() + lines);
    log_read_ = true;
    if (source->failure().empty()) return true;
    PrintError(StrCat(file, ": ", source->failure()));
    return false;
  }

  // False if nobody knows it.
  bool ExplainText(const std::string& text) {
    std::optional<Explanation> about = Explain(text);
    if (!about) return false;
    answer_.set_lines(answer_.lines() + 1);
    answer_.set_known(answer_.known() + 1);
    Add(*about, text, 0, false);
    return true;
  }

  void Unknown(const std::string& text) {
    answer_.set_lines(answer_.lines() + 1);
    if (!IsText()) return;
    Say(StrCat(Shown(text), ": unknown to migstream, and no file\n"));
  }

  ExitStatus Finish() {
    const ExitStatus status = answer_.known() == 0 ? kFindings : kFine;
    if (!IsText()) {
      return PrintMessage(answer_, "explain", arguments_.format, status);
    }
    if (log_read_) {
      for (const report::ExplainedText& row : answer_.explained()) {
        if (row.count() < 2) continue;
        Say(StrCat("line ", row.line(), ": says the same as ", row.count() - 1,
                   " more\n"));
      }
      Say(StrCat(answer_.known(), " of ", answer_.lines(), " lines ",
                 answer_.known() == 1 ? "is" : "are", " known",
                 answer_.explained_size() > 1
                     ? "; the first one is the cause, as a rule"
                     : "",
                 "\n"));
    }
    return printed_ == kFine ? status : printed_;
  }

 private:
  bool IsText() const { return arguments_.format == "text"; }

  void Add(const Explanation& about, std::string_view text, uint64_t line,
           bool of_log) {
    report::ExplainedText& row = *answer_.add_explained();
    Fill(about, text, row);
    row.set_line(line);
    row.set_count(1);
    if (!IsText()) return;
    Say(StrCat(WrappedLines(
                   StrCat(of_log ? StrCat("line ", line, ": ") : "", row.text(),
                          about.kind == "line" ? "" : StrCat(": ", about.kind)),
                   TableColumns()),
               "\n", RowText(row)));
  }

  void Say(const std::string& text) {
    if (printed_ == kFine) printed_ = Print(text, kFine);
  }

  const Arguments& arguments_;
  const LineMatcher matcher_;
  std::unordered_map<const KnownLine*, int> rows_;
  report::Explanations answer_;
  bool log_read_ = false;
  ExitStatus printed_ = kFine;
};

// A pipe is a log too, and of a folder it is said that it cannot be read.
bool IsThere(const std::string& name) {
  struct stat info;
  return stat(name.c_str(), &info) == 0;
}

ExitStatus Run(const Arguments& arguments) {
  Explainer explainer(arguments);
  if (arguments.files.empty()) {
    if (isatty(STDIN_FILENO) != 0) {
      PrintError("which TEXT? Without one, a log is read from standard input");
      return kUnusable;
    }
    if (!explainer.ReadLog("-")) return kUnusable;
  }
  for (const std::string& text : arguments.files) {
    if (text != "-" && explainer.ExplainText(text)) continue;
    if (text != "-" && !IsThere(text)) {
      explainer.Unknown(text);
    } else if (!explainer.ReadLog(text)) {
      return kUnusable;
    }
  }
  return explainer.Finish();
}

std::string Misused(const Arguments&) { return ""; }

const Option kOptions[] = {kFormatOption, kJsonStringsOption};

}  // namespace

const Verb kExplainVerb = {
    "explain",
    "[TEXT|LOG]...",
    "what a finding, dialect, tag or logged line means; or all of a log",
    kAnyFiles,
    kOptions,
    Run,
    {},
    Misused,
    false};

}  // namespace migstream
