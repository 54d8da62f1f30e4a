#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "codec/diff/stream_diff.h"
#include "codec/diff/stream_state.h"
#include "codec/qemu/file_kind.h"
#include "codec/wire/printable.h"
#include "inspect/inputs.h"
#include "inspect/progress.h"
#include "inspect/table.h"
#include "inspect/verb.h"

namespace migstream {
namespace {

// The files of the two migrations: a main channel, and the multifd channels
// that follow it.
std::vector<Arguments> Split(const Arguments& arguments) {
  std::vector<Arguments> sides;
  for (const std::string& file : arguments.files) {
    std::unique_ptr<ByteSource> source;
    // What cannot be read twice is a main channel.
    bool channel = !sides.empty() && IsRegularFile(file);
    if (channel) {
      source = OpenInput(file, OpenOptionsOf(arguments));
      if (!source) return {};
      channel = KindOf(source->Peek(8)) == FileKind::kMultifd;
    }
    if (!channel) {
      sides.push_back(arguments);
      sides.back().files.clear();
    }
    sides.back().files.push_back(file);
  }
  if (sides.size() == 2) return sides;
  Complain(absl::StrCat("diff compares two streams, not ", sides.size()));
  return {};
}

// kFine; or why not was said.
ExitStatus Read(const Arguments& arguments, StreamState& state) {
  Inputs inputs = OpenInputs(arguments);
  if (!inputs.main) return kUnusable;
  ReaderOptions options;
  options.dialect = arguments.dialect;
  Error error;
  {
    Progress progress(*inputs.main, arguments.quiet);
    error = state.Read(*inputs.main, inputs.Channels(), options);
  }
  if (error.ok()) return kFine;
  Complain(ErrorLine(inputs.file, error));
  return IsUnusable(error) ? kUnusable : kFindings;
}

ExitStatus Run(const Arguments& arguments) {
  std::vector<Arguments> sides = Split(arguments);
  if (sides.empty()) return kUnusable;
  StreamState states[2];
  ExitStatus status = kFine;
  for (int i = 0; i < 2; ++i) {
    status = std::max(status, Read(sides[i], states[i]));
    if (status == kUnusable) return status;
  }
  std::vector<Difference> differences;
  Error error =
      CompareStreams(states[0], states[1],
                     {.ignore_cuts = arguments.ignore_cuts}, differences);
  if (!error.ok()) {
    Complain(ToString(error));
    return kUnusable;
  }
  if (differences.empty()) return Print("", status);
  Table table("llll");
  table.Row({"DEVICE", "WHAT", "A", "B"});
  for (Difference& d : differences) {
    table.Row({std::move(d.device), std::move(d.what),
               d.a.empty() ? "-" : std::move(d.a),
               d.b.empty() ? "-" : std::move(d.b)});
  }
  return Print(table.Text(), kFindings);
}

constexpr Option kOptions[] = {
    {"ignore-cuts", "",
     "compare what a destination would end up with: not how\n"
     "many PARTs there were, nor how payload was cut",
     Set<&Arguments::ignore_cuts>},
};

}  // namespace

const Verb kDiffVerb = {
    "diff",
    "A [CHANNEL]... B [CHANNEL]...",
    "what two streams differ in: devices, fields, registers, payload",
    kAnyFiles,
    kOptions,
    Run};

}  // namespace migstream
