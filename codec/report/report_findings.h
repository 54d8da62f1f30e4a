// Findings as rows of a report.

#ifndef MIGSTREAM_CODEC_REPORT_REPORT_FINDINGS_H_
#define MIGSTREAM_CODEC_REPORT_REPORT_FINDINGS_H_

#include "codec/wire/finding.h"

namespace migstream {

namespace report {
class Report;
}  // namespace report

// A report is read by people and scripts; none wants more of one id and
// severity. What is beyond is counted, so that no stream, however damaged,
// makes a report that grows with it.
inline constexpr int kMaxFindingsOfAKind = 100;

// A finding that finding_ids.h knows has the severity given there.
void AddFinding(const Finding& finding, report::Report& report);
// One whose texts are made of what a report says, which is printable.
void AddPrintableFinding(const Finding& finding, report::Report& report);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REPORT_REPORT_FINDINGS_H_
