// Reads big-endian numbers off the front of some bytes, and knows the absolute
// offset of each.
//
//   Cursor cursor(bytes, 0x100);
//   uint16_t command = cursor.Be16();
//   ByteSpan data = cursor.Bytes(cursor.Be16());
//   if (!cursor.ok()) …;   // The bytes ended before; what was read is zero.
//
// A cursor views its bytes; it copies and owns nothing. Once it has run past
// the end it stays there and gives zeros and empty spans, so one check after a
// group of reads is enough — before any of the numbers is put to use.

#ifndef MIGSTREAM_CODEC_WIRE_CURSOR_H_
#define MIGSTREAM_CODEC_WIRE_CURSOR_H_

#include <cstdint>
#include <string_view>

#include "codec/wire/bytes.h"

namespace migstream {

class Cursor {
 public:
  explicit Cursor(ByteSpan bytes, uint64_t offset = 0)
      : rest_(bytes), offset_(offset) {}

  bool ok() const { return ok_; }
  uint64_t offset() const { return offset_; }
  size_t remaining() const { return rest_.size(); }

  uint8_t U8() { return static_cast<uint8_t>(Number(1)); }
  uint16_t Be16() { return static_cast<uint16_t>(Number(2)); }
  uint32_t Be32() { return static_cast<uint32_t>(Number(4)); }
  uint64_t Be64() { return Number(8); }

  ByteSpan Bytes(uint64_t count) {
    if (count > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    ByteSpan bytes = rest_.first(count);
    rest_ = rest_.subspan(count);
    offset_ += count;
    return bytes;
  }

  // A u8 length, then that many bytes.
  std::string_view Str8() { return AsText(Bytes(U8())); }

 private:
  uint64_t Number(int width) {
    ByteSpan bytes = Bytes(width);
    return ok_ ? LoadBe(bytes.data(), width) : 0;
  }

  ByteSpan rest_;
  uint64_t offset_;
  bool ok_ = true;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_WIRE_CURSOR_H_
