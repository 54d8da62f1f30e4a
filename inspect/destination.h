// What a destination says of itself: what its QEMU wrote for -dump-vmstate, a
// stream that it saved while it was idle, or a device of its host.

#ifndef MIGSTREAM_INSPECT_DESTINATION_H_
#define MIGSTREAM_INSPECT_DESTINATION_H_

#include <string>

#include "inspect/console.h"
#include "inspect/verb.h"

namespace migstream {

// check --destination: the stream against any of them.
ExitStatus CheckDestination(const Arguments& arguments);

// Whether diff was given a dump, perhaps compressed.
bool IsDump(const Arguments& arguments, const std::string& file);

// diff of two dumps: what B may not load of what A writes.
ExitStatus DiffDumps(const Arguments& arguments);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_DESTINATION_H_
