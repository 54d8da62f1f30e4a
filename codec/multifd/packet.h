// What a multifd channel is made of: an init message, then packets.
// FORMAT.md section 13.

#ifndef MIGSTREAM_CODEC_MULTIFD_PACKET_H_
#define MIGSTREAM_CODEC_MULTIFD_PACKET_H_

#include <array>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "codec/wire/bytes.h"

namespace migstream {

inline constexpr uint32_t kMultifdVersion = 1;
inline constexpr size_t kMultifdInitBytes = 64;
inline constexpr size_t kMultifdHeaderBytes = 12;
inline constexpr size_t kRamPacketFixedBytes = 320;
inline constexpr size_t kDeviceStatePacketBytes = 276;
inline constexpr size_t kMultifdNameBytes = 256;
// Pages in one RAM packet take this many bytes.
inline constexpr uint64_t kRamPacketPageBytes = 512 << 10;

// Opens each channel.
struct MultifdInit {
  std::array<uint8_t, 16> uuid = {};
  uint8_t channel_id = 0;
};

// Pages of one RAM block. Packets of QEMU up to 9.0 hold stale bytes in what
// they do not use.
struct RamPacket {
  uint32_t allocated_pages = 0;
  uint32_t normal_pages = 0;
  uint32_t zero_pages = 0;
  uint64_t packet_number = 0;
  absl::string_view block;  // Up to its first NUL.
  // be64 offsets in the block: of the normal pages, then of the zero pages,
  // then what is not used.
  ByteSpan offsets;
};

// State of one device, in no certain order.
struct DeviceStatePacket {
  absl::string_view idstr;
  uint32_t instance_id = 0;
};

// The head of a VFIO device's packet, before its data.
struct VfioPacketHeader {
  static constexpr size_t kBytes = 12;
  uint32_t version = 0;
  uint32_t index = 0;
  uint32_t flags = 0;  // VfioPacketFlag
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_MULTIFD_PACKET_H_
