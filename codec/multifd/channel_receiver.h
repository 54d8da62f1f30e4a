// Receives one multifd channel live: the caller feeds what has come, in any
// pieces, and gets whole device-state packets. FORMAT.md section 13.
//
//   ChannelReceiver receiver(options);  // One a channel, on any thread.
//   MultifdEvent event;
//   while (receiver.Next(input, event) == Step::kEvent) {
//     if (!receiver.has_packet()) continue;  // RAM, or a packet's beginning.
//     std::lock_guard lock(mutex);           // The reassembler is shared.
//     error = reassembler.Take(receiver.device(), receiver.payload(), place);
//     for (ReassembledPiece piece; reassembler.Next(piece);) Load(piece);
//   }
//
// A receiver waits for its own channel only, so that one that stalls holds up
// no other: what the others bring waits in the reassembler, within its limits.
// It holds one packet's payload, within the limits; pages of RAM are views. Not
// thread-safe itself.

#ifndef MIGSTREAM_CODEC_MULTIFD_CHANNEL_RECEIVER_H_
#define MIGSTREAM_CODEC_MULTIFD_CHANNEL_RECEIVER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/multifd/channel_decoder.h"
#include "codec/multifd/packet.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"
#include "codec/wire/step.h"

namespace migstream {

// Puts whole device-state packets together from a channel's events.
class PacketCollector {
 public:
  // Whether a packet is now there as a whole.
  bool Take(const MultifdEvent& event);

  bool has_packet() const { return has_packet_; }
  // Good until the next Take().
  DeviceStatePacket device() const { return {idstr_, instance_id_}; }
  uint64_t offset() const { return offset_; }
  // May be taken, and is filled anew by the next packet.
  std::vector<uint8_t>& payload() { return payload_; }

 private:
  bool in_device_ = false;
  bool has_packet_ = false;
  std::string idstr_;
  uint32_t instance_id_ = 0;
  uint64_t offset_ = 0;
  std::vector<uint8_t> payload_;
};

class ChannelReceiver {
 public:
  explicit ChannelReceiver(const ChannelOptions& options = {})
      : decoder_(options) {}

  // As ChannelDecoder's.
  Step Next(ByteSpan& input, MultifdEvent& event) {
    Step step = decoder_.Next(input, event);
    if (step == Step::kEvent) packets_.Take(event);
    return step;
  }

  // Whether the last event completed a packet: its device, its payload, and
  // where it begins in the channel.
  bool has_packet() const { return packets_.has_packet(); }
  DeviceStatePacket device() const { return packets_.device(); }
  std::vector<uint8_t>& payload() { return packets_.payload(); }
  uint64_t packet_offset() const { return packets_.offset(); }

  size_t bytes_needed() const { return decoder_.bytes_needed(); }
  // The channel was closed: no error if that is between two packets.
  Error AtEndOfInput(std::string_view channel, ByteSpan left) const {
    return decoder_.AtEndOfInput(channel, left);
  }
  // After kError. `channel` names it.
  Error error(std::string_view channel) const {
    return decoder_.error(channel);
  }

 private:
  ChannelDecoder decoder_;
  PacketCollector packets_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_MULTIFD_CHANNEL_RECEIVER_H_
