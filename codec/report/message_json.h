// A protobuf message as JSON in this project's form: names in camelCase,
// numbers as numbers, of 64 bits too, and what is zero, false or empty is
// written; only an `optional` field that is not set is left out.
//
//   NameMessage(report, "report");
//   std::string text;
//   WriteJson(report, 2, [&](std::string_view piece) {
//     text += piece;
//     return true;
//   });

#ifndef MIGSTREAM_CODEC_REPORT_MESSAGE_JSON_H_
#define MIGSTREAM_CODEC_REPORT_MESSAGE_JSON_H_

#include <functional>
#include <string>
#include <string_view>

#include "google/protobuf/message.h"

namespace migstream {

// Where pieces of a text go; false if it takes no more.
using JsonSink = std::function<bool(std::string_view piece)>;

// Not all of it is held as text at once. Without a line's end; `indent` below
// 0: all on one line. False if the sink took no more.
bool WriteJson(const google::protobuf::Message& message, int indent,
               const JsonSink& sink);

// Sets "schema" to "migstream.NAME/1" and "version" to this release, where the
// message has these fields.
void NameMessage(google::protobuf::Message& message, std::string_view name);

// In quotes, whatever bytes it has.
std::string QuotedJson(std::string_view text);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REPORT_MESSAGE_JSON_H_
