#include "codec/device/config_shape.h"

#include <algorithm>
#include <optional>

#include "codec/device/config_compare.h"
#include "codec/device/pci_config.h"
#include "codec/device/pci_register.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

constexpr uint8_t kExpress = 0x10;
constexpr size_t kStatus = 0x06;
constexpr uint8_t kHasCapabilities = 0x10;
constexpr size_t kHeaderType = 0x0e;
constexpr uint8_t kMultifunction = 0x80;
constexpr size_t kFirstCapability = 0x34;

// The type in a PCI Express capability's flags.
constexpr uint8_t kEndpoint = 0;
constexpr uint8_t kLegacyEndpoint = 1;
constexpr uint8_t kRootComplexEndpoint = 9;

// From the capability on.
constexpr size_t kExpressFlags = 0x02;
constexpr size_t kLinkCapabilities = 0x0c;
constexpr size_t kLinkControl = 0x10;  // And status.
constexpr size_t kLinkCapabilities2 = 0x2c;
constexpr uint32_t kSlowestLink = 0x11;  // One lane of 2.5 GT/s.

// Extended capabilities that QEMU hides.
constexpr uint16_t kHiddenExtended[] = {0x0e /* ARI */, 0x10 /* SR-IOV */,
                                        0x15 /* resizable BAR */};

void StoreLe16(uint8_t* to, uint16_t value) {
  to[0] = static_cast<uint8_t>(value);
  to[1] = static_cast<uint8_t>(value >> 8);
}

// Takes a capability out of the list; its bytes stay.
void Unlink(std::vector<uint8_t>& config, const PciConfig& pci, uint8_t at) {
  size_t link = kFirstCapability;
  for (int i = 0; i < pci.capability_count; ++i) {
    if (pci.capabilities[i].offset == at) config[link] = config[at + 1];
    link = pci.capabilities[i].offset + 1;
  }
  if (config[kFirstCapability] == 0) config[kStatus] &= ~kHasCapabilities;
}

void SetType(std::vector<uint8_t>& config, uint8_t at, uint8_t type) {
  uint8_t& flags = config[at + kExpressFlags];
  flags = static_cast<uint8_t>((flags & 0x0f) | type << 4);
}

// What is left of the link where there is none, or where one is made up.
void SetLink(std::vector<uint8_t>& config, uint8_t at, uint32_t capabilities,
             bool status) {
  if (at + kLinkControl + 4 > kPciConfigBytes) return;
  StoreLe32(&config[at + kLinkCapabilities], capabilities);
  StoreLe16(&config[at + kLinkControl], 0);
  if (!status) return;
  StoreLe16(&config[at + kLinkControl + 2], 0);
  const bool version_2 = (config[at + kExpressFlags] & 0x0f) >= 2;
  if (!version_2 || at + kLinkCapabilities2 + 8 > kPciConfigBytes) return;
  std::fill_n(config.begin() + at + kLinkCapabilities2, 8, uint8_t{0});
}

// Why the device is refused, if it is.
std::string ShapeExpress(std::vector<uint8_t>& config, const PciConfig& pci,
                         uint8_t at, PciPlace place) {
  if (at + kExpressFlags + 2 > kPciConfigBytes) return "";
  const uint8_t type = config[at + kExpressFlags] >> 4;
  if (type != kEndpoint && type != kLegacyEndpoint &&
      type != kRootComplexEndpoint) {
    return StrCat("PCI Express type ", type, " is no endpoint");
  }
  switch (place) {
    case PciPlace::kConventional:
      break;
    case PciPlace::kBehindBridge:
      Unlink(config, pci, at);
      return "";
    case PciPlace::kRootComplex:
      if (type == kEndpoint) {
        SetType(config, at, kRootComplexEndpoint);
        SetLink(config, at, 0, /*status=*/true);
      } else if (type == kLegacyEndpoint) {
        Unlink(config, pci, at);
        return "";
      }
      break;
    case PciPlace::kPort:
      if (type == kRootComplexEndpoint) {
        SetType(config, at, kEndpoint);
        SetLink(config, at, kSlowestLink, /*status=*/false);
      }
      break;
  }
  // Some virtual functions say version 0, which there is not.
  uint8_t& flags = config[at + kExpressFlags];
  if ((flags & 0x0f) == 0) flags |= 1;
  return "";
}

// The extended capabilities are a list of their own: id, version and next in
// one dword each.
void HideExtended(std::vector<uint8_t>& config) {
  uint32_t before = 0;
  uint32_t at = kPciConfigBytes;
  for (int steps = 0;
       at >= kPciConfigBytes && at + 4 <= kPcieConfigBytes && steps < 960;
       ++steps) {
    const uint32_t head = LoadLe32(&config[at]);
    const uint32_t next = head >> 20;
    const bool hidden =
        std::find(std::begin(kHiddenExtended), std::end(kHiddenExtended),
                  head & 0xffff) != std::end(kHiddenExtended);
    if (!hidden) {
      before = at;
    } else if (before == 0) {
      StoreLe32(&config[at], next << 20);  // The head stays, without an id.
      before = at;
    } else {
      const uint32_t link = LoadLe32(&config[before]);
      StoreLe32(&config[before], (link & 0xfffff) | next << 20);
    }
    at = next;
  }
}

std::string Value(ByteSpan config, const PciRegister& where) {
  uint32_t value = 0;
  for (uint32_t i = where.bytes; i-- > 0;) {
    value = value << 8 |
            (where.offset + i < config.size() ? config[where.offset + i] : 0);
  }
  return Hex(value, size_t{2} * where.bytes);
}

}  // namespace

ShapedConfig ShapeConfig(ByteSpan device, PciPlace place, bool multifunction) {
  ShapedConfig shaped;
  // Any other size is taken for the large one.
  const size_t bytes =
      device.size() == kPciConfigBytes ? kPciConfigBytes : kPcieConfigBytes;
  const ByteSpan kept = device.first(std::min<size_t>(device.size(), bytes));
  shaped.config.assign(kept.begin(), kept.end());
  shaped.config.resize(bytes);
  uint8_t& header_type = shaped.config[kHeaderType];
  header_type = static_cast<uint8_t>((header_type & ~kMultifunction) |
                                     (multifunction ? kMultifunction : 0));
  const PciConfig pci = PciConfig::Parse(shaped.config);
  for (int i = 0; i < pci.capability_count && shaped.refused.empty(); ++i) {
    if (pci.capabilities[i].id != kExpress) continue;
    shaped.refused =
        ShapeExpress(shaped.config, pci, pci.capabilities[i].offset, place);
  }
  if (bytes == kPcieConfigBytes) {
    const bool express_bus =
        place == PciPlace::kRootComplex || place == PciPlace::kPort;
    if (express_bus) {
      HideExtended(shaped.config);
    } else {
      std::fill(shaped.config.begin() + kPciConfigBytes, shaped.config.end(),
                uint8_t{0});
    }
  }
  return shaped;
}

std::string WhyConfigRefused(ByteSpan saved, ByteSpan device, PciPlace place,
                             Release release, bool multifunction) {
  const ShapedConfig shaped = ShapeConfig(device, place, multifunction);
  if (!shaped.refused.empty()) return shaped.refused;
  if (saved.size() != shaped.config.size()) {
    return StrCat("the destination's configuration space has ",
                  shaped.config.size(), " bytes, saved were ", saved.size());
  }
  const ConfigMasks masks = DeviceMasks(
      shaped.config, !feature::kComparesVendorCapabilities.In(release));
  std::optional<ConfigMismatch> mismatch =
      CompareConfig(saved, shaped.config, masks);
  if (!mismatch) return "";
  const PciRegister where = PciRegisterAt(shaped.config, mismatch->offset);
  return StrCat("the destination's ", where.name, " is ",
                Value(shaped.config, where), ", saved was ",
                Value(saved, where));
}

}  // namespace migstream
