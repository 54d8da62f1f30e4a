#include "flags/machine_type.h"

#include <charconv>
#include <string_view>
#include <system_error>

namespace migstream {

Release MachineTypeRelease(std::string_view machine_type) {
  size_t dash = machine_type.rfind('-');
  if (dash == std::string_view::npos) return 0;
  const char* at = machine_type.data() + dash + 1;
  const char* end = machine_type.data() + machine_type.size();
  uint32_t major = 0;
  uint32_t minor = 0;
  auto dot = std::from_chars(at, end, major);
  if (dot.ec != std::errc() || dot.ptr == end || *dot.ptr != '.') return 0;
  auto last = std::from_chars(dot.ptr + 1, end, minor);
  if (last.ec != std::errc() || last.ptr != end || major > 90 || minor > 99) {
    return 0;
  }
  return static_cast<Release>(major * 100 + minor);
}

bool HasSwitchoverAckLegacy(std::string_view machine_type) {
  constexpr Release kFirstWithout = 1101;
  const Release release = MachineTypeRelease(machine_type);
  return release != 0 && release < kFirstWithout;
}

}  // namespace migstream
