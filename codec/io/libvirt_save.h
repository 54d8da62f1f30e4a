// The header that libvirt puts before a stream when it saves a domain to a
// file: `virsh save`. FORMAT.md section 2.7.
//
//   LibvirtSave save;
//   Error error = ReadLibvirtSave(source, nullptr, save);
//   // The source now stands at the stream, or at what it is compressed to.
//
// Offsets of errors are those of the source. The domain's XML goes by in
// pieces and is never held.

#ifndef MIGSTREAM_CODEC_IO_LIBVIRT_SAVE_H_
#define MIGSTREAM_CODEC_IO_LIBVIRT_SAVE_H_

#include <cstdint>
#include <functional>
#include <string>

#include "codec/io/byte_source.h"
#include "codec/io/decompressor.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"

namespace migstream {

inline constexpr size_t kLibvirtHeaderBytes = 92;
inline constexpr size_t kLibvirtFormatOffset = 28;  // In the header.

// What a save says that its stream is compressed with. The numbers are those
// of the file.
enum class LibvirtFormat : uint32_t {
  kRaw = 0,
  kGzip = 1,
  kBzip2 = 2,
  kXz = 3,
  kLzop = 4,
  kZstd = 5,
  kSparse = 6,  // Not compressed: mapped-ram.
};

// "raw"
std::string ToString(LibvirtFormat format);
Compression CompressionOf(LibvirtFormat format);

struct LibvirtSave {
  // Libvirt marks the file when it has written all of it.
  bool complete = false;
  bool big_endian = false;  // As the host that wrote it.
  uint32_t version = 0;
  uint32_t data_bytes = 0;  // XML, cookie and padding.
  bool was_running = false;
  LibvirtFormat format = LibvirtFormat::kRaw;
  uint32_t cookie_offset = 0;  // From the XML's first byte; 0: there is none.
  uint32_t xml_bytes = 0;      // Up to its NUL.
  uint64_t stream_offset = 0;  // In the source: what follows the data.
};

// Whether these bytes begin such a file; 16 are enough.
bool IsLibvirtSave(ByteSpan bytes);

// Consumes the header and the data. The XML is given to `on_xml`, unless that
// is null.
Error ReadLibvirtSave(ByteSource& source,
                      const std::function<void(ByteSpan)>& on_xml,
                      LibvirtSave& save);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_IO_LIBVIRT_SAVE_H_
