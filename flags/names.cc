#include "flags/names.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <string_view>

namespace migstream {
namespace {

// "0x2e41", but "0".
std::string HexText(uint64_t value) {
  char digits[18] = {'0', 'x'};
  char* end = std::to_chars(digits + 2, digits + sizeof digits, value, 16).ptr;
  return value == 0 ? "0" : std::string(digits, end);
}

}  // namespace

std::string NameOf(uint64_t value, std::span<const Name> names) {
  for (const Name& entry : names) {
    if (entry.value == value) return std::string(entry.name);
  }
  return HexText(value);
}

std::string NamesOfBits(uint64_t bits, std::span<const Name> names) {
  if (bits == 0) return "0";
  std::string text;
  auto append = [&text](std::string_view name) {
    if (!text.empty()) text += '|';
    text += name;
  };
  for (const Name& entry : names) {
    if ((bits & entry.value) == 0) continue;
    append(entry.name);
    bits &= ~entry.value;
  }
  if (bits != 0) append(HexText(bits));
  return text;
}

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace migstream
