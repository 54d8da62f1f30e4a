#include "codec/device/data_tally.h"

#include <algorithm>

#include "flags/tag.h"

namespace migstream {

void DataTally::AddRecord(SectionType type, uint64_t bytes) {
  ++Phase(type).records;
  Phase(type).bytes += bytes;
  if (bytes == 0) ++empty_records;
  largest_record_bytes = std::max(largest_record_bytes, bytes);
}

void RecordCounter::Add(DataTally& tally, SectionType type,
                        const Event& event) {
  if (event.kind != EventKind::kData || !event.starts_record) return;
  tally_ = &tally;
  type_ = type;
  last_ = {event.offset, event.record_bytes};
  largest_before_ = tally.largest_record_bytes;
  tally.AddRecord(type, last_.bytes);
}

void RecordCounter::AddAll(DataTally& tally, SectionType type,
                           const DeviceRecords& records) {
  uint64_t bytes = 0;
  uint64_t empty = 0;
  uint64_t largest = tally.largest_record_bytes;
  records.ForEach([&](uint64_t offset, ByteSpan payload) {
    last_ = {offset, payload.size()};
    largest_before_ = largest;
    largest = std::max<uint64_t>(largest, payload.size());
    bytes += payload.size();
    empty += payload.empty();
  });
  tally_ = &tally;
  type_ = type;
  tally.Phase(type).records += records.payloads.size();
  tally.Phase(type).bytes += bytes;
  tally.empty_records += empty;
  tally.largest_record_bytes = largest;
}

std::optional<CutRecord> RecordCounter::Cut(const Error& error) {
  const uint64_t end = last_.offset + kRecordHeaderBytes + last_.bytes;
  if (error.code != ErrorCode::kTruncated || tally_ == nullptr ||
      end <= error.offset) {
    return std::nullopt;
  }
  last_.bytes -= end - error.offset;
  tally_->Phase(type_).bytes -= end - error.offset;
  tally_->largest_record_bytes = std::max(largest_before_, last_.bytes);
  return last_;
}

}  // namespace migstream
