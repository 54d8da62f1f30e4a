// What a caller lets a stream claim. FORMAT.md section 15.

#ifndef MIGSTREAM_CODEC_QEMU_LIMITS_H_
#define MIGSTREAM_CODEC_QEMU_LIMITS_H_

#include <cstddef>
#include <cstdint>

#include "codec/device/limits.h"

namespace migstream {

struct StreamLimits {
  DeviceLimits device = {};
  // Different section ids, each of which is remembered: see SectionsOfName().
  uint32_t sections = 1 << 15;
  // VFIO devices; each takes a few KiB of a report.
  uint32_t devices = 10000;
  // Sections whose end is guessed while the description is out of reach; each
  // is remembered until it has come.
  uint32_t guesses = 1 << 12;
  // RAM blocks in the block list.
  uint32_t ram_blocks = 1 << 12;
  // Bytes of one RAM page, as a stream may set it.
  uint64_t page_bytes = 1 << 16;
  // Bytes of a mapped-ram block's bitmap, when its pages are asked for: 1 TiB
  // in pages of 4 KiB.
  uint64_t bitmap_bytes = 32 << 20;
  // Bytes of the description's JSON.
  uint64_t description_bytes = 16 << 20;
  // Objects and arrays in it: devices, fields, subsections. A large guest has
  // some ten thousand.
  uint32_t description_objects = 3 << 19;
  // How deep they may be, two for each nested subsection.
  uint32_t description_depth = 256;
  // Bytes of a field's name or type.
  uint32_t description_name_bytes = 1024;
  // Bytes that are kept in memory, from a source that cannot seek, until the
  // description at the end has come.
  uint64_t held_bytes = 16 << 20;
  // Bytes through which the end of one section is guessed where there is no
  // description.
  uint64_t guessed_bytes = 8 << 20;
};

// As how many sections one counts, for its name is remembered too.
constexpr size_t SectionsOfName(size_t idstr_bytes) {
  return 1 + idstr_bytes / 32;
}

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_LIMITS_H_
