// Takes the devices' stop-copy data and CONFIG from the main channel, and puts
// them on multifd channels, as QEMU 10.0 and later can. FORMAT.md section 13.8.

#ifndef MIGSTREAM_CODEC_REWRITE_CHANNEL_SPREADER_H_
#define MIGSTREAM_CODEC_REWRITE_CHANNEL_SPREADER_H_

#include <memory>

#include "codec/device/section_encoder.h"
#include "codec/qemu/channel_set_writer.h"
#include "codec/rewrite/visitor_filter.h"

namespace migstream {

class ChannelSpreader : public VisitorFilter {
 public:
  // `channels` must outlive the filter. RAM stays on the main channel, where a
  // loader takes it as well.
  ChannelSpreader(ChannelSetWriter& channels, StreamVisitor& next)
      : VisitorFilter(next), channels_(channels) {}

  void OnCommand(const CommandView& command) override;
  void OnDeviceEvent(const SectionView& section, const Event& event) override;
  void Finish() override { Fail(channels_.Finish()); }

 private:
  void Spread(const SectionView& section, const Event& event);
  void AddToConfig(const SectionView& section, const Event& event);

  ChannelSetWriter& channels_;
  bool switchover_started_ = false;
  // A config payload as a FULL holds it.
  std::unique_ptr<SectionEncoder> encoder_;
  uint8_t headers_[SectionEncoder::kMinHeaderBytes];
  iovec pieces_[SectionEncoder::kMinPieces];
  std::string config_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REWRITE_CHANNEL_SPREADER_H_
