// Decodes the content of "ram" sections. FORMAT.md section 5.

#ifndef MIGSTREAM_CODEC_QEMU_RAM_DECODER_H_
#define MIGSTREAM_CODEC_QEMU_RAM_DECODER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "codec/qemu/content_walk.h"
#include "codec/qemu/limits.h"
#include "codec/qemu/stream_event.h"
#include "codec/qemu/stream_runs.h"

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
  bool page_bytes_known = false;    // Not only assumed.
  bool ignore_shared = false;       // Capability x-ignore-shared.
  bool mapped_ram = false;          // Capability mapped-ram.
  uint64_t advised_page_sizes = 0;  // POSTCOPY_ADVISE; 0 without.
};

class RamDecoder {
 public:
  explicit RamDecoder(const StreamLimits& limits) : limits_(limits) {}

  // A section begins. Blocks stay known from one section to the next.
  void Start() { done_ = false; }
  // What was under way is left. If that was the list, the blocks that it did
  // not come to are taken as the pages name them.
  void Abandon() {
    if (in_list_ || stats_.total_bytes == 0) open_list_ = true;
    in_list_ = has_block_ = false;
  }
  // kRamRecord, kRamBlock or kRamBlocks; kDone behind the EOS record. Payload
  // is the walk's own affair.
  Step Next(ByteSpan& input, const RamTraits& traits, ContentWalk& walk,
            StreamEvent& event);

  // Takes page records from input's front, as many as it begins with and
  // `pages` has room for, and gives their number: see RamPages. Whatever stands
  // behind them is for Next().
  size_t NextPages(ByteSpan& input, const RamTraits& traits, ContentWalk& walk,
                   std::span<RamPage> pages);
  // The block that a record with CONTINUE is of. There must be one.
  const RamBlock& last_block() const { return stats_.blocks[last_block_]; }

  const RamStats& stats() const { return stats_; }
  // How long the block of that name is, if the list has it.
  std::optional<uint64_t> UsedBytes(std::string_view name) const;
  // As the first of mapped-ram's headers says; 0: none came.
  uint64_t mapped_page_bytes() const { return mapped_page_bytes_; }

 private:
  Step Record(ByteSpan& input, const RamTraits& traits, ContentWalk& walk,
              StreamEvent& event);
  Step Page(ByteSpan& input, const RamTraits& traits, ContentWalk& walk,
            StreamEvent& event);
  Step Block(ByteSpan& input, const RamTraits& traits, ContentWalk& walk,
             StreamEvent& event);
  bool FindBlock(std::string_view name, uint64_t at, ContentWalk& walk);
  // The part of a block's entry that mapped-ram adds.
  void MappedRam(RecordCursor& cursor, const RamTraits& traits,
                 ContentWalk& walk);

  struct NameHash {
    using is_transparent = void;
    size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>()(name);
    }
  };

  using Index =
      std::unordered_map<std::string, size_t, NameHash, std::equal_to<>>;
  Index::iterator AddBlock(RamBlock block);

  const StreamLimits limits_;
  RamStats stats_;
  Index index_;
  // CONTINUE names it; it stays across sections.
  size_t last_block_ = kNoBlock;
  static constexpr size_t kNoBlock = ~size_t{0};
  bool done_ = true;
  bool in_list_ = false;
  bool open_list_ = false;  // It is not whole.
  bool has_block_ = false;  // block_ is an entry whose pages are passed over.
  RamBlock block_;
  uint64_t mapped_page_bytes_ = 0;
  uint64_t list_left_ = 0;  // Of the total that the blocks add up to.
  uint64_t list_at_ = 0;    // Offset of the record that says it.
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_RAM_DECODER_H_
