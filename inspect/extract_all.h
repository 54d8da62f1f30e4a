// extract --all: what a stream holds, a file each, in a folder.

#ifndef MIGSTREAM_INSPECT_EXTRACT_ALL_H_
#define MIGSTREAM_INSPECT_EXTRACT_ALL_H_

#include <string>
#include <string_view>

#include "inspect/console.h"
#include "inspect/verb.h"

namespace migstream {

// Each VFIO device's payload and config space, the state and the description
// of all devices, and guest memory by block. What is not whole is written as
// far as it came, said, and kFindings. All files get into their places
// together, or none does.
ExitStatus ExtractAll(const Arguments& arguments);

// A name off the wire as a file's: letters, digits and a few signs. It has no
// slash, begins with neither a dot nor a dash, and is no longer than file
// systems allow.
std::string SafeFileName(std::string_view name);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_EXTRACT_ALL_H_
