// Bytes of a stream that are kept to be compared: as KeptBytes that many have
// in common. Payload of DATA records that can be read again stays in the stream
// as runs of them, headers and all, so that equal runs of two streams are
// compared where they stand. Memory is 32 bytes for each run or other piece
// that stands alone: one for each kLargeBytes, and KeptBytes::kMostPieces more
// for all that share the KeptBytes, of which no more than kMostScattered of
// each are no runs.

#ifndef MIGSTREAM_CODEC_DIFF_STORED_BYTES_H_
#define MIGSTREAM_CODEC_DIFF_STORED_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "codec/device/device_records.h"
#include "codec/device/event.h"
#include "codec/diff/difference.h"
#include "codec/io/kept_bytes.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"

namespace migstream {

class StoredBytes {
 public:
  static constexpr size_t kMostScattered = 64;
  static constexpr size_t kLargeBytes = 32 << 10;

  // At their end. kWriteFailed if there is no room.
  Error Append(KeptBytes& kept, ByteSpan bytes);
  // The same, of the payload of a DATA event, and of many records.
  Error AppendPiece(KeptBytes& kept, const Event& event);
  Error AppendRecords(KeptBytes& kept, const DeviceRecords& records);

  uint64_t size() const { return size_; }

  // As much as there is of these bytes.
  StoredBytes Part(uint64_t offset, uint64_t bytes) const;

 private:
  friend class StoredCursor;
  struct Piece {
    uint64_t at = 0;     // In these bytes: up to the next piece's.
    uint64_t place = 0;  // In the KeptBytes; of a run: of its first header.
    // From there to the last payload's end; 0: no run.
    uint64_t run_bytes : 56 = 0;
    // In a run, what stands between a payload and the next header.
    uint64_t between : 8 = 0;
    uint64_t skipped = 0;  // Payload in front of a run's that does not count.
  };
  bool Follows(uint64_t place) const;
  void Add(uint64_t place, uint64_t bytes);
  bool AddToRun(KeptBytes& kept, uint64_t offset, uint8_t between, bool header,
                uint64_t bytes);
  uint64_t EndOf(size_t piece) const {
    return piece + 1 < pieces_.size() ? pieces_[piece + 1].at : size_;
  }

  std::vector<Piece> pieces_;
  uint64_t size_ = 0;
  uint64_t run_end_ = 0;  // Of the last piece, if it is a run: in the stream.
  // What is left of the last room that was reserved.
  uint64_t room_at_ = 0;
  uint64_t room_bytes_ = 0;
};

// Reads them from their start; or steps over what another has too, by SameRun()
// and Skip().
class StoredCursor {
 public:
  StoredCursor(const KeptBytes& kept, const StoredBytes& bytes)
      : kept_(kept), bytes_(bytes) {}

  // Fills `bytes`, of which there must be so many left. kReadFailed: they are
  // not there any more.
  Error Read(std::span<uint8_t> bytes);
  // Likewise.
  void Skip(uint64_t bytes);
  // If both stand where runs begin that are the same to the last byte: how many
  // bytes of payload those have, which are not more than `most`; else 0.
  Error SameRun(StoredCursor& other, uint64_t most, uint64_t& bytes);
  // Up to where the next piece begins. There must be any left.
  uint64_t left_in_piece() const { return bytes_.EndOf(piece_) - at_; }

 private:
  const StoredBytes::Piece& piece() const { return bytes_.pieces_[piece_]; }
  void Advance(uint64_t bytes);
  Error ReadRun(std::span<uint8_t> bytes);
  Error Step(uint64_t most, ByteSpan& payload);

  const KeptBytes& kept_;
  const StoredBytes& bytes_;
  size_t piece_ = 0;
  uint64_t at_ = 0;
  // In a run: what of it comes next, if at_ was come to by reading.
  std::optional<uint64_t> next_in_run_;
  uint64_t record_left_ = 0;
  ByteSpan raw_;  // Of the run, from next_in_run_ on.
  std::vector<uint8_t> buffer_;
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
