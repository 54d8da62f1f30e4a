#include "codec/qemu/content_walk.h"

#include "codec/wire/text.h"

namespace migstream {

[[gnu::cold]] Error ContentWalk::Truncated(size_t left) const {
  Error cut = {ErrorCode::kTruncated, offset + left, "",
               in_name ? "input ends in a name" : "input ends in a number"};
  if (payload_left > left && !payload.empty()) {
    cut.reason = StrCat("input ends in ", payload, " of ", payload_bytes,
                        " bytes, ", payload_left - left, " of them missing");
  }
  return cut;
}

}  // namespace migstream
