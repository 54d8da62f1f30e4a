#include "codec/place/near_miss.h"

#include <algorithm>
#include <bit>

#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "flags/tag.h"

namespace migstream {
namespace {

struct NamedTag {
  Tag tag;
  std::string_view name;
};
constexpr NamedTag kTags[] = {
    {Tag::kEndOfState, "END_OF_STATE"},
    {Tag::kDevConfigState, "CONFIG"},
    {Tag::kDevSetupState, "SETUP"},
    {Tag::kDevDataState, "DATA"},
    {Tag::kDevInitDataSent, "INIT_DATA_SENT"},
    {Tag::kDevConfigLoadReady, "CONFIG_LOAD_READY"},
};

int BytesThatDiffer(uint64_t difference) {
  int bytes = 0;
  for (; difference != 0; difference >>= 8) bytes += (difference & 0xff) != 0;
  return bytes;
}

// Zeros around a place: how many, before it and from there on.
std::string Hole(ByteSpan before, ByteSpan at) {
  constexpr size_t kLeast = 64;  // Fewer are common in sound streams.
  size_t behind = 0;
  while (behind < at.size() && at[behind] == 0) ++behind;
  if (behind == 0) return "";
  size_t ahead = 0;
  while (ahead < before.size() && before[before.size() - 1 - ahead] == 0) {
    ++ahead;
  }
  if (ahead + behind < kLeast) return "";
  return StrCat("a hole: ", ahead + behind, " bytes are zero here, ", behind,
                " of them from this place on");
}

// Each line feed has a CR before it, which in binary data is one of 256.
std::string CrLf(ByteSpan before) {
  size_t feeds = 0;
  size_t with_cr = 0;
  for (size_t i = 1; i < before.size(); ++i) {
    if (before[i] != '\n') continue;
    ++feeds;
    with_cr += before[i - 1] == '\r';
  }
  if (feeds < 2 || with_cr != feeds) return "";
  return StrCat("CR LF inserted: each of the ", feeds,
                " line feeds up to here has a CR before it, as text mode "
                "makes it");
}

// All bytes from 0x80 on are UTF-8 of two bytes, for what was one byte before.
std::string Utf8(ByteSpan before) {
  size_t pairs = 0;
  for (size_t i = 0; i + 1 < before.size(); ++i) {
    if (before[i] < 0x80) continue;
    const bool pair = (before[i] == 0xc2 || before[i] == 0xc3) &&
                      (before[i + 1] & 0xc0) == 0x80;
    if (!pair) return "";
    ++pairs;
    ++i;
  }
  if (pairs < 4) return "";
  return StrCat("recoded as UTF-8: all bytes from 0x80 on come as pairs, ",
                pairs, " of them up to here");
}

// What is here stood a page before, too.
std::string Twice(ByteSpan before, ByteSpan at) {
  constexpr size_t kPage = 4096;
  constexpr size_t kCompared = 64;
  if (before.size() < kPage || at.size() < kCompared) return "";
  const ByteSpan earlier = before.subspan(before.size() - kPage, kCompared);
  const ByteSpan here = at.first(kCompared);
  if (!std::equal(here.begin(), here.end(), earlier.begin())) return "";
  const bool plain = std::all_of(here.begin(), here.end(),
                                 [&](uint8_t byte) { return byte == here[0]; });
  return plain ? "" : "a page twice: the same bytes stand 4096 bytes before";
}

}  // namespace

NearTag FindNearTag(uint64_t found) {
  constexpr int kMostBits = 3;
  NearTag near;
  int fewest = 65;
  for (const NamedTag& named : kTags) {
    const uint64_t value = static_cast<uint64_t>(named.tag);
    const uint64_t difference = value ^ found;
    const int bits = std::popcount(difference);
    if (bits >= fewest || bits == 0) continue;
    const bool near_enough =
        bits <= kMostBits || BytesThatDiffer(difference) == 1;
    if (!near_enough) continue;
    fewest = bits;
    near.value = value;
    near.text =
        StrCat(bits <= kMostBits ? StrCat(bits, bits == 1 ? " bit" : " bits")
                                 : "one byte",
               " from ", named.name);
  }
  return near;
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

std::string KindOfDamage(ByteSpan before, ByteSpan at) {
  for (const std::string& kind :
       {Hole(before, at), CrLf(before), Utf8(before), Twice(before, at)}) {
    if (!kind.empty()) return kind;
  }
  return "";
}

}  // namespace migstream
