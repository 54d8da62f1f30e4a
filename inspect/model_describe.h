// What `model describe` prints.

#ifndef MIGSTREAM_INSPECT_MODEL_DESCRIBE_H_
#define MIGSTREAM_INSPECT_MODEL_DESCRIBE_H_

#include "inspect/console.h"
#include "inspect/verb.h"

namespace migstream {

// A device of the stream that arguments.files name, as a generic model in JSON.
ExitStatus DescribeModel(const Arguments& arguments);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_MODEL_DESCRIBE_H_
