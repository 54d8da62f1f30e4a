// Distributes a migration's device-state packets over its channels: which
// channel a packet goes to, and which index it has. FORMAT.md section 13.6.
//
//   PacketDistributor distributor(4);  // Channels, in turn.
//   DistributedPacket packet;
//   for (int i = 0; i < reads_of_the_device; ++i) {
//     if (Error e = distributor.Data(idstr, 0, packet); !e.ok()) return e;
//     Use(packet);  // encoders[packet.channel].VfioPacket(packet.device, …)
//   }
//   if (Error e = distributor.Config(idstr, 0, packet); !e.ok()) return e;
//   Use(packet);                  // The device's last.
//   return distributor.Finish();  // Was there a config of every device?
//
// It moves no bytes: channel_set_writer.h does, for writers of files. A
// destination puts packets of any channel in order, so any choice will do; of
// one channel's packets, those of lower index must be written first, or it has
// to hold back more. Errors are sticky. Memory is that of the devices' names,
// limits.devices of them at the most.

#ifndef MIGSTREAM_CODEC_MULTIFD_PACKET_DISTRIBUTOR_H_
#define MIGSTREAM_CODEC_MULTIFD_PACKET_DISTRIBUTOR_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "codec/multifd/limits.h"
#include "codec/multifd/packet.h"
#include "codec/wire/error.h"

namespace migstream {

struct DistributedPacket {
  uint32_t channel = 0;
  DeviceStatePacket device;  // Its idstr views the caller's.
  VfioPacketHeader header;
};

class PacketDistributor {
 public:
  // The channel for a packet, fewer than there are.
  using Choice = std::function<uint32_t(std::string_view idstr,
                                        uint32_t instance_id, uint32_t index)>;

  // `choice` null: all channels in turn.
  explicit PacketDistributor(uint32_t channels, Choice choice = nullptr,
                             const MultifdLimits& limits = {});

  // One packet of data: at the most limits.packet_bytes with its header.
  Error Data(std::string_view idstr, uint32_t instance_id,
             DistributedPacket& packet);
  // CONFIG … END_OF_STATE, which every device has, as its last packet.
  Error Config(std::string_view idstr, uint32_t instance_id,
               DistributedPacket& packet);

  // Nothing will follow: does a device lack its config?
  Error Finish() const;

 private:
  struct Device {
    uint32_t next = 0;
    bool config_assigned = false;
  };

  Error Assign(std::string_view idstr, uint32_t instance_id, bool config,
               DistributedPacket& packet);

  const uint32_t channels_;
  const Choice choice_;
  const MultifdLimits limits_;
  std::map<std::pair<std::string, uint32_t>, Device> devices_;
  uint32_t turn_ = 0;
  Error error_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_MULTIFD_PACKET_DISTRIBUTOR_H_
