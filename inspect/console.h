// What the program prints, and where: results on standard output, messages on
// standard error.

#ifndef MIGSTREAM_INSPECT_CONSOLE_H_
#define MIGSTREAM_INSPECT_CONSOLE_H_

#include <string>
#include <string_view>

#include "codec/wire/error.h"

namespace migstream {

namespace report {
class Failure;
}  // namespace report

// What a verb's process ends with.
enum ExitStatus {
  kFine = 0,
  kFindings = 1,  // Or a difference.
  kUnusable = 2,  // Input that cannot be read, output that cannot be written,
                  // or wrong usage.
};

// "migstream: …" on standard error.
void PrintError(std::string_view message);

// The same of an error: its file, place and reason.
void PrintError(std::string_view file, const Error& error);

// All that PrintError() has said, the last of it as the error; and whether
// anything went to standard output, or could not.
report::Failure TakeFailure();
bool HasPrinted();

// What may explain pages that never came.
std::string ChannelsHint(bool channels_given);

// Whether an error means that the input is no stream at all, or unreadable, or
// that the options were wrong.
bool IsUnusable(const Error& error);

// Writes to standard output; kUnusable, with a message, if that fails.
ExitStatus Print(std::string_view text, ExitStatus status);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_CONSOLE_H_
