// What the bytes of a PCI configuration space are called, for people.
// FORMAT.md section 12.

#ifndef MIGSTREAM_CODEC_DEVICE_PCI_REGISTER_H_
#define MIGSTREAM_CODEC_DEVICE_PCI_REGISTER_H_

#include <cstdint>
#include <string>

#include "codec/wire/bytes.h"

namespace migstream {

struct PciRegister {
  std::string name;  // "command", "BAR 2", "MSI-X + 0x2".
  uint32_t offset = 0;
  uint32_t bytes = 0;  // 1, 2, 3 or 4.
};

// The register that byte `offset` of `config` belongs to. Capabilities are
// found by the list in `config`; what is in none is called by its number.
PciRegister PciRegisterAt(ByteSpan config, uint32_t offset);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DEVICE_PCI_REGISTER_H_
