// What `inspect --map` prints: whose each byte of the files is.

#ifndef MIGSTREAM_INSPECT_MAP_H_
#define MIGSTREAM_INSPECT_MAP_H_

#include <functional>
#include <string>

#include "codec/map/map_range.h"
#include "codec/wire/error.h"
#include "inspect/console.h"
#include "inspect/inputs.h"
#include "inspect/verb.h"

namespace migstream {

// A file of the map begins; `name` is fit to be printed.
using OnMapFile = std::function<void(const std::string& name)>;

// Maps all inputs, file by file: the main channel first. What is wrong with
// them is said on standard error; kUnusable if nothing can be mapped.
ExitStatus MapInputs(const Arguments& arguments, Inputs& inputs,
                     const OnMapFile& on_file, const OnMapRange& on_range);

ExitStatus PrintMap(const Arguments& arguments, Inputs& inputs);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_MAP_H_
