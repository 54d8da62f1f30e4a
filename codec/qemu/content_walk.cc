#include "codec/qemu/content_walk.h"

#include <utility>

#include "codec/wire/text.h"

namespace migstream {

Step ContentWalk::Fail(ErrorCode code, uint64_t at, std::string reason) {
  error = {code, at, "", std::move(reason)};
  return Step::kError;
}

Step ContentWalk::Fail(const Error& why) {
  error = why;
  return Step::kError;
}

void ContentWalk::Note(Severity severity, const char* id, uint64_t at,
                       std::string message, std::string section) {
  findings.push_back(
      {severity, id, at, std::move(section), std::move(message)});
}

Error ContentWalk::Truncated(size_t left) const {
  Error cut = {ErrorCode::kTruncated, offset + left, "",
               in_name ? "input ends in a name" : "input ends in a number"};
  if (payload_left > left && !payload.empty()) {
    cut.reason = StrCat("input ends in ", payload, " of ", payload_bytes,
                        " bytes, ", payload_left - left, " of them missing");
  }
  return cut;
}

}  // namespace migstream
