// Every finding that a report can hold: its id, which stays, how bad it is, and
// what to do. `migstream check --list` prints it, and findings_doc makes
// codec/FINDINGS.md of it.
//
//   FindFinding("config-twice")->severity

#ifndef MIGSTREAM_CODEC_REPORT_FINDING_IDS_H_
#define MIGSTREAM_CODEC_REPORT_FINDING_IDS_H_

#include <span>
#include <string_view>

#include "codec/wire/finding.h"

namespace migstream {

struct FindingKind {
  std::string_view id;
  Severity severity;
  std::string_view meaning;
  std::string_view advice;
  // What the destination's kernel does with it, if it is inside a payload.
  std::string_view kernel = {};
  // Where it is not always the same: "error or warning".
  std::string_view severities = {};
};

// In alphabetical order. Those of payloads are codec/payload's.
std::span<const FindingKind> AllFindings();

// "error"; "error or warning".
std::string_view SeverityText(const FindingKind& kind);

// Null if there is no such id.
const FindingKind* FindFinding(std::string_view id);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REPORT_FINDING_IDS_H_
