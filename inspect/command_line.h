// The program's command line: which verb, and with what.

#ifndef MIGSTREAM_INSPECT_COMMAND_LINE_H_
#define MIGSTREAM_INSPECT_COMMAND_LINE_H_

#include <string>
#include <vector>

#include "inspect/console.h"

namespace migstream {

// The whole command line, without the program's name.
ExitStatus RunMain(const std::vector<std::string>& words);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_COMMAND_LINE_H_
