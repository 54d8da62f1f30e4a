#include "codec/report/report_findings.h"

#include <string>

#include "codec/report/finding_ids.h"
#include "codec/wire/printable.h"

namespace migstream {

void AddPrintableFinding(const Finding& finding, report::Report& report) {
  if (finding.severity == Severity::kNote &&
      report.findings_size() >= kMaxNotes) {
    return report.set_notes_omitted(report.notes_omitted() + 1);
  }
  report::Finding& row = *report.add_findings();
  const FindingKind* kind = FindFinding(finding.id);
  const bool fixed = kind != nullptr && kind->severities.empty();
  row.set_severity(
      std::string(ToString(fixed ? kind->severity : finding.severity)));
  row.set_id(finding.id);
  row.set_offset(finding.offset);
  row.set_section(finding.section);
  row.set_message(finding.message);
  row.set_file(finding.file);
  row.set_kernel(finding.kernel);
}

void AddFinding(const Finding& finding, report::Report& report) {
  Finding printable = finding;
  for (std::string* text :
       {&printable.section, &printable.message, &printable.file}) {
    *text = Printable(*text);
  }
  AddPrintableFinding(printable, report);
}

}  // namespace migstream
