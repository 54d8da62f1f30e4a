#include "codec/device/pci_register.h"

#include <algorithm>

#include "codec/device/pci_config.h"
#include "codec/wire/error.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

struct Named {
  uint8_t offset;
  uint8_t bytes;
  const char* name;
};

// In a header of type 0, that of devices other than bridges.
constexpr Named kHeader[] = {
    {0x00, 2, "vendor id"},       {0x02, 2, "device id"},
    {0x04, 2, "command"},         {0x06, 2, "status"},
    {0x08, 1, "revision"},        {0x09, 3, "class"},
    {0x0c, 1, "cache line size"}, {0x0d, 1, "latency timer"},
    {0x0e, 1, "header type"},     {0x0f, 1, "BIST"},
    {0x10, 4, "BAR 0"},           {0x14, 4, "BAR 1"},
    {0x18, 4, "BAR 2"},           {0x1c, 4, "BAR 3"},
    {0x20, 4, "BAR 4"},           {0x24, 4, "BAR 5"},
    {0x28, 4, "CardBus CIS"},     {0x2c, 2, "subsystem vendor id"},
    {0x2e, 2, "subsystem id"},    {0x30, 4, "expansion ROM"},
    {0x34, 1, "capabilities"},    {0x3c, 1, "interrupt line"},
    {0x3d, 1, "interrupt pin"},   {0x3e, 1, "minimum grant"},
    {0x3f, 1, "maximum latency"},
};
constexpr uint32_t kHeaderBytes = 0x40;

}  // namespace

PciRegister PciRegisterAt(ByteSpan config, uint32_t offset) {
  for (const Named& named : kHeader) {
    if (offset >= named.offset && offset < named.offset + named.bytes) {
      return {named.name, named.offset, named.bytes};
    }
  }
  // Two bytes are what most registers of capabilities have.
  uint32_t word = offset & ~1u;
  PciRegister found = {Hex(word), word, 2};
  if (offset < kHeaderBytes || offset >= kPciConfigBytes) return found;
  PciConfig pci = PciConfig::Parse(config);
  const PciCapability* owner = nullptr;
  for (int i = 0; i < pci.capability_count; ++i) {
    const PciCapability& capability = pci.capabilities[i];
    if (capability.offset <= offset &&
        (owner == nullptr || capability.offset > owner->offset)) {
      owner = &capability;
    }
  }
  if (owner != nullptr) {
    found.name =
        StrCat(PciCapabilityName(owner->id), " + ", Hex(word - owner->offset));
  }
  return found;
}

}  // namespace migstream
