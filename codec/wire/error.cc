#include "codec/wire/error.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace migstream {

std::string Hex(uint64_t value) { return absl::StrFormat("0x%x", value); }

std::string ToString(const Error& error) {
  return absl::StrCat(Hex(error.offset), ": ", error.section, ": ",
                      error.reason);
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
