// Reads one record of a section's content, of which the front may be there and
// the rest still to come.
//
//   RecordCursor cursor(input, offset);
//   uint64_t flags = cursor.Be64();
//   std::string_view name = cursor.Str8();
//   if (cursor.ok()) …         // cursor.bytes() are the record's.
//
// Once it has run past the input's end, or Fail() was called, it stays there
// and gives zeros and empty views. A record is then read again from its first
// byte: with bytes_needed() of input there is progress.

#ifndef MIGSTREAM_CODEC_QEMU_RECORD_CURSOR_H_
#define MIGSTREAM_CODEC_QEMU_RECORD_CURSOR_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "codec/wire/bytes.h"
#include "codec/wire/error.h"

namespace migstream {

class RecordCursor {
 public:
  explicit RecordCursor(ByteSpan input, uint64_t offset = 0)
      : input_(input), offset_(offset) {}

  uint8_t U8() { return static_cast<uint8_t>(Number(1)); }
  uint16_t Be16() { return static_cast<uint16_t>(Number(2)); }
  uint32_t Be32() { return static_cast<uint32_t>(Number(4)); }
  uint64_t Be64() { return Number(8); }
  ByteSpan Bytes(uint64_t count) { return Take(count, /*in_name=*/true); }
  std::string_view Str8() { return AsText(Bytes(U8())); }

  // The next byte, which stays; 0 where it is not there.
  uint8_t Peek8() { return Need(1, false) ? input_[bytes_] : 0; }
  // Likewise.
  uint64_t PeekBe64() { return Need(8, false) ? LoadBe64(&input_[bytes_]) : 0; }

  // Keeps the first error. The caller names the section.
  [[gnu::cold]] void Fail(ErrorCode code, uint64_t offset, std::string reason);

  bool ok() const { return bytes_needed_ == 0 && error_.ok(); }
  // Where the next byte is.
  uint64_t offset() const { return offset_ + bytes_; }
  // All that is there from here on.
  ByteSpan rest() const { return input_.subspan(bytes_); }
  // Read so far.
  size_t bytes() const { return bytes_; }
  // All from the record's first byte on; 0 while the input sufficed.
  size_t bytes_needed() const { return bytes_needed_; }
  // What the input's end cuts: bytes of a name, or a number.
  bool in_name() const { return in_name_; }
  const Error& error() const { return error_; }

 private:
  bool Need(uint64_t count, bool in_name) {
    if (!ok()) return false;
    if (count <= input_.size() - bytes_) return true;
    bytes_needed_ = bytes_ + count;
    in_name_ = in_name;
    return false;
  }
  ByteSpan Take(uint64_t count, bool in_name) {
    if (!Need(count, in_name)) return {};
    bytes_ += count;
    return input_.subspan(bytes_ - count, count);
  }
  uint64_t Number(int width) {
    ByteSpan bytes = Take(width, false);
    return bytes.empty() ? 0 : LoadBe(bytes.data(), width);
  }

  ByteSpan input_;
  uint64_t offset_;
  size_t bytes_ = 0;
  size_t bytes_needed_ = 0;
  bool in_name_ = false;
  Error error_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_RECORD_CURSOR_H_
