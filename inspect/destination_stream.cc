#include "inspect/destination_stream.h"

#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "codec/destination/loadable_check.h"
#include "codec/destination/loadable_state.h"
#include "codec/loader/loader.h"
#include "codec/loader/loader_row.h"
#include "codec/multifd/reassembler.h"
#include "codec/qemu/stream_reader.h"
#include "codec/report/answers.pb.h"
#include "codec/report/check.pb.h"
#include "codec/report/report.pb.h"
#include "codec/survey/stream_survey.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "flags/machine_type.h"
#include "flags/qemu_version.h"
#include "flags/release.h"
#include "inspect/inputs.h"
#include "inspect/json_output.h"
#include "inspect/loader_table.h"
#include "inspect/table.h"
#include "inspect/terminal.h"
#include "inspect/text_report.h"

namespace migstream {
namespace {

struct Side {
  LoadableState state;
  Release release = 0;  // That has probably written it.
  Error error;
};

Side ReadSide(const Arguments& arguments, Inputs& inputs) {
  Side side;
  LoadableReader reader;
  StreamSurvey survey(ReaderOptionsOf(arguments), reader);
  side.error = ReadMigration(
      arguments, inputs, survey,
      [&](const ReassembledPiece& piece) { reader.OnConfigPiece(piece); });
  reader.Finish(side.error);
  side.state = reader.Take();
  // Its machine type is mostly its own newest one.
  Release oldest = kNewestRelease;
  Release newest = 0;
  for (const Dialect* dialect : survey.facts().dialects) {
    oldest = std::min(oldest, dialect->first_release);
    newest = std::max(newest, dialect->last_release);
  }
  constexpr Release kLast = std::rbegin(kReleases)->release;
  newest = newest == 0 ? kLast : std::min(newest, kLast);
  const Release machine = MachineTypeRelease(side.state.machine_type);
  side.release = machine == 0 || FindLoader(machine) == nullptr
                     ? newest
                     : std::clamp(machine, std::min(oldest, newest), newest);
  if (!side.error.ok()) PrintError(ErrorLine(inputs.file, side.error));
  return side;
}

// What the release's loader says by itself, which has no offset if it loads.
LoadVerdict AskLoader(const Arguments& arguments, Inputs& inputs,
                      const LoadableState& destination, Release release,
                      bool& asked) {
  LoaderOptions options;
  asked = LoaderOptionsOf(arguments, options);
  options.release = release;
  options.destination_device = inputs.device;
  if (options.machine_type.empty()) {
    options.machine_type = destination.machine_type;
  }
  options.compared = true;
  return PredictLoad(*inputs.main, inputs.Channels(), options);
}

ExitStatus PrintComparison(const Arguments& arguments, const std::string& file,
                           const LoadableState& state,
                           const QemuVersion& version, LoadVerdict verdict,
                           const LoadComparison& found) {
  report::Check check;
  check.set_file(Printable(file));
  report::Destination& destination = *check.mutable_destination();
  destination.set_file(Printable(arguments.destination));
  destination.set_kind("stream");
  destination.set_machine(Printable(state.machine_type));
  destination.set_compared(found.sections);
  destination.set_blocks_compared(found.blocks);
  destination.set_config_spaces_compared(found.config_spaces);
  for (const std::string& name : found.untouched) {
    destination.add_untouched(name);
  }
  for (const LoadRefusal& refusal : found.refusals) {
    report::Refusal& row = *destination.add_refusals();
    row.set_section(Printable(refusal.section));
    row.set_message(Printable(refusal.message));
    row.set_offset(refusal.offset);
    row.set_what(refusal.what);
    row.set_stream(refusal.stream);
    row.set_destination(refusal.destination);
  }
  // What is first is what the loader says.
  if (!found.refusals.empty()) {
    const LoadRefusal& first = found.refusals[0];
    const bool its_own = verdict.outcome != LoadVerdict::kLoads &&
                         verdict.offset == first.offset && first.what.empty();
    if (!its_own) {
      verdict.outcome = LoadVerdict::kRefuses;
      verdict.offset = first.offset;
      verdict.section = first.section;
      verdict.message = first.message;
      verdict.file.clear();
    }
  }
  AddLoad(version, verdict, check);
  return PrintMessage(check, "check", arguments.format,
                      found.refusals.empty() ? kFine : kFindings);
}

std::string RefusalLine(const std::string& file, const LoadRefusal& refusal,
                        const std::string& verdict) {
  std::string line =
      StrCat(file, ":", Hex(refusal.offset), ": ", refusal.section, ": ",
             verdict, Printable(refusal.message));
  if (refusal.what.starts_with("config ")) {
    StrAppend(&line, " (", refusal.what.substr(7), ": ", refusal.stream,
              ", the destination's ", refusal.destination, ")");
  } else if (refusal.what == "registers") {
    StrAppend(&line, " (the destination has no registers ", refusal.stream,
              ")");
  } else if (refusal.what == "registers' values") {
    StrAppend(&line, " (its CPU is another: ", refusal.stream, ")");
  }
  return line + "\n";
}

}  // namespace

ExitStatus CheckIdleDestination(const Arguments& arguments) {
  Arguments of_destination = arguments;
  of_destination.files = {arguments.destination};
  of_destination.offset = 0;
  Inputs inputs = OpenInputs(of_destination);
  if (!inputs.main) return kUnusable;
  const std::string destination_file = inputs.file;
  const Side destination = ReadSide(of_destination, inputs);
  if (IsUnusable(destination.error)) return kUnusable;
  const Release release =
      arguments.loader != 0 ? arguments.loader : destination.release;

  inputs = OpenInputs(arguments);
  if (!inputs.main) return kUnusable;
  for (const std::string& file : arguments.files) {
    if (IsRegularFile(file)) continue;
    PrintError(StrCat(file,
                      ": it can be read only once, and it is read twice "
                      "to be held against a destination"));
    return kUnusable;
  }
  const Side stream = ReadSide(arguments, inputs);
  if (IsUnusable(stream.error)) return kUnusable;
  inputs = OpenInputs(arguments);
  if (!inputs.main) return kUnusable;
  bool asked = false;
  const LoadVerdict verdict =
      AskLoader(arguments, inputs, destination.state, release, asked);
  if (!asked) return kUnusable;

  LoadComparison found =
      CheckLoadable(stream.state, destination.state, release);
  // Whichever comes first is what the loader says.
  if (verdict.outcome != LoadVerdict::kLoads) {
    const auto before = std::find_if(
        found.refusals.begin(), found.refusals.end(),
        [&](const LoadRefusal& refusal) {
          return !verdict.file.empty() ? false
                                       : refusal.offset >= verdict.offset;
        });
    found.refusals.insert(
        before, {.offset = verdict.offset,
                 .section = verdict.section,
                 .message = verdict.outcome == LoadVerdict::kWaits
                                ? StrCat("waits for ever: ", verdict.message)
                                : verdict.message});
  }
  const QemuVersion version = {release, arguments.stable};
  if (arguments.format != "text") {
    return PrintComparison(arguments, inputs.file, destination.state, version,
                           verdict, found);
  }
  const std::string file = Printable(inputs.file);
  const std::string loader = ToString(version);
  std::string lines;
  for (size_t i = 0; i < found.refusals.size(); ++i) {
    lines += RefusalLine(
        file, found.refusals[i],
        i == 0 ? StrCat(loader, " would refuse it: ") : "and then: ");
  }
  if (found.refusals.empty()) {
    lines = StrCat(file, ": ", loader, " would load it\n");
  }
  for (const std::string& given : verdict.given) {
    if (found.refusals.empty())
      StrAppend(&lines, file, ": given ", given, "\n");
  }
  StrAppend(&lines, file, ": compared with ", Printable(destination_file), ": ",
            Plural(found.sections, "section"), ", ",
            Plural(found.blocks, "RAM block"), ", ",
            Plural(found.config_spaces, "config space"), "\n");
  if (!found.untouched.empty()) {
    StrAppend(&lines, file, ": nothing in it is for the destination's ",
              StrJoin(found.untouched, ", "), "\n");
  }
  return Print(WrappedLines(lines, LineColumns(STDOUT_FILENO)),
               found.refusals.empty() ? kFine : kFindings);
}

ExitStatus DiffLoadable(const Arguments& a, const Arguments& b) {
  std::vector<Side> sides;
  for (const Arguments* arguments : {&a, &b}) {
    Inputs inputs = OpenInputs(*arguments);
    if (!inputs.main) return kUnusable;
    sides.push_back(ReadSide(*arguments, inputs));
    if (IsUnusable(sides.back().error)) return kUnusable;
  }
  const LoadComparison found =
      CheckLoadable(sides[0].state, sides[1].state, sides[1].release);
  const bool fine =
      sides[0].error.ok() && sides[1].error.ok() && found.refusals.empty();
  const ExitStatus status = fine ? kFine : kFindings;
  auto device = [](const LoadRefusal& refusal) {
    return refusal.section.substr(0, refusal.section.rfind(' '));
  };
  if (a.format != "text") {
    report::Diff diff;
    diff.set_a(Printable(a.files[0]));
    diff.set_b(Printable(b.files[0]));
    for (const LoadRefusal& refusal : found.refusals) {
      report::Difference& row = *diff.add_differences();
      row.set_device(device(refusal));
      row.set_what(refusal.what);
      row.set_a(refusal.stream);
      row.set_b(refusal.destination);
    }
    return PrintMessage(diff, "diff", a.format, status);
  }
  if (found.refusals.empty()) return status;
  Table table("llll");
  table.Row({"DEVICE", "WHAT", "A", "B"});
  for (const LoadRefusal& refusal : found.refusals) {
    table.Row({device(refusal), refusal.what,
               refusal.stream.empty() ? "-" : refusal.stream,
               refusal.destination.empty() ? "-" : refusal.destination});
  }
  return Print(table.Text(), status);
}

}  // namespace migstream
