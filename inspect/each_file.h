// A verb for each of its files or sets of files, as if it had been called with
// that one alone; several at a time, what they print in the order of the files.

#ifndef MIGSTREAM_INSPECT_EACH_FILE_H_
#define MIGSTREAM_INSPECT_EACH_FILE_H_

#include <functional>

#include "inspect/console.h"
#include "inspect/verb.h"

namespace migstream {

// `run` is called in a process for each file; as many of them are there at a
// time as arguments.threads says, and none has threads of its own. Gives the
// worst of what they end with.
ExitStatus RunForEachFile(
    const Arguments& arguments,
    const std::function<ExitStatus(const Arguments&)>& run);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_EACH_FILE_H_
