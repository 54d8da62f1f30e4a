#include "codec/wire/text.h"

namespace migstream {

std::vector<std::string_view> Split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (size_t end; (end = text.find(at)) != std::string_view::npos;) {
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  parts.push_back(text);
  return parts;
}

std::string Hex(uint64_t value, size_t digits) {
  char text[16];
  std::string_view shown(
      text, std::to_chars(text, text + sizeof text, value, 16).ptr - text);
  std::string zeros(digits > shown.size() ? digits - shown.size() : 0, '0');
  return StrCat("0x", zeros, shown);
}

}  // namespace migstream
