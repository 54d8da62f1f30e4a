#include "inspect/check_text.h"

#include <map>
#include <set>
#include <utility>

#include "codec/report/report.pb.h"
#include "codec/report/verdict.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "inspect/terminal.h"
#include "inspect/text_report.h"

namespace migstream {
namespace {

// One is shown of notes, and of others as many as one may want to look at.
constexpr uint64_t kMostOfAKind = 10;

int Level(std::string_view severity) {
  return severity == "error" ? 2 : severity == "warning" ? 1 : 0;
}

std::string_view ColorOf(std::string_view word) {
  if (word == "error") return "\x1b[1;31m";
  if (word == "warning") return "\x1b[1;35m";
  return word == "note" ? "\x1b[1;36m" : "\x1b[1m";
}

class Printer {
 public:
  Printer(const report::Check& check, const CheckStyle& style)
      : check_(check), style_(style), file_(Printable(check.file())) {}

  std::string Text() {
    for (const report::OmittedFindings& more : check_.omitted_findings()) {
      hidden_[{more.severity(), more.id()}] += more.count();
    }
    for (size_t i = 0; i < Count(); ++i) {
      const report::Finding& finding = At(i);
      if (Level(finding.severity()) < Level(style_.min_severity)) continue;
      if (IsShown(finding)) Show(finding);
    }
    for (std::string_view severity : {"error", "warning", "note"}) {
      if (Level(severity) >= Level(style_.min_severity)) ShowHidden(severity);
    }
    const report::Verdict& verdict = check_.verdict();
    Line("verdict", StrCat(file_, ": verdict: ", verdict.text(),
                           verdict.next().empty() ? "" : ". Next: ",
                           verdict.next(), " (", CountsText(verdict), ")"));
    return std::move(text_);
  }

 private:
  using Kind = std::pair<std::string, std::string>;  // Severity, id.

  size_t Count() const { return check_.findings_size(); }
  const report::Finding& At(size_t i) const {
    return check_.findings(static_cast<int>(i));
  }

  uint64_t Omitted(const Kind& kind) const {
    for (const report::OmittedFindings& more : check_.omitted_findings()) {
      if (Kind(more.severity(), more.id()) == kind) return more.count();
    }
    return 0;
  }

  bool IsShown(const report::Finding& finding) {
    const Kind kind = {finding.severity(), finding.id()};
    const uint64_t most = finding.severity() == "note" ? 1 : kMostOfAKind;
    if (style_.all || ++shown_[kind] <= most) return true;
    ++hidden_[kind];
    return false;
  }

  void Show(const report::Finding& finding) {
    Line(finding.severity(), FindingLine(file_, finding));
    if (finding.severity() == "note" || finding.advice().empty() ||
        !advised_.insert(finding.id()).second) {
      return;
    }
    StrAppend(&text_,
              WrappedLines(StrCat("    what to do: ", finding.advice()),
                           style_.columns),
              "\n");
  }

  void ShowHidden(std::string_view severity) {
    for (const auto& [kind, count] : hidden_) {
      if (kind.first != severity) continue;
      const bool listed = !style_.all && count != Omitted(kind);
      Line(severity,
           StrCat(file_, ": ", severity, ": ", count, " more [", kind.second,
                  "]", listed ? "; --all lists them" : ""));
    }
  }

  void Line(std::string_view word, const std::string& line) {
    std::string wrapped = WrappedLines(line, style_.columns);
    const std::string marked = StrCat(word, ":");
    // It stands behind the name of the file, which may have such a word too.
    const size_t at =
        style_.color ? wrapped.find(marked, file_.size()) : std::string::npos;
    if (at != std::string::npos) {
      wrapped.insert(at + marked.size(), "\x1b[0m");
      wrapped.insert(at, ColorOf(word));
    }
    StrAppend(&text_, wrapped, "\n");
  }

  const report::Check& check_;
  const CheckStyle& style_;
  const std::string file_;
  std::string text_;
  std::map<Kind, uint64_t> shown_;
  std::map<Kind, uint64_t> hidden_;
  std::set<std::string> advised_;
};

}  // namespace

std::string CheckText(const report::Check& check, const CheckStyle& style) {
  return Printer(check, style).Text();
}

}  // namespace migstream
