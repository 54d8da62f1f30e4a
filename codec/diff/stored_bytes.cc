#include "codec/diff/stored_bytes.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "codec/wire/text.h"
#include "flags/tag.h"

namespace migstream {
namespace {

constexpr size_t kCompareBytes = 64 << 10;
// A run ends with the first record behind so many bytes: to come to a place in
// it, its records are stepped over.
constexpr uint64_t kRunBytes = 256 << 10;

}  // namespace

Error StoredBytes::Append(KeptBytes& kept, ByteSpan bytes) {
  if (bytes.empty()) return {};
  // Where others are appended in turn, room is kept for what follows.
  if (bytes.size() > room_bytes_ && bytes.size() < kLargeBytes &&
      !Follows(kept.Reserve(0)) &&
      (pieces_.size() >= kMostScattered || !kept.TakePiece())) {
    room_at_ = kept.Reserve(kLargeBytes);
    room_bytes_ = kLargeBytes;
  }
  uint64_t place = room_at_;
  Error error;
  if (bytes.size() <= room_bytes_) {
    error = kept.Write(place, bytes);
    room_at_ += bytes.size();
    room_bytes_ -= bytes.size();
  } else {
    error = kept.Append(bytes, place);
  }
  if (error.ok()) Add(place, bytes.size());
  return error;
}

Error StoredBytes::AppendPiece(KeptBytes& kept, const Event& event) {
  const uint64_t size = event.payload.size();
  if (AddToRun(kept, event.offset, 0, event.starts_record, size)) return {};
  const uint64_t offset =
      event.offset + (event.starts_record ? kRecordHeaderBytes : 0);
  const std::optional<uint64_t> place = kept.InStream(offset);
  if (!place || size < kLargeBytes) return Append(kept, event.payload);
  Add(*place, size);
  return {};
}

Error StoredBytes::AppendRecords(KeptBytes& kept,
                                 const DeviceRecords& records) {
  Error error;
  records.ForEach([&](uint64_t offset, ByteSpan payload) {
    if (error.ok() &&
        !AddToRun(kept, offset, records.between, true, payload.size())) {
      error = Append(kept, payload);
    }
  });
  return error;
}

// Payload at `offset`, or a record's header there and its payload so far.
// False: there is no run to which it could be added, and none may begin here.
bool StoredBytes::AddToRun(KeptBytes& kept, uint64_t offset, uint8_t between,
                           bool header, uint64_t bytes) {
  const uint64_t all = bytes + (header ? kRecordHeaderBytes : 0);
  // Nothing stands between what comes of one record.
  const uint64_t gap = header ? between : 0;
  const bool follows = !pieces_.empty() && pieces_.back().run_bytes != 0 &&
                       offset == run_end_ + gap &&
                       (!header || pieces_.back().between == between);
  if (follows && !(header && pieces_.back().run_bytes >= kRunBytes)) {
    pieces_.back().run_bytes += gap + all;
  } else {
    if (!header || bytes == 0) return false;
    const std::optional<uint64_t> place = kept.InStream(offset);
    if (!place) return false;
    if (pieces_.size() >= size_ / kLargeBytes && !kept.TakePiece()) {
      return false;
    }
    Piece& run = pieces_.emplace_back();
    run.at = size_;
    run.place = *place;
    run.run_bytes = all;
    run.between = between;
  }
  size_ += bytes;
  run_end_ = offset + all;
  return true;
}

// Whether the last piece ends there, and can be longer.
bool StoredBytes::Follows(uint64_t place) const {
  return !pieces_.empty() && pieces_.back().run_bytes == 0 &&
         pieces_.back().place + (size_ - pieces_.back().at) == place;
}

void StoredBytes::Add(uint64_t place, uint64_t bytes) {
  if (!Follows(place)) pieces_.push_back({.at = size_, .place = place});
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
    const uint64_t from = std::max(piece->at, offset);
    Piece& copy = part.pieces_.emplace_back(*piece);
    copy.at = from - offset;
    (copy.run_bytes == 0 ? copy.place : copy.skipped) += from - piece->at;
  }
  return part;
}

void StoredCursor::Advance(uint64_t bytes) {
  at_ += bytes;
  while (piece_ < bytes_.pieces_.size() && bytes_.EndOf(piece_) <= at_) {
    ++piece_;
    next_in_run_.reset();
  }
}

Error StoredCursor::Read(std::span<uint8_t> bytes) {
  while (!bytes.empty()) {
    const size_t here = std::min<uint64_t>(bytes.size(), left_in_piece());
    Error error =
        piece().run_bytes != 0
            ? ReadRun(bytes.first(here))
            : kept_.Read(piece().place + (at_ - piece().at), bytes.first(here));
    if (!error.ok()) return error;
    bytes = bytes.subspan(here);
    Advance(here);
  }
  return {};
}

Error StoredCursor::ReadRun(std::span<uint8_t> bytes) {
  raw_ = {};  // The source may have been used by others.
  ByteSpan payload;
  if (!next_in_run_) {
    next_in_run_ = 0;
    record_left_ = 0;
    uint64_t skipped = piece().skipped + (at_ - piece().at);
    while (skipped != 0) {
      if (Error error = Step(skipped, payload); !error.ok()) return error;
      skipped -= payload.size();
    }
  }
  while (!bytes.empty()) {
    if (Error error = Step(bytes.size(), payload); !error.ok()) return error;
    std::copy(payload.begin(), payload.end(), bytes.begin());
    bytes = bytes.subspan(payload.size());
  }
  return {};
}

// The next payload of the run, at most so much of it. Never nothing for ever:
// each header takes some of the run.
Error StoredCursor::Step(uint64_t most, ByteSpan& payload) {
  const size_t gap = *next_in_run_ == 0 ? 0 : piece().between;
  const size_t needed = record_left_ == 0 ? gap + kRecordHeaderBytes : 1;
  const uint64_t left = piece().run_bytes - *next_in_run_;
  if (left < needed) {
    return {ErrorCode::kReadFailed, 0, "",
            "the stream has changed while it was read"};
  }
  if (raw_.size() < needed) {
    buffer_.resize(kCompareBytes);
    const size_t here = std::min<uint64_t>(buffer_.size(), left);
    Error error = kept_.Get(piece().place + *next_in_run_,
                            std::span(buffer_).first(here), raw_);
    if (!error.ok()) return error;
  }
  size_t taken = 0;
  if (record_left_ == 0) {
    record_left_ = LoadBe64(raw_.data() + gap + kTagBytes);
    taken = gap + kRecordHeaderBytes;
  }
  payload = raw_.subspan(taken);
  payload =
      payload.first(std::min<uint64_t>({payload.size(), record_left_, most}));
  taken += payload.size();
  record_left_ -= payload.size();
  raw_ = raw_.subspan(taken);
  *next_in_run_ += taken;
  return {};
}

void StoredCursor::Skip(uint64_t bytes) {
  Advance(bytes);
  next_in_run_.reset();
}

Error StoredCursor::SameRun(StoredCursor& other, uint64_t most,
                            uint64_t& bytes) {
  bytes = 0;
  // A source has one good view at a time.
  if (&kept_ == &other.kept_ || piece_ >= bytes_.pieces_.size() ||
      other.piece_ >= other.bytes_.pieces_.size()) {
    return {};
  }
  const StoredBytes::Piece& a = piece();
  const StoredBytes::Piece& b = other.piece();
  const uint64_t size = left_in_piece();
  if (a.run_bytes == 0 || a.run_bytes != b.run_bytes ||
      a.skipped != b.skipped || at_ != a.at || other.at_ != b.at ||
      size != other.left_in_piece() || size > most) {
    return {};
  }
  buffer_.resize(kCompareBytes);
  other.buffer_.resize(kCompareBytes);
  for (uint64_t at = 0; at < a.run_bytes;) {
    const size_t here = std::min<uint64_t>(kCompareBytes, a.run_bytes - at);
    ByteSpan raw_a, raw_b;
    Error error =
        kept_.Get(a.place + at, std::span(buffer_).first(here), raw_a);
    if (error.ok()) {
      error = other.kept_.Get(b.place + at,
                              std::span(other.buffer_).first(here), raw_b);
    }
    if (!error.ok()) return error;
    if (std::memcmp(raw_a.data(), raw_b.data(), here) != 0) return {};
    at += here;
  }
  bytes = size;
  return {};
}

namespace {

// Gives blocks of both, one after the other, as far as the shorter goes, and as
// long as `use` says true; of what is the same in both, as few as can be, and
// `same` where it begins.
template <typename Same, typename Use>
Error ForEachBlock(const KeptBytes& kept_a, const StoredBytes& a,
                   const KeptBytes& kept_b, const StoredBytes& b, Same same,
                   Use use) {
  StoredCursor cursor_a(kept_a, a);
  StoredCursor cursor_b(kept_b, b);
  std::vector<uint8_t> bytes_a, bytes_b;
  const uint64_t common = std::min(a.size(), b.size());
  for (uint64_t offset = 0; offset < common;) {
    uint64_t in_run = 0;
    Error error = cursor_a.SameRun(cursor_b, common - offset, in_run);
    if (!error.ok()) return error;
    if (in_run != 0) {
      same(offset);
      cursor_a.Skip(in_run);
      cursor_b.Skip(in_run);
      offset += in_run;
      continue;
    }
    bytes_a.resize(std::min<uint64_t>({kCompareBytes, common - offset,
                                       cursor_a.left_in_piece(),
                                       cursor_b.left_in_piece()}));
    bytes_b.resize(bytes_a.size());
    error = cursor_a.Read(bytes_a);
    if (error.ok()) error = cursor_b.Read(bytes_b);
    if (!error.ok()) return error;
    if (!use(offset, bytes_a, bytes_b)) break;
    offset += bytes_a.size();
  }
  return {};
}

}  // namespace

Error IsSameStored(const KeptBytes& kept_a, const StoredBytes& a,
                   const KeptBytes& kept_b, const StoredBytes& b, bool& same) {
  same = a.size() == b.size();
  if (!same) return {};
  return ForEachBlock(
      kept_a, a, kept_b, b, [](uint64_t) {},
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
      kept_a, a, kept_b, b, close,
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
