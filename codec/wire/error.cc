#include "codec/wire/error.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace migstream {

std::string Hex(uint64_t value) { return absl::StrFormat("0x%x", value); }

std::string ToString(const Error& error) {
  return !error.file.empty() ? ErrorLine(error.file, error)
         : error.section.empty()
             ? error.reason
             : absl::StrCat(Hex(error.offset), ": ", error.section, ": ",
                            error.reason);
}

std::string ErrorLine(absl::string_view file, const Error& error) {
  if (!error.file.empty() && error.file != file) {
    return ErrorLine(error.file, error);
  }
  Error in_file = error;
  in_file.file.clear();
  return absl::StrCat(file, error.section.empty() ? ": " : ":",
                      ToString(in_file));
}

absl::Status ToStatus(const Error& error) {
  if (error.ok()) return absl::OkStatus();
  switch (static_cast<int>(error.code) / 100) {
    case 1:
      return absl::DataLossError(ToString(error));
    case 4:
      return absl::ResourceExhaustedError(ToString(error));
    case 6:
      return absl::FailedPreconditionError(ToString(error));
    default:
      return absl::InvalidArgumentError(ToString(error));
  }
}

}  // namespace migstream
