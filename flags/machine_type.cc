#include "flags/machine_type.h"

#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace migstream {

Release MachineTypeRelease(absl::string_view machine_type) {
  size_t dash = machine_type.rfind('-');
  if (dash == absl::string_view::npos) return 0;
  std::vector<absl::string_view> parts =
      absl::StrSplit(machine_type.substr(dash + 1), '.');
  uint32_t major = 0;
  uint32_t minor = 0;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &major) ||
      !absl::SimpleAtoi(parts[1], &minor) || major > 90 || minor > 99) {
    return 0;
  }
  return static_cast<Release>(major * 100 + minor);
}

bool HasSwitchoverAckLegacy(absl::string_view machine_type) {
  constexpr Release kFirstWithout = 1101;
  const Release release = MachineTypeRelease(machine_type);
  return release != 0 && release < kFirstWithout;
}

}  // namespace migstream
