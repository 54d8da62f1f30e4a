// Bytes, and the big-endian numbers in them. The callers have checked that the
// bytes are there; see cursor.h for the bounded way.

#ifndef MIGSTREAM_CODEC_WIRE_BYTES_H_
#define MIGSTREAM_CODEC_WIRE_BYTES_H_

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace migstream {

using ByteSpan = std::span<const uint8_t>;

namespace wire_internal {

template <typename T>
T LoadBe(const uint8_t* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  if constexpr (sizeof value == 2) return __builtin_bswap16(value);
  if constexpr (sizeof value == 4) return __builtin_bswap32(value);
  if constexpr (sizeof value == 8) return __builtin_bswap64(value);
}

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "big-endian hosts need no byte swap; none is supported yet");

}  // namespace wire_internal

inline uint16_t LoadBe16(const uint8_t* from) {
  return wire_internal::LoadBe<uint16_t>(from);
}
inline uint32_t LoadBe32(const uint8_t* from) {
  return wire_internal::LoadBe<uint32_t>(from);
}
inline uint64_t LoadBe64(const uint8_t* from) {
  return wire_internal::LoadBe<uint64_t>(from);
}

// A number of `width` bytes, 1 to 8.
inline uint64_t LoadBe(const uint8_t* from, int width) {
  uint64_t value = 0;
  for (int i = 0; i < width; ++i) value = value << 8 | from[i];
  return value;
}

inline void StoreBe16(uint8_t* to, uint16_t value) {
  value = __builtin_bswap16(value);
  std::memcpy(to, &value, sizeof value);
}
inline void StoreBe32(uint8_t* to, uint32_t value) {
  value = __builtin_bswap32(value);
  std::memcpy(to, &value, sizeof value);
}
inline void StoreBe64(uint8_t* to, uint64_t value) {
  value = __builtin_bswap64(value);
  std::memcpy(to, &value, sizeof value);
}

inline void StoreBe(uint8_t* to, uint64_t value, int width) {
  for (int i = width - 1; i >= 0; --i, value >>= 8) {
    to[i] = static_cast<uint8_t>(value);
  }
}

// PCI's own numbers are little-endian.
inline uint16_t LoadLe16(const uint8_t* from) {
  uint16_t value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
inline uint32_t LoadLe32(const uint8_t* from) {
  uint32_t value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

inline void StoreLe32(uint8_t* to, uint32_t value) {
  std::memcpy(to, &value, sizeof value);
}

inline bool IsSame(ByteSpan a, ByteSpan b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

inline std::string_view AsText(ByteSpan bytes) {
  return std::string_view(reinterpret_cast<const char*>(bytes.data()),
                          bytes.size());
}
inline ByteSpan AsBytes(std::string_view text) {
  return ByteSpan(reinterpret_cast<const uint8_t*>(text.data()), text.size());
}

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_WIRE_BYTES_H_
