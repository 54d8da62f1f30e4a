// What a loader compares of the configuration space of a PCI device that QEMU
// emulates itself. FORMAT.md section 11.8 has the rule.

#ifndef MIGSTREAM_CODEC_DESTINATION_EMULATED_MASKS_H_
#define MIGSTREAM_CODEC_DESTINATION_EMULATED_MASKS_H_

#include "codec/device/config_compare.h"
#include "codec/wire/bytes.h"

namespace migstream {

// `destination` is such a device's before a guest has touched it. Which bits a
// guest can write differs from device to device and is not in it: only what no
// guest can write in any of them is compared, and in the first 256 bytes.
ConfigMasks EmulatedMasks(ByteSpan destination);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DESTINATION_EMULATED_MASKS_H_
