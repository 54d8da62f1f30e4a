#include "codec/generate/marked_bytes.h"

#include <string_view>

namespace migstream {

void MarkedBytes::Replace(uint64_t at, uint64_t count, std::string_view with) {
  bytes.replace(at, count, with.data(), with.size());
  const uint64_t old_end = at + count;
  const uint64_t new_end = at + with.size();
  std::vector<Mark> kept;
  for (Mark mark : marks) {
    uint64_t begin = mark.offset;
    uint64_t end = mark.offset + mark.bytes;
    // A mark whose bytes are all erased goes with them.
    if (with.empty() && count != 0 && begin >= at && end <= old_end) continue;
    if (begin >= old_end) {
      begin = begin - old_end + new_end;
    } else if (begin > at) {
      begin = new_end;
    }
    if (end >= old_end && end > at) {
      end = end - old_end + new_end;
    } else if (end > at) {
      end = new_end;
    }
    mark.offset = begin;
    mark.bytes = end > begin ? end - begin : 0;
    kept.push_back(mark);
  }
  marks = std::move(kept);
}

}  // namespace migstream
