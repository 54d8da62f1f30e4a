// A PCI configuration space, read far enough to say which device it belongs to
// and how its interrupts are set up. FORMAT.md section 12.
//
//   PciConfig pci = PciConfig::Parse(config);
//   if (pci.msix.present) … pci.msix.vectors …
//
// The numbers inside are little-endian, as PCI has them. Nothing here fails: a
// guest can write nonsense into its configuration space, and the walk of the
// capability list stops where it would leave the space or go round.

#ifndef MIGSTREAM_CODEC_DEVICE_PCI_CONFIG_H_
#define MIGSTREAM_CODEC_DEVICE_PCI_CONFIG_H_

#include <array>
#include <cstdint>
#include <string>

#include "codec/wire/bytes.h"

namespace migstream {

inline constexpr uint32_t kPciConfigBytes = 256;    // Conventional PCI.
inline constexpr uint32_t kPcieConfigBytes = 4096;  // PCI Express.
inline constexpr uint32_t kMaxMsixVectors = 2048;

struct PciCapability {
  uint8_t id = 0;
  uint8_t offset = 0;  // In the configuration space.
};

struct PciBar {
  bool present = false;  // False also for the upper half of a 64-bit BAR.
  bool io = false;
  bool is_64bit = false;
  bool prefetchable = false;
  uint64_t address = 0;  // As the guest programmed it.
};

struct PciMsi {
  bool present = false;
  bool enabled = false;
  bool is_64bit = false;
  bool per_vector_masking = false;
  uint32_t vectors = 0;          // What the device can do.
  uint32_t enabled_vectors = 0;  // What the guest allotted.
  uint32_t mask_bits = 0;        // Per vector, where there is masking.
};

struct PciMsix {
  bool present = false;
  bool enabled = false;
  bool function_mask = false;
  uint32_t vectors = 0;
  uint8_t table_bar = 0;
  uint32_t table_offset = 0;
  uint8_t pba_bar = 0;
  uint32_t pba_offset = 0;
};

struct PciConfig {
  static constexpr int kMaxCapabilities = 48;  // (256 - 64) / 4

  // `config` is at least kPciConfigBytes long; what is shorter gives an empty
  // PciConfig.
  static PciConfig Parse(ByteSpan config);

  uint16_t vendor_id = 0;
  uint16_t device_id = 0;
  uint16_t command = 0;
  uint16_t status = 0;
  uint8_t revision = 0;
  uint32_t class_code = 0;  // 0xBBSSPP: base class, sub-class, interface.
  uint8_t header_type = 0;
  uint16_t subsystem_vendor_id = 0;
  uint16_t subsystem_id = 0;
  std::array<PciBar, 6> bars = {};
  std::array<PciCapability, kMaxCapabilities> capabilities = {};
  int capability_count = 0;
  // The list went round, or pointed into the header.
  bool capability_list_broken = false;
  bool express = false;  // A PCI Express capability is in the list.
  PciMsi msi;
  PciMsix msix;
};

// "PM", "MSI-X", "EXP"; "0x42" for an id without a name here.
std::string PciCapabilityName(uint8_t id);

// "network controller"; "class 0x42" for a base class without a name here.
std::string PciClassName(uint32_t class_code);

// "MEMORY|MASTER"; "0" if no bit is set.
std::string PciCommandToString(uint16_t command);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DEVICE_PCI_CONFIG_H_
