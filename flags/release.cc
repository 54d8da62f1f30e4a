#include "flags/release.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <string_view>
#include <system_error>

#include "flags/names.h"

namespace migstream {

Release ReleaseOfNumber(std::string_view number) {
  const char* end = number.data() + number.size();
  uint32_t major = 0;
  uint32_t minor = 0;
  auto dot = std::from_chars(number.data(), end, major);
  if (dot.ec != std::errc() || dot.ptr == end || *dot.ptr != '.') return 0;
  auto last = std::from_chars(dot.ptr + 1, end, minor);
  if (last.ec != std::errc() || last.ptr != end || major > 90 || minor > 99) {
    return 0;
  }
  return static_cast<Release>(major * 100 + minor);
}

Release ParseRelease(std::string_view name) {
  constexpr std::string_view kPrefix = "qemu-";
  if (EqualsIgnoringCase(name.substr(0, kPrefix.size()), kPrefix)) {
    name.remove_prefix(kPrefix.size());
  }
  const Release release = ReleaseOfNumber(name);
  bool known = std::any_of(
      std::begin(kReleases), std::end(kReleases),
      [release](const ReleaseRow& row) { return row.release == release; });
  return known ? release : 0;
}

std::string ReleaseName(Release release) {
  return "qemu-" + std::to_string(release / 100) + "." +
         std::to_string(release % 100);
}

}  // namespace migstream
