// What `inspect --state` and `inspect --vmdesc` print.

#ifndef MIGSTREAM_INSPECT_STATE_H_
#define MIGSTREAM_INSPECT_STATE_H_

#include "codec/qemu/stream_writer.h"
#include "inspect/console.h"
#include "inspect/inputs.h"
#include "inspect/verb.h"

namespace migstream {

// The state of all devices, as JSON. What is wrong with it is said.
ExitStatus WriteState(const Arguments& arguments, Inputs& inputs,
                      ByteSink& sink);

// The same to standard output.
ExitStatus PrintState(const Arguments& arguments, Inputs& inputs);

// The description at the stream's end, as JSON.
ExitStatus PrintDescription(const Arguments& arguments, Inputs& inputs);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_STATE_H_
