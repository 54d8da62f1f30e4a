#include "codec/wire/printable.h"

#include <algorithm>
#include <cctype>
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

std::string UnknownName(std::string_view name) {
  constexpr std::string_view kAddress = "xxxx:xx:xx.x/";
  constexpr std::string_view kConfiguration = "configuration/";
  size_t most = 16;
  if (name.starts_with(kConfiguration)) {
    most += kConfiguration.size();
  } else if (name.size() > kAddress.size() &&
             std::equal(kAddress.begin(), kAddress.end(), name.begin(),
                        [](char form, char c) {
                          return form == 'x'
                                     ? std::isxdigit(
                                           static_cast<unsigned char>(c)) != 0
                                     : form == c;
                        })) {
    most += kAddress.size();
  }
  return name.size() <= most ? std::string(name)
                             : StrCat(name.substr(0, most), "...");
}

bool IsNamed(std::string_view name, std::string_view given) {
  return name == given || Printable(name) == given;
}

}  // namespace migstream
