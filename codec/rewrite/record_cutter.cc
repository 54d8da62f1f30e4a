#include "codec/rewrite/record_cutter.h"

#include <algorithm>

namespace migstream {

void RecordCutter::OnSection(const SectionView& section) {
  record_written_ = false;
  next().OnSection(section);
}

void RecordCutter::OnDeviceEvent(const SectionView& section,
                                 const Event& event) {
  if (event.kind != EventKind::kData) {
    Flush(section);
    return next().OnDeviceEvent(section, event);
  }
  ByteSpan payload = event.payload;
  while (!payload.empty()) {
    if (held_.size() == record_bytes_) Flush(section);
    ByteSpan piece =
        payload.first(std::min(payload.size(), record_bytes_ - held_.size()));
    held_.insert(held_.end(), piece.begin(), piece.end());
    payload = payload.subspan(piece.size());
  }
}

void RecordCutter::Flush(const SectionView& section) {
  if (held_.empty()) return;
  if (record_written_ && section.type == SectionType::kPart) {
    next().OnDeviceEvent(section, {});  // END_OF_STATE
    next().OnSectionEnd(section, 0, footers_);
    next().OnSection(section);
  }
  Event record;
  record.kind = EventKind::kData;
  record.starts_record = true;
  record.record_bytes = held_.size();
  record.payload = held_;
  next().OnDeviceEvent(section, record);
  held_.clear();
  record_written_ = true;
}

void RecordCutter::OnSectionEnd(const SectionView& section,
                                uint64_t content_bytes, bool footer) {
  footers_ = footer;
  next().OnSectionEnd(section, content_bytes, footer);
}

}  // namespace migstream
