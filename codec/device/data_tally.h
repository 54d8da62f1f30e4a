// What a device's DATA records add up to, and what is left of that where the
// input ends within one: it counts as far as it goes.
//
//   RecordCounter records;
//   records.Add(tally, section.type, event);   // Each event of a section, or
//   records.AddAll(tally, section.type, more);  // many whole records.
//   records.Cut(error);                        // The main channel's end.
//
// FORMAT.md section 9.

#ifndef MIGSTREAM_CODEC_DEVICE_DATA_TALLY_H_
#define MIGSTREAM_CODEC_DEVICE_DATA_TALLY_H_

#include <cstdint>
#include <optional>

#include "codec/device/device_records.h"
#include "codec/device/event.h"
#include "codec/wire/error.h"
#include "flags/section_type.h"

namespace migstream {

struct PhaseTally {
  uint64_t sections = 0;
  uint64_t records = 0;
  uint64_t bytes = 0;
};

struct DataTally {
  PhaseTally pre_copy;   // PART sections.
  PhaseTally stop_copy;  // END sections, and multifd packets.
  uint64_t empty_records = 0;
  uint64_t largest_record_bytes = 0;

  uint64_t records() const { return pre_copy.records + stop_copy.records; }
  uint64_t bytes() const { return pre_copy.bytes + stop_copy.bytes; }
  void AddRecord(SectionType type, uint64_t bytes);
  PhaseTally& Phase(SectionType type) {
    return type == SectionType::kPart ? pre_copy : stop_copy;
  }
};

// A record that the input's end cuts.
struct CutRecord {
  uint64_t offset = 0;
  uint64_t bytes = 0;  // As many as there are.
};

class RecordCounter {
 public:
  // The tally must stay where it is until Cut().
  void Add(DataTally& tally, SectionType type, const Event& event);
  void AddAll(DataTally& tally, SectionType type, const DeviceRecords& records);

  // The last record, if the error is that the input ends within it. What is
  // missing of it is taken back.
  std::optional<CutRecord> Cut(const Error& error);

 private:
  DataTally* tally_ = nullptr;
  SectionType type_ = SectionType::kPart;
  CutRecord last_;
  uint64_t largest_before_ = 0;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DEVICE_DATA_TALLY_H_
