// Reads the content of a section whose grammar is known: numbers are looked at,
// and every byte goes on to the visitor.

#ifndef MIGSTREAM_CODEC_QEMU_CONTENT_READER_H_
#define MIGSTREAM_CODEC_QEMU_CONTENT_READER_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "codec/io/byte_source.h"
#include "codec/qemu/stream_visitor.h"
#include "codec/wire/error.h"

namespace migstream {

class ContentReader {
 public:
  // `section` names what is read, for errors.
  ContentReader(ByteSource& source, StreamVisitor& visitor, std::string section)
      : source_(source),
        visitor_(visitor),
        wants_content_(visitor.wants_content()),
        section_(std::move(section)) {}

  uint64_t offset() const { return source_.offset(); }
  const std::string& section() const { return section_; }

  // Numbers and strings. Zero and empty where the input ends before; that is
  // then an error that stays.
  uint8_t U8() { return static_cast<uint8_t>(Number(1)); }
  uint16_t Be16() { return static_cast<uint16_t>(Number(2)); }
  uint32_t Be32() { return static_cast<uint32_t>(Number(4)); }
  uint64_t Be64() { return Number(8); }
  std::string Str8();

  // The next be64, not consumed; false at the end of the input.
  bool PeekBe64(uint64_t* value);

  StreamVisitor& visitor() { return visitor_; }

  // Consumes content that is not looked at. `what` it is, for the error.
  void Pass(uint64_t bytes, std::string_view what);

  bool ok() const { return error_.ok(); }
  const Error& error() const { return error_; }
  void Fail(ErrorCode code, uint64_t offset, std::string reason);

 private:
  uint64_t Number(int width);
  void Take(ByteSpan bytes);

  ByteSource& source_;
  StreamVisitor& visitor_;
  const bool wants_content_;
  std::string section_;
  Error error_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_CONTENT_READER_H_
