// A file's map in a bounded number of rows, and what each owner has in all.
//
//   FoldedMap map(400);
//   MapStream(source, options, "", [&](const MapRange& r) { map.Add(r); },
//   facts); map.Fold(); for (const FoldedMap::Row& row : map.rows()) …
//
// Where there would be more rows, neighbours become one: PARTs of one round
// first, and small ones before large ones.

#ifndef MIGSTREAM_CODEC_MAP_FOLDED_MAP_H_
#define MIGSTREAM_CODEC_MAP_FOLDED_MAP_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "codec/map/map_range.h"

namespace migstream {

class FoldedMap {
 public:
  // One range, or several: then `owners` has what each has of it.
  struct Share {
    std::string owner;
    MapKind kind = MapKind::kFraming;
    uint64_t bytes = 0;
    uint64_t count = 0;
  };
  struct Row {
    // Where there are several, the first's; bytes, count, records and pages are
    // of all.
    MapRange range;
    std::vector<Share> shares;  // Empty: one range.
  };

  explicit FoldedMap(size_t most_rows) : most_rows_(most_rows) {}

  void Add(const MapRange& range);
  // Down to the rows that are allowed; Add() lets there be twice as many.
  void Fold();

  const std::vector<Row>& rows() const { return rows_; }
  // How many ranges were put together with others.
  uint64_t folded_ranges() const { return ranges_ - rows_.size(); }
  // By owner, the largest first; what is more than `most` is "others".
  std::vector<Share> Totals(size_t most) const;
  uint64_t bytes() const { return bytes_; }

 private:
  size_t most_rows_;
  std::vector<Row> rows_;
  uint64_t ranges_ = 0;
  uint64_t bytes_ = 0;
  std::map<std::string, Share> totals_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_MAP_FOLDED_MAP_H_
