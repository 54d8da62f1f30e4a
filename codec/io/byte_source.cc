#include "codec/io/byte_source.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <cstring>

namespace migstream {
namespace {

// Large enough that reading costs little, small enough for the cache.
constexpr size_t kBufferBytes = 256 << 10;

// How many steps ahead the next bytes to be looked at are fetched, where what
// is skipped comes in equal steps, as pages do.
constexpr uint64_t kStepsAhead = 8;
constexpr uint64_t kHeaderBytes = 8;  // Between two pages.
constexpr uint64_t kLongStep = 1 << 16;

// How much to add to a buffer that holds `held` bytes: as much again, but no
// more than 4 MiB, or a quarter of it if that is more.
size_t Room(size_t held) {
  constexpr size_t kMuch = 4 << 20;
  return std::max(kBufferBytes, std::min(held, std::max(kMuch, held / 4)));
}

}  // namespace

ByteSource::Buffer::~Buffer() { std::free(data_); }

void ByteSource::Buffer::Grow(size_t size) {
  data_ = static_cast<uint8_t*>(std::realloc(data_, size));
  if (data_ == nullptr) std::abort();  // As operator new would.
  size_ = size;
}

void ByteSource::SetAll(ByteSpan bytes) {
  data_ = bytes.data();
  end_ = bytes.size();
  ended_ = true;
}

void ByteSource::Restart(uint64_t offset) {
  begin_ = end_ = 0;
  ended_ = false;
  offset_ = offset;
}

bool MemorySource::MoveTo(uint64_t offset) {
  offset = std::min<uint64_t>(offset, bytes_.size());
  Restart(0);
  SetAll(bytes_);
  Consume(offset);
  return true;
}

size_t MemorySource::ReadAt(uint64_t offset, std::span<uint8_t> to) const {
  if (offset >= bytes_.size()) return 0;
  const ByteSpan from = bytes_.subspan(offset);
  const size_t count = std::min(from.size(), to.size());
  std::copy_n(from.begin(), count, to.begin());
  return count;
}

void ByteSource::Fill(size_t count) {
  nothing_yet_ = false;
  if (ended_) return;
  if (std::optional<ByteSpan> view = View(count)) {
    data_ = view->data();
    begin_ = 0;
    end_ = view->size();
    if (watcher_) watcher_();
    return;
  }
  // What a view held is read anew.
  if (data_ != buffer_.data()) {
    data_ = buffer_.data();
    begin_ = end_ = 0;
  }
  // The front of the buffer is used again and again, rather than all of it.
  if (begin_ == end_) begin_ = end_ = 0;
  if (begin_ > 0 && buffer_.size() - begin_ < count) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    // With such room beside what is held, a byte is moved a few times.
    Reserve(end_ + Room(end_));
  }
  while (end_ - begin_ < count && !ended_) {
    // Grows as bytes are really there to fill it.
    if (end_ == buffer_.size()) Reserve(end_ + Room(end_));
    size_t missing = count - (end_ - begin_);
    size_t most = read_ahead_ ? std::max(missing, kBufferBytes) : missing;
    size_t got =
        Read(buffer_.data() + end_, std::min(most, buffer_.size() - end_));
    if (watcher_) watcher_();
    nothing_yet_ = got == kNothingYet;
    if (nothing_yet_) return;
    if (got == 0) ended_ = true;
    end_ += got;
  }
}

void ByteSource::Reserve(size_t size) {
  if (size > buffer_.size()) buffer_.Grow(size);
  data_ = buffer_.data();
}

uint64_t ByteSource::Skip(uint64_t count) {
  const uint64_t ahead =
      kStepsAhead * (std::min(count, kLongStep) + kHeaderBytes);
  if (ahead < end_ - begin_) __builtin_prefetch(data_ + begin_ + ahead);
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
      // What cannot be sought over is read in large pieces.
      here = std::min<uint64_t>(
          Peek(std::min<uint64_t>(left, kBufferBytes)).size(), left);
    }
    if (here == 0) break;
    Consume(here);
    skipped += here;
  }
  return skipped;
}

uint64_t ByteSource::Seek(uint64_t) { return 0; }

std::optional<ByteSpan> ByteSource::View(size_t) { return std::nullopt; }

bool ByteSource::ReachEnd(uint64_t limit) {
  nothing_yet_ = false;
  // One byte more than allowed shows that there is too much.
  while (!ended_ && !nothing_yet_ && end_ - begin_ <= limit) {
    uint64_t held = end_ - begin_;
    Fill(held + 1 + std::min<uint64_t>(limit - held, kBufferBytes));
  }
  return ended_;
}

std::vector<uint8_t> ByteSource::Tail(uint64_t count) {
  assert(ended_);
  size_t here = std::min<uint64_t>(count, end_ - begin_);
  return std::vector<uint8_t>(data_ + end_ - here, data_ + end_);
}

}  // namespace migstream
