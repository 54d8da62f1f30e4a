// The checks that look at a whole report: FINDINGS.md. What is wrong at one
// place was found when that place was read.

#ifndef MIGSTREAM_CODEC_REPORT_CHECKS_H_
#define MIGSTREAM_CODEC_REPORT_CHECKS_H_

#include <map>
#include <string>
#include <vector>

#include "codec/device/dialect_detector.h"
#include "codec/report/report.pb.h"
#include "codec/wire/finding.h"

namespace migstream {

// What of a device a report does not say but a check asks.
struct DeviceFacts {
  uint32_t ends = 0;
  uint32_t configs = 0;
  uint64_t first_offset = 0;
  uint64_t extra_config_offset = 0;  // One more than the dialect has.
  uint64_t init_data_sent_offset = 0;
  uint64_t second_init_data_sent_offset = 0;
  uint64_t after_end_offset = 0;    // A PART or END too many; 0: none.
  uint64_t msix_spells_offset = 0;  // 0: it does not.
  uint64_t last_part_offset = 0;
  uint64_t first_end_offset = 0;
  uint64_t early_init_data_sent_offset = 0;  // Before any data; 0: none.
  // Enabled MSI-X: an unmasked vector without an address.
  bool msix_zero_vector = false;
  uint32_t zero_vector = 0;
  // The first record that the destination's region cannot hold; 0: none.
  uint64_t large_record_offset = 0;
  uint64_t large_record_bytes = 0;
};

struct StreamFacts {
  bool return_path = false;           // COMMAND OPEN_RETURN_PATH.
  uint64_t postcopy_offset = 0;       // COMMAND POSTCOPY_ADVISE; 0: none.
  uint64_t multifd_flush_offset = 0;  // The first; 0: none.
  Release machine_type_release = 0;   // 0: unknown.
};

// `facts` and `detectors` stand in the order of report.devices; there are no
// detectors if the dialect was chosen by name.
std::vector<Finding> CheckReport(const report::Report& report,
                                 const std::vector<DeviceFacts>& facts,
                                 const StreamFacts& stream,
                                 const std::vector<DialectDetector>& detectors);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REPORT_CHECKS_H_
