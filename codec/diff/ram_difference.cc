#include "codec/diff/ram_difference.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace migstream {
namespace {

constexpr uint64_t kUnit = RamStore::Block::kUnitBytes;
constexpr size_t kBufferBytes = 16 * kUnit;

}  // namespace

RamDifference CompareBlocks(RamStore::Block& a, RamStore::Block& b,
                            uint64_t page_bytes) {
  RamDifference difference;
  const uint64_t end =
      std::min({a.bytes(), b.bytes(), std::max(a.units(), b.units()) * kUnit});
  uint64_t last_page = ~uint64_t{0};
  std::vector<uint8_t> buffer_a(kBufferBytes), buffer_b(kBufferBytes);
  for (uint64_t offset = 0; offset < end;) {
    const RamStore::Block::Piece piece_a = a.Next(offset, buffer_a);
    const RamStore::Block::Piece piece_b = b.Next(offset, buffer_b);
    const size_t common = std::min<uint64_t>(
        {piece_a.bytes.size(), piece_b.bytes.size(), end - offset});
    if (common == 0) break;  // An error.
    const uint8_t* bytes_a = piece_a.bytes.data();
    const uint8_t* bytes_b = piece_b.bytes.data();
    if ((piece_a.zero && piece_b.zero) ||
        std::memcmp(bytes_a, bytes_b, common) == 0) {
      offset += common;
      continue;
    }
    for (size_t at = 0; at < common; at += kUnit) {
      const size_t here = std::min<uint64_t>(kUnit, common - at);
      const uint64_t page = (offset + at) / page_bytes;
      if (page == last_page ||
          std::memcmp(bytes_a + at, bytes_b + at, here) == 0) {
        continue;
      }
      last_page = page;
      if (difference.pages++ == 0) difference.first = page * page_bytes;
    }
    offset += common;
  }
  return difference;
}

}  // namespace migstream
