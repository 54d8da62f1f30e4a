// The memory of all of a stream's RAM blocks, in one file without a name, and
// what two of them differ in. FORMAT.md section 5.
//
//   RamStore store;
//   RamExtractor extractor(store.ImageOf(), channels);
//
// On disk there is what was written and was not zero, as much as the stream
// holds at the most; in memory, a bit for each 4 KiB up to the last of those.
// Guest memory is secret: none of it is printed.

#ifndef MIGSTREAM_CODEC_DIFF_RAM_STORE_H_
#define MIGSTREAM_CODEC_DIFF_RAM_STORE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "codec/extract/ram_extractor.h"
#include "codec/io/temp_file.h"
#include "codec/qemu/limits.h"
#include "codec/wire/error.h"

namespace migstream {

class RamStore {
 public:
  explicit RamStore(const StreamLimits& limits = {}) : limits_(limits) {}

  // One block. Blocks that would reach beyond what a file can hold fail.
  class Block : public RamImage {
   public:
    // A bit stands for so many bytes.
    static constexpr uint64_t kUnitBytes = 4096;

    Block(RamStore& store, uint64_t base) : store_(store), base_(base) {}

    void Resize(uint64_t bytes) override { bytes_ = bytes; }
    void Write(uint64_t offset, ByteSpan bytes) override;
    void Zero(uint64_t offset, uint64_t bytes) override;
    void Read(uint64_t offset, std::span<uint8_t> bytes) override;

    uint64_t bytes() const { return bytes_; }
    // Units beyond this one were never written.
    uint64_t units() const { return uint64_t{written_.size()} * 8; }
    bool IsWritten(uint64_t unit) const {
      return unit / 8 < written_.size() &&
             (written_[unit / 8] >> unit % 8 & 1) != 0;
    }

   private:
    void Mark(uint64_t unit, bool written);

    RamStore& store_;
    const uint64_t base_;  // In the file.
    uint64_t bytes_ = 0;
    std::vector<uint8_t> written_;
  };

  // For a RamExtractor; the store must outlive it.
  RamExtractor::ImageOf ImageOf();

  // By their names. Pages that never came are zero.
  const std::map<std::string, std::unique_ptr<Block>>& blocks() const {
    return blocks_;
  }
  // kWriteFailed: there is no room. kBlockLimit: limits.bitmap_bytes, which is
  // for all blocks together.
  const Error& error() const { return error_; }

 private:
  const StreamLimits limits_;
  uint64_t bitmap_bytes_ = 0;  // Of all blocks.
  TempFile file_;
  std::map<std::string, std::unique_ptr<Block>> blocks_;
  uint64_t end_ = 0;  // Where the next block goes.
  Error error_;
};

struct RamDifference {
  uint64_t pages = 0;
  uint64_t first = 0;  // Offset in the block of the first that differs.
};

// As far as both blocks go. `page_bytes` is a multiple of
// RamStore::Block::kUnitBytes.
RamDifference CompareBlocks(RamStore::Block& a, RamStore::Block& b,
                            uint64_t page_bytes);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DIFF_RAM_STORE_H_
