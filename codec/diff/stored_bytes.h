// Bytes of a stream that are kept to be compared: as KeptBytes that many have
// in common, so that memory is 16 bytes for each piece that stands alone.

#ifndef MIGSTREAM_CODEC_DIFF_STORED_BYTES_H_
#define MIGSTREAM_CODEC_DIFF_STORED_BYTES_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "codec/diff/difference.h"
#include "codec/io/kept_bytes.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"

namespace migstream {

class StoredBytes {
 public:
  // At their end. kWriteFailed if there is no room.
  Error Append(KeptBytes& kept, ByteSpan bytes);
  // The same, of bytes that stand at `offset` of the stream: large ones stay
  // there, where they can be read again.
  Error AppendFromStream(KeptBytes& kept, ByteSpan bytes, uint64_t offset);

  uint64_t size() const { return size_; }

  // As much as there is of these bytes.
  StoredBytes Part(uint64_t offset, uint64_t bytes) const;

 private:
  friend class StoredCursor;
  struct Piece {
    uint64_t at = 0;     // In these bytes: up to the next piece's.
    uint64_t place = 0;  // In the KeptBytes.
  };
  void Add(uint64_t place, uint64_t bytes);
  uint64_t EndOf(size_t piece) const {
    return piece + 1 < pieces_.size() ? pieces_[piece + 1].at : size_;
  }

  std::vector<Piece> pieces_;
  uint64_t size_ = 0;
};

// Reads them from their start.
class StoredCursor {
 public:
  StoredCursor(const KeptBytes& kept, const StoredBytes& bytes)
      : kept_(kept), bytes_(bytes) {}

  // Fills `bytes`, of which there must be so many left.
  Error Read(std::span<uint8_t> bytes);
  // Likewise.
  void Skip(uint64_t bytes);

 private:
  void Advance(uint64_t bytes);

  const KeptBytes& kept_;
  const StoredBytes& bytes_;
  size_t piece_ = 0;
  uint64_t at_ = 0;
};

// Whether both are the same bytes. Errors are those of reading them.
Error IsSameStored(const KeptBytes& kept_a, const StoredBytes& a,
                   const KeptBytes& kept_b, const StoredBytes& b, bool& same);

// Adds the ranges in which both differ, as far as the shorter goes:
// "WHAT 0x100-0x1ff". What the bytes are is not printed.
Error CompareStored(const std::string& what, const KeptBytes& kept_a,
                    const StoredBytes& a, const KeptBytes& kept_b,
                    const StoredBytes& b, Differences& out);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DIFF_STORED_BYTES_H_
