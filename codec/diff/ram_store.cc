#include "codec/diff/ram_store.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <span>

#include "codec/wire/printable.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

constexpr uint64_t kUnit = RamStore::Block::kUnitBytes;
constexpr uint8_t kZeros[kUnit] = {};

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

// A unit without its bit may hold anything in the file.
void RamStore::Block::Write(uint64_t offset, ByteSpan bytes) {
  while (!bytes.empty() && store_.error_.ok()) {
    const uint64_t unit = offset / kUnit;
    const size_t here =
        std::min<uint64_t>(bytes.size(), kUnit - offset % kUnit);
    if (here < kUnit && !IsWritten(unit)) {
      store_.error_ = store_.file_.WriteAt(base_ + unit * kUnit, kZeros);
      if (!store_.error_.ok()) return;
    }
    store_.error_ = store_.file_.WriteAt(base_ + offset, bytes.first(here));
    Mark(unit, true);
    offset += here;
    bytes = bytes.subspan(here);
  }
}

void RamStore::Block::Zero(uint64_t offset, uint64_t bytes) {
  while (bytes > 0 && store_.error_.ok()) {
    const uint64_t unit = offset / kUnit;
    const uint64_t here = std::min(bytes, kUnit - offset % kUnit);
    if (here == kUnit) {
      Mark(unit, false);
    } else if (IsWritten(unit)) {
      store_.error_ =
          store_.file_.WriteAt(base_ + offset, ByteSpan(kZeros, here));
    }
    offset += here;
    bytes -= here;
  }
}

void RamStore::Block::Read(uint64_t offset, std::span<uint8_t> bytes) {
  while (!bytes.empty() && store_.error_.ok()) {
    const size_t here =
        std::min<uint64_t>(bytes.size(), kUnit - offset % kUnit);
    if (IsWritten(offset / kUnit)) {
      store_.error_ = store_.file_.ReadAt(base_ + offset, bytes.first(here));
    } else {
      std::fill_n(bytes.data(), here, 0);
    }
    offset += here;
    bytes = bytes.subspan(here);
  }
}

RamExtractor::ImageOf RamStore::ImageOf() {
  return [this](const RamBlock& block) -> RamImage* {
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
  };
}

RamDifference CompareBlocks(RamStore::Block& a, RamStore::Block& b,
                            uint64_t page_bytes) {
  RamDifference difference;
  const uint64_t both = std::min(a.bytes(), b.bytes());
  const uint64_t units =
      std::min(std::max(a.units(), b.units()), (both + kUnit - 1) / kUnit);
  uint64_t last_page = ~uint64_t{0};
  uint8_t bytes_a[kUnit], bytes_b[kUnit];
  for (uint64_t unit = 0; unit < units; ++unit) {
    const uint64_t offset = unit * kUnit;
    if (offset / page_bytes == last_page) continue;
    if (!a.IsWritten(unit) && !b.IsWritten(unit)) continue;
    const size_t here = std::min(kUnit, both - offset);
    a.Read(offset, std::span(bytes_a, here));
    b.Read(offset, std::span(bytes_b, here));
    if (std::memcmp(bytes_a, bytes_b, here) == 0) continue;
    last_page = offset / page_bytes;
    if (difference.pages++ == 0) difference.first = last_page * page_bytes;
  }
  return difference;
}

}  // namespace migstream
