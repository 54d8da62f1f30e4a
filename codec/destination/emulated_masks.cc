#include "codec/destination/emulated_masks.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "codec/device/pci_config.h"

namespace migstream {
namespace {

constexpr uint16_t kVirtioVendor = 0x1af4;
constexpr uint8_t kVirtioPciCfg = 5;  // The window that a driver moves.
constexpr uint8_t kBridge = 1;        // Header type.

// How many of a capability's first bytes no guest can write, but for the bits
// that are marked as writable.
size_t FixedBytes(ByteSpan config, const PciCapability& capability,
                  ConfigMasks& masks) {
  const size_t at = capability.offset;
  constexpr size_t kHead = 2;  // Its id, and where the next is.
  if (at + 4 > kPciConfigBytes) return kHead;
  switch (capability.id) {
    case 0x01:  // PM: before its control register.
      return 4;
    case 0x05:  // MSI: the control register, but for enable and vectors.
      masks.writable[at + 2] = 0x71;
      return 4;
    case 0x09:  // Vendor-specific: virtio's regions, of the length at 2.
      if (LoadLe16(config.data()) != kVirtioVendor) return 3;
      return config[at + 3] == kVirtioPciCfg ? 4 : config[at + 2];
    case 0x10:  // EXP: up to the device's capabilities.
      return 8;
    case 0x11:  // MSI-X, but for enable and mask.
      masks.writable[at + 3] = 0xc0;
      return 12;
    default:
      return kHead;
  }
}

}  // namespace

ConfigMasks EmulatedMasks(ByteSpan destination) {
  const ByteSpan config =
      destination.first(std::min<size_t>(destination.size(), kPciConfigBytes));
  ConfigMasks masks = HeaderMasks(config.size());
  const PciConfig pci = PciConfig::Parse(config);
  constexpr size_t kFirstBar = 0x10;
  const size_t bars = (pci.header_type & 0x7f) == kBridge ? 2 : 6;
  for (size_t i = 0; i < bars; ++i) {
    if (!pci.bars[i].present) continue;
    // How many address bits are fixed depends on the BAR's size.
    masks.check[kFirstBar + 4 * i] = pci.bars[i].io ? 0x03 : 0x0f;
  }
  for (int i = 0; i < pci.capability_count; ++i) {
    const PciCapability& capability = pci.capabilities[i];
    const size_t end =
        std::min(capability.offset + FixedBytes(config, capability, masks),
                 masks.check.size());
    std::fill(masks.check.begin() + capability.offset,
              masks.check.begin() + static_cast<std::ptrdiff_t>(end), 0xff);
  }
  return masks;
}

}  // namespace migstream
