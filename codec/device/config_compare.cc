#include "codec/device/config_compare.h"

#include <algorithm>

#include "codec/device/pci_config.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

constexpr uint8_t kPowerManagement = 0x01;
constexpr uint8_t kMsi = 0x05;
constexpr uint8_t kVendorSpecific = 0x09;
constexpr uint8_t kMsix = 0x11;

// Sets `count` bytes of a mask, as far as it goes.
void Set(std::vector<uint8_t>& mask, size_t at, size_t count, uint8_t bits) {
  size_t end = std::min(at + count, mask.size());
  for (; at < end; ++at) mask[at] = bits;
}

// A capability that may be as long as `room`: all of it is compared, but for
// what a guest can write.
void AddCapability(ByteSpan config, size_t at, uint8_t id, size_t room,
                   bool skip_vendor, ConfigMasks& masks) {
  size_t bytes = room;
  switch (id) {
    case kPowerManagement:
      bytes = 8;
      Set(masks.writable, at + 4, 1, 0x03);
      break;
    case kMsi: {
      bool is_64bit = (config[at + 2] & 0x80) != 0;
      bool masking = (config[at + 3] & 0x01) != 0;
      size_t data = is_64bit ? 12 : 8;
      bytes = data + (masking ? 12 : 2);
      Set(masks.writable, at + 2, 1, 0x71);
      Set(masks.writable, at + 4, 1, 0xfc);
      Set(masks.writable, at + 5, data + 2 - 5, 0xff);
      if (masking) Set(masks.writable, at + data + 4, 4, 0xff);
      break;
    }
    case kMsix:
      bytes = 12;
      Set(masks.writable, at + 3, 1, 0xc0);
      break;
    case kVendorSpecific:
      if (skip_vendor) bytes = 3;
      break;
    default:
      break;
  }
  Set(masks.check, at, std::min(bytes, room), 0xff);
}

}  // namespace

ConfigMasks DeviceMasks(ByteSpan destination, bool skip_vendor_capabilities) {
  ConfigMasks masks = HeaderMasks(destination.size());
  PciConfig pci = PciConfig::Parse(destination);
  constexpr size_t kFirstBar = 0x10;
  for (size_t i = 0; i < pci.bars.size(); ++i) {
    if (!pci.bars[i].present) continue;
    // How many address bits are fixed depends on the BAR's size, which is not
    // in the configuration space.
    Set(masks.check, kFirstBar + 4 * i, 1, pci.bars[i].io ? 0x03 : 0x0f);
  }
  std::vector<PciCapability> list(
      pci.capabilities.begin(),
      pci.capabilities.begin() + pci.capability_count);
  std::sort(list.begin(), list.end(),
            [](const PciCapability& a, const PciCapability& b) {
              return a.offset < b.offset;
            });
  for (size_t i = 0; i < list.size(); ++i) {
    size_t end = i + 1 < list.size() ? list[i + 1].offset : kPciConfigBytes;
    if (end - list[i].offset < 4) continue;
    AddCapability(destination, list[i].offset, list[i].id, end - list[i].offset,
                  skip_vendor_capabilities, masks);
  }
  // The extended ones follow each other to the end.
  if (destination.size() == kPcieConfigBytes &&
      LoadLe32(&destination[kPciConfigBytes]) != 0) {
    Set(masks.check, kPciConfigBytes, kPcieConfigBytes - kPciConfigBytes, 0xff);
  }
  return masks;
}

ConfigMasks HeaderMasks(size_t config_bytes) {
  ConfigMasks masks;
  masks.check.resize(config_bytes);
  masks.writable.resize(config_bytes);
  masks.clearable.resize(config_bytes);
  auto check = [&masks](size_t at, uint8_t bits) {
    if (at < masks.check.size()) masks.check[at] = bits;
  };
  for (size_t at = 0x00; at < 0x04; ++at) check(at, 0xff);  // Vendor, device.
  check(0x06, 0x10);  // Status: there is a capability list.
  for (size_t at = 0x08; at < 0x0c; ++at) check(at, 0xff);  // Revision, class.
  check(0x0e, 0xff);                                        // Header type.
  check(0x34, 0xff);  // Head of the capability list.
  return masks;
}

std::string ToString(const ConfigMismatch& mismatch) {
  auto digits = [](uint8_t byte) { return Hex(byte, 2).substr(2); };
  return StrCat("config byte ", Hex(mismatch.offset), " is ",
                digits(mismatch.saved), ", the destination's is ",
                digits(mismatch.destination), " (compared bits ",
                digits(mismatch.check), ")");
}

std::optional<ConfigMismatch> CompareConfig(ByteSpan saved,
                                            ByteSpan destination,
                                            const ConfigMasks& masks) {
  size_t common =
      std::min({saved.size(), destination.size(), masks.check.size(),
                masks.writable.size(), masks.clearable.size()});
  for (size_t at = 0; at < common; ++at) {
    uint8_t compared =
        masks.check[at] & ~masks.writable[at] & ~masks.clearable[at];
    if (((saved[at] ^ destination[at]) & compared) != 0) {
      return ConfigMismatch{static_cast<uint32_t>(at), saved[at],
                            destination[at], compared};
    }
  }
  if (saved.size() != destination.size()) {
    return ConfigMismatch{static_cast<uint32_t>(common), 0, 0, 0};
  }
  return std::nullopt;
}

}  // namespace migstream
