#include "codec/io/libvirt_save.h"

#include <algorithm>

#include "codec/wire/text.h"
#include "flags/section_type.h"

namespace migstream {
namespace {

constexpr char kSection[] = "libvirt header";
constexpr uint32_t kVersion = 2;

uint32_t Number(const uint8_t* from, bool big_endian) {
  return big_endian ? LoadBe32(from) : LoadLe32(from);
}

Error Refuse(ErrorCode code, uint64_t offset, std::string reason) {
  return {code, offset, kSection, std::move(reason)};
}

Error CutShort(ByteSource& source, const char* reason) {
  uint64_t end = source.offset() + source.Peek(1).size();
  return source.failure().empty()
             ? Refuse(ErrorCode::kTruncated, end, reason)
             : Refuse(ErrorCode::kReadFailed, end, source.failure());
}

// Consumes `count` bytes; how many of them stand before the first NUL.
uint64_t TakeText(ByteSource& source, uint64_t count,
                  const std::function<void(ByteSpan)>& on_text) {
  uint64_t text_bytes = 0;
  for (bool in_text = true; in_text && count > 0;) {
    ByteSpan here = source.Peek(1);
    if (here.empty()) break;
    here = here.first(std::min<uint64_t>(here.size(), count));
    ByteSpan text = here.first(std::find(here.begin(), here.end(), uint8_t{0}) -
                               here.begin());
    in_text = text.size() == here.size();
    text_bytes += text.size();
    if (on_text) on_text(text);
    source.Consume(here.size());
    count -= here.size();
  }
  source.Skip(count);
  return text_bytes;
}

}  // namespace

std::string ToString(LibvirtFormat format) {
  if (format == LibvirtFormat::kRaw) return "raw";
  if (format == LibvirtFormat::kSparse) return "sparse";
  Compression compression = CompressionOf(format);
  return compression == Compression::kNone
             ? StrCat("format ", static_cast<uint32_t>(format))
             : std::string(ToString(compression));
}

Compression CompressionOf(LibvirtFormat format) {
  switch (format) {
    case LibvirtFormat::kGzip:
      return Compression::kGzip;
    case LibvirtFormat::kBzip2:
      return Compression::kBzip2;
    case LibvirtFormat::kXz:
      return Compression::kXz;
    case LibvirtFormat::kLzop:
      return Compression::kLzop;
    case LibvirtFormat::kZstd:
      return Compression::kZstd;
    case LibvirtFormat::kRaw:
    case LibvirtFormat::kSparse:
      break;
  }
  return Compression::kNone;
}

bool IsLibvirtSave(ByteSpan bytes) {
  return AsText(bytes).starts_with(kLibvirtMagic) ||
         AsText(bytes).starts_with(kLibvirtPartialMagic);
}

Error ReadLibvirtSave(ByteSource& source,
                      const std::function<void(ByteSpan)>& on_xml,
                      LibvirtSave& save) {
  const uint64_t start = source.offset();
  ByteSpan bytes = source.Peek(kLibvirtHeaderBytes);
  if (!IsLibvirtSave(bytes)) {
    return Refuse(ErrorCode::kNotAStream, start, "not a libvirt save file");
  }
  if (bytes.size() < kLibvirtHeaderBytes) {
    return CutShort(source, "input ends in libvirt's header");
  }
  save.complete = AsText(bytes).starts_with(kLibvirtMagic);
  // The version tells the byte order.
  save.big_endian = LoadBe32(&bytes[16]) == kVersion;
  auto number = [&](size_t at) { return Number(&bytes[at], save.big_endian); };
  save.version = number(16);
  save.data_bytes = number(20);
  save.was_running = number(24) != 0;
  save.format = static_cast<LibvirtFormat>(number(kLibvirtFormatOffset));
  save.cookie_offset = number(32);
  if (save.version != kVersion) {
    return Refuse(ErrorCode::kUnknownVersion, start + 16,
                  StrCat("version ", Hex(save.version), ", expected 2"));
  }
  if (save.format > LibvirtFormat::kSparse) {
    return Refuse(ErrorCode::kUnknownVersion, start + kLibvirtFormatOffset,
                  StrCat("format ", number(kLibvirtFormatOffset),
                         ", expected 0 (raw) to 6 (sparse)"));
  }
  if (save.cookie_offset > save.data_bytes) {
    return Refuse(ErrorCode::kNotAStream, start + 32,
                  StrCat("cookie at ", save.cookie_offset, " of ",
                         save.data_bytes, " bytes of data"));
  }
  source.Consume(kLibvirtHeaderBytes);
  const uint64_t data = source.offset();
  save.stream_offset = data + save.data_bytes;
  uint32_t xml_room =
      save.cookie_offset == 0 ? save.data_bytes : save.cookie_offset;
  save.xml_bytes = static_cast<uint32_t>(TakeText(source, xml_room, on_xml));
  source.Skip(save.data_bytes - xml_room);
  if (source.offset() < save.stream_offset) {
    return CutShort(source, "input ends in the domain's XML");
  }
  return {};
}

}  // namespace migstream
