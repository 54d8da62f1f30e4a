// extract --all: what a stream holds, a file each, in a folder.

#ifndef MIGSTREAM_INSPECT_EXTRACT_ALL_H_
#define MIGSTREAM_INSPECT_EXTRACT_ALL_H_

#include "inspect/console.h"
#include "inspect/verb.h"

namespace migstream {

// Each VFIO device's payload and config space, the state and the description
// of all devices, and guest memory by block. What is not whole is written as
// far as it came, said, and kFindings. All files get into their places
// together, or none does.
ExitStatus ExtractAll(const Arguments& arguments);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_EXTRACT_ALL_H_
