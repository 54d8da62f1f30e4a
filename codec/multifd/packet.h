// What a multifd channel is made of: an init message, then packets.
// FORMAT.md section 13.

#ifndef MIGSTREAM_CODEC_MULTIFD_PACKET_H_
#define MIGSTREAM_CODEC_MULTIFD_PACKET_H_

#include <array>
#include <cstdint>
#include <string_view>

#include "codec/wire/bytes.h"
#include "codec/wire/error.h"

namespace migstream {

inline constexpr uint32_t kMultifdVersion = 1;
inline constexpr size_t kMultifdInitBytes = 64;
inline constexpr size_t kMultifdHeaderBytes = 12;
inline constexpr size_t kRamPacketFixedBytes = 320;
inline constexpr size_t kRamPacketUnusedBytes = 28;
inline constexpr size_t kDeviceStatePacketBytes = 276;
inline constexpr size_t kMultifdNameBytes = 256;
// Pages in one RAM packet take this many bytes.
inline constexpr uint64_t kRamPacketPageBytes = 512 << 10;

inline constexpr uint32_t kInvalidVfioPacketIndex = 0xffffffff;

// The uuid of a VM; zero if it has none.
using VmUuid = std::array<uint8_t, 16>;

// Where they stand in a channel.
inline constexpr uint64_t kMultifdUuidOffset = 8;
inline constexpr uint64_t kMultifdIdOffset = 24;

// Opens each channel.
struct MultifdInit {
  VmUuid uuid = {};
  uint8_t channel_id = 0;
  std::array<uint8_t, 39> reserved = {};  // Zero in all that QEMU writes.
};

// Pages of one RAM block. Packets of QEMU up to 9.0 hold stale bytes in what
// they do not use; they mean nothing, and are kept so that a packet can be
// written again as it was.
struct RamPacket {
  uint32_t allocated_pages = 0;
  uint32_t normal_pages = 0;
  // As it stands: without normal pages it may be stale, and nothing follows.
  uint32_t next_packet_size = 0;
  uint64_t packet_number = 0;
  uint32_t zero_pages = 0;
  std::string_view block;  // Up to its first NUL.
  // be64 offsets in the block: of the normal pages, then of the zero pages,
  // then what is not used.
  ByteSpan offsets;

  ByteSpan unused = {};      // Between zero_pages and block.
  ByteSpan block_tail = {};  // After the block's first NUL.

  // How long the payload is.
  uint32_t payload_bytes() const {
    return normal_pages == 0 ? 0 : next_packet_size;
  }
  // Where page `i` is in its block; the normal pages are counted first.
  uint64_t offset(uint32_t i) const {
    return LoadBe64(&offsets[8 * size_t{i}]);
  }
};

// How many offsets a RAM packet has room for.
constexpr uint64_t RamPacketSlots(uint32_t page_bytes) {
  return kRamPacketPageBytes / (page_bytes == 0 ? 1 : page_bytes);
}

// What is wrong with a RAM packet, in itself: a flag, more pages than slots,
// or uncompressed pages that are not as long as the payload. The limit is the
// caller's affair.
ErrorCode CheckRamPacket(uint32_t flags, const RamPacket& packet,
                         uint32_t page_bytes);

// What errors of a channel have as their section, where no device is meant.
inline constexpr char kMultifdSection[] = "multifd";

// Where a packet was read, for errors.
struct PacketPlace {
  std::string_view file = {};  // The channel's name.
  uint64_t offset = 0;         // Of the packet's first byte, in the channel.
};

// State of one device, in no certain order.
struct DeviceStatePacket {
  std::string_view idstr;
  uint32_t instance_id = 0;
  ByteSpan idstr_tail =
      {};  // After the idstr's NUL; zeros in all that QEMU writes.
};

// The head of a VFIO device's packet, before its data.
struct VfioPacketHeader {
  static constexpr size_t kBytes = 12;
  uint32_t version = 0;
  uint32_t index = 0;
  uint32_t flags = 0;  // VfioPacketFlag

  // `bytes` are kBytes long. `host_endian` for dialects E6 and E7.
  static VfioPacketHeader Parse(const uint8_t* bytes, bool host_endian);
  void Store(uint8_t* bytes, bool host_endian) const;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_MULTIFD_PACKET_H_
