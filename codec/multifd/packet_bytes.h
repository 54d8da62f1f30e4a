// For tests: multifd packets, byte by byte. FORMAT.md section 13.

#ifndef MIGSTREAM_CODEC_MULTIFD_PACKET_BYTES_H_
#define MIGSTREAM_CODEC_MULTIFD_PACKET_BYTES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "codec/wire/be_text.h"
#include "flags/multifd_flags.h"

namespace migstream {

inline std::string Padded(std::string text, size_t size) {
  text.resize(size);
  return text;
}

inline std::string Init(uint8_t id) {
  return Be32Text(0x11223344) + Be32Text(1)  // magic, version
         + std::string(16, '\x7a')           // uuid
         + static_cast<char>(id)             // channel
         + std::string(7 + 32, '\0');        // reserved
}

inline std::string Device(const std::string& payload,
                          const std::string& idstr = "0000:00:05.0/vfio") {
  return Be32Text(0x11223344) + Be32Text(1) +
         Be32Text(kMultifdDeviceState)  // header
         + Padded(idstr, 256)           // idstr
         + Be32Text(0)                  // instance
         + Be32Text(static_cast<uint32_t>(payload.size())) + payload;
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
  for (uint64_t offset : ram.offsets) offsets += Be64Text(offset);
  return Be32Text(0x11223344) + Be32Text(1) + Be32Text(ram.flags)  // header
         + Be32Text(128) + Be32Text(ram.normal)        // allocated, normal
         + Be32Text(ram.payload_bytes)                 // next_packet_size
         + Be64Text(7)                                 // packet_num
         + Be32Text(ram.zero) + std::string(28, '\0')  // zero, unused
         + Padded("pc.ram", 256)                       // block
         + Padded(offsets, 8 * 128)                    // offsets
         + payload;
}

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_MULTIFD_PACKET_BYTES_H_
