#include "codec/loader/loader_vmstate.h"

#include <string_view>

#include "codec/wire/text.h"

namespace migstream {

bool CheckSubsectionVersion(LoaderInput& input, uint64_t at,
                            std::string_view name, uint32_t version,
                            const LoaderRow& row) {
  version &= 0xff;
  if (version == 1) return true;
  return input.Refuse(
      at,
      StrCat(name, ": incoming version_id ", version, " is too ",
             version > 1             ? "new for local version_id 1"
             : row.names_subsections ? "old for local minimum version_id 1"
                                     : "old for local minimum version_id  1"));
}

std::string UnknownSubsection(std::string_view name, std::string_view parent) {
  return StrCat("VM subsection '", name, "' in '", parent, "' does not exist");
}

}  // namespace migstream
