#include "codec/multifd/packet.h"

#include "flags/multifd_flags.h"

namespace migstream {

ErrorCode CheckRamPacket(uint32_t flags, const RamPacket& packet,
                         uint32_t page_bytes) {
  uint32_t method = flags & kMultifdCompressionMask;
  // The methods are single bits, and one field: a packet has at most one.
  if ((flags & ~(kMultifdSync | kMultifdCompressionMask)) != 0 ||
      (method & (method - 1)) != 0) {
    return ErrorCode::kMultifdFlags;
  }
  uint64_t slots = RamPacketSlots(page_bytes);
  if (packet.normal_pages > slots ||
      packet.zero_pages > slots - packet.normal_pages) {
    return ErrorCode::kMultifdPages;
  }
  if (method == 0 &&
      packet.payload_bytes() != uint64_t{packet.normal_pages} * page_bytes) {
    return ErrorCode::kMultifdPayloadSize;
  }
  return ErrorCode::kNone;
}

VfioPacketHeader VfioPacketHeader::Parse(const uint8_t* bytes,
                                         bool host_endian) {
  auto load = [host_endian](const uint8_t* from) {
    return host_endian ? LoadLe32(from) : LoadBe32(from);
  };
  return {load(bytes), load(bytes + 4), load(bytes + 8)};
}

void VfioPacketHeader::Store(uint8_t* bytes, bool host_endian) const {
  auto store = [host_endian](uint8_t* to, uint32_t value) {
    if (host_endian) {
      StoreLe32(to, value);
    } else {
      StoreBe32(to, value);
    }
  };
  store(bytes, version);
  store(bytes + 4, index);
  store(bytes + 8, flags);
}

}  // namespace migstream
