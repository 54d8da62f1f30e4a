// For tests: libvirt's header, and a whole save file. FORMAT.md section 2.7.

#ifndef MIGSTREAM_CODEC_IO_LIBVIRT_BYTES_H_
#define MIGSTREAM_CODEC_IO_LIBVIRT_BYTES_H_

#include <algorithm>
#include <cstdint>
#include <string>

namespace migstream {

struct LibvirtBytes {
  std::string magic = "LibvirtQemudSave";  // 16 bytes.
  uint32_t version = 2;
  uint32_t was_running = 1;
  uint32_t format = 0;
  std::string xml = "<domain/>";
  std::string cookie = {};
  uint32_t padding = 0;  // Zeros behind all that.
  bool big_endian = false;

  std::string Data() const {
    std::string data = xml + '\0';
    if (!cookie.empty()) data += cookie + '\0';
    return data + std::string(padding, '\0');
  }

  std::string Header() const {
    std::string header =
        magic + Number(version) + Number(static_cast<uint32_t>(Data().size())) +
        Number(was_running) + Number(format) +
        Number(cookie.empty() ? 0 : static_cast<uint32_t>(xml.size() + 1));
    header.resize(92, '\0');  // 14 words that are not used.
    return header;
  }

  // `stream` is compressed already, if it is.
  std::string File(const std::string& stream) const {
    return Header() + Data() + stream;
  }

  std::string Number(uint32_t value) const {
    std::string bytes;
    for (int i = 0; i < 4; ++i) {
      bytes += static_cast<char>(value >> 8 * i);
    }
    if (big_endian) std::reverse(bytes.begin(), bytes.end());
    return bytes;
  }
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_IO_LIBVIRT_BYTES_H_
