// Takes the devices' stop-copy data and CONFIG from the main channel, and puts
// them on multifd channels, as QEMU 10.0 and later can. The channels get the
// uuid of the main channel's CONFIGURATION, if it has one: a destination
// refuses any but its own. FORMAT.md sections 13.1, 13.7 and 13.8.
//
// As QEMU does, each channel waits at sync points: one in the START of RAM and
// one in each END, so behind SWITCHOVER_START. No channel then gives a device
// anything before the destination has set it up, however fast it is sent.

#ifndef MIGSTREAM_CODEC_REWRITE_CHANNEL_SPLITTER_H_
#define MIGSTREAM_CODEC_REWRITE_CHANNEL_SPLITTER_H_

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "codec/channels/channel_set_writer.h"
#include "codec/device/section_encoder.h"
#include "codec/rewrite/visitor_filter.h"

namespace migstream {

class ChannelSplitter : public VisitorFilter {
 public:
  // The sinks must outlive the filter. RAM stays on the main channel, where a
  // loader takes it as well. The channels are begun after the CONFIGURATION.
  ChannelSplitter(std::vector<ByteSink*> sinks,
                  const ChannelSetOptions& options, StreamVisitor& next)
      : VisitorFilter(next), sinks_(std::move(sinks)), options_(options) {}

  void OnConfiguration(const ConfigurationView& configuration) override;
  void OnCommand(const CommandView& command) override;
  void OnSection(const SectionView& section) override;
  void OnRamBlocks(std::span<const RamBlock> blocks) override;
  void OnDeviceEvent(const SectionView& section, const Event& event) override;
  void Finish() override { Fail(Channels().Finish()); }

 private:
  void Split(const SectionView& section, const Event& event);
  void Sync();
  void AddToConfig(const SectionView& section, const Event& event);

  ChannelSetWriter& Channels();

  const std::vector<ByteSink*> sinks_;
  ChannelSetOptions options_;
  std::optional<ChannelSetWriter> channels_;
  bool switchover_started_ = false;
  // A config payload as a FULL holds it.
  std::unique_ptr<SectionEncoder> encoder_;
  uint8_t headers_[SectionEncoder::kMinHeaderBytes];
  iovec pieces_[SectionEncoder::kMinPieces];
  std::string config_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REWRITE_CHANNEL_SPLITTER_H_
