// For tests: multifd packets, byte by byte. FORMAT.md section 13.

#ifndef MIGSTREAM_CODEC_MULTIFD_PACKET_BYTES_H_
#define MIGSTREAM_CODEC_MULTIFD_PACKET_BYTES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "codec/wire/bytes.h"
#include "flags/multifd_flags.h"

namespace migstream {

inline std::string Be32(uint32_t value) {
  std::string bytes(4, '\0');
  StoreBe32(reinterpret_cast<uint8_t*>(bytes.data()), value);
  return bytes;
}

inline std::string Be64(uint64_t value) {
  return Be32(static_cast<uint32_t>(value >> 32)) +
         Be32(static_cast<uint32_t>(value));
}

inline std::string Padded(std::string text, size_t size) {
  text.resize(size);
  return text;
}

inline std::string Init(uint8_t id) {
  return Be32(0x11223344) + Be32(1)    // magic, version
         + std::string(16, '\x7a')     // uuid
         + static_cast<char>(id)       // channel
         + std::string(7 + 32, '\0');  // reserved
}

inline std::string Device(const std::string& payload,
                          const std::string& idstr = "0000:00:05.0/vfio") {
  return Be32(0x11223344) + Be32(1) + Be32(kMultifdDeviceState)  // header
         + Padded(idstr, 256)                                    // idstr
         + Be32(0)                                               // instance
         + Be32(static_cast<uint32_t>(payload.size())) + payload;
}

struct Ram {
  uint32_t flags = 0;
  uint32_t normal = 0;
  uint32_t zero = 0;
  uint32_t payload_bytes = 0;
  std::vector<uint64_t> offsets = {};  // At most 128; the rest are zero.
};

inline std::string RamPacketBytes(const Ram& ram,
                                  const std::string& payload = "") {
  std::string offsets;
  for (uint64_t offset : ram.offsets) offsets += Be64(offset);
  return Be32(0x11223344) + Be32(1) + Be32(ram.flags)  // header
         + Be32(128) + Be32(ram.normal)                // allocated, normal
         + Be32(ram.payload_bytes)                     // next_packet_size
         + Be64(7)                                     // packet_num
         + Be32(ram.zero) + std::string(28, '\0')      // zero, unused
         + Padded("pc.ram", 256)                       // block
         + Padded(offsets, 8 * 128)                    // offsets
         + payload;
}

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_MULTIFD_PACKET_BYTES_H_
