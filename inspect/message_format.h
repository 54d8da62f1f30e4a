// A message of report.proto, for scripts.

#ifndef MIGSTREAM_INSPECT_MESSAGE_FORMAT_H_
#define MIGSTREAM_INSPECT_MESSAGE_FORMAT_H_

#include <string>

#include "google/protobuf/message.h"

namespace migstream {

// `format` is "json" or "textproto"; false if the message cannot be put so.
bool FormatMessage(const google::protobuf::Message& message,
                   const std::string& format, std::string& text);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_MESSAGE_FORMAT_H_
