#include "codec/loader/loader_vmstate.h"

#include "absl/strings/str_cat.h"

namespace migstream {

bool CheckSubsectionVersion(LoaderInput& input, uint64_t at,
                            absl::string_view name, uint32_t version,
                            const LoaderRow& row) {
  version &= 0xff;
  if (version == 1) return true;
  return input.Refuse(
      at, absl::StrCat(name, ": incoming version_id ", version, " is too ",
                       version > 1 ? "new for local version_id 1"
                       : row.names_subsections
                           ? "old for local minimum version_id 1"
                           : "old for local minimum version_id  1"));
}

std::string UnknownSubsection(absl::string_view name,
                              absl::string_view parent) {
  return absl::StrCat("VM subsection '", name, "' in '", parent,
                      "' does not exist");
}

}  // namespace migstream
