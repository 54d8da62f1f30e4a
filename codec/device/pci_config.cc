#include "codec/device/pci_config.h"

#include <bitset>

#include "codec/wire/text.h"

namespace migstream {
namespace {

// Registers of a type 0 header.
constexpr int kVendorId = 0x00;
constexpr int kDeviceId = 0x02;
constexpr int kCommand = 0x04;
constexpr int kStatus = 0x06;
constexpr int kRevision = 0x08;
constexpr int kInterface = 0x09;
constexpr int kHeaderType = 0x0e;
constexpr int kBars = 0x10;
constexpr int kSubsystemVendorId = 0x2c;
constexpr int kSubsystemId = 0x2e;
constexpr int kCapabilityList = 0x34;
constexpr int kHeaderBytes = 0x40;

constexpr uint16_t kStatusCapabilityList = 0x10;

constexpr uint8_t kCapabilityMsi = 0x05;
constexpr uint8_t kCapabilityExpress = 0x10;
constexpr uint8_t kCapabilityMsix = 0x11;

std::array<PciBar, 6> ParseBars(ByteSpan config) {
  std::array<PciBar, 6> bars = {};
  for (size_t i = 0; i < bars.size(); ++i) {
    uint32_t low = LoadLe32(&config[kBars + 4 * i]);
    if (low == 0) continue;
    PciBar& bar = bars[i];
    bar.present = true;
    bar.io = (low & 1) != 0;
    if (bar.io) {
      bar.address = low & ~3u;
      continue;
    }
    bar.is_64bit = (low & 6) == 4;
    bar.prefetchable = (low & 8) != 0;
    bar.address = low & ~0xfu;
    if (bar.is_64bit && i + 1 < bars.size()) {
      ++i;  // The upper half.
      bar.address |= uint64_t{LoadLe32(&config[kBars + 4 * i])} << 32;
    }
  }
  return bars;
}

PciMsi ParseMsi(ByteSpan config, int at) {
  PciMsi msi;
  uint16_t control = LoadLe16(&config[at + 2]);
  msi.present = true;
  msi.enabled = (control & 0x0001) != 0;
  msi.vectors = 1u << ((control >> 1) & 7);
  msi.enabled_vectors = 1u << ((control >> 4) & 7);
  msi.is_64bit = (control & 0x0080) != 0;
  msi.per_vector_masking = (control & 0x0100) != 0;
  int mask = at + (msi.is_64bit ? 0x10 : 0x0c);
  if (msi.per_vector_masking && mask + 4 <= int{kPciConfigBytes}) {
    msi.mask_bits = LoadLe32(&config[mask]);
  }
  return msi;
}

PciMsix ParseMsix(ByteSpan config, int at) {
  PciMsix msix;
  uint16_t control = LoadLe16(&config[at + 2]);
  msix.present = true;
  msix.vectors = (control & 0x7ff) + 1;
  msix.function_mask = (control & 0x4000) != 0;
  msix.enabled = (control & 0x8000) != 0;
  uint32_t table =
      at + 8 <= int{kPciConfigBytes} ? LoadLe32(&config[at + 4]) : 0;
  uint32_t pba =
      at + 12 <= int{kPciConfigBytes} ? LoadLe32(&config[at + 8]) : 0;
  msix.table_bar = table & 7;
  msix.table_offset = table & ~7u;
  msix.pba_bar = pba & 7;
  msix.pba_offset = pba & ~7u;
  return msix;
}

void WalkCapabilities(ByteSpan config, PciConfig& pci) {
  std::bitset<kPciConfigBytes> seen;
  int at = config[kCapabilityList] & 0xfc;
  while (at != 0) {
    if (at < kHeaderBytes || seen[at]) {
      pci.capability_list_broken = true;
      return;
    }
    seen.set(at);
    // `at` is a multiple of 4 below 256 and was not seen: at most 48 times.
    uint8_t id = config[at];
    pci.capabilities[pci.capability_count++] = {
        .id = id, .offset = static_cast<uint8_t>(at)};
    if (id == kCapabilityExpress) pci.express = true;
    if (id == kCapabilityMsi && !pci.msi.present) {
      pci.msi = ParseMsi(config, at);
    }
    if (id == kCapabilityMsix && !pci.msix.present) {
      pci.msix = ParseMsix(config, at);
    }
    at = config[at + 1] & 0xfc;
  }
}

}  // namespace

PciConfig PciConfig::Parse(ByteSpan config) {
  PciConfig pci;
  if (config.size() < kPciConfigBytes) return pci;
  pci.vendor_id = LoadLe16(&config[kVendorId]);
  pci.device_id = LoadLe16(&config[kDeviceId]);
  pci.command = LoadLe16(&config[kCommand]);
  pci.status = LoadLe16(&config[kStatus]);
  pci.revision = config[kRevision];
  pci.class_code = config[kInterface] | config[kInterface + 1] << 8 |
                   config[kInterface + 2] << 16;
  pci.header_type = config[kHeaderType];
  pci.subsystem_vendor_id = LoadLe16(&config[kSubsystemVendorId]);
  pci.subsystem_id = LoadLe16(&config[kSubsystemId]);
  pci.bars = ParseBars(config);
  if ((pci.status & kStatusCapabilityList) != 0) WalkCapabilities(config, pci);
  return pci;
}

std::string PciCapabilityName(uint8_t id) {
  switch (id) {
    case 0x01:
      return "PM";
    case 0x03:
      return "VPD";
    case 0x04:
      return "SLOTID";
    case 0x05:
      return "MSI";
    case 0x07:
      return "PCI-X";
    case 0x09:
      return "VENDOR";
    case 0x10:
      return "EXP";
    case 0x11:
      return "MSI-X";
    case 0x12:
      return "SATA";
    case 0x13:
      return "AF";
    case 0x14:
      return "EA";
    default:
      return Hex(id, 2);
  }
}

std::string PciClassName(uint32_t class_code) {
  switch (class_code >> 16) {
    case 0x01:
      return "mass storage controller";
    case 0x02:
      return "network controller";
    case 0x03:
      return "display controller";
    case 0x04:
      return "multimedia device";
    case 0x05:
      return "memory controller";
    case 0x06:
      return "bridge";
    case 0x07:
      return "communication controller";
    case 0x08:
      return "base system peripheral";
    case 0x0b:
      return "processor";
    case 0x0c:
      return "serial bus controller";
    case 0x0d:
      return "wireless controller";
    case 0x10:
      return "encryption controller";
    case 0x11:
      return "signal processing controller";
    case 0x12:
      return "processing accelerator";
    default:
      return StrCat("class ", Hex(class_code >> 16, 2));
  }
}

std::string PciCommandToString(uint16_t command) {
  struct Bit {
    uint16_t bit;
    const char* name;
  };
  static constexpr Bit kBits[] = {
      {0x001, "IO"},        {0x002, "MEMORY"},       {0x004, "MASTER"},
      {0x008, "SPECIAL"},   {0x010, "INVALIDATE"},   {0x020, "VGA_PALETTE"},
      {0x040, "PARITY"},    {0x080, "WAIT"},         {0x100, "SERR"},
      {0x200, "FAST_BACK"}, {0x400, "INTX_DISABLE"},
  };
  std::string text;
  for (const Bit& bit : kBits) {
    if ((command & bit.bit) == 0) continue;
    StrAppend(&text, text.empty() ? "" : "|", bit.name);
  }
  return text.empty() ? "0" : text;
}

}  // namespace migstream
