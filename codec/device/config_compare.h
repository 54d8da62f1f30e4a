// What a loader compares before it takes a saved PCI configuration space.
// FORMAT.md section 11.
//
// A bit must be the destination's own if it is in `check` and the guest can
// change it neither by writing (`writable`) nor by writing a one (`clearable`).

#ifndef MIGSTREAM_CODEC_DEVICE_CONFIG_COMPARE_H_
#define MIGSTREAM_CODEC_DEVICE_CONFIG_COMPARE_H_

#include <optional>
#include <string>
#include <vector>

#include "codec/wire/bytes.h"

namespace migstream {

// All as long as the configuration space.
struct ConfigMasks {
  std::vector<uint8_t> check;      // QEMU: cmask
  std::vector<uint8_t> writable;   // QEMU: wmask
  std::vector<uint8_t> clearable;  // QEMU: w1cmask
};

// The masks that every device has: ids, revision, class, header type, the
// capability bit of the status register and the head of the list.
ConfigMasks HeaderMasks(size_t config_bytes);

// Those, and what a vfio-pci device of a destination with this configuration
// space adds: the fixed bits of its BARs, and its capabilities. From QEMU 9.1
// on, what is inside a vendor-specific capability is not compared.
ConfigMasks DeviceMasks(ByteSpan destination, bool skip_vendor_capabilities);

struct ConfigMismatch {
  uint32_t offset = 0;  // In the configuration space.
  uint8_t saved = 0;
  uint8_t destination = 0;
  uint8_t check = 0;  // The bits that were compared.
};

// "config byte 0x0 is 87, the destination's is 86 (compared bits ff)"
std::string ToString(const ConfigMismatch& mismatch);

// The first difference; none if the loader would take it. Sizes that differ
// are a difference at the shorter one's end.
std::optional<ConfigMismatch> CompareConfig(ByteSpan saved,
                                            ByteSpan destination,
                                            const ConfigMasks& masks);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DEVICE_CONFIG_COMPARE_H_
