#include "codec/diff/ram_difference.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "codec/io/ordered_work.h"

namespace migstream {
namespace {

using Block = RamStore::Block;

constexpr uint64_t kUnit = Block::kUnitBytes;
constexpr size_t kBufferBytes = 16 * kUnit;
// A thread compares so much at a time, of a block that is worth the threads.
constexpr uint64_t kRangeBytes = 16 << 20;
constexpr uint64_t kLargeBytes = 48 << 20;

// Part of two blocks: whole pages, or up to where they end.
struct Range {
  uint64_t begin = 0;
  uint64_t end = 0;
  RamDifference difference = {};
};

// Compares ranges of two blocks, each read by a function of its own.
class Comparison {
 public:
  using Next = std::function<Block::Piece(uint64_t, std::span<uint8_t>)>;

  Comparison(uint64_t page_bytes, Next next_a, Next next_b)
      : page_bytes_(page_bytes),
        next_a_(std::move(next_a)),
        next_b_(std::move(next_b)),
        buffer_a_(kBufferBytes),
        buffer_b_(kBufferBytes) {}

  // Ends early where reading fails.
  void Compare(Range& range) {
    RamDifference& difference = range.difference;
    uint64_t last_page = ~uint64_t{0};
    for (uint64_t offset = range.begin; offset < range.end;) {
      const Block::Piece piece_a = next_a_(offset, buffer_a_);
      const Block::Piece piece_b = next_b_(offset, buffer_b_);
      const size_t common = std::min<uint64_t>(
          {piece_a.bytes.size(), piece_b.bytes.size(), range.end - offset});
      if (common == 0) break;
      const uint8_t* bytes_a = piece_a.bytes.data();
      const uint8_t* bytes_b = piece_b.bytes.data();
      if ((piece_a.zero && piece_b.zero) ||
          std::memcmp(bytes_a, bytes_b, common) == 0) {
        offset += common;
        continue;
      }
      for (size_t at = 0; at < common; at += kUnit) {
        const size_t here = std::min<uint64_t>(kUnit, common - at);
        const uint64_t page = (offset + at) / page_bytes_;
        if (page == last_page ||
            std::memcmp(bytes_a + at, bytes_b + at, here) == 0) {
          continue;
        }
        last_page = page;
        if (difference.pages++ == 0) difference.first = page * page_bytes_;
      }
      offset += common;
    }
  }

 private:
  const uint64_t page_bytes_;
  const Next next_a_;
  const Next next_b_;
  std::vector<uint8_t> buffer_a_;
  std::vector<uint8_t> buffer_b_;
};

// One thread's.
struct Reading {
  RamStore::Reader a;
  RamStore::Reader b;
};

std::optional<Reading> NewReading(const Block& a, const Block& b) {
  std::optional<RamStore::Reader> reader_a = a.NewReader();
  std::optional<RamStore::Reader> reader_b = b.NewReader();
  if (!reader_a || !reader_b) return std::nullopt;
  return Reading{*std::move(reader_a), *std::move(reader_b)};
}

const Error& FirstOf(const Error& a, const Error& b) { return a.ok() ? b : a; }

void Add(const RamDifference& more, RamDifference& all) {
  if (all.pages == 0) all.first = more.first;
  all.pages += more.pages;
  all.error = more.error;
}

}  // namespace

RamDifference CompareBlocks(Block& a, Block& b, uint64_t page_bytes,
                            int threads) {
  RamDifference all;
  all.error = FirstOf(a.error(), b.error());
  if (!all.error.ok()) return all;
  const uint64_t end =
      std::min({a.bytes(), b.bytes(), std::max(a.units(), b.units()) * kUnit});
  // One for each thread; made here, where both can be looked at.
  std::vector<Reading> readings;
  const int most =
      end < kLargeBytes ? 1 : std::min(threads, kMostCompareThreads);
  while (most > 1 && static_cast<int>(readings.size()) < most) {
    std::optional<Reading> reading = NewReading(a, b);
    if (!reading) break;
    readings.push_back(*std::move(reading));
  }
  if (readings.size() < 2) {
    auto next = [](Block& block) {
      return [&block](uint64_t offset, std::span<uint8_t> buffer) {
        return block.Next(offset, buffer);
      };
    };
    Range range = {.begin = 0, .end = end};
    Comparison(page_bytes, next(a), next(b)).Compare(range);
    range.difference.error = FirstOf(a.error(), b.error());
    return range.difference;
  }

  std::atomic<size_t> taken = 0;
  OrderedWork<Range> work(static_cast<int>(readings.size()), [&] {
    Reading& reading = readings[taken++];
    auto next = [](const Block& block, RamStore::Reader& reader) {
      return [&block, &reader](uint64_t offset, std::span<uint8_t> buffer) {
        return block.Next(offset, buffer, reader);
      };
    };
    auto comparison = std::make_shared<Comparison>(
        page_bytes, next(a, reading.a), next(b, reading.b));
    return [comparison, &reading](Range& range) {
      comparison->Compare(range);
      range.difference.error = FirstOf(reading.a.error(), reading.b.error());
    };
  });
  const uint64_t range_bytes =
      (kRangeBytes + page_bytes - 1) / page_bytes * page_bytes;
  uint64_t begin = 0;
  while (all.error.ok() && (begin < end || work.size() != 0)) {
    // One more for each thread, so that none waits.
    while (begin < end && work.size() < 2 * readings.size()) {
      const uint64_t bytes = std::min(range_bytes, end - begin);
      work.Add({.begin = begin, .end = begin + bytes});
      begin += bytes;
    }
    Add(work.Take().difference, all);
  }
  return all;
}

}  // namespace migstream
