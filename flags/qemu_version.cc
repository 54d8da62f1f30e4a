#include "flags/qemu_version.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <system_error>

namespace migstream {
namespace {

// The last stable release that is known not to have something, of a release
// that has it in a later one.
struct StableFix {
  Release release;
  uint16_t last_without;
};
constexpr StableFix kPacketSizeFixes[] = {{1000, 0}, {1101, 0}};

}  // namespace

QemuVersion ParseQemuVersion(std::string_view name) {
  const size_t first = name.find('.');
  const size_t dot = first == name.npos ? name.npos : name.find('.', first + 1);
  std::string number(name.substr(0, dot));
  QemuVersion version = {ParseRelease(number)};
  // The one in development is in no table.
  if (number.starts_with("qemu-")) number.erase(0, 5);
  if (ReleaseOfNumber(number) == kNextRelease.release) {
    version.release = kNextRelease.release;
  }
  if (dot == name.npos || version.release == 0) return version;
  const char* end = name.data() + name.size();
  uint16_t stable = 0;
  auto [last, error] = std::from_chars(name.data() + dot + 1, end, stable);
  if (error != std::errc() || last != end) return {};
  version.stable = stable;
  return version;
}

std::string ToString(const QemuVersion& version) {
  std::string name = ReleaseName(version.release);
  if (version.stable) name.append(".").append(std::to_string(*version.stable));
  return name;
}

bool ChecksPacketSize(const QemuVersion& version) {
  if (version.release >= kNextRelease.release) return true;
  return std::any_of(
      std::begin(kPacketSizeFixes), std::end(kPacketSizeFixes),
      [&](const StableFix& fix) {
        return fix.release == version.release &&
               (!version.stable || *version.stable > fix.last_without);
      });
}

}  // namespace migstream
