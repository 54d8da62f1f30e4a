#include "codec/io/ahead_source.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace migstream {

AheadSource::AheadSource(std::unique_ptr<ByteSource> source)
    : source_(std::move(source)),
      raw_size_(source_->raw_size()),
      shown_at_(source_->offset()),
      read_at_(shown_at_),
      work_(1, [&from = *source_] {
        return [&from](Piece& piece) { ReadPiece(from, piece); };
      }) {
  Restart(shown_at_);
  shown_.raw_offset = source_->raw_offset();
  source_->SetReadAhead(true);
  for (size_t i = 0; i < kPieces - 1; ++i) work_.Add({});
}

void AheadSource::ReadPiece(ByteSource& source, Piece& piece) {
  piece.bytes.reserve(kPieceBytes);
  piece.bytes.clear();
  while (piece.bytes.size() < kPieceBytes) {
    const ByteSpan there = source.Peek(1);
    if (there.empty()) break;
    const size_t here =
        std::min(there.size(), kPieceBytes - piece.bytes.size());
    const ByteSpan taken = there.first(here);
    piece.bytes.insert(piece.bytes.end(), taken.begin(), taken.end());
    source.Consume(here);
  }
  piece.raw_offset = source.raw_offset();
  piece.padding_bytes = source.padding_bytes();
  piece.failure = source.failure();
}

bool AheadSource::NextPiece() {
  if (ended_) return false;
  shown_at_ += shown_.bytes.size();
  Piece next = work_.Take();
  // Its memory is used again.
  work_.Add(std::move(shown_));
  shown_ = std::move(next);
  if (!shown_.bytes.empty()) return true;
  ended_ = true;
  if (!shown_.failure.empty()) Fail(shown_.failure);
  return false;
}

size_t AheadSource::Read(uint8_t* to, size_t count) {
  if (viewed_) read_at_ = offset();
  viewed_ = false;
  if (read_at_ == shown_at_ + shown_.bytes.size() && !NextPiece()) return 0;
  const ByteSpan left = ByteSpan(shown_.bytes).subspan(read_at_ - shown_at_);
  count = std::min(count, left.size());
  std::memcpy(to, left.data(), count);
  read_at_ += count;
  return count;
}

std::optional<ByteSpan> AheadSource::View(size_t count) {
  const uint64_t at = offset();
  // What is left of the piece before has been read into the buffer.
  if (at < shown_at_) return std::nullopt;
  if (at == shown_at_ + shown_.bytes.size() && !NextPiece()) {
    return std::nullopt;
  }
  const ByteSpan left = ByteSpan(shown_.bytes).subspan(at - shown_at_);
  if (left.size() < count) return std::nullopt;
  viewed_ = true;
  return left;
}

}  // namespace migstream
