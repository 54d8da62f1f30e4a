// What the program says and does when an input that it has mapped cannot be
// read any more: another process has made the file shorter, or its disk fails.

#ifndef MIGSTREAM_INSPECT_SIGBUS_H_
#define MIGSTREAM_INSPECT_SIGBUS_H_

namespace migstream {

// From now on SIGBUS ends the process with one line of error, exit status 2 and
// no unfinished output, instead of a core dump.
void HandleSigbus();

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_SIGBUS_H_
