#include <unistd.h>

#include <fstream>
#include <iterator>

#include "codec/loader/loader.h"
#include "codec/loader/loader_row.h"
#include "codec/report/finding_ids.h"
#include "codec/report/report_builder.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "flags/release.h"
#include "inspect/destination.h"
#include "inspect/inputs.h"
#include "inspect/progress.h"
#include "inspect/table.h"
#include "inspect/text_report.h"
#include "inspect/verb.h"

namespace migstream {
namespace {

// What one release's loader would do.
ExitStatus AskLoader(const Arguments &arguments) {
  LoaderOptions options;
  options.release = arguments.loader;
  options.machine_type = arguments.machine_type;
  if (!arguments.switchover_ack.empty()) {
    options.switchover_ack = arguments.switchover_ack == "on"
                                 ? LoaderOptions::kOn
                                 : LoaderOptions::kOff;
  }
  options.destination_device = arguments.device;
  if (!ReadConfigSpace(arguments.destination_config,
                       options.destination_config)) {
    return kUnusable;
  }
  Inputs inputs = OpenInputs(arguments);
  if (!inputs.main) return kUnusable;
  LoadVerdict verdict;
  {
    Progress progress(*inputs.main, arguments.quiet);
    verdict = PredictLoad(*inputs.main, inputs.Channels(), options);
  }
  std::string file = Printable(inputs.file);
  if (verdict.outcome == LoadVerdict::kUnreadable) {
    Complain(StrCat(file, ": ", verdict.message));
    return kUnusable;
  }
  std::string loader = StrCat(ReleaseName(options.release), " would ");
  std::string lines;
  if (verdict.outcome == LoadVerdict::kLoads) {
    lines = StrCat(file, ": ", loader, "load it\n");
  } else {
    lines = StrCat(verdict.file.empty() ? file : Printable(verdict.file), ":",
                   Hex(verdict.offset), ": ", verdict.section, ": ", loader,
                   verdict.outcome == LoadVerdict::kWaits
                       ? "wait for ever with no message: "
                       : "refuse it: ",
                   Printable(verdict.message), "\n");
  }
  for (const std::string &given : verdict.given) {
    StrAppend(&lines, file, ": given ", given, "\n");
  }
  return Print(lines,
               verdict.outcome == LoadVerdict::kLoads ? kFine : kFindings);
}

std::string FindingList() {
  Table table("lll");
  table.Row({"ID", "SEVERITY", "MEANING; WHAT TO DO"});
  for (const FindingKind &kind : AllFindings()) {
    table.Row({std::string(kind.id), std::string(ToString(kind.severity)),
               StrCat(kind.meaning, "; ", kind.advice)});
  }
  return table.Text();
}

ExitStatus Run(const Arguments &arguments) {
  if (arguments.list_findings) return Print(FindingList(), kFine);
  if (arguments.loader != 0) return AskLoader(arguments);
  if (!arguments.destination.empty()) return CheckDestination(arguments);
  ReportOptions options;
  options.reader.switchover_ack_off = arguments.switchover_ack == "off";
  options.region_bytes = arguments.region_bytes;
  options.destination_device = arguments.device;
  if (!ReadConfigSpace(arguments.destination_config,
                       options.destination_config)) {
    return kUnusable;
  }
  Inputs inputs = OpenInputs(arguments);
  if (!inputs.main) return kUnusable;
  const std::string &file = inputs.file;
  report::Report report;
  Error error = ReadReport(arguments, inputs, options, report);
  if (IsUnusable(error)) {
    Complain(ErrorLine(inputs.file, error));
    return kUnusable;
  }
  if (error.ok() && !options.destination_config.empty() &&
      report.configs_compared() == 0) {
    Complain(StrCat(file, ": no config space of ",
                    arguments.device.empty() ? "any device" : arguments.device,
                    " to compare with"));
    return kUnusable;
  }
  std::string lines;
  for (const report::Finding &finding : report.findings()) {
    StrAppend(&lines, FindingLine(file, finding), "\n");
  }
  if (report.notes_omitted() != 0) {
    StrAppend(&lines, Printable(file), ": ", report.notes_omitted(),
              " more notes\n");
  }
  // For somebody who watches, silence would be a riddle.
  if (lines.empty() && isatty(STDOUT_FILENO)) {
    lines = StrCat(file, ": no findings\n");
  }
  return Print(lines, !error.ok() || HasFindings(report) ? kFindings : kFine);
}

std::string Misused(const Arguments &arguments) {
  if (arguments.list_findings == arguments.files.empty()) return "";
  return arguments.list_findings ? "--list takes no FILE" : kWhichFile;
}

constexpr Option kOptions[] = {
    {"switchover-ack", "on/off",
     "off: refuse INIT_DATA_SENT, as a destination without\n"
     "the capability does",
     [](Arguments &arguments, const std::string &value) {
       arguments.switchover_ack = value;
       return OneOf("switchover-ack", value, {"on", "off"});
     },
     "on off"},
    {"destination-config", "FILE",
     "compare the device's config space with this one, as a\n"
     "loader does (see extract --what=config)",
     Set<&Arguments::destination_config>},
    {"device",
     "IDSTR",
     "compare only that device's",
     Set<&Arguments::device>,
     {},
     {},
     "destination-config"},
    {"for", "qemu-X.Y",
     "whether that release's loader would take the stream, and\n"
     "its message if not; instead of the findings",
     [](Arguments &arguments, const std::string &value) {
       arguments.loader = ParseRelease(value);
       return arguments.loader != 0
                  ? std::string()
                  : StrCat("no loader of '", value, "' is known, but of ",
                           ReleaseName(kReleases->release), " to ",
                           ReleaseName(std::rbegin(kReleases)->release));
     },
     kReleaseChoices, "region-size dialect"},
    {"destination",
     "FILE",
     "whether the QEMU that wrote FILE for -dump-vmstate would\n"
     "take the devices' state; instead of the findings",
     Set<&Arguments::destination>,
     {},
     "for region-size switchover-ack destination-config"},
    {"region-size", "BYTES",
     "what the destination's v1 migration region holds; larger\n"
     "records are found",
     [](Arguments &arguments, const std::string &value) {
       return ParseNumber("region-size", " of bytes", value, 1, UINT64_MAX,
                          arguments.region_bytes);
     }},
    {"list",
     "",
     "every finding there can be, and what to do about it",
     Set<&Arguments::list_findings>,
     {},
     "*"},
    {"machine",
     "TYPE",
     "with --for: the destination's machine type, if it is not\n"
     "what the stream names",
     Set<&Arguments::machine_type>,
     {},
     {},
     "for"},
};

}  // namespace

const Verb kCheckVerb = {"check",
                         "FILE [CHANNEL]...",
                         "what is wrong with a stream, a finding a line",
                         kAnyFiles,
                         kOptions,
                         Run,
                         "--list",
                         Misused};

}  // namespace migstream
