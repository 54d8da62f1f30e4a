// A destination's PCI device, described without a stream: by a file that can be
// mailed, or by what the kernel and lspci print. FORMAT.md section 12.
//
//   PciDevice device;
//   std::string problem = ParsePciDevice(text, device);   // Any of the two.
//   for (const PciDifference& d : CompareDevice(config, device, false)) …

#ifndef MIGSTREAM_CODEC_DESTINATION_PCI_DEVICE_H_
#define MIGSTREAM_CODEC_DESTINATION_PCI_DEVICE_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "codec/wire/bytes.h"

namespace migstream {

struct PciDevice {
  std::string address;  // "0000:08:00.2"
  std::string kernel;   // "6.12.57"; empty: not known, as the next.
  std::string driver;   // "mlx5_vfio_pci"
  // A virtual function's configuration space does not have them all.
  uint16_t vendor_id = 0;
  uint16_t device_id = 0;
  uint16_t subsystem_vendor_id = 0;
  uint16_t subsystem_id = 0;
  uint32_t class_code = 0;  // 0xBBSSPP
  uint8_t revision = 0;
  struct Bar {
    uint64_t bytes = 0;
    bool io = false;
    bool is_64bit = false;
    bool prefetchable = false;
  };
  std::map<unsigned, Bar> bars;  // Those that there are, if they are known.
  // 256 or 4096 bytes; 64 are what the kernel shows to others than root.
  std::string config;
};

// Its numbers, by what sysfs calls them; ToJson() does so too.
template <typename Number>
void SetNumbers(PciDevice& device, const Number& number) {
  device.vendor_id = static_cast<uint16_t>(number("vendor"));
  device.device_id = static_cast<uint16_t>(number("device"));
  device.subsystem_vendor_id =
      static_cast<uint16_t>(number("subsystem_vendor"));
  device.subsystem_id = static_cast<uint16_t>(number("subsystem_device"));
  device.class_code = static_cast<uint32_t>(number("class"));
  device.revision = static_cast<uint8_t>(number("revision"));
}

// One line of JSON a property; of the configuration space what is not zero.
std::string ToJson(const PciDevice& device);

// Whether it is what ToJson() writes, or `lspci -x` with any number of x.
bool LooksLikePciDevice(std::string_view head);

// Either; empty if all is well, else what is wrong.
std::string ParsePciDevice(std::string_view text, PciDevice& device);

// Fills in what the configuration space says itself, where it is not known.
void CompleteFromConfig(PciDevice& device);

struct PciDifference {
  std::string what;  // "device id", "MSI-X control".
  std::string stream;
  std::string destination;
  // QEMU's loader does not look at it, but guest or driver may.
  bool loads = false;
};

// What of a stream's configuration space the device does not have, in the order
// of the registers. QEMU shows a guest another space than the device's own:
// only what it passes on is compared. `vendor_capabilities`: those too, as a
// loader before 9.1 does.
std::vector<PciDifference> CompareDevice(ByteSpan stream,
                                         const PciDevice& device,
                                         bool vendor_capabilities);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DESTINATION_PCI_DEVICE_H_
