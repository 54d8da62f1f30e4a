#include "inspect/message_format.h"

#include "google/protobuf/text_format.h"
#include "google/protobuf/util/json_util.h"

namespace migstream {

bool FormatMessage(const google::protobuf::Message& message,
                   const std::string& format, std::string& text) {
  if (format == "textproto") {
    return google::protobuf::TextFormat::PrintToString(message, &text);
  }
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  return MessageToJsonString(message, &text, options).ok();
}

}  // namespace migstream
