// Versions of QEMU that are no releases of the table in release.h: stable ones,
// and the one in development. FORMAT.md section 10.4, LOADERS.md section 7.
//
//   ParseQemuVersion("10.0.13");   // 1000, and stable 13.
//   ChecksPacketSize({1000, 13});  // true

#ifndef MIGSTREAM_FLAGS_QEMU_VERSION_H_
#define MIGSTREAM_FLAGS_QEMU_VERSION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "flags/release.h"

namespace migstream {

// In development: what is public of it. It may get more before it is released.
inline constexpr ReleaseRow kNextRelease = {1102, 600};

namespace feature {

// RAM blocks that are larger than what is left of the total are refused.
inline constexpr Feature kNamesCutRam = {"a cut RAM record is named", 900};
inline constexpr Feature kChecksRamTotal = {"the RAM total is checked", 1102};

// All of them.
inline constexpr const Feature* kAll[] = {
    &kBlockHandler,
    &kCompressPage,
    &kUndescribedConfiguration,
    &kEnableColo,
    &kDescribedConfiguration,
    &kMultifdFlush,
    &kDisplaySubsection,
    &kMappedRam,
    &kSwitchoverStart,
    &kNullptrField,
    &kPtrMarkerField,
    &kComparesVendorCapabilities,
    &kSwitchoverAckLegacy,
    &kRefusesRdmaHook,
    &kAnyZeroPage,
    &kSavevmInMessages,
    &kSeveralDevicesNeedP2p,
    &kNamesSubsections,
    &kChecksMappedPageSize,
    &kNamesCutRam,
    &kChecksRamTotal,
};

}  // namespace feature

struct QemuVersion {
  Release release = 0;
  // 13 for 10.0.13; not said: the newest.
  std::optional<uint16_t> stable = std::nullopt;
};

// "qemu-10.0", "10.0.13"; release 0 if it is neither in kReleases nor
// kNextRelease.
QemuVersion ParseQemuVersion(std::string_view name);
std::string ToString(const QemuVersion& version);  // "qemu-10.0.13"

// Whether it holds the length of a compressed multifd packet against the room
// that it has: stable releases have learnt it.
bool ChecksPacketSize(const QemuVersion& version);

}  // namespace migstream

#endif  // MIGSTREAM_FLAGS_QEMU_VERSION_H_
