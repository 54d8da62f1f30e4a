// The writing twin of Cursor: puts big-endian numbers into a caller's buffer.
//
//   uint8_t buffer[16];
//   Writer writer(buffer);
//   writer.Be64(tag);
//   writer.Be64(size);
//   if (!writer.ok()) return false;  // It did not all fit.
//
// What does not fit is not written, and nothing after it.

#ifndef MIGSTREAM_CODEC_WIRE_WRITER_H_
#define MIGSTREAM_CODEC_WIRE_WRITER_H_

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "codec/wire/bytes.h"

namespace migstream {

class Writer {
 public:
  explicit Writer(std::span<uint8_t> buffer) : buffer_(buffer) {}

  bool ok() const { return ok_; }
  ByteSpan written() const { return buffer_.first(size_); }

  void U8(uint8_t value) { Number(value, 1); }
  void Be16(uint16_t value) { Number(value, 2); }
  void Be32(uint32_t value) { Number(value, 4); }
  void Be64(uint64_t value) { Number(value, 8); }

  void Bytes(ByteSpan bytes) {
    if (uint8_t* to = Room(bytes.size())) {
      if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
    }
  }

  // `text` is at most 255 bytes long.
  void Str8(std::string_view text) {
    if (text.size() > 0xff) {
      ok_ = false;
      return;
    }
    U8(static_cast<uint8_t>(text.size()));
    Bytes(AsBytes(text));
  }

 private:
  void Number(uint64_t value, int width) {
    if (uint8_t* to = Room(width)) StoreBe(to, value, width);
  }

  uint8_t* Room(size_t bytes) {
    if (!ok_ || bytes > buffer_.size() - size_) {
      ok_ = false;
      return nullptr;
    }
    uint8_t* to = buffer_.data() + size_;
    size_ += bytes;
    return to;
  }

  std::span<uint8_t> buffer_;
  size_t size_ = 0;
  bool ok_ = true;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_WIRE_WRITER_H_
