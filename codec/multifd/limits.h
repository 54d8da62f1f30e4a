// What a caller lets multifd channels claim. FORMAT.md section 15.
//
// QEMU's own loader sizes a table by a packet's index before it looks at
// anything else, and by default holds without bound; these do not.

#ifndef MIGSTREAM_CODEC_MULTIFD_LIMITS_H_
#define MIGSTREAM_CODEC_MULTIFD_LIMITS_H_

#include <cstdint>

namespace migstream {

struct MultifdLimits {
  // Bytes of a device-state packet's payload. QEMU writes 1 MiB and 12 bytes.
  uint32_t packet_bytes = 2 << 20;
  // Bytes of a RAM packet's payload. QEMU's packets hold 512 KiB of pages; what
  // does not compress grows a little.
  uint32_t ram_packet_bytes = 2 << 20;
  // A packet's index; 1 TiB of device state in packets of 1 MiB.
  uint32_t index = 1 << 20;
  // How far a packet may be ahead of the one that is due.
  uint32_t gap = 4096;
  // Bytes held until the packets before them have come; each packet counts for
  // kHeldPacketBytes more, for holding an empty one takes memory too.
  static constexpr uint32_t kHeldPacketBytes = 96;
  uint64_t held_bytes_per_device = 64 << 20;
  uint64_t held_bytes = 256 << 20;
  // The window of a zstd stream, for each channel; what QEMU's highest level
  // (20) takes. That of zlib is 32 KiB in any case.
  uint64_t window_bytes = 32 << 20;
  // Different devices, by idstr and instance id.
  uint32_t devices = 4096;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_MULTIFD_LIMITS_H_
