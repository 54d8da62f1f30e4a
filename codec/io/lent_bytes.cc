#include "codec/io/lent_bytes.h"

#include <algorithm>
#include <cstring>

namespace migstream {

LentSource::LentSource(ByteSource& source) : source_(source) {
  Restart(source.offset());
}

void LentSource::Return() {
  if (returner_) returner_();
  view_ = {};
}

// Where less is left than was asked for, it is read into this source's own
// buffer, and `source_` is then ahead.
bool LentSource::IsAhead() const { return source_.offset() > offset(); }

void LentSource::Align() {
  Return();
  source_.Consume(offset() - source_.offset());
  source_.SetReadAhead(reads_ahead());
}

std::optional<ByteSpan> LentSource::View(size_t count) {
  if (IsAhead()) return std::nullopt;
  Align();
  const ByteSpan bytes = source_.Peek(count);
  if (bytes.size() < count) return std::nullopt;
  view_ = bytes;
  return bytes;
}

size_t LentSource::Read(uint8_t* to, size_t count) {
  const ByteSpan bytes = source_.Peek(1);
  if (bytes.empty()) {
    if (source_.nothing_yet()) return kNothingYet;
    if (!source_.failure().empty()) Fail(source_.failure());
    return 0;
  }
  count = std::min(count, bytes.size());
  std::memcpy(to, bytes.data(), count);
  source_.Consume(count);
  return count;
}

uint64_t LentSource::Seek(uint64_t count) {
  if (IsAhead()) return 0;
  Align();
  return source_.Skip(count);
}

bool LentSource::MoveTo(uint64_t offset) {
  Return();
  if (!source_.MoveTo(offset)) return false;
  Restart(source_.offset());
  return true;
}

bool LentSource::ReachEnd(uint64_t limit) {
  if (IsAhead()) return ByteSource::ReachEnd(limit);
  Align();
  Restart(offset());
  return source_.ReachEnd(limit);
}

std::vector<uint8_t> LentSource::Tail(uint64_t count) {
  if (IsAhead()) {
    ByteSource::ReachEnd(UINT64_MAX);
    return ByteSource::Tail(count);
  }
  Align();
  Restart(offset());
  return source_.Tail(count);
}

}  // namespace migstream
