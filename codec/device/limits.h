// What a caller lets a device's stream claim. FORMAT.md section 15.
//
// Nothing is ever allocated for a claim; the limits keep a hostile one from
// leading anywhere. Each has an error of its own (4xx in codec/wire/error.h).

#ifndef MIGSTREAM_CODEC_DEVICE_LIMITS_H_
#define MIGSTREAM_CODEC_DEVICE_LIMITS_H_

#include <cstdint>

namespace migstream {

struct DeviceLimits {
  // Bytes in one DATA record. QEMU 8.0 on writes at most 1 MiB; up to 7.2 it is
  // as much as the driver has.
  uint64_t record_bytes = uint64_t{1} << 40;
  // Bytes in a config payload. The largest of a released QEMU has 37199.
  uint64_t config_bytes = 64 << 10;
  // Subsections of one config payload. A released QEMU writes at most one.
  uint32_t subsections = 16;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DEVICE_LIMITS_H_
