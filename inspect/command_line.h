// The program's command line: which verb, and with what.

#ifndef MIGSTREAM_INSPECT_COMMAND_LINE_H_
#define MIGSTREAM_INSPECT_COMMAND_LINE_H_

#include <span>
#include <string>
#include <vector>

#include "inspect/say.h"
#include "inspect/verb.h"

namespace migstream {

// Every verb, in the order of the help.
const std::vector<const Verb*>& Verbs();

// The options that a verb takes beside its own.
std::span<const Option> CommonOptions(const Verb& verb);

// The whole command line, without the program's name.
ExitStatus RunMain(const std::vector<std::string>& words);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_COMMAND_LINE_H_
