// check --destination with a PCI device: whether a VFIO device's state would
// find the same device there.

#ifndef MIGSTREAM_INSPECT_DESTINATION_DEVICE_H_
#define MIGSTREAM_INSPECT_DESTINATION_DEVICE_H_

#include "inspect/console.h"
#include "inspect/verb.h"

namespace migstream {

ExitStatus CheckPciDevice(const Arguments& arguments);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_DESTINATION_DEVICE_H_
