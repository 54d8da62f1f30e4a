// The kernel's interface for moving a VFIO device: the numbers and structures
// of linux/vfio.h that this room uses, defined here since headers of
// distributions are older than the features. All is in the host's byte order.

#ifndef MIGSTREAM_CODEC_SESSION_VFIO_UAPI_H_
#define MIGSTREAM_CODEC_SESSION_VFIO_UAPI_H_

#include <sys/ioctl.h>

#include <cstddef>
#include <cstdint>

namespace migstream::uapi {

// ioctls of the device's fd.
inline constexpr unsigned long kDeviceGetInfo = _IO(';', 107);
inline constexpr unsigned long kDeviceGetRegionInfo = _IO(';', 108);
inline constexpr unsigned long kDeviceReset = _IO(';', 111);
inline constexpr unsigned long kDeviceFeature = _IO(';', 117);
// An ioctl of the data fd.
inline constexpr unsigned long kMigGetPrecopyInfo = _IO(';', 121);

// kDeviceFeature: the number of a feature, and what to do with it.
inline constexpr uint32_t kFeatureMask = 0xffff;
inline constexpr uint32_t kFeatureGet = 1 << 16;
inline constexpr uint32_t kFeatureSet = 1 << 17;
inline constexpr uint32_t kFeatureProbe = 1 << 18;

inline constexpr uint32_t kFeatureMigration = 1;
inline constexpr uint32_t kFeatureMigDeviceState = 2;
inline constexpr uint32_t kFeatureDmaLoggingStart = 6;
inline constexpr uint32_t kFeatureMigDataSize = 9;
// SET without data: from now on PrecopyInfo.flags are valid.
inline constexpr uint32_t kFeatureMigPrecopyInfoV2 = 12;

struct FeatureHeader {
  uint32_t argsz = 0;
  uint32_t flags = 0;
};
struct MigrationFeature {
  FeatureHeader header;
  uint64_t flags = 0;  // MigrationFlag
};
struct DeviceStateFeature {
  FeatureHeader header;
  uint32_t state = 0;  // DeviceState
  int32_t data_fd = -1;
};
struct DataSizeFeature {
  FeatureHeader header;
  uint64_t stop_copy_bytes = 0;
};

inline constexpr uint32_t kPrecopyInfoReinit = 1 << 0;
struct PrecopyInfo {
  uint32_t argsz = 0;
  uint32_t flags = 0;
  uint64_t initial_bytes = 0;
  uint64_t dirty_bytes = 0;
};

struct DeviceInfo {
  uint32_t argsz = 0;
  uint32_t flags = 0;
  uint32_t regions = 0;
  uint32_t irqs = 0;
};
struct RegionInfo {
  uint32_t argsz = 0;
  uint32_t flags = 0;
  uint32_t index = 0;
  uint32_t cap_offset = 0;  // 0: no capability.
  uint64_t size = 0;
  uint64_t offset = 0;  // Of the region in the device's fd.
};
// A region's capability that says what it is for.
struct RegionType {
  uint16_t id = 0;  // kRegionTypeCapability
  uint16_t version = 0;
  uint32_t next = 0;  // Where the next capability is, or 0.
  uint32_t type = 0;
  uint32_t subtype = 0;
};
inline constexpr uint16_t kRegionTypeCapability = 2;
inline constexpr uint32_t kMigrationRegionType = 3;
inline constexpr uint32_t kMigrationRegionSubtype = 1;

// The head of a v1 migration region: offsets of its fields, each of which is
// accessed as a whole.
inline constexpr uint64_t kV1DeviceState = 0;   // u32
inline constexpr uint64_t kV1PendingBytes = 8;  // u64
inline constexpr uint64_t kV1DataOffset = 16;   // u64
inline constexpr uint64_t kV1DataSize = 24;     // u64
inline constexpr uint64_t kV1HeadBytes = 32;

}  // namespace migstream::uapi

#endif  // MIGSTREAM_CODEC_SESSION_VFIO_UAPI_H_
