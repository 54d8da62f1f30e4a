// What comes in long rows, each row as one. A StreamDecoder gives it so to who
// asks for it, and event by event to all others. FORMAT.md sections 5 and 9.
//
// All views are into the decoder's input, and good as long as that.

#ifndef MIGSTREAM_CODEC_QEMU_STREAM_RUNS_H_
#define MIGSTREAM_CODEC_QEMU_STREAM_RUNS_H_

#include <cstdint>
#include <span>

#include "codec/device/device_records.h"
#include "codec/qemu/stream_event.h"
#include "codec/wire/bytes.h"

namespace migstream {

// PART sections of one handler that hold nothing but its END_OF_STATE, or RAM's
// EOS: a source that does not converge writes millions. Others, of other
// handlers, may stand between them.
struct EmptyParts {
  static constexpr uint64_t kContentBytes = 8;  // Of each.

  SectionView section;  // The first of them.
  uint64_t count = 0;
  uint64_t last_offset = 0;  // Of the last one's first byte.
  bool footer = false;
};

// PART sections of one VFIO device that follow each other and hold one DATA
// record and END_OF_STATE each: as releases from 8.1 on send pre-copy data.
struct DataParts {
  SectionView section;  // The first of them.
  DeviceRecords records;
  uint64_t last_offset = 0;  // Of the last one's first byte.
  bool footer = false;
};

struct RamPage {
  uint64_t page_offset;  // In the block.
  const uint8_t* bytes;  // Null: the page is zero.
};

// Page records that follow each other: RAM_SAVE_FLAG_PAGE or
// RAM_SAVE_FLAG_ZERO with a fill byte of 0, all of one block, which none of
// them names.
struct RamPages {
  const RamBlock* block = nullptr;
  uint64_t page_bytes = 0;
  uint64_t offset = 0;  // Of the first record.
  ByteSpan bytes;       // All records.
  std::span<const RamPage> pages;

  // The page is not zero.
  ByteSpan BytesOf(const RamPage& page) const {
    return {page.bytes, page_bytes};
  }
  uint64_t OffsetOf(const RamPage& page) const {
    return offset + (page.bytes - bytes.data());
  }
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_STREAM_RUNS_H_
