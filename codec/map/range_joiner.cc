#include "codec/map/range_joiner.h"

#include <algorithm>

namespace migstream {
namespace {

bool IsAlike(const MapRange& a, const MapRange& b) {
  return a.kind == b.kind && a.owner == b.owner && a.what == b.what &&
         a.detail == b.detail && a.round == b.round && a.stopped == b.stopped &&
         a.cut == b.cut;
}

}  // namespace

void RangeJoiner::Begin(MapRange range, bool may_join) {
  Close(range.offset);
  current_ = std::move(range);
  may_join_ = may_join;
  open_ = true;
}

void RangeJoiner::Close(uint64_t offset) {
  if (!open_) return;
  open_ = false;
  current_.bytes = std::max(offset, current_.offset) - current_.offset;
  if (current_.bytes == 0) return;
  if (run_ && run_may_join_ && may_join_ && IsAlike(*run_, current_)) {
    run_->bytes += current_.bytes;
    run_->count += current_.count;
    run_->records += current_.records;
    run_->payload_bytes += current_.payload_bytes;
    run_->pages += current_.pages;
    run_->zero_pages += current_.zero_pages;
    return;
  }
  if (run_) on_range_(*run_);
  run_ = std::move(current_);
  run_may_join_ = may_join_;
}

void RangeJoiner::End(uint64_t offset) {
  Close(offset);
  if (run_) on_range_(*run_);
  run_.reset();
}

}  // namespace migstream
