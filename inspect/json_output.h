// What a verb prints for scripts.
//
//   return PrintMessage(report, arguments.format, kFine);
//
// JSON has protobuf's names in camelCase. Numbers are numbers, of 64 bits too,
// and what is zero, false or empty is written; only an `optional` field that
// is not set is left out. json-strings is protobuf's own form: 64-bit numbers
// are strings, and what is zero is left out. textproto is protobuf's text.

#ifndef MIGSTREAM_INSPECT_JSON_OUTPUT_H_
#define MIGSTREAM_INSPECT_JSON_OUTPUT_H_

#include <string>
#include <string_view>

#include "google/protobuf/message.h"
#include "inspect/console.h"

namespace migstream {

// Prints a message, not all of it held as text at once. Sets its fields
// "schema" to "migstream.NAME/1" and "version" to the program's.
ExitStatus PrintMessage(google::protobuf::Message& message,
                        std::string_view name, const std::string& format,
                        ExitStatus status);

// One line of JSON: {"KIND": message}, or {"device": "IDSTR", "KIND": message}.
std::string JsonLine(std::string_view kind,
                     const google::protobuf::Message& message,
                     std::string_view device = {});

// The JSON Schema (draft 4) of what PrintMessage() prints as JSON.
std::string JsonSchema(const google::protobuf::Descriptor& type);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_JSON_OUTPUT_H_
