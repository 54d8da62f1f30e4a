#include "codec/capture/channel_watch.h"

#include "codec/multifd/packet.h"
#include "flags/multifd_flags.h"

namespace migstream {

void ChannelWatch::Feed(ByteSpan bytes) {
  // A device may have as many as a stream may name, and no more.
  constexpr size_t kMostDevices = 10000;
  if (!error_.ok()) return;
  held_.append(AsText(bytes));
  ByteSpan input = AsBytes(held_);
  MultifdEvent event;
  Step step = Step::kEvent;
  while ((step = decoder_.Next(input, event)) == Step::kEvent) {
    switch (event.kind) {
      case MultifdEventKind::kInit:
        break;
      case MultifdEventKind::kRamPacket:
        device_.clear();
        break;
      case MultifdEventKind::kDeviceState:
        device_ = std::string(event.device.idstr);
        head_.clear();
        if (counts_.size() >= kMostDevices && !counts_.contains(device_)) {
          device_.clear();
        }
        break;
      case MultifdEventKind::kPayload:
        if (!device_.empty()) TakePayload(event.bytes);
        break;
    }
  }
  if (step == Step::kError) error_ = decoder_.error(name_);
  held_.erase(0, held_.size() - input.size());
}

void ChannelWatch::TakePayload(ByteSpan bytes) {
  if (head_.size() < VfioPacketHeader::kBytes) {
    head_ += AsText(bytes).substr(0, VfioPacketHeader::kBytes - head_.size());
  }
  // Counted once all of it is there.
  if (decoder_.payload_left() != 0 || head_.size() < VfioPacketHeader::kBytes) {
    return;
  }
  const VfioPacketHeader header =
      VfioPacketHeader::Parse(AsBytes(head_).data(), false);
  PacketCount& count = counts_[device_];
  if ((header.flags & kVfioPacketConfigState) != 0) {
    count.config_index = header.index;
  } else {
    ++count.data;
  }
  device_.clear();
}

}  // namespace migstream
