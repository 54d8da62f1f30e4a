#include "codec/loader/loader_vmstate.h"

#include <string_view>

#include "codec/wire/text.h"

namespace migstream {

std::optional<LoaderRefusal> CheckSubsectionVersion(uint64_t at,
                                                    std::string_view name,
                                                    uint32_t version,
                                                    const LoaderRow& row) {
  version &= 0xff;
  if (version == 1) return std::nullopt;
  return LoaderRefusal{at, version > 1
                               ? StrCat(name, ": incoming version_id ", version,
                                        " is too new for local version_id 1")
                               : OldVersion(name, version, "1", row)};
}

std::string OldVersion(std::string_view name, uint32_t version,
                       std::string_view oldest, const LoaderRow& row) {
  return StrCat(name, ": incoming version_id ", version,
                " is too old for local minimum version_id ",
                row.names_subsections ? "" : " ", oldest);
}

std::string_view VmstateName(std::string_view idstr) {
  return idstr.substr(idstr.rfind('/') + 1);
}

std::string UnknownSubsection(std::string_view name, std::string_view parent) {
  return StrCat("VM subsection '", name, "' in '", parent, "' does not exist");
}

}  // namespace migstream
