// A release of Linux, as far as payloads care: "6.12".
//
//   KernelRelease release = {6, 12};
//   if (release >= KernelRelease{6, 3}) …;
//   std::optional<KernelRelease> given = ParseKernelRelease("linux-6.12");
//
// Stable kernels take changes back into older releases, so a release says what
// its first version could, and no more.

#ifndef MIGSTREAM_CODEC_PAYLOAD_KERNEL_RELEASE_H_
#define MIGSTREAM_CODEC_PAYLOAD_KERNEL_RELEASE_H_

#include <charconv>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "codec/wire/text.h"

namespace migstream {

struct KernelRelease {
  uint16_t major = 0;
  uint16_t minor = 0;

  auto operator<=>(const KernelRelease&) const = default;
};

// The newest one whose drivers the tables were read from.
inline constexpr KernelRelease kNewestKernel = {7, 3};

inline std::string ToString(KernelRelease release) {
  return StrCat(release.major, ".", release.minor);
}

// "6.12", "linux-6.12", and with a third number, which is not looked at.
inline std::optional<KernelRelease> ParseKernelRelease(std::string_view text) {
  if (text.starts_with("linux-")) text.remove_prefix(6);
  std::vector<std::string_view> parts = Split(text, '.');
  if (parts.size() < 2 || parts.size() > 3) return std::nullopt;
  uint16_t numbers[3] = {};
  for (size_t i = 0; i < parts.size(); ++i) {
    const char* end = parts[i].data() + parts[i].size();
    auto [stop, error] = std::from_chars(parts[i].data(), end, numbers[i]);
    if (error != std::errc() || stop != end) return std::nullopt;
  }
  return KernelRelease{numbers[0], numbers[1]};
}

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_PAYLOAD_KERNEL_RELEASE_H_
