// How a release's loader reads "ram" sections. FORMAT.md section 5,
// LOADERS.md section 7.
//
// It differs from RamDecoder, which says whether a section is sound: this one
// gives the loader's own verdict, in its own order and words.

#ifndef MIGSTREAM_CODEC_LOADER_LOADER_RAM_H_
#define MIGSTREAM_CODEC_LOADER_LOADER_RAM_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/loader/loader_input.h"
#include "codec/loader/loader_row.h"
#include "codec/qemu/limits.h"
#include "codec/qemu/page_size_guess.h"
#include "codec/qemu/ram_decoder.h"

namespace migstream {

class LoaderRam {
 public:
  LoaderRam(const LoaderRow& row, const StreamLimits& limits)
      : row_(row), limits_(limits) {}

  // One section's content; false if it is refused.
  bool Load(LoaderInput& input, uint32_t version, const RamTraits& traits);

  // What the release says to the content of a page that is zero, of XBZRLE or
  // compressed, as one of RamFlag; empty if it takes it.
  std::string PageProblem(uint64_t kind, ByteSpan content, uint64_t page_bytes,
                          const LoaderRow& row);

  // If a block was listed with two lengths, that is what the loader refused,
  // whatever came later.
  void RefuseConflict(LoaderInput& input) const;
  bool has_conflict() const { return conflict_.has_value(); }

  // What a destination needs to take it.
  size_t blocks() const { return used_bytes_.size(); }
  // How many bytes of a target's page the records from here on show.
  PageSizeGuess GuessPages(LoaderInput& input, uint64_t usual) const;
  uint64_t total_bytes() const;
  bool compressed_pages() const { return compressed_pages_; }
  // The refusal stands for a load that reads the same again and again.
  bool loops() const { return loops_; }
  bool multifd() const { return multifd_; }

 private:
  // A block that was listed twice, and which of the two lengths is its own.
  struct BlockConflict {
    std::string name;
    uint64_t offset[2];
    uint64_t bytes[2];
    // Where pages are tells: its own, and those of the block that is not
    // listed.
    std::optional<uint64_t> own_bytes = std::nullopt;

    uint64_t least() const { return std::min(bytes[0], bytes[1]); }
    uint64_t most() const { return std::max(bytes[0], bytes[1]); }
  };

  void ListBlock(const std::string& name, uint64_t bytes, uint64_t at,
                 bool resizable);
  bool LoadBlocks(LoaderInput& input, uint64_t total, const RamTraits& traits);
  bool LoadMappedRam(LoaderInput& input, const std::string& name,
                     uint64_t used_bytes, const RamTraits& traits);
  bool FindPage(LoaderInput& input, uint64_t flags, uint64_t address,
                uint64_t at);
  // How long a block is that the list does not name. If there was no list, its
  // head was taken for a page: then the block's length follows, and `address`
  // is that of all blocks.
  uint64_t UnlistedBytes(LoaderInput& input, uint64_t address) const;
  // Whether the destination has no block of the name, which is not in the list.
  bool IsDamaged(std::string_view name) const;
  bool TakesPage(LoaderInput& input, uint64_t head, uint64_t kind,
                 uint64_t length, uint64_t page_bytes);
  bool LoadPage(LoaderInput& input, uint64_t kind, uint64_t page_bytes);

  const LoaderRow& row_;
  const StreamLimits& limits_;
  std::vector<uint8_t> page_;                   // Where one is put together.
  std::map<std::string, uint64_t> used_bytes_;  // By block.
  std::map<std::string, uint64_t> listed_at_;   // The first time.
  std::optional<BlockConflict> conflict_;
  bool named_ = false;  // A block, for CONTINUE.
  bool last_is_conflicts_ = false;
  bool last_is_unlisted_ = false;
  uint64_t last_used_bytes_ = 0;
  bool compressed_pages_ = false;
  bool multifd_ = false;
  bool loops_ = false;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_LOADER_LOADER_RAM_H_
