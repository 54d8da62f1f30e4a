// Cuts the DATA records of all devices anew. Only where records are not
// transactions of the device: since VFIO migration protocol v2. FORMAT.md
// section 9.

#ifndef MIGSTREAM_CODEC_REWRITE_RECORD_CUTTER_H_
#define MIGSTREAM_CODEC_REWRITE_RECORD_CUTTER_H_

#include <cstdint>
#include <vector>

#include "codec/rewrite/visitor_filter.h"

namespace migstream {

class RecordCutter : public VisitorFilter {
 public:
  // Every record but a section's last gets `record_bytes`, which is not 0; that
  // many are held. A PART that holds more is split into several, since writers
  // put one record into each.
  RecordCutter(size_t record_bytes, StreamVisitor& next)
      : VisitorFilter(next), record_bytes_(record_bytes) {}

  void OnSection(const SectionView& section) override;
  void OnDeviceEvent(const SectionView& section, const Event& event) override;
  void OnSectionEnd(const SectionView& section, uint64_t content_bytes,
                    bool footer) override;

 private:
  void Flush(const SectionView& section);

  const size_t record_bytes_;
  std::vector<uint8_t> held_;
  bool record_written_ = false;  // In this section.
  bool footers_ = true;          // As the stream has shown.
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REWRITE_RECORD_CUTTER_H_
