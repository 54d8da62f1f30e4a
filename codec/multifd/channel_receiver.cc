#include "codec/multifd/channel_receiver.h"

namespace migstream {

bool PacketCollector::Take(const MultifdEvent& event) {
  if (has_packet_) payload_.clear();
  has_packet_ = false;
  switch (event.kind) {
    case MultifdEventKind::kInit:
      break;
    case MultifdEventKind::kRamPacket:
      in_device_ = false;
      break;
    case MultifdEventKind::kDeviceState:
      in_device_ = true;
      idstr_ = std::string(event.device.idstr);
      instance_id_ = event.device.instance_id;
      offset_ = event.offset;
      payload_.clear();
      break;
    case MultifdEventKind::kPayload:
      if (!in_device_) break;
      payload_.insert(payload_.end(), event.bytes.begin(), event.bytes.end());
      has_packet_ =
          event.payload_offset + event.bytes.size() == event.payload_bytes;
      break;
  }
  return has_packet_;
}

}  // namespace migstream
