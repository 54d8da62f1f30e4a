// Reads what a StreamState has kept of one device's payload, from its start.

#ifndef MIGSTREAM_CODEC_DIFF_PAYLOAD_CURSOR_H_
#define MIGSTREAM_CODEC_DIFF_PAYLOAD_CURSOR_H_

#include <algorithm>
#include <cstdint>

#include "absl/types/span.h"
#include "codec/diff/stream_state.h"

namespace migstream {

class PayloadCursor {
 public:
  // Both must outlive the cursor.
  PayloadCursor(const TempFile& file, const VfioState& device)
      : file_(file), device_(device) {}

  // Fills `bytes`, of which there must be so many left.
  Error Read(absl::Span<uint8_t> bytes) {
    while (!bytes.empty()) {
      const VfioState::Piece& piece = device_.payload[piece_];
      size_t here = std::min<uint64_t>(bytes.size(), piece.bytes - in_piece_);
      Error error = file_.ReadAt(piece.offset + in_piece_, bytes.first(here));
      if (!error.ok()) return error;
      bytes.remove_prefix(here);
      in_piece_ += here;
      if (in_piece_ < piece.bytes) continue;
      ++piece_;
      in_piece_ = 0;
    }
    return {};
  }

 private:
  const TempFile& file_;
  const VfioState& device_;
  size_t piece_ = 0;
  uint64_t in_piece_ = 0;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DIFF_PAYLOAD_CURSOR_H_
