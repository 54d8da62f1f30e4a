#include "codec/loader/loader_row.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <string_view>

#include "absl/strings/match.h"
#include "codec/io/absl_view.h"
#include "codec/wire/text.h"
#include "flags/machine_type.h"
#include "flags/ram_flags.h"

namespace migstream {
namespace {

constexpr LoaderRow k502 = {
    .release = 502,
    .last_command = Command::kRecvBitmap,
    .colo = true,
    .ram_records = kRamZero | kRamMemSize | kRamPage | kRamEos | kRamXbzrle |
                   kRamHook | kRamCompressPage,
    .ignores_rdma_hook = false,
    .zero_pages_are_zero = false,
    .mapped_ram = false,
    .checks_mapped_page_size = false,
    .display_subsection = false,
    .counts_switchover_acks = true,
    .skips_vendor_capabilities = false,
    .names_subsections = false,
    .savevm = "savevm ",
    .oldest_machine_type = 104,
};
constexpr LoaderRow k801 = [] {
  LoaderRow row = k502;
  row.release = 801;
  row.ram_records |= kRamMultifdFlush;
  return row;
}();
constexpr LoaderRow k802 = [] {
  LoaderRow row = k801;
  row.release = 802;
  row.ignores_rdma_hook = true;
  row.display_subsection = true;
  return row;
}();
constexpr LoaderRow k900 = [] {
  LoaderRow row = k802;
  row.release = 900;
  row.zero_pages_are_zero = true;
  row.mapped_ram = true;
  return row;
}();
constexpr LoaderRow k901 = [] {
  LoaderRow row = k900;
  row.release = 901;
  row.ram_records &= ~uint64_t{kRamCompressPage};
  row.skips_vendor_capabilities = true;
  row.oldest_machine_type = 204;
  return row;
}();
constexpr LoaderRow k1000 = [] {
  LoaderRow row = k901;
  row.release = 1000;
  row.last_command = Command::kSwitchoverStart;
  return row;
}();
// From 10.1 on a machine type is dropped six years after it came.
constexpr LoaderRow k1001 = [] {
  LoaderRow row = k1000;
  row.release = 1001;
  row.oldest_machine_type = 402;
  return row;
}();
constexpr LoaderRow k1002 = [] {
  LoaderRow row = k1001;
  row.release = 1002;
  row.oldest_machine_type = 500;
  return row;
}();
constexpr LoaderRow k1100 = [] {
  LoaderRow row = k1002;
  row.release = 1100;
  row.colo = false;
  row.names_subsections = true;
  row.savevm = "";
  row.oldest_machine_type = 501;
  return row;
}();
constexpr LoaderRow k1101 = [] {
  LoaderRow row = k1100;
  row.release = 1101;
  row.checks_mapped_page_size = true;
  row.counts_switchover_acks = false;
  row.oldest_machine_type = 502;
  return row;
}();

constexpr LoaderRow kRows[] = {k502,  k801,  k802,  k900,  k901,
                               k1000, k1001, k1002, k1100, k1101};

constexpr Release kReleases[] = {502, 600,  601,  602,  700,  701,
                                 702, 800,  801,  802,  900,  901,
                                 902, 1000, 1001, 1002, 1100, 1101};

constexpr std::string_view kNumberCharacters = "0123456789.";

// The families of machine types that have versions.
constexpr std::string_view kFamilies[] = {
    "pc-q35", "pc-i440fx", "virt", "pseries", "s390-ccw-virtio", "xenfv"};

}  // namespace

const LoaderRow* FindLoader(Release release) {
  if (!std::binary_search(std::begin(kReleases), std::end(kReleases),
                          release)) {
    return nullptr;
  }
  const LoaderRow* found = nullptr;
  for (const LoaderRow& row : kRows) {
    if (row.release <= release) found = &row;
  }
  return found;
}

std::span<const Release> LoaderReleases() { return kReleases; }

Release ParseRelease(std::string_view name) {
  if (absl::StartsWithIgnoreCase(AbslView(name), "qemu-"))
    name.remove_prefix(5);
  if (name.find_first_not_of(kNumberCharacters) != std::string_view::npos) {
    return 0;
  }
  const Release release = MachineTypeRelease(StrCat("-", name));
  return FindLoader(release) == nullptr ? 0 : release;
}

std::string ReleaseName(Release release) {
  return StrCat("qemu-", release / 100, ".", release % 100);
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

bool HasMachineType(const LoaderRow& row, Release release,
                    std::string_view machine_type) {
  const size_t dash = machine_type.rfind('-');
  if (dash == std::string_view::npos) return true;
  const std::string_view number = machine_type.substr(dash + 1);
  if (number.find_first_not_of(kNumberCharacters) != std::string_view::npos) {
    return true;
  }
  Release version = MachineTypeRelease(machine_type);
  return version != 0 && version >= row.oldest_machine_type &&
         version <= release &&
         std::find(std::begin(kFamilies), std::end(kFamilies),
                   machine_type.substr(0, dash)) != std::end(kFamilies);
}

}  // namespace migstream
