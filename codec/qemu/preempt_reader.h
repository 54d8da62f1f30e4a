// Reads a capture of a postcopy-preempt channel: the pages that the destination
// waited for in postcopy, which overtake those of the main channel. FORMAT.md
// section 5.8.
//
//   Error error = ReadPreemptChannel(
//       source, 4096, [](const PreemptRecord& record) { … });
//
// Nothing tells the size of the target's pages: it is the main channel's; 0 is
// taken for 4 KiB.

#ifndef MIGSTREAM_CODEC_QEMU_PREEMPT_READER_H_
#define MIGSTREAM_CODEC_QEMU_PREEMPT_READER_H_

#include <cstdint>
#include <functional>
#include <string>

#include "codec/io/byte_source.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"

namespace migstream {

struct PreemptRecord {
  uint64_t offset = 0;
  bool zero = false;   // A page of zeros.
  bool end = false;    // RAM_SAVE_FLAG_EOS; nothing follows.
  std::string block;   // Also of a page that goes on in the one before.
  uint64_t start = 0;  // In the block.
  // The page, or the byte that a page of zeros is filled with: as long as
  // on_record runs.
  ByteSpan content = {};
};

// An input that ends between two records ended early: the source writes an EOS
// when it is done.
Error ReadPreemptChannel(
    ByteSource& source, uint64_t page_bytes,
    const std::function<void(const PreemptRecord& record)>& on_record);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_PREEMPT_READER_H_
