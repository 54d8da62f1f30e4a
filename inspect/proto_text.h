// The .proto files that the program's outputs and inputs are made by, as text.
// Bazel makes proto_text.cc of them.

#ifndef MIGSTREAM_INSPECT_PROTO_TEXT_H_
#define MIGSTREAM_INSPECT_PROTO_TEXT_H_

#include <span>
#include <string_view>

namespace migstream {

struct ProtoText {
  std::string_view file;  // "report.proto"
  std::string_view text;
};

std::span<const ProtoText> ProtoTexts();

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_PROTO_TEXT_H_
