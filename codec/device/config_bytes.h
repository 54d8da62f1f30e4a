// Config payloads for tests, part by part.

#ifndef MIGSTREAM_CODEC_DEVICE_CONFIG_BYTES_H_
#define MIGSTREAM_CODEC_DEVICE_CONFIG_BYTES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "codec/wire/bytes.h"

namespace migstream {

struct ConfigBytes {
  uint32_t pci_config_bytes = 4096;
  uint32_t msix_vectors = 5;
  bool express = true;
  std::string subsections = {};  // As on the wire.
  std::string pci_config = {};   // If empty, made from the above.
  std::string msix = {};  // If empty, all vectors fresh and none pending.

  std::string PciConfig() const {
    if (!pci_config.empty()) return pci_config;
    std::string config(pci_config_bytes, '\0');
    config.replace(0x00, 4, "\x86\x80\x4c\x15", 4);
    config[0x06] = 0x10;
    config[0x34] = 0x40;
    config.replace(0x40, 2, "\x01\x60", 2);  // PM
    config.replace(0x60, 2, express ? "\x10\x70" : "\x09\x70", 2);
    if (msix_vectors > 0) {
      config.replace(0x70, 2, std::string("\x11\x00", 2));
      config[0x72] = static_cast<char>((msix_vectors - 1) & 0xff);
      config[0x73] = static_cast<char>((msix_vectors - 1) >> 8);
    } else {
      config.replace(0x70, 2, std::string("\x09\x00", 2));
    }
    return config;
  }

  std::string Msix() const {
    if (!msix.empty() || msix_vectors == 0) return msix;
    std::string table;
    for (uint32_t i = 0; i < msix_vectors; ++i) {
      table += std::string(12, '\0') + std::string("\1\0\0\0", 4);
    }
    return table + std::string((msix_vectors + 7) / 8, '\0');
  }

  // Without tags: what stands between CONFIG and END_OF_STATE.
  std::string Payload() const {
    return std::string("\0\0\0\2", 4) + PciConfig() + std::string(16, '\0') +
           Msix() + subsections;
  }
};

inline std::string Subsection(const std::string& name,
                              const std::string& content) {
  return std::string("\5") + static_cast<char>(name.size()) + name +
         std::string("\0\0\0\1", 4) + content;
}

inline constexpr char kEndOfStateBytes[] = "\xff\xff\xff\xff\xef\x10\x00\x01";
inline std::string EndOfStateBytes() { return {kEndOfStateBytes, 8}; }

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DEVICE_CONFIG_BYTES_H_
