#include "codec/wire/error.h"

#include <string_view>

#include "codec/wire/text.h"

namespace migstream {

std::string ToString(const Error& error) {
  return !error.file.empty()     ? ErrorLine(error.file, error)
         : error.section.empty() ? error.reason
                                 : StrCat(Hex(error.offset), ": ",
                                          error.section, ": ", error.reason);
}

std::string ErrorLine(std::string_view file, const Error& error) {
  if (!error.file.empty() && error.file != file) {
    return ErrorLine(error.file, error);
  }
  Error in_file = error;
  in_file.file.clear();
  return StrCat(file, error.section.empty() ? ": " : ":", ToString(in_file));
}

}  // namespace migstream
