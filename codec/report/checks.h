// The checks that look at a whole report: FINDINGS.md. What is wrong at one
// place was found when that place was read.

#ifndef MIGSTREAM_CODEC_REPORT_CHECKS_H_
#define MIGSTREAM_CODEC_REPORT_CHECKS_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "codec/report/report.pb.h"
#include "codec/survey/stream_survey.h"
#include "codec/wire/finding.h"

namespace migstream {

// What of a device neither survey nor report says but a check asks.
struct DeviceDoubts {
  uint64_t msix_spells_offset = 0;  // 0: it does not.
  // Enabled MSI-X: an unmasked vector without an address.
  std::optional<uint32_t> zero_vector = std::nullopt;
  // The first record that the destination's region cannot hold; 0: none.
  uint64_t large_record_offset = 0;
  uint64_t large_record_bytes = 0;
};

// `doubts` stand in the order of the devices; `with_cpr` is that of
// ReportOptions.
std::vector<Finding> CheckReport(const report::Report& report,
                                 const StreamFacts& facts,
                                 const std::deque<DeviceDoubts>& doubts,
                                 bool with_cpr);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REPORT_CHECKS_H_
