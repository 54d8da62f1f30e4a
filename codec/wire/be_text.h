// Numbers and names as the stream has them, for what is put together as text.

#ifndef MIGSTREAM_CODEC_WIRE_BE_TEXT_H_
#define MIGSTREAM_CODEC_WIRE_BE_TEXT_H_

#include <cstdint>
#include <string>

#include "codec/wire/bytes.h"
#include "flags/tag.h"

namespace migstream {

inline std::string BeText(uint64_t value, int width) {
  std::string bytes(width, '\0');
  StoreBe(reinterpret_cast<uint8_t*>(bytes.data()), value, width);
  return bytes;
}
inline std::string Be32Text(uint32_t value) { return BeText(value, 4); }
inline std::string Be64Text(uint64_t value) { return BeText(value, 8); }

// 1: END_OF_STATE … 6
inline std::string TagText(int number) { return Be64Text(kTagPrefix + number); }

// A byte of length, then the name, which has 255 bytes at the most.
inline std::string Str8Text(const std::string& name) {
  return static_cast<char>(name.size()) + name;
}

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_WIRE_BE_TEXT_H_
