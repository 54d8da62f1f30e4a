// The PCI configuration space of a VFIO device as QEMU shows it to the guest,
// saves it, and compares it when it loads: not the one that the device has. A
// VMM that wants its devices to load in QEMU makes one, and can ask beforehand
// whether a saved one would be taken. FORMAT.md sections 11 and 12.

#ifndef MIGSTREAM_CODEC_DEVICE_CONFIG_SHAPE_H_
#define MIGSTREAM_CODEC_DEVICE_CONFIG_SHAPE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "codec/wire/bytes.h"
#include "flags/release.h"

namespace migstream {

// Where the device is in the virtual machine.
enum class PciPlace : uint8_t {
  kRootComplex,   // pcie.0 of a machine with PCI Express.
  kPort,          // A root port, or a port of a switch.
  kConventional,  // Any bus of a machine without PCI Express.
  kBehindBridge,  // A conventional bus of a machine with PCI Express.
};

struct ShapedConfig {
  std::vector<uint8_t> config;  // 256 or 4096 bytes.
  std::string refused;          // Why QEMU does not start with this device.
};

// `device` is the device's own configuration space, as the kernel's region
// gives it: 256 bytes or more. What a guest can write is left as it is there.
ShapedConfig ShapeConfig(ByteSpan device, PciPlace place,
                         bool multifunction = false);

// Why a QEMU of that release, with that device in that place, refuses a saved
// configuration space: the first register in which they differ. Empty if it
// takes it. "the destination's EXP + 0x2 is 0x0092, saved was 0x0002"
std::string WhyConfigRefused(ByteSpan saved, ByteSpan device, PciPlace place,
                             Release release, bool multifunction = false);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DEVICE_CONFIG_SHAPE_H_
