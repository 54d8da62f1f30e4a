// A report's findings in the order in which somebody wants to read them, and
// what they come to.
//
//   report::Check check = MakeCheck(report);
//   check.findings(0)      // the cause
//   check.verdict().text() // "cut after the switchover at 0x41d8b, …"

#ifndef MIGSTREAM_CODEC_REPORT_VERDICT_H_
#define MIGSTREAM_CODEC_REPORT_VERDICT_H_

#include <string_view>

#include "codec/report/check.pb.h"
#include "codec/report/report.pb.h"

namespace migstream {

// `report` is whole: BuildReport() has returned, or ReadPayloadFile().
report::Check MakeCheck(const report::Report& report);

// "1 error, 22 notes"; "no findings".
std::string CountsText(const report::Verdict& verdict);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REPORT_VERDICT_H_
