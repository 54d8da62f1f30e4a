#include "codec/loader/loader_row.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

#include "flags/machine_type.h"
#include "flags/qemu_version.h"
#include "flags/ram_flags.h"
#include "flags/release.h"

namespace migstream {
namespace {

constexpr LoaderRow MakeRow(const ReleaseRow& row) {
  using namespace feature;  // NOLINT: this is its reader.
  const Release release = row.release;
  auto has = [release](const Feature& feature) { return feature.In(release); };
  return {
      .release = release,
      .last_command = has(kSwitchoverStart) ? Command::kSwitchoverStart
                                            : Command::kRecvBitmap,
      .colo = has(kEnableColo),
      .ram_records = kRamZero | kRamMemSize | kRamPage | kRamEos | kRamXbzrle |
                     kRamHook |
                     (has(kCompressPage) ? uint64_t{kRamCompressPage} : 0) |
                     (has(kMultifdFlush) ? uint64_t{kRamMultifdFlush} : 0),
      .ignores_rdma_hook = !has(kRefusesRdmaHook),
      .zero_pages_are_zero = !has(kAnyZeroPage),
      .checks_mapped_page_size = has(kChecksMappedPageSize),
      .checks_ram_total = has(kChecksRamTotal),
      .names_cut_ram = has(kNamesCutRam),
      .display_subsection = has(kDisplaySubsection),
      .counts_switchover_acks = has(kSwitchoverAckLegacy),
      .skips_vendor_capabilities = !has(kComparesVendorCapabilities),
      .names_subsections = has(kNamesSubsections),
      .several_devices_need_p2p = has(kSeveralDevicesNeedP2p),
      .savevm_words = has(kSavevmInMessages),
      .oldest_machine_type = row.oldest_machine_type,
  };
}

constexpr auto kRows = [] {
  std::array<LoaderRow, std::size(kReleases) + 1> rows = {};
  std::transform(std::begin(kReleases), std::end(kReleases), rows.begin(),
                 MakeRow);
  rows.back() = MakeRow(kNextRelease);
  return rows;
}();

constexpr std::string_view kNumberCharacters = "0123456789.";

// The families of machine types that have versions.
constexpr std::string_view kFamilies[] = {
    "pc-q35", "pc-i440fx", "virt", "pseries", "s390-ccw-virtio", "xenfv"};

// The one whose version is no release's, and the release that it came with.
constexpr std::string_view kCorrected = "pc-q35-4.0.1";
constexpr Release kCorrectedRelease = 401;

}  // namespace

std::span<const LoaderRow> AllLoaders() { return kRows; }

const LoaderRow* FindLoader(Release release) {
  for (const LoaderRow& row : kRows) {
    if (row.release == release) return &row;
  }
  return nullptr;
}

const Dialect& LoaderDialect(Release release, bool multifd_device_state) {
  const Dialect* plain = &GetDialect(DialectId::kV52);
  for (const Dialect& row : AllDialects()) {
    if (!row.released() || release < row.first_release ||
        release > row.last_release) {
      continue;
    }
    if (row.multifd_device_state == multifd_device_state) return row;
    if (!row.multifd_device_state) plain = &row;
  }
  return *plain;  // A release without multifd device state.
}

bool HasMachineType(const LoaderRow& row, std::string_view machine_type) {
  if (!IsMachineName(machine_type)) return false;
  const size_t dash = machine_type.rfind('-');
  if (dash == std::string_view::npos) return true;
  const std::string_view number = machine_type.substr(dash + 1);
  if (number.find_first_not_of(kNumberCharacters) != std::string_view::npos) {
    return true;
  }
  const bool versioned =
      std::find(std::begin(kFamilies), std::end(kFamilies),
                machine_type.substr(0, dash)) != std::end(kFamilies);
  // The number in "SS-5" is no version.
  if (!versioned) return number.find('.') == std::string_view::npos;
  const Release version = machine_type == kCorrected
                              ? kCorrectedRelease
                              : MachineTypeRelease(machine_type);
  return version != 0 && version >= row.oldest_machine_type &&
         version <= row.release;
}

}  // namespace migstream
