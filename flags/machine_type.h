// What a machine type's name implies. FORMAT.md section 10.

#ifndef MIGSTREAM_FLAGS_MACHINE_TYPE_H_
#define MIGSTREAM_FLAGS_MACHINE_TYPE_H_

#include <string_view>

#include "flags/release.h"

namespace migstream {

// Whether it has no byte that no machine's name has.
bool IsMachineName(std::string_view name);

// "pc-q35-8.2" and "virt-8.2" give 802: no older release has it. 0 for names
// that end otherwise, as a distribution's own do.
Release MachineTypeRelease(std::string_view machine_type);

// Whether the machine type turns switchover-ack-legacy on: one INIT_DATA_SENT a
// device. FORMAT.md section 9.4. False for a name without a version.
bool HasSwitchoverAckLegacy(std::string_view machine_type);

// Whether it is one of x86's, whose target pages have 4 KiB in any release:
// "pc-q35-8.2", "pc-i440fx-8.2", "microvm".
bool IsX86(std::string_view machine_type);

}  // namespace migstream

#endif  // MIGSTREAM_FLAGS_MACHINE_TYPE_H_
