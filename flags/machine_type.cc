#include "flags/machine_type.h"

#include <algorithm>
#include <string_view>

namespace migstream {

bool IsMachineName(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' ||
           c == '+';
  });
}

Release MachineTypeRelease(std::string_view machine_type) {
  size_t dash = machine_type.rfind('-');
  if (dash == std::string_view::npos) return 0;
  return ReleaseOfNumber(machine_type.substr(dash + 1));
}

bool HasSwitchoverAckLegacy(std::string_view machine_type) {
  const Release release = MachineTypeRelease(machine_type);
  return release != 0 && feature::kSwitchoverAckLegacy.In(release);
}

bool IsX86(std::string_view machine_type) {
  return machine_type.starts_with("pc-") || machine_type == "microvm" ||
         machine_type == "isapc";
}

}  // namespace migstream
