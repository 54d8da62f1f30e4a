// Numbers and names as the stream has them, for what is put together as text.

#ifndef MIGSTREAM_CODEC_WIRE_BE_TEXT_H_
#define MIGSTREAM_CODEC_WIRE_BE_TEXT_H_

#include <cstdint>
#include <string>

#include "codec/wire/bytes.h"

namespace migstream {

inline std::string Be32Text(uint32_t value) {
  std::string bytes(4, '\0');
  StoreBe32(reinterpret_cast<uint8_t*>(bytes.data()), value);
  return bytes;
}

inline std::string Be64Text(uint64_t value) {
  std::string bytes(8, '\0');
  StoreBe64(reinterpret_cast<uint8_t*>(bytes.data()), value);
  return bytes;
}

// A byte of length, then the name, which has 255 bytes at the most.
inline std::string Str8Text(const std::string& name) {
  return static_cast<char>(name.size()) + name;
}

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_WIRE_BE_TEXT_H_
