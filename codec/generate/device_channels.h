// Multifd channels that carry devices' state. FORMAT.md section 13.

#ifndef MIGSTREAM_CODEC_GENERATE_DEVICE_CHANNELS_H_
#define MIGSTREAM_CODEC_GENERATE_DEVICE_CHANNELS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "codec/generate/generated.h"
#include "codec/generate/random.h"
#include "codec/generate/stream.pb.h"
#include "codec/multifd/packet.h"

namespace migstream {

struct DevicePacket {
  int device = 0;
  std::string data;
  bool config = false;
};
// What stands around a packet's data.
inline constexpr uint64_t kDevicePacketOverhead =
    kDeviceStatePacketBytes + VfioPacketHeader::kBytes;

// Deals the packets out to channels: of each device in its order, one device's
// in turn with the others'. `packets` has a list for each device.
absl::Status WriteDeviceChannels(
    const recipe::Migration& recipe,
    const std::vector<std::vector<DevicePacket>>& packets, uint64_t max_bytes,
    Random& random, Generated& out);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_GENERATE_DEVICE_CHANNELS_H_
