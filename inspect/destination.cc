#include "inspect/destination.h"

#include <unistd.h>

#include <memory>
#include <optional>
#include <string>

#include "codec/destination/dump_compare.h"
#include "codec/destination/stream_check.h"
#include "codec/destination/vmstate_dump.h"
#include "codec/io/absl_view.h"
#include "codec/io/decompressing_source.h"
#include "codec/io/open_file.h"
#include "codec/qemu/parse_description.h"
#include "codec/qemu/stream_visitor.h"
#include "codec/report/answers.pb.h"
#include "codec/report/check.pb.h"
#include "codec/survey/stream_survey.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "inspect/destination_device.h"
#include "inspect/destination_stream.h"
#include "inspect/inputs.h"
#include "inspect/json_output.h"
#include "inspect/pci_device_file.h"
#include "inspect/terminal.h"
#include "inspect/text_report.h"

namespace migstream {
namespace {

// False, with a message, if it is no dump.
bool Read(const Arguments& arguments, const std::string& file,
          VmstateDump& dump) {
  std::unique_ptr<ByteSource> source = OpenRaw(file);
  if (!source) return false;
  source = Decompressed(std::move(source), OpenOptionsOf(arguments).limits);
  const DumpLimits limits;
  std::string_view json = AsText(source->Peek(limits.json_bytes + 1));
  std::string problem = source->failure();
  if (problem.empty() && !LooksLikeDump(json)) {
    problem = "it is not what QEMU writes for -dump-vmstate";
  }
  if (problem.empty()) problem = ParseDump(json, dump, limits);
  if (problem.empty()) return true;
  PrintError(StrCat(file, ": ", problem));
  return false;
}

class DescriptionKeeper : public StreamVisitor {
 public:
  void OnDescription(uint64_t, ByteSpan json) override {
    json_ = std::string(AsText(json));
  }
  std::optional<std::string> Take() { return std::move(json_); }

 private:
  std::optional<std::string> json_;
};

std::string Lines(const std::string& file, const DumpVerdict& verdict,
                  const VmstateDump& dump) {
  std::string lines;
  for (const DumpRefusal& refusal : verdict.refusals) {
    StrAppend(&lines, file, ": ", Printable(refusal.section),
              ": the destination would refuse it: ", Printable(refusal.message),
              "\n");
  }
  StrAppend(&lines, file, ": ", Plural(verdict.compared, "section"),
            " compared with ", Printable(dump.machine));
  if (!verdict.unknown.empty()) {
    std::vector<std::string> names;
    for (const std::string& name : verdict.unknown) {
      names.push_back(Printable(name));
    }
    StrAppend(&lines, "; its dump says nothing of ", StrJoin(names, ", "));
  }
  return lines + "\n";
}

}  // namespace

ExitStatus CheckDestination(const Arguments& arguments) {
  if (IsPciDeviceFile(arguments, arguments.destination)) {
    return CheckPciDevice(arguments);
  }
  if (!IsDump(arguments, arguments.destination)) {
    return CheckIdleDestination(arguments);
  }
  VmstateDump dump;
  if (!Read(arguments, arguments.destination, dump)) return kUnusable;
  Inputs inputs = OpenInputs(arguments);
  if (!inputs.main) return kUnusable;
  DescriptionKeeper keeper;
  StreamSurvey survey({.dialect = arguments.dialect}, keeper);
  Error error = ReadMigration(arguments, inputs, survey);
  std::optional<std::string> json = keeper.Take();
  if (!json) {
    PrintError(error.ok() ? StrCat(inputs.file,
                                   ": the stream has no description "
                                   "to compare with")
                          : ErrorLine(inputs.file, error));
    return kUnusable;
  }
  auto description = ParseDescription(*std::move(json), {.keep_fields = true});
  if (!description.ok()) {
    PrintError(
        StrCat(inputs.file, ": ", StdView(description.status().message())));
    return kUnusable;
  }
  DumpVerdict verdict = CheckAgainstDump(*description, dump);
  const ExitStatus status = verdict.refusals.empty() ? kFine : kFindings;
  if (arguments.format == "text") {
    return Print(WrappedLines(Lines(Printable(inputs.file), verdict, dump),
                              LineColumns(STDOUT_FILENO)),
                 status);
  }
  report::Check check;
  check.set_file(Printable(inputs.file));
  report::Destination& destination = *check.mutable_destination();
  destination.set_file(Printable(arguments.destination));
  destination.set_kind("dump");
  destination.set_machine(Printable(dump.machine));
  destination.set_compared(verdict.compared);
  for (const DumpRefusal& refusal : verdict.refusals) {
    report::Refusal& row = *destination.add_refusals();
    row.set_section(Printable(refusal.section));
    row.set_message(Printable(refusal.message));
  }
  for (const std::string& name : verdict.unknown) {
    destination.add_unknown(Printable(name));
  }
  return PrintMessage(check, "check", arguments.format, status);
}

bool IsDump(const Arguments& arguments, const std::string& file) {
  // What cannot be read twice is a stream.
  if (!IsRegularFile(file)) return false;
  auto opened = OpenFile(file);
  if (!opened.ok()) return false;
  std::unique_ptr<ByteSource> source =
      Decompressed(*std::move(opened), OpenOptionsOf(arguments).limits);
  constexpr size_t kHead = 64;
  return LooksLikeDump(AsText(source->Peek(kHead)));
}

ExitStatus DiffDumps(const Arguments& arguments) {
  VmstateDump dumps[2];
  for (int i = 0; i < 2; ++i) {
    if (!Read(arguments, arguments.files[i], dumps[i])) return kUnusable;
  }
  std::string lines;
  report::Diff diff;
  diff.set_a(Printable(arguments.files[0]));
  diff.set_b(Printable(arguments.files[1]));
  for (const DumpDifference& difference : CompareDumps(dumps[0], dumps[1])) {
    diff.add_differences()->set_what(Printable(ToString(difference)));
    StrAppend(&lines, diff.differences().rbegin()->what(), "\n");
  }
  if (arguments.format != "text") {
    return PrintMessage(diff, "diff", arguments.format,
                        lines.empty() ? kFine : kFindings);
  }
  return Print(lines, lines.empty() ? kFine : kFindings);
}

}  // namespace migstream
