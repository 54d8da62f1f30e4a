#include "codec/wire/printable.h"

#include <string_view>

#include "codec/wire/text.h"

namespace migstream {

std::string Printable(std::string_view text) {
  std::string printable;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned char c = text[i];
    bool looks_escaped = c == '\\' && text.substr(i + 1, 1) == "x";
    if (c >= 0x20 && c < 0x7f && !looks_escaped) {
      printable += static_cast<char>(c);
    } else {
      StrAppend(&printable, "\\x", Hex(c, 2).substr(2));
    }
  }
  return printable;
}

bool IsNamed(std::string_view name, std::string_view given) {
  return name == given || Printable(name) == given;
}

}  // namespace migstream
