#include "codec/diff/stored_bytes.h"

#include <algorithm>
#include <span>

#include "codec/wire/text.h"

namespace migstream {
namespace {

constexpr size_t kCompareBytes = 64 << 10;
// A piece of its own, in memory, costs little beside so many bytes.
constexpr size_t kLargeBytes = 32 << 10;

}  // namespace

Error StoredBytes::Append(KeptBytes& kept, ByteSpan bytes) {
  if (bytes.empty()) return {};
  uint64_t place = 0;
  Error error = kept.Append(bytes, place);
  if (error.ok()) Add(place, bytes.size());
  return error;
}

Error StoredBytes::AppendFromStream(KeptBytes& kept, ByteSpan bytes,
                                    uint64_t offset) {
  if (bytes.size() < kLargeBytes) return Append(kept, bytes);
  const std::optional<uint64_t> place = kept.InStream(offset);
  if (!place) return Append(kept, bytes);
  Add(*place, bytes.size());
  return {};
}

void StoredBytes::Add(uint64_t place, uint64_t bytes) {
  const bool follows =
      !pieces_.empty() &&
      pieces_.back().place + (size_ - pieces_.back().at) == place;
  if (!follows) pieces_.push_back({size_, place});
  size_ += bytes;
}

StoredBytes StoredBytes::Part(uint64_t offset, uint64_t bytes) const {
  StoredBytes part;
  if (offset >= size_) return part;
  part.size_ = std::min(bytes, size_ - offset);
  const uint64_t end = offset + part.size_;
  auto piece = std::upper_bound(
      pieces_.begin(), pieces_.end(), offset,
      [](uint64_t at, const Piece& piece) { return at < piece.at; });
  for (--piece; piece != pieces_.end() && piece->at < end; ++piece) {
    uint64_t from = std::max(piece->at, offset);
    part.pieces_.push_back({from - offset, piece->place + (from - piece->at)});
  }
  return part;
}

void StoredCursor::Advance(uint64_t bytes) {
  at_ += bytes;
  while (piece_ < bytes_.pieces_.size() && bytes_.EndOf(piece_) <= at_) {
    ++piece_;
  }
}

Error StoredCursor::Read(std::span<uint8_t> bytes) {
  while (!bytes.empty()) {
    const StoredBytes::Piece& piece = bytes_.pieces_[piece_];
    size_t here = std::min<uint64_t>(bytes.size(), bytes_.EndOf(piece_) - at_);
    Error error = kept_.Read(piece.place + (at_ - piece.at), bytes.first(here));
    if (!error.ok()) return error;
    bytes = bytes.subspan(here);
    Advance(here);
  }
  return {};
}

void StoredCursor::Skip(uint64_t bytes) { Advance(bytes); }

namespace {

// Gives blocks of both, one after the other, as far as the shorter goes, and as
// long as `use` says true.
template <typename Use>
Error ForEachBlock(const KeptBytes& kept_a, const StoredBytes& a,
                   const KeptBytes& kept_b, const StoredBytes& b, Use use) {
  StoredCursor cursor_a(kept_a, a);
  StoredCursor cursor_b(kept_b, b);
  std::vector<uint8_t> bytes_a, bytes_b;
  const uint64_t common = std::min(a.size(), b.size());
  for (uint64_t offset = 0; offset < common; offset += bytes_a.size()) {
    bytes_a.resize(std::min<uint64_t>(kCompareBytes, common - offset));
    bytes_b.resize(bytes_a.size());
    Error error = cursor_a.Read(bytes_a);
    if (error.ok()) error = cursor_b.Read(bytes_b);
    if (!error.ok()) return error;
    if (!use(offset, bytes_a, bytes_b)) break;
  }
  return {};
}

}  // namespace

Error IsSameStored(const KeptBytes& kept_a, const StoredBytes& a,
                   const KeptBytes& kept_b, const StoredBytes& b, bool& same) {
  same = a.size() == b.size();
  if (!same) return {};
  return ForEachBlock(kept_a, a, kept_b, b,
                      [&](uint64_t, const auto& bytes_a, const auto& bytes_b) {
                        same = bytes_a == bytes_b;
                        return same;
                      });
}

Error CompareStored(const std::string& what, const KeptBytes& kept_a,
                    const StoredBytes& a, const KeptBytes& kept_b,
                    const StoredBytes& b, Differences& out) {
  DifferenceKind ranges(out, StrCat("ranges of ", what));
  uint64_t first = 0;
  bool open = false;
  auto close = [&](uint64_t end) {
    if (open && ranges.IsListed()) {
      out.Add(StrCat(what, " ", Hex(first), "-", Hex(end - 1)),
              StrCat(end - first, " bytes"), "differ");
    }
    open = false;
  };
  Error error = ForEachBlock(
      kept_a, a, kept_b, b,
      [&](uint64_t offset, const auto& bytes_a, const auto& bytes_b) {
        if (!open && bytes_a == bytes_b) return true;
        for (size_t i = 0; i < bytes_a.size(); ++i) {
          bool differs = bytes_a[i] != bytes_b[i];
          if (differs && !open) first = offset + i;
          if (!differs) close(offset + i);
          open |= differs;
        }
        return true;
      });
  close(std::min(a.size(), b.size()));
  return error;
}

}  // namespace migstream
