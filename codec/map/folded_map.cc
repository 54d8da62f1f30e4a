#include "codec/map/folded_map.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace migstream {
namespace {

// More owners than that in a row are "others".
constexpr size_t kMostShares = 6;
// And in all: a channel may name a device in each of its packets.
constexpr size_t kMostOwners = 10000;
constexpr char kOthers[] = "others";

FoldedMap::Share ShareOf(const MapRange& range) {
  return {range.owner, range.kind, range.bytes, range.count};
}

bool IsPart(const MapRange& range) { return range.what.starts_with("PART"); }

bool IsEmptyPart(const MapRange& range) { return range.what == "PART, empty"; }

void AddShare(const FoldedMap::Share& share,
              std::vector<FoldedMap::Share>& shares) {
  auto known = std::find_if(
      shares.begin(), shares.end(),
      [&](const FoldedMap::Share& s) { return s.owner == share.owner; });
  if (known == shares.end() && shares.size() >= kMostShares) {
    known = shares.end() - 1;
    known->owner = kOthers;
  }
  if (known == shares.end()) {
    shares.push_back(share);
  } else {
    known->bytes += share.bytes;
    known->count += share.count;
  }
}

void Join(FoldedMap::Row& to, const FoldedMap::Row& from) {
  if (to.shares.empty()) to.shares.push_back(ShareOf(to.range));
  if (from.shares.empty()) {
    AddShare(ShareOf(from.range), to.shares);
  } else {
    for (const FoldedMap::Share& share : from.shares) {
      AddShare(share, to.shares);
    }
  }
  if (to.range.what != from.range.what) {
    to.range.what = IsPart(to.range) && IsPart(from.range) ? "PART" : "section";
  }
  to.range.detail.clear();
  to.range.bytes += from.range.bytes;
  to.range.count += from.range.count;
  to.range.records += from.range.records;
  to.range.payload_bytes += from.range.payload_bytes;
  to.range.pages += from.range.pages;
  to.range.zero_pages += from.range.zero_pages;
  if (from.range.kind != to.range.kind) to.range.kind = MapKind::kMixed;
}

// What it costs the reader of the map that these two are one row: first how
// unlike they are.
using Cost = std::pair<int, uint64_t>;

Cost CostOf(const MapRange& a, const MapRange& b) {
  int unlike = 0;
  if (!IsPart(a) || !IsPart(b)) ++unlike;
  if (a.round != b.round) ++unlike;
  if (a.stopped != b.stopped || a.cut || b.cut) unlike += 3;
  return {unlike, a.bytes + b.bytes};
}

}  // namespace

void FoldedMap::Add(const MapRange& range) {
  ++ranges_;
  bytes_ += range.bytes;
  const bool full =
      totals_.size() >= kMostOwners && !totals_.contains(range.owner);
  Share& total = totals_[full ? kOthers : range.owner];
  total.owner = full ? kOthers : range.owner;
  total.kind = full ? MapKind::kOther : range.kind;
  total.bytes += range.bytes;
  total.count += range.count;
  // Between two rounds QEMU asks each handler again and again, and in turn.
  if (!rows_.empty() && IsEmptyPart(range) && IsEmptyPart(rows_.back().range) &&
      CostOf(rows_.back().range, range).first == 0) {
    Join(rows_.back(), {range, {}});
    return;
  }
  rows_.push_back({range, {}});
  if (rows_.size() > 2 * most_rows_) Fold();
}

void FoldedMap::Fold() {
  while (rows_.size() > most_rows_) {
    std::vector<Cost> costs;
    for (size_t i = 1; i < rows_.size(); ++i) {
      costs.push_back(CostOf(rows_[i - 1].range, rows_[i].range));
    }
    const auto nth =
        costs.begin() + static_cast<ptrdiff_t>(rows_.size() - most_rows_ - 1);
    std::nth_element(costs.begin(), nth, costs.end());
    const Cost most = *nth;
    std::vector<Row> rows;
    for (Row& row : rows_) {
      if (!rows.empty() && CostOf(rows.back().range, row.range) <= most) {
        Join(rows.back(), row);
      } else {
        rows.push_back(std::move(row));
      }
    }
    rows_ = std::move(rows);
  }
}

std::vector<FoldedMap::Share> FoldedMap::Totals(size_t most) const {
  std::vector<Share> totals;
  for (const auto& [name, share] : totals_) totals.push_back(share);
  std::sort(totals.begin(), totals.end(),
            [](const Share& a, const Share& b) { return a.bytes > b.bytes; });
  if (totals.size() <= most) return totals;
  Share rest = {kOthers, MapKind::kOther, 0, 0};
  for (size_t i = most; i < totals.size(); ++i) {
    rest.bytes += totals[i].bytes;
    rest.count += totals[i].count;
  }
  totals.resize(most);
  totals.push_back(std::move(rest));
  return totals;
}

}  // namespace migstream
