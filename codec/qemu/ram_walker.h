// Walks the content of "ram" sections. FORMAT.md section 5.

#ifndef MIGSTREAM_CODEC_QEMU_RAM_WALKER_H_
#define MIGSTREAM_CODEC_QEMU_RAM_WALKER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "codec/qemu/content_reader.h"
#include "codec/qemu/limits.h"
#include "codec/qemu/stream_visitor.h"

namespace migstream {

struct RamStats {
  uint64_t total_bytes = 0;  // As the block list says.
  std::vector<RamBlock> blocks;
  uint64_t pages = 0;
  uint64_t zero_pages = 0;
  uint64_t xbzrle_pages = 0;
  uint64_t compressed_pages = 0;
  uint64_t multifd_flushes = 0;
  uint64_t first_multifd_flush = 0;    // Offset.
  uint64_t first_compressed_page = 0;  // Offset.
};

// What other parts of the stream say about its RAM sections.
struct RamTraits {
  uint64_t page_bytes = 4096;
  bool ignore_shared = false;       // Capability x-ignore-shared.
  bool mapped_ram = false;          // Capability mapped-ram.
  uint64_t advised_page_sizes = 0;  // POSTCOPY_ADVISE; 0 without.
};

class RamWalker {
 public:
  explicit RamWalker(const StreamLimits& limits) : limits_(limits) {}

  // Walks one section's content, up to and with its EOS record.
  void Walk(ContentReader& content, const RamTraits& traits);

  const RamStats& stats() const { return stats_; }

 private:
  void WalkBlockList(ContentReader& content, const RamTraits& traits,
                     uint64_t total, uint64_t offset);
  void WalkMappedRam(ContentReader& content, uint64_t page_bytes,
                     RamBlock& block);
  void FindBlock(ContentReader& content, uint64_t flags);
  void CheckPage(ContentReader& content, const RamTraits& traits,
                 uint64_t offset_in_block, uint64_t record_offset);
  // Of the last block.
  void Tell(ContentReader& content, const RamTraits& traits,
            uint64_t record_offset, uint64_t flags, uint64_t page_offset,
            uint64_t payload_bytes) const;

  const StreamLimits& limits_;
  RamStats stats_;
  absl::flat_hash_map<std::string, size_t> block_index_;
  // CONTINUE names it; it stays across sections.
  size_t last_block_ = kNoBlock;
  static constexpr size_t kNoBlock = ~size_t{0};
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_RAM_WALKER_H_
