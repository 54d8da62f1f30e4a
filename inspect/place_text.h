// A place of a stream for people: the bytes, the fields' names, and what they
// may have been.

#ifndef MIGSTREAM_INSPECT_PLACE_TEXT_H_
#define MIGSTREAM_INSPECT_PLACE_TEXT_H_

#include <cstdint>
#include <string>

#include "codec/place/place.h"
#include "inspect/console.h"
#include "inspect/inputs.h"
#include "inspect/verb.h"

namespace migstream {

// inspect --at.
ExitStatus PrintPlace(const Arguments& arguments, Inputs& inputs);

// What stands at an offset of `file`, without payload, for one who explains an
// error; empty if the file cannot be read again.
std::string ExplainPlace(const Arguments& arguments, const std::string& file,
                         uint64_t offset);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_PLACE_TEXT_H_
