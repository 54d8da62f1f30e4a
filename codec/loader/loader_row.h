// What each QEMU release's loader takes, beyond what the dialect table says of
// VFIO devices' sections. FORMAT.md section 10.4, LOADERS.md
// section 7.
//
//   const LoaderRow* row = FindLoader(1101);  // Null: no such release.

#ifndef MIGSTREAM_CODEC_LOADER_LOADER_ROW_H_
#define MIGSTREAM_CODEC_LOADER_LOADER_ROW_H_

#include <cstdint>
#include <span>
#include <string_view>

#include "flags/command.h"
#include "flags/dialect.h"
#include "flags/release.h"

namespace migstream {

struct LoaderRow {
  Release release;
  Command last_command;
  bool colo;                       // Takes ENABLE_COLO.
  uint64_t ram_records;            // RamFlag: those that can open a record.
  bool ignores_rdma_hook;          // Else a HOOK record is refused.
  bool zero_pages_are_zero;        // A zero page's fill byte must be 0.
  bool checks_mapped_page_size;    // In the header of mapped-ram.
  bool checks_ram_total;           // Against each block.
  bool names_cut_ram;              // Else what is missing is read as zeros.
  bool display_subsection;         // Knows VFIOPCIDevice/VFIODisplay.
  bool counts_switchover_acks;     // One INIT_DATA_SENT a device, and no more.
  bool skips_vendor_capabilities;  // Does not compare them.
  bool names_subsections;          // Those that it does not know.
  bool several_devices_need_p2p;
  bool savevm_words;  // Those of before 11.0: "savevm section", and others.
  Release oldest_machine_type;
};

// All of them, the oldest first; the last is kNextRelease.
std::span<const LoaderRow> AllLoaders();

// The row that holds for a release; null if none of that name is known here.
const LoaderRow* FindLoader(Release release);

// What the release's loader reads a VFIO device's sections by.
const Dialect& LoaderDialect(Release release, bool multifd_device_state);

// False if the release cannot have a machine type of this name. A name without
// a version may exist anywhere.
bool HasMachineType(const LoaderRow& row, std::string_view machine_type);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_LOADER_LOADER_ROW_H_
