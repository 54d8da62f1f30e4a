// What a device's payload holds, as plain data: for reports, checks and diffs.
//
// Offsets are in the payload unless their name says stream. Rows are constants
// of the format's tables.

#ifndef MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_REPORT_H_
#define MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "codec/payload/driver_rules.h"
#include "codec/payload/format.h"
#include "codec/payload/formats.h"
#include "codec/payload/payload_finding.h"

namespace migstream {

// Where a byte of payload stands: of which channel (0: the main one, or
// whatever the caller counts), and there where.
struct PayloadPlace {
  uint64_t stream_offset = 0;
  uint32_t channel = 0;

  bool operator==(const PayloadPlace&) const = default;
};

// Bytes that stand one behind the other there, up to the next run.
struct PayloadRun {
  uint64_t at = 0;  // The first one's, in the payload.
  PayloadPlace place;
};

struct PayloadValue {
  const payload::Field* field = nullptr;
  uint16_t index = 0;  // Where the field has several.
  bool in_header = false;
  uint8_t bytes = 0;  // 0: bytes, not a number; or unknown.
  uint64_t offset = 0;
  uint64_t value = 0;
};

struct PayloadRecord {
  std::string name;  // The row's, or "tag7".
  const payload::Record* row = nullptr;
  uint64_t key = 0;
  uint8_t depth = 0;
  bool stop_copy = false;  // Its first byte.
  bool straddles = false;  // It begins in pre-copy and ends in stop-copy.
  bool cut = false;        // Not all of its bytes are there.
  uint64_t offset = 0;
  uint32_t header_bytes = 0;
  uint64_t bytes = 0;  // Of the body, as its header claims.
  uint64_t there = 0;  // Of them.
  // Indices in PayloadReport::values.
  size_t first_value = 0;
  size_t value_count = 0;
};

struct PayloadReport {
  const payload::Format* format = nullptr;  // Never null when returned.
  std::optional<PciId> id;
  const payload::PciRow* pci = nullptr;  // The id's row, if it is known.
  bool by_bytes = false;  // The bytes say so by themselves, beyond doubt.
  bool id_agrees = true;
  bool big_endian = false;
  size_t generation = 0;  // Of the format's.

  uint64_t bytes = 0;
  uint64_t pre_copy_bytes = 0;
  uint64_t initial_bytes = 0;  // 0: the driver's are not known.
  std::optional<uint64_t> init_data_sent;
  bool whole = true;      // What was tallied is all that the driver wrote.
  bool complete = false;  // The walk came to the end, and nothing is cut.
  // Where it stopped, if it did.
  std::optional<uint64_t> unread_from;

  std::vector<PayloadRecord> records;
  uint64_t records_unkept = 0;
  std::vector<PayloadValue> values;
  uint64_t values_unkept = 0;
  std::vector<PayloadRun> runs;
  uint64_t runs_end = 0;  // They say where the bytes up to here stand.
  std::vector<PayloadFact> facts;
  std::vector<PayloadFinding> findings;
  uint64_t findings_unkept = 0;

  uint64_t stop_copy_bytes() const { return bytes - pre_copy_bytes; }
};

// Where a byte of payload stands, or would stand behind the last one; none if
// that was not kept.
std::optional<PayloadPlace> FindPlace(const PayloadReport& report,
                                      uint64_t offset);

// Each record's name with those of the lists that it stands in:
// "state/ETRBAR/bnk0/mregs".
std::vector<std::string> PayloadPaths(const PayloadReport& report);

// What the destination's device and its configuration must be, beyond the
// driver: "as many ports, 2".
std::string PayloadAlso(const PayloadReport& report);

// "needs mlx5_vfio_pci >= 6.3 on the destination"; and what its device has to
// have, if the stream says so.
std::string PayloadNeeds(const PayloadReport& report);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_REPORT_H_
