// The memory of a stream's RAM blocks, to be read again. FORMAT.md section 5.
//
//   RamStore store;
//   store.SetStream(open_again());  // If it can be.
//   RamExtractor extractor(store.ImageOf(), channels);
//
// Pages that stand in the stream as they are, are read there again; what else
// was written and was not zero goes into a file without a name. In memory there
// is a bit for each 4 KiB up to the last of those, and 5 bytes for one that is
// read in the stream, up to kMaxPlaceBytes. Guest memory is secret: none of it
// is printed.

#ifndef MIGSTREAM_CODEC_EXTRACT_RAM_STORE_H_
#define MIGSTREAM_CODEC_EXTRACT_RAM_STORE_H_

#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "codec/extract/ram_extractor.h"
#include "codec/io/kept_bytes.h"
#include "codec/qemu/limits.h"
#include "codec/wire/error.h"

namespace migstream {

class RamStore {
 public:
  // Beyond it pages go to the file. It is enough for 9 GiB of them.
  static constexpr uint64_t kMaxPlaceBytes = 12 << 20;

  explicit RamStore(const StreamLimits& limits = {}) : limits_(limits) {}

  // The same stream once more; see KeptBytes::SetStream().
  void SetStream(std::unique_ptr<ByteSource> stream) {
    kept_.SetStream(std::move(stream));
  }

  // Reads, for a thread of its own, while nothing is written; the store must
  // outlive it.
  class Reader {
   public:
    const Error& error() const { return error_; }

   private:
    friend class RamStore;
    explicit Reader(KeptBytes::Reader kept) : kept_(std::move(kept)) {}

    KeptBytes::Reader kept_;
    Error error_;
  };
  // Null where the stream cannot be had once more, or what is kept not be
  // written: then reading fails.
  std::optional<Reader> NewReader() const;

  // One block. Blocks that would reach beyond what a file can hold fail.
  class Block : public RamImage {
   public:
    // A bit stands for so many bytes.
    static constexpr uint64_t kUnitBytes = 4096;

    Block(RamStore& store, uint64_t base) : store_(store), base_(base) {}

    void Resize(uint64_t bytes) override { bytes_ = bytes; }
    void Write(uint64_t offset, ByteSpan bytes) override;
    void WriteFromStream(uint64_t offset, ByteSpan bytes, uint64_t at) override;
    void Zero(uint64_t offset, uint64_t bytes) override;
    void Read(uint64_t offset, std::span<uint8_t> bytes) override;

    // The next bytes from `offset` on, at least to the unit's end, at most as
    // many as `buffer` has, whose size is a multiple of a unit: where they are,
    // or in the buffer. Good until the next call for any block of the store.
    struct Piece {
      ByteSpan bytes;
      bool zero = false;  // All of them.
    };
    // Empty at the block's end, and after an error.
    Piece Next(uint64_t offset, std::span<uint8_t> buffer);
    // The same, with the reader's own error, and until its next call.
    Piece Next(uint64_t offset, std::span<uint8_t> buffer,
               Reader& reader) const;
    std::optional<Reader> NewReader() const { return store_.NewReader(); }
    // The store's.
    const Error& error() const { return store_.error(); }

    // The same from a unit's start on, of whatever is near in the stream, as
    // views that follow each other in the block. Their sum; 0 as Next().
    uint64_t Gather(uint64_t offset, std::span<uint8_t> buffer,
                    std::vector<iovec>& views);

    uint64_t bytes() const { return bytes_; }
    // Units beyond this one were never written.
    uint64_t units() const { return uint64_t{written_.size()} * 8; }
    bool IsWritten(uint64_t unit) const {
      return unit / 8 < written_.size() &&
             (written_[unit / 8] >> unit % 8 & 1) != 0;
    }

   private:
    // Where units stand in the stream, less 1: 5 bytes each. 0: they are in the
    // file.
    struct Places {
      static constexpr uint64_t kUnits = 512;
      std::array<uint32_t, kUnits> low = {};
      std::array<uint8_t, kUnits> high = {};
    };

    void Mark(uint64_t unit, bool written);
    bool SetPlace(uint64_t unit, uint64_t at);
    std::optional<uint64_t> AtInStream(uint64_t unit) const;
    void ForgetPlace(uint64_t unit);
    void MakeWritable(uint64_t unit);
    // `get` gives what is at a place.
    template <typename Get>
    Piece NextBy(uint64_t offset, std::span<uint8_t> buffer, Error& error,
                 Get get) const;
    // The unit must be written.
    uint64_t PlaceOf(uint64_t unit) const;

    RamStore& store_;
    const uint64_t base_;  // In the file.
    uint64_t bytes_ = 0;
    std::vector<uint8_t> written_;
    std::vector<std::unique_ptr<Places>> places_;
  };

  // A block, or the one of that name; null, with an error, if a file would not
  // hold it.
  Block* Add(const RamBlock& block);
  // The same for a RamExtractor; the store must outlive it.
  RamExtractor::ImageOf ImageOf();

  // By their names. Pages that never came are zero.
  const std::map<std::string, std::unique_ptr<Block>>& blocks() const {
    return blocks_;
  }
  // kWriteFailed: there is no room. kBlockLimit: limits.bitmap_bytes, which is
  // for all blocks together. kReadFailed: the stream is not as it was.
  const Error& error() const { return error_; }

 private:
  const StreamLimits limits_;
  uint64_t bitmap_bytes_ = 0;  // Of all blocks.
  uint64_t place_bytes_ = 0;   // Likewise.
  KeptBytes kept_;
  std::map<std::string, std::unique_ptr<Block>> blocks_;
  uint64_t end_ = 0;  // Where the next block goes.
  Error error_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_EXTRACT_RAM_STORE_H_
