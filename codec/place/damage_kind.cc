#include "codec/place/damage_kind.h"

#include <algorithm>
#include <string>

#include "codec/place/near_miss.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

// A disk or a network loses no less than a sector.
constexpr size_t kLeastHole = 512;
// How many line feeds, or letters, are no accident.
constexpr size_t kLeastProof = 16;

// Zeros in which the error lies, or which end just before it.
std::string Hole(ByteSpan bytes, uint64_t start, size_t at) {
  constexpr size_t kNear = 16;
  size_t end = at;
  while (end < bytes.size() && bytes[end] == 0) ++end;
  // Or the bytes that were refused are the first ones behind it.
  if (end == at) {
    const size_t least = at - std::min(at, kNear);
    while (end > least && bytes[end - 1] != 0) --end;
  }
  size_t begin = std::min(end, at);
  while (begin > 0 && bytes[begin - 1] == 0) --begin;
  if (end - begin < kLeastHole) return "";
  return StrCat("a hole of zeros: ", end - begin,
                end == bytes.size() ? " or more" : "", " bytes from ",
                Hex(start + begin), " on");
}

// Line feeds that have all got a carriage return.
std::string LineEnds(ByteSpan bytes) {
  size_t feeds = 0;
  for (size_t i = 1; i < bytes.size(); ++i) {
    if (bytes[i] != '\n') continue;
    if (bytes[i - 1] != '\r') return "";
    ++feeds;
  }
  if (feeds < kLeastProof) return "";
  return StrCat("CR LF inserted: each of the ", feeds,
                " line feeds here has a CR before it, as text mode makes it");
}

// Binary data that is UTF-8 from end to end.
std::string Recoded(ByteSpan bytes) {
  size_t letters = 0;
  for (size_t i = 0; i < bytes.size();) {
    const uint8_t byte = bytes[i];
    const size_t more = byte < 0x80 ? 0 : byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    if (byte >= 0x80 && (byte < 0xc2 || byte > 0xf4)) {
      // One that the window's beginning has cut.
      if (i < 3 && byte < 0xc0) {
        ++i;
        continue;
      }
      return "";
    }
    for (size_t k = 1; k <= more; ++k) {
      if (i + k < bytes.size() && (bytes[i + k] & 0xc0) != 0x80) return "";
    }
    letters += more != 0 ? 1 : 0;
    i += more + 1;
  }
  if (letters < kLeastProof) return "";
  return "recoded as UTF-8: all bytes here are, as if the file were text";
}

// Whether the block is a shorter one again and again, as test data often is.
bool IsPeriodic(ByteSpan block) {
  const size_t half = block.size() / 2;
  return std::equal(block.begin(), block.begin() + half, block.begin() + half);
}

// A block that comes twice, one directly behind the other.
std::string Twice(ByteSpan bytes, uint64_t start, size_t at) {
  for (size_t size : {size_t{4096}, size_t{512}, size_t{65536}}) {
    size_t run = 0;
    for (size_t i = 0; i + size < bytes.size(); ++i) {
      run = bytes[i] == bytes[i + size] ? run + 1 : 0;
      const size_t begin = i + 1 - run;
      if (run < size || begin > at) continue;
      if (IsPeriodic(bytes.subspan(begin, size))) continue;
      return StrCat("a block twice: ", size, " bytes from ", Hex(start + begin),
                    " on, and again behind them");
    }
  }
  return "";
}

}  // namespace

std::string DamageKind(ByteSpan bytes, uint64_t start, uint64_t error_offset) {
  if (error_offset < start || error_offset - start >= bytes.size()) return "";
  const size_t at = error_offset - start;
  for (const std::string& kind :
       {Recoded(bytes), LineEnds(bytes), NearMiss(bytes.subspan(at)),
        Hole(bytes, start, at), Twice(bytes, start, at)}) {
    if (!kind.empty()) return kind;
  }
  return "";
}

}  // namespace migstream
