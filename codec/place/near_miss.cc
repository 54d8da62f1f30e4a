#include "codec/place/near_miss.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "flags/dialect.h"
#include "flags/element.h"
#include "flags/section_type.h"
#include "flags/tag.h"

namespace migstream {
namespace {

int BytesThatDiffer(uint64_t difference) {
  int bytes = 0;
  for (; difference != 0; difference >>= 8) bytes += (difference & 0xff) != 0;
  return bytes;
}

}  // namespace

NearTag FindNearTag(uint64_t found) {
  constexpr int kMostBits = 3;
  NearTag near;
  near.bits = 65;
  std::vector<std::string_view> names;
  const Dialect& dialect = GetDialect(DialectId::kV111M);  // It has all tags.
  for (size_t number = 0; number < kTagNumbers; ++number) {
    const Element element = dialect.meanings[number];
    if (element == Element::kNone) continue;
    const uint64_t value = kTagPrefix | number;
    const uint64_t difference = value ^ found;
    if (difference == 0) return {};  // A tag that is whole was meant.
    const int bits = std::popcount(difference);
    if (bits > near.bits ||
        (bits > kMostBits && BytesThatDiffer(difference) > 1)) {
      continue;
    }
    if (bits < near.bits) names.clear();
    names.push_back(ToString(element));
    near.value = value;
    near.bits = bits;
  }
  if (names.empty()) return {};
  if (names.size() > 1) near.value = 0;
  near.text = StrCat(near.bits > kMostBits ? "one byte"
                     : near.bits == 1      ? "1 bit"
                                           : StrCat(near.bits, " bits"),
                     " from ", StrJoin(names, " or "));
  return near;
}

std::string NearMiss(ByteSpan bytes) {
  if (bytes.size() < kTagBytes) return "";
  const NearTag near = FindNearTag(LoadBe64(bytes.data()));
  if (near.bits == 1) return near.text;
  const uint32_t magic = LoadBe32(bytes.data());
  return std::popcount(magic ^ kStreamMagic) == 1 ? "1 bit from QEVM" : "";
}

std::string FindNearName(std::string_view found,
                         std::span<const std::string_view> names) {
  for (std::string_view name : names) {
    if (name.size() != found.size()) continue;
    int differ = 0;
    for (size_t i = 0; i < name.size(); ++i) differ += name[i] != found[i];
    if (differ == 1) {
      return StrCat("differs in one letter from ", Printable(name));
    }
  }
  return "";
}

}  // namespace migstream
