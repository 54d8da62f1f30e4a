#include "codec/extract/ram_store.h"

#include <algorithm>
#include <limits>
#include <span>
#include <utility>

#include "codec/io/zero_bytes.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

constexpr uint64_t kUnit = RamStore::Block::kUnitBytes;
constexpr uint8_t kZeros[kUnit] = {};
// As many as one call can write.
constexpr size_t kMostGathered = 1024;

}  // namespace

void RamStore::Block::Mark(uint64_t unit, bool written) {
  if (unit / 8 >= written_.size()) {
    if (!written) return;
    // Twice as large, as long as the block and the limit let it.
    const uint64_t left = store_.limits_.bitmap_bytes - store_.bitmap_bytes_;
    const uint64_t most =
        std::min(bytes_ / kUnit / 8 + 1, written_.size() + left);
    const uint64_t bytes = std::max<uint64_t>(
        unit / 8 + 1, std::min<uint64_t>(most, 2 * written_.size()));
    if (bytes - written_.size() > left) {
      store_.error_ = {
          ErrorCode::kBlockLimit, 0, "ram",
          StrCat("memory so large that comparing it takes "
                 "more than the limit of ",
                 store_.limits_.bitmap_bytes, " bytes of bitmaps")};
      return;
    }
    store_.bitmap_bytes_ += bytes - written_.size();
    written_.resize(bytes);
  }
  uint8_t bit = 1 << unit % 8;
  if (written) {
    written_[unit / 8] |= bit;
  } else {
    written_[unit / 8] &= ~bit;
  }
}

// False if it cannot be kept, or is too far for 5 bytes.
bool RamStore::Block::SetPlace(uint64_t unit, uint64_t at) {
  constexpr uint64_t kMaxPlace = (uint64_t{1} << 40) - 1;
  if (at >= kMaxPlace) return false;
  const uint64_t chunk = unit / Places::kUnits;
  if (chunk >= places_.size() || places_[chunk] == nullptr) {
    // The vector counts too, and grows to twice its size at the most.
    const uint64_t more =
        chunk < places_.size() ? 0 : (chunk + 1 - places_.size()) * 2;
    const uint64_t bytes =
        sizeof(Places) + more * sizeof(std::unique_ptr<Places>);
    if (bytes > kMaxPlaceBytes - store_.place_bytes_) return false;
    store_.place_bytes_ += bytes;
    if (chunk >= places_.size()) places_.resize(chunk + 1);
    places_[chunk] = std::make_unique<Places>();
  }
  Places& places = *places_[chunk];
  places.low[unit % Places::kUnits] = static_cast<uint32_t>(at + 1);
  places.high[unit % Places::kUnits] = static_cast<uint8_t>((at + 1) >> 32);
  return true;
}

std::optional<uint64_t> RamStore::Block::AtInStream(uint64_t unit) const {
  const uint64_t chunk = unit / Places::kUnits;
  if (chunk >= places_.size() || places_[chunk] == nullptr) return std::nullopt;
  const Places& places = *places_[chunk];
  const uint64_t place = places.low[unit % Places::kUnits] |
                         uint64_t{places.high[unit % Places::kUnits]} << 32;
  if (place == 0) return std::nullopt;
  return place - 1;
}

void RamStore::Block::ForgetPlace(uint64_t unit) {
  const uint64_t chunk = unit / Places::kUnits;
  if (chunk >= places_.size() || places_[chunk] == nullptr) return;
  places_[chunk]->low[unit % Places::kUnits] = 0;
  places_[chunk]->high[unit % Places::kUnits] = 0;
}

uint64_t RamStore::Block::PlaceOf(uint64_t unit) const {
  if (std::optional<uint64_t> at = AtInStream(unit)) {
    return *store_.kept_.InStream(*at);
  }
  return KeptBytes::InFile(base_ + unit * kUnit);
}

// Puts a unit of which a part is to be written into the file. One without its
// bit may have anything there.
void RamStore::Block::MakeWritable(uint64_t unit) {
  const bool written = IsWritten(unit);
  if (written && !AtInStream(unit)) return;
  uint8_t bytes[kUnit] = {};
  if (written) store_.error_ = store_.kept_.Read(PlaceOf(unit), bytes);
  ForgetPlace(unit);
  if (!store_.error_.ok()) return;
  store_.error_ = store_.kept_.file().WriteAt(base_ + unit * kUnit, bytes);
}

void RamStore::Block::Write(uint64_t offset, ByteSpan bytes) {
  while (!bytes.empty() && store_.error_.ok()) {
    const uint64_t unit = offset / kUnit;
    const size_t here =
        std::min<uint64_t>(bytes.size(), kUnit - offset % kUnit);
    if (here == kUnit) {
      ForgetPlace(unit);
    } else {
      MakeWritable(unit);
      if (!store_.error_.ok()) return;
    }
    store_.error_ =
        store_.kept_.file().WriteAt(base_ + offset, bytes.first(here));
    Mark(unit, true);
    offset += here;
    bytes = bytes.subspan(here);
  }
}

void RamStore::Block::WriteFromStream(uint64_t offset, ByteSpan bytes,
                                      uint64_t at) {
  while (bytes.size() >= kUnit && offset % kUnit == 0 &&
         store_.kept_.InStream(at) && SetPlace(offset / kUnit, at)) {
    Mark(offset / kUnit, true);
    offset += kUnit;
    at += kUnit;
    bytes = bytes.subspan(kUnit);
  }
  Write(offset, bytes);
}

void RamStore::Block::Zero(uint64_t offset, uint64_t bytes) {
  while (bytes > 0 && store_.error_.ok()) {
    const uint64_t unit = offset / kUnit;
    const uint64_t here = std::min(bytes, kUnit - offset % kUnit);
    if (here == kUnit) {
      Mark(unit, false);
    } else if (IsWritten(unit)) {
      MakeWritable(unit);
      if (!store_.error_.ok()) return;
      store_.error_ =
          store_.kept_.file().WriteAt(base_ + offset, ByteSpan(kZeros, here));
    }
    offset += here;
    bytes -= here;
  }
}

void RamStore::Block::Read(uint64_t offset, std::span<uint8_t> bytes) {
  uint8_t buffer[kUnit];
  while (!bytes.empty()) {
    ByteSpan next = Next(offset, buffer).bytes;
    if (next.empty()) return;
    next = next.first(std::min(next.size(), bytes.size()));
    std::copy(next.begin(), next.end(), bytes.begin());
    offset += next.size();
    bytes = bytes.subspan(next.size());
  }
}

RamStore::Block::Piece RamStore::Block::Next(uint64_t offset,
                                             std::span<uint8_t> buffer) {
  return NextBy(
      offset, buffer, store_.error_,
      [this](uint64_t place, std::span<uint8_t> room, ByteSpan& bytes) {
        return store_.kept_.Get(place, room, bytes);
      });
}

RamStore::Block::Piece RamStore::Block::Next(uint64_t offset,
                                             std::span<uint8_t> buffer,
                                             Reader& reader) const {
  return NextBy(offset, buffer, reader.error_,
                [&](uint64_t place, std::span<uint8_t> room, ByteSpan& bytes) {
                  return reader.kept_.Get(place, room, bytes);
                });
}

template <typename Get>
RamStore::Block::Piece RamStore::Block::NextBy(uint64_t offset,
                                               std::span<uint8_t> buffer,
                                               Error& error, Get get) const {
  if (!error.ok() || offset >= bytes_) return {};
  const uint64_t first = offset / kUnit;
  const uint64_t lead = offset % kUnit;
  const uint64_t most = std::min(bytes_ - offset, buffer.size() - lead);
  const bool written = IsWritten(first);
  const uint64_t place = written ? PlaceOf(first) : 0;
  uint64_t here = kUnit - lead;
  for (uint64_t unit = first + 1; here < most; ++unit, here += kUnit) {
    if (IsWritten(unit) != written) break;
    if (written && PlaceOf(unit) != place + (unit - first) * kUnit) break;
  }
  Piece piece;
  const std::span<uint8_t> room = buffer.first(std::min(here, most));
  piece.zero = !written;
  if (written) {
    error = get(place + lead, room, piece.bytes);
    if (!error.ok()) return {};
  } else if (const ByteSpan zeros = ZeroBytes(); room.size() <= zeros.size()) {
    piece.bytes = zeros.first(room.size());
  } else {
    std::fill(room.begin(), room.end(), 0);
    piece.bytes = room;
  }
  return piece;
}

uint64_t RamStore::Block::Gather(uint64_t offset, std::span<uint8_t> buffer,
                                 std::vector<iovec>& views) {
  views.clear();
  auto add = [&](ByteSpan bytes) {
    views.push_back({const_cast<uint8_t*>(bytes.data()), bytes.size()});
  };
  uint64_t unit = offset / kUnit;
  const std::optional<uint64_t> at =
      store_.error_.ok() && offset < bytes_ && IsWritten(unit)
          ? AtInStream(unit)
          : std::nullopt;
  if (!at) {
    const Piece piece = Next(offset, buffer);
    if (!piece.bytes.empty()) add(piece.bytes);
    return piece.bytes.size();
  }
  // Headers stand between them.
  std::array<uint32_t, kMostGathered> leads;
  size_t count = 0;
  uint64_t end = 0;  // From *at.
  for (std::optional<uint64_t> next = at; next && count < leads.size();) {
    const uint64_t lead = *next - *at;
    if (*next < *at + end || lead + kUnit > buffer.size()) break;
    leads[count++] = static_cast<uint32_t>(lead);
    end = lead + kUnit;
    if (++unit * kUnit >= bytes_ || !IsWritten(unit)) break;
    next = AtInStream(unit);
  }
  ByteSpan bytes;
  store_.error_ =
      store_.kept_.Get(*store_.kept_.InStream(*at), buffer.first(end), bytes);
  if (!store_.error_.ok()) return 0;
  for (size_t i = 0; i < count; ++i) add(bytes.subspan(leads[i], kUnit));
  // A block may end within a unit.
  const uint64_t all = std::min(count * kUnit, bytes_ - offset);
  views.back().iov_len -= count * kUnit - all;
  return all;
}

RamExtractor::ImageOf RamStore::ImageOf() {
  return [this](const RamBlock& block) { return Add(block); };
}

std::optional<RamStore::Reader> RamStore::NewReader() const {
  std::optional<KeptBytes::Reader> kept = kept_.NewReader();
  if (!kept) return std::nullopt;
  return Reader(*std::move(kept));
}

RamStore::Block* RamStore::Add(const RamBlock& block) {
  constexpr uint64_t kMax = std::numeric_limits<int64_t>::max() - kUnit;
  if (end_ > kMax || block.used_bytes > kMax - end_) {
    if (error_.ok()) {
      error_ = {ErrorCode::kWriteFailed, 0, "ram",
                StrCat("RAM block '", Printable(block.name), "' of ",
                       block.used_bytes, " bytes would not go into a file")};
    }
    return nullptr;
  }
  auto [place, added] = blocks_.try_emplace(block.name);
  if (added) {
    place->second = std::make_unique<Block>(*this, end_);
    end_ += (block.used_bytes + kUnit - 1) / kUnit * kUnit;
  }
  return place->second.get();
}

}  // namespace migstream
