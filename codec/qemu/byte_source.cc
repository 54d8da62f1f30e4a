#include "codec/qemu/byte_source.h"

#include <algorithm>
#include <cstring>

namespace migstream {
namespace {

// Large enough that reading costs little, small enough for the cache.
constexpr size_t kBufferBytes = 256 << 10;

}  // namespace

void ByteSource::SetAll(ByteSpan bytes) {
  data_ = bytes.data();
  end_ = bytes.size();
  ended_ = true;
}

void ByteSource::Fill(size_t count) {
  if (ended_) return;
  if (begin_ > 0 && buffer_.size() - begin_ < count) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    // With as much room as is held, each byte is moved about once.
    if (2 * end_ > buffer_.size()) buffer_.resize(2 * end_);
    data_ = buffer_.data();
  }
  while (end_ - begin_ < count && !ended_) {
    if (end_ == buffer_.size()) {
      // Grows by doubling, as bytes are really there to fill it.
      buffer_.resize(std::max(kBufferBytes, 2 * buffer_.size()));
      data_ = buffer_.data();
    }
    size_t room = buffer_.size() - end_;
    if (!read_ahead_) room = std::min(room, count - (end_ - begin_));
    size_t got = Read(buffer_.data() + end_, room);
    if (watcher_) watcher_();
    if (got == 0) ended_ = true;
    end_ += got;
  }
}

uint64_t ByteSource::Skip(uint64_t count) {
  uint64_t skipped = 0;
  while (skipped < count) {
    uint64_t left = count - skipped;
    size_t here = std::min<uint64_t>(end_ - begin_, left);
    if (here == 0 && !ended_) {
      uint64_t sought = Seek(left);
      offset_ += sought;
      skipped += sought;
      if (watcher_) watcher_();
      if (sought != 0) continue;
      here = std::min<uint64_t>(Peek(1).size(), left);
    }
    if (here == 0) break;
    Consume(here);
    skipped += here;
  }
  return skipped;
}

uint64_t ByteSource::Seek(uint64_t) { return 0; }

bool ByteSource::ReachEnd(uint64_t limit) {
  // One byte more than allowed shows that there is too much.
  while (!ended_ && end_ - begin_ <= limit) {
    uint64_t held = end_ - begin_;
    Fill(held + 1 + std::min<uint64_t>(limit - held, kBufferBytes));
  }
  return ended_;
}

std::vector<uint8_t> ByteSource::Tail(uint64_t count) {
  size_t here = std::min<uint64_t>(count, end_ - begin_);
  return std::vector<uint8_t>(data_ + end_ - here, data_ + end_);
}

}  // namespace migstream
