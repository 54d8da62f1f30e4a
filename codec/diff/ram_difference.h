// What the memory of two streams' RAM blocks differs in. FORMAT.md section 5.

#ifndef MIGSTREAM_CODEC_DIFF_RAM_DIFFERENCE_H_
#define MIGSTREAM_CODEC_DIFF_RAM_DIFFERENCE_H_

#include <cstdint>

#include "codec/extract/ram_store.h"
#include "codec/wire/error.h"

namespace migstream {

struct RamDifference {
  uint64_t pages = 0;
  uint64_t first = 0;  // Offset in the block of the first that differs.
  Error error;         // Of reading; the rest was not compared.
};

inline constexpr int kMostCompareThreads = 4;

// As far as both blocks go; they are of two stores. `page_bytes` is a multiple
// of RamStore::Block::kUnitBytes. Large blocks are compared by `threads`, but
// no more than kMostCompareThreads, if what was kept can be read by several.
RamDifference CompareBlocks(RamStore::Block& a, RamStore::Block& b,
                            uint64_t page_bytes, int threads = 1);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DIFF_RAM_DIFFERENCE_H_
