// Flags in the header of a multifd packet, and in a VFIO device-state packet.
// FORMAT.md section 13.

#ifndef MIGSTREAM_FLAGS_MULTIFD_FLAGS_H_
#define MIGSTREAM_FLAGS_MULTIFD_FLAGS_H_

#include <cstdint>
#include <string>

namespace migstream {

// be32 flags of every packet.
enum MultifdFlag : uint32_t {
  kMultifdSync = 0x01,  // RAM packets only.
  // The compression field, kMultifdCompressionMask, holds one of these.
  kMultifdZlib = 0x02,         // Since 5.0.
  kMultifdZstd = 0x04,         // Since 5.0.
  kMultifdQpl = 0x08,          // Since 9.1.
  kMultifdUadk = 0x10,         // Since 9.1.
  kMultifdQatzip = 0x20,       // Since 9.2.
  kMultifdDeviceState = 0x40,  // Alone in the flags; since 10.0.
};
inline constexpr uint32_t kMultifdCompressionMask = 0x3e;  // Since 9.2.

std::string MultifdFlagsToString(uint32_t flags);

// be32 flags of the 12-byte header inside a VFIO device-state packet.
enum VfioPacketFlag : uint32_t {
  kVfioPacketConfigState = 0x1,  // CONFIG … END_OF_STATE, not device data.
};

std::string VfioPacketFlagsToString(uint32_t flags);

}  // namespace migstream

#endif  // MIGSTREAM_FLAGS_MULTIFD_FLAGS_H_
