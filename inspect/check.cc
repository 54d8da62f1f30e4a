#include <unistd.h>

#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "codec/report/report_builder.h"
#include "codec/report/side_report.h"
#include "inspect/inputs.h"
#include "inspect/progress.h"
#include "inspect/text_report.h"
#include "inspect/verb.h"

namespace migstream {
namespace {

ExitStatus Run(const Arguments& arguments) {
  ReportOptions options;
  options.reader.dialect = arguments.dialect;
  options.reader.switchover_ack_off = arguments.switchover_ack_off;
  options.destination_device = arguments.device;
  if (!arguments.destination_config.empty() &&
      !ReadConfigSpace(arguments.destination_config,
                       options.destination_config)) {
    return kUnusable;
  }
  Inputs inputs = OpenInputs(arguments);
  if (!inputs.main) return kUnusable;
  const std::string& file = inputs.file;
  report::Report report;
  Error error;
  {
    Progress progress(*inputs.main, arguments.quiet);
    if (inputs.libvirt) ReportLibvirt(*inputs.libvirt, report);
    error = BuildReport(*inputs.main, inputs.Channels(), options, report);
  }
  if (IsUnusable(error)) {
    Complain(inputs.Line(error));
    return kUnusable;
  }
  if (error.ok() && !options.destination_config.empty() &&
      report.configs_compared() == 0) {
    Complain(
        absl::StrCat(file, ": no config space of ",
                     arguments.device.empty() ? "any device" : arguments.device,
                     " to compare with"));
    return kUnusable;
  }
  std::string lines;
  for (const report::Finding& finding : report.findings()) {
    absl::StrAppend(&lines, FindingLine(file, finding), "\n");
  }
  if (report.notes_omitted() != 0) {
    absl::StrAppend(&lines, Printable(file), ": ", report.notes_omitted(),
                    " more notes\n");
  }
  // For somebody who watches, silence would be a riddle.
  if (lines.empty() && isatty(STDOUT_FILENO)) {
    lines = absl::StrCat(file, ": no findings\n");
  }
  return Print(lines, !error.ok() || HasFindings(report) ? kFindings : kFine);
}

constexpr Option kOptions[] = {
    {"switchover-ack", "off",
     "refuse INIT_DATA_SENT, as a destination without the\ncapability does",
     [](Arguments& arguments, const std::string& value) {
       arguments.switchover_ack_off = value == "off";
       return OneOf("switchover-ack", value, {"on", "off"});
     },
     "on off"},
    {"destination-config", "FILE",
     "compare the device's config space with this one, as a\n"
     "loader does (see extract --what=config)",
     Set<&Arguments::destination_config>},
    {"device", "IDSTR", "compare only that device's", Set<&Arguments::device>},
};

}  // namespace

const Verb kCheckVerb = {"check",
                         "FILE [CHANNEL]...",
                         "what is wrong with a stream, a finding a line",
                         kAnyFiles,
                         kOptions,
                         Run};

}  // namespace migstream
