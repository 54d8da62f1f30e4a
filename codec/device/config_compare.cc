#include "codec/device/config_compare.h"

#include <algorithm>

#include "absl/strings/str_format.h"

namespace migstream {

ConfigMasks HeaderMasks(size_t config_bytes) {
  ConfigMasks masks;
  masks.check.resize(config_bytes);
  masks.writable.resize(config_bytes);
  masks.clearable.resize(config_bytes);
  auto check = [&masks](size_t at, uint8_t bits) {
    if (at < masks.check.size()) masks.check[at] = bits;
  };
  for (size_t at = 0x00; at < 0x04; ++at) check(at, 0xff);  // Vendor, device.
  check(0x06, 0x10);  // Status: there is a capability list.
  for (size_t at = 0x08; at < 0x0c; ++at) check(at, 0xff);  // Revision, class.
  check(0x0e, 0xff);                                        // Header type.
  check(0x34, 0xff);  // Head of the capability list.
  return masks;
}

std::string ToString(const ConfigMismatch& mismatch) {
  return absl::StrFormat(
      "config byte 0x%x is %02x, the destination's is %02x (compared bits "
      "%02x)",
      mismatch.offset, mismatch.saved, mismatch.destination, mismatch.check);
}

std::optional<ConfigMismatch> CompareConfig(ByteSpan saved,
                                            ByteSpan destination,
                                            const ConfigMasks& masks) {
  size_t common =
      std::min({saved.size(), destination.size(), masks.check.size(),
                masks.writable.size(), masks.clearable.size()});
  for (size_t at = 0; at < common; ++at) {
    uint8_t compared =
        masks.check[at] & ~masks.writable[at] & ~masks.clearable[at];
    if (((saved[at] ^ destination[at]) & compared) != 0) {
      return ConfigMismatch{static_cast<uint32_t>(at), saved[at],
                            destination[at], compared};
    }
  }
  if (saved.size() != destination.size()) {
    return ConfigMismatch{static_cast<uint32_t>(common), 0, 0, 0};
  }
  return std::nullopt;
}

}  // namespace migstream
