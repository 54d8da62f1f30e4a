// Puts what multifd channels carry of the devices back into the main channel:
// packets become DATA records of END, and the config packet the CONFIG of FULL.
// FORMAT.md section 13.8.

#ifndef MIGSTREAM_CODEC_REWRITE_CHANNEL_MERGER_H_
#define MIGSTREAM_CODEC_REWRITE_CHANNEL_MERGER_H_

#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "codec/rewrite/piece_store.h"
#include "codec/rewrite/visitor_filter.h"

namespace migstream {

class ChannelMerger : public VisitorFilter {
 public:
  // `pieces` are those of all devices, and must outlive the filter.
  ChannelMerger(PieceStore& pieces, StreamVisitor& next)
      : VisitorFilter(next), pieces_(pieces) {}

  void OnSection(const SectionView& section) override;
  void OnDeviceEvent(const SectionView& section, const Event& event) override;
  void Finish() override;

 private:
  bool TakesData(const SectionView& section);
  void PutData(const SectionView& section);
  // Its end keeps what the FULL ended with: a splitter writes that again.
  void PutConfig(const SectionView& section, Element ending);

  PieceStore& pieces_;
  bool complete_ = false;  // This END has DATA_STATE_COMPLETE: dialect E6.
  // Whose data has been put.
  std::set<std::pair<std::string, uint32_t>> merged_;
  // Devices whose FULL got its CONFIG.
  std::set<std::pair<std::string, uint32_t>> configured_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REWRITE_CHANNEL_MERGER_H_
