// check --destination with a stream that an idle destination saved, and diff
// --loadable.

#ifndef MIGSTREAM_INSPECT_DESTINATION_STREAM_H_
#define MIGSTREAM_INSPECT_DESTINATION_STREAM_H_

#include "inspect/console.h"
#include "inspect/verb.h"

namespace migstream {

ExitStatus CheckIdleDestination(const Arguments& arguments);

// What B, once it is idle, would refuse of what A sends; `a` and `b` have the
// files of one each.
ExitStatus DiffLoadable(const Arguments& a, const Arguments& b);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_DESTINATION_STREAM_H_
