#include "codec/wire/error.h"

#include <string_view>
#include <utility>

#include "codec/wire/text.h"

namespace migstream {

Error::Error(ErrorCode error_code, uint64_t at, std::string where,
             std::string why, std::string which_file)
    : code(error_code),
      offset(at),
      section(std::move(where)),
      reason(std::move(why)),
      file(std::move(which_file)) {}

Error::Error(const Error& other) = default;
Error::Error(Error&& other) noexcept = default;
Error& Error::operator=(const Error& other) = default;
Error& Error::operator=(Error&& other) noexcept = default;

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
