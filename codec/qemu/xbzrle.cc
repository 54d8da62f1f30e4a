#include "codec/qemu/xbzrle.h"

#include <cstddef>
#include <cstring>
#include <span>

namespace migstream {
namespace {

// A uleb128 of one or two bytes; false if there is none.
bool TakeLength(ByteSpan& bytes, size_t& length) {
  if (bytes.empty()) return false;
  length = bytes[0];
  if (length < 0x80) {
    bytes = bytes.subspan(1);
    return true;
  }
  if (bytes.size() < 2 || bytes[1] >= 0x80) return false;
  length = (length & 0x7f) | size_t{bytes[1]} << 7;
  bytes = bytes.subspan(2);
  return true;
}

}  // namespace

bool ApplyXbzrle(ByteSpan delta, std::span<uint8_t> page) {
  size_t at = 0;
  for (bool first = true; !delta.empty(); first = false) {
    size_t same, changed;
    if (!TakeLength(delta, same) || (same == 0 && !first) ||
        same > page.size() - at) {
      return false;
    }
    at += same;
    if (!TakeLength(delta, changed) || changed == 0 ||
        changed > page.size() - at || changed > delta.size()) {
      return false;
    }
    std::memcpy(page.data() + at, delta.data(), changed);
    delta = delta.subspan(changed);
    at += changed;
  }
  return true;
}

}  // namespace migstream
