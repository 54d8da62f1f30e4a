// A config payload's parts, as views into its bytes; and the other way round,
// the parts from which an encoder writes one. FORMAT.md sections 11 and 14.

#ifndef MIGSTREAM_CODEC_DEVICE_CONFIG_VIEW_H_
#define MIGSTREAM_CODEC_DEVICE_CONFIG_VIEW_H_

#include <array>
#include <cstdint>

#include "codec/device/config_layout.h"
#include "codec/wire/bytes.h"

namespace migstream {

// What the fields of an MSI-X table entry say. Little-endian in the payload.
struct MsixEntry {
  uint64_t address = 0;
  uint32_t data = 0;
  bool masked = false;
};

struct ConfigView {
  // `fixed` is what the layout calls fixed_bytes.
  static ConfigView Parse(ByteSpan fixed, const ConfigLayout& layout);

  uint32_t msix_vectors() const {
    return static_cast<uint32_t>(msix_table.size() / kMsixEntryBytes);
  }
  MsixEntry msix_entry(uint32_t vector) const;
  bool msix_pending(uint32_t vector) const;

  uint32_t version = 2;
  ByteSpan pci_config;                     // 256 or 4096 bytes; E5-v7: none.
  std::array<uint32_t, 4> irq_state = {};  // INTA to INTD, each 0 or 1.
  ByteSpan msix_table;                     // 16 bytes a vector; may be empty.
  ByteSpan msix_pba;                       // A bit a vector, in whole bytes.

  // E5-v7 and E5-v26 only.
  uint32_t vfio_version = 1;    // E5-v26.
  uint32_t interrupt_type = 0;  // 0 none, 1 INTx, 2 MSI, 3 MSI-X.
  // E5-v7 only.
  std::array<uint32_t, 6> bars = {};
  std::array<uint32_t, 3> msi = {};  // Address low, high, data.
  uint16_t msix_flags = 0;
  uint16_t command = 0;
};

// Whether a QEMU loader would take the first bytes of the MSI-X table for a
// subsection of PCIDevice, and refuse the stream: a guest can write them so.
bool MsixSpellsSubsection(const ConfigView& config);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DEVICE_CONFIG_VIEW_H_
