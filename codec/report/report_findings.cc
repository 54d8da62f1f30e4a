#include "codec/report/report_findings.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "codec/report/finding_ids.h"
#include "codec/report/report.pb.h"
#include "codec/wire/printable.h"

namespace migstream {

namespace {

std::string_view SeverityOf(const Finding& finding) {
  const FindingKind* kind = FindFinding(finding.id);
  const bool fixed = kind != nullptr && kind->severities.empty();
  return ToString(fixed ? kind->severity : finding.severity);
}

// Counts a finding of which there are enough; false if there are not.
bool Omit(const Finding& finding, std::string_view severity,
          report::Report& report) {
  auto same = [&](const auto& row) {
    return row.id() == finding.id && row.severity() == severity;
  };
  for (report::OmittedFindings& row : *report.mutable_omitted_findings()) {
    if (!same(row)) continue;
    row.set_count(row.count() + 1);
    return true;
  }
  if (std::count_if(report.findings().begin(), report.findings().end(), same) <
      kMaxFindingsOfAKind) {
    return false;
  }
  report::OmittedFindings& row = *report.add_omitted_findings();
  row.set_id(finding.id);
  row.set_severity(std::string(severity));
  row.set_count(1);
  return true;
}

}  // namespace

void AddPrintableFinding(const Finding& finding, report::Report& report) {
  const std::string_view severity = SeverityOf(finding);
  if (Omit(finding, severity, report)) return;
  report::Finding& row = *report.add_findings();
  row.set_severity(std::string(severity));
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
