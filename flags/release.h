// Which release of QEMU can what: the release table. FORMAT.md sections 10.2,
// 10.4 and 16.
//
//   feature::kMappedRam.In(802);  // false
//   ReleaseName(802);             // "qemu-8.2"
//
// What differs inside of a VFIO device's sections is in the dialect table
// (dialect.h).

#ifndef MIGSTREAM_FLAGS_RELEASE_H_
#define MIGSTREAM_FLAGS_RELEASE_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace migstream {

// 602 is 6.2; 0 where there is none.
using Release = uint16_t;
inline constexpr Release kNewestRelease = 9999;

struct ReleaseRow {
  Release release;
  Release oldest_machine_type;
};
// All that are known, the oldest first. Since 10.1 a machine type is dropped
// six years after it came.
inline constexpr ReleaseRow kReleases[] = {
    {502, 104}, {600, 104},  {601, 104},  {602, 104},  {700, 104},  {701, 104},
    {702, 104}, {800, 104},  {801, 104},  {802, 104},  {900, 104},  {901, 204},
    {902, 204}, {1000, 204}, {1001, 402}, {1002, 500}, {1100, 501}, {1101, 502},
};

struct Feature {
  std::string_view name;  // As evidence of the release has it.
  Release first;          // 0: older than all of kReleases.
  Release last = kNewestRelease;

  constexpr bool In(Release release) const {
    return release >= first && release <= last;
  }
};

namespace feature {

// What the enclosing stream shows.
inline constexpr Feature kBlockHandler = {"handler block", 0, 900};
inline constexpr Feature kCompressPage = {"RAM COMPRESS_PAGE", 0, 900};
inline constexpr Feature kUndescribedConfiguration = {
    "VMDESCRIPTION does not describe CONFIGURATION", 0, 801};
inline constexpr Feature kEnableColo = {"COMMAND ENABLE_COLO", 0, 1002};
inline constexpr Feature kDescribedConfiguration = {
    "VMDESCRIPTION describes CONFIGURATION", 800};
inline constexpr Feature kMultifdFlush = {"RAM MULTIFD_FLUSH", 801};
inline constexpr Feature kDisplaySubsection = {"VFIOPCIDevice/VFIODisplay",
                                               802};
inline constexpr Feature kMappedRam = {"capability mapped-ram", 900};
inline constexpr Feature kSwitchoverStart = {"COMMAND SWITCHOVER_START", 1000};
// Two field types that stand for a NULL in an array.
inline constexpr Feature kNullptrField = {"VMDESCRIPTION has NULL markers",
                                          1000};
inline constexpr Feature kPtrMarkerField = {"VMDESCRIPTION has NULL markers",
                                            1101};

// What a machine type of such a version, and a loader, do.
inline constexpr Feature kComparesVendorCapabilities = {
    "vendor-specific capabilities are compared", 0, 900};
// One INIT_DATA_SENT a device, and no more. FORMAT.md section 9.4.
inline constexpr Feature kSwitchoverAckLegacy = {"switchover-ack-legacy", 0,
                                                 1100};

// What a loader does.
inline constexpr Feature kRefusesRdmaHook = {"RAM HOOK is refused", 0, 801};
inline constexpr Feature kAnyZeroPage = {"a zero page of any byte", 0, 802};
inline constexpr Feature kSavevmInMessages = {"savevm in messages", 0, 1002};
inline constexpr Feature kSeveralDevicesNeedP2p = {"several devices need P2P",
                                                   802};
inline constexpr Feature kNamesSubsections = {"unknown subsections are named",
                                              1100};
inline constexpr Feature kChecksMappedPageSize = {
    "mapped-ram's page size is checked", 1101};

}  // namespace feature

// "qemu-11.1" and "11.1" give 1101; what is not in kReleases gives 0.
Release ParseRelease(std::string_view name);
std::string ReleaseName(Release release);  // "qemu-11.1"

// "8.2" gives 802, whether known or not; anything else gives 0.
Release ReleaseOfNumber(std::string_view number);

}  // namespace migstream

#endif  // MIGSTREAM_FLAGS_RELEASE_H_
