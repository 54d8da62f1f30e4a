#include "codec/report/damage_kind.h"

#include <algorithm>
#include <bit>
#include <string_view>

#include "codec/wire/text.h"
#include "flags/command.h"
#include "flags/section_type.h"
#include "flags/tag.h"

namespace migstream {
namespace {

// A disk or a network loses no less than a sector.
constexpr size_t kLeastHole = 512;
// How many line feeds, or letters, are no accident.
constexpr size_t kLeastProof = 16;

std::string OneBit(uint64_t found, uint64_t known, int digits,
                   std::string_view name) {
  const uint64_t wrong = found ^ known;
  if (std::popcount(wrong) != 1) return "";
  return StrCat("one bit of ", Hex(found, digits), " is wrong if it is ", name,
                ", ", Hex(known, digits));
}

// A number that is one bit away from what may stand here.
std::string WrongBit(ByteSpan bytes, size_t at) {
  if (bytes.size() - at < kTagBytes) return "";
  const uint8_t* here = &bytes[at];
  constexpr std::pair<Tag, std::string_view> kTags[] = {
      {Tag::kEndOfState, "END_OF_STATE"},
      {Tag::kDevConfigState, "CONFIG"},
      {Tag::kDevSetupState, "SETUP"},
      {Tag::kDevDataState, "DATA"},
      {Tag::kDevInitDataSent, "INIT_DATA_SENT"},
      {Tag::kDevConfigLoadReady, "CONFIG_LOAD_READY"}};
  // Two of them are one bit apart; a tag that is whole is not meant.
  const uint64_t tag = LoadBe64(here);
  const bool whole =
      std::any_of(std::begin(kTags), std::end(kTags), [tag](const auto& row) {
        return static_cast<uint64_t>(row.first) == tag;
      });
  if (!whole) {
    std::string best;
    for (const auto& [known, name] : kTags) {
      std::string text = OneBit(tag, static_cast<uint64_t>(known), 16, name);
      if (text.empty()) continue;
      // Which of two it is, nobody can tell.
      if (!best.empty()) return StrCat("one bit of ", Hex(tag), " is wrong");
      best = text;
    }
    if (!best.empty()) return best;
  }
  return OneBit(LoadBe32(here), kStreamMagic, 8, "QEVM");
}

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
  return StrCat(end - begin, end == bytes.size() ? " or more" : "",
                " bytes of zeros from ", Hex(start + begin),
                " on: a hole in the file");
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
  return StrCat("each of ", feeds,
                " LFs here has a CR before it: the file went through a "
                "conversion of text");
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
  return "all bytes here are UTF-8: the file was recoded as if it were text";
}

// A block that comes twice, one directly behind the other.
std::string Twice(ByteSpan bytes, uint64_t start, size_t at) {
  for (size_t size : {size_t{4096}, size_t{512}, size_t{65536}}) {
    size_t run = 0;
    bool varied = false;  // A guest has many pages of one byte.
    for (size_t i = 0; i + size < bytes.size(); ++i) {
      if (bytes[i] != bytes[i + size]) {
        run = 0;
        varied = false;
        continue;
      }
      varied |= run != 0 && bytes[i] != bytes[i - 1];
      if (++run < size || !varied || i + 1 - size > at) continue;
      return StrCat(size, " bytes from ", Hex(start + i + 1 - size),
                    " on come twice, one behind the other");
    }
  }
  return "";
}

}  // namespace

std::string DamageKind(ByteSpan bytes, uint64_t start, uint64_t error_offset) {
  if (error_offset < start || error_offset - start >= bytes.size()) return "";
  const size_t at = error_offset - start;
  for (const std::string& kind :
       {Recoded(bytes), LineEnds(bytes), WrongBit(bytes, at),
        Hole(bytes, start, at), Twice(bytes, start, at)}) {
    if (!kind.empty()) return kind;
  }
  return "";
}

}  // namespace migstream
