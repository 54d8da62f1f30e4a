// A destination's PCI device, out of what was found there.

#ifndef MIGSTREAM_INSPECT_PCI_DEVICE_FILE_H_
#define MIGSTREAM_INSPECT_PCI_DEVICE_FILE_H_

#include <string>

#include "codec/destination/pci_device.h"
#include "inspect/verb.h"

namespace migstream {

// Whether it is a folder of sysfs, or a file that `describe` or lspci wrote,
// perhaps compressed.
bool IsPciDeviceFile(const Arguments& arguments, const std::string& file);

// Reads one; false, with a message, if that cannot be.
bool ReadPciDevice(const Arguments& arguments, const std::string& file,
                   PciDevice& device);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_PCI_DEVICE_FILE_H_
