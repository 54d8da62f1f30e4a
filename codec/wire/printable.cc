#include "codec/wire/printable.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"

namespace migstream {

std::string Printable(absl::string_view text) {
  std::string printable;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned char c = text[i];
    bool looks_escaped = c == '\\' && text.substr(i + 1, 1) == "x";
    if (absl::ascii_isprint(c) && !looks_escaped) {
      printable += static_cast<char>(c);
    } else {
      absl::StrAppendFormat(&printable, "\\x%02x", c);
    }
  }
  return printable;
}

bool IsNamed(absl::string_view name, absl::string_view given) {
  return name == given || Printable(name) == given;
}

}  // namespace migstream
