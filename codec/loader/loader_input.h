// A source as QEMU's loader reads it: what is asked for beyond the end is zero,
// and many a reader looks only later whether that was so.

#ifndef MIGSTREAM_CODEC_LOADER_LOADER_INPUT_H_
#define MIGSTREAM_CODEC_LOADER_LOADER_INPUT_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "codec/io/byte_source.h"

namespace migstream {

// Why a loader gives up, and where.
struct LoaderRefusal {
  uint64_t offset = 0;
  std::string message;
};

class LoaderInput {
 public:
  explicit LoaderInput(ByteSource& source) : source_(source) {}

  uint64_t offset() const { return source_.offset(); }
  ByteSource& source() { return source_; }
  ByteSpan Peek(size_t count) {
    ByteSpan bytes = source_.Peek(std::min<uint64_t>(count, Left()));
    return bytes.first(std::min<uint64_t>(bytes.size(), Left()));
  }

  uint8_t U8() { return static_cast<uint8_t>(Number(1)); }
  uint16_t Be16() { return static_cast<uint16_t>(Number(2)); }
  uint32_t Be32() { return static_cast<uint32_t>(Number(4)); }
  uint64_t Be64() { return Number(8); }

  // As many bytes as there are.
  std::string Bytes(size_t count) {
    ByteSpan bytes = Peek(count);
    bytes = bytes.first(std::min(count, bytes.size()));
    std::string text(AsText(bytes).data(), bytes.size());
    source_.Consume(bytes.size());
    ended_ |= bytes.size() < count;
    return text;
  }
  // A string: to a loader it ends at its first NUL.
  std::string Str8() {
    std::string text = Bytes(U8());
    return text.substr(0, text.find('\0'));
  }
  // How many of them there are.
  uint64_t Skip(uint64_t count) {
    const uint64_t skipped = source_.Skip(std::min(count, Left()));
    ended_ |= skipped < count;
    return skipped;
  }

  // Something was asked for that is not there.
  bool ended() const { return ended_; }

  // Nothing is there from `end` on, an offset, until Unbound().
  void Bound(uint64_t end) { bound_ = end; }
  // Up to the bound; 0 if there is none.
  uint64_t bounded_bytes() const { return bound_ == UINT64_MAX ? 0 : Left(); }
  // What somebody who reads the source itself must not have gone beyond.
  bool CheckBound() {
    return source_.offset() <= bound_ || Refuse(bound_, "Input/output error");
  }
  // Goes on behind the bound. False if the input ends before it.
  bool Unbound() {
    const uint64_t left = Left();
    bound_ = UINT64_MAX;
    ended_ = false;
    return source_.Skip(left) == left;
  }

  // Records why the loader gives up; only the first call counts. Returns false.
  bool Refuse(uint64_t offset, std::string message) {
    if (ok()) {
      refused_ = true;
      refused_at_ = offset;
      message_ = std::move(message);
    }
    return false;
  }
  bool Refuse(LoaderRefusal refusal) {
    return Refuse(refusal.offset, std::move(refusal.message));
  }
  // What a reader does that looks whether the input has ended.
  bool CheckEnd() { return !ended_ || Refuse(offset(), "Input/output error"); }
  // Refuses for a reason that comes before any other.
  bool RefuseFirst(uint64_t offset, std::string message) {
    refused_ = false;
    return Refuse(offset, std::move(message));
  }
  bool ok() const { return !refused_; }
  uint64_t refused_at() const { return refused_at_; }
  const std::string& message() const { return message_; }

 private:
  uint64_t Number(size_t width) {
    ByteSpan bytes = Peek(width);
    uint64_t value = 0;
    for (size_t i = 0; i < width; ++i) {
      value = value << 8 | (i < bytes.size() ? bytes[i] : 0);
    }
    ended_ |= bytes.size() < width;
    source_.Consume(std::min(width, bytes.size()));
    return value;
  }

  uint64_t Left() const { return bound_ - std::min(bound_, source_.offset()); }

  ByteSource& source_;
  uint64_t bound_ = UINT64_MAX;
  bool ended_ = false;
  bool refused_ = false;
  uint64_t refused_at_ = 0;
  std::string message_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_LOADER_LOADER_INPUT_H_
