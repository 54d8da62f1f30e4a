// Makes a map's ranges out of places: each begins where the one before it
// ended, and those that are alike become one.

#ifndef MIGSTREAM_CODEC_MAP_RANGE_JOINER_H_
#define MIGSTREAM_CODEC_MAP_RANGE_JOINER_H_

#include <cstdint>
#include <optional>
#include <utility>

#include "codec/map/map_range.h"

namespace migstream {

class RangeJoiner {
 public:
  explicit RangeJoiner(const OnMapRange& on_range) : on_range_(on_range) {}

  // What begins at range.offset; what was before ends there. `may_join`: one
  // that follows and is alike is the same range.
  void Begin(MapRange range, bool may_join = false);
  // The one that is read; what is told of it counts for the run.
  MapRange& current() { return current_; }
  // The file's end, or where it was read to.
  void End(uint64_t offset);

 private:
  void Close(uint64_t offset);

  const OnMapRange& on_range_;
  bool open_ = false;
  bool may_join_ = false;
  MapRange current_;  // Its bytes are not known yet.
  std::optional<MapRange> run_;
  bool run_may_join_ = false;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_MAP_RANGE_JOINER_H_
