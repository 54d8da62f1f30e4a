#include "codec/io/file_kind.h"

#include <string_view>

#include "codec/wire/error.h"
#include "codec/wire/text.h"
#include "flags/command.h"
#include "flags/section_type.h"

namespace migstream {

FileKind KindOf(ByteSpan bytes) {
  if (bytes.empty()) return FileKind::kEmpty;
  // Both of libvirt's magics begin so.
  if (AsText(bytes).starts_with(std::string_view(kLibvirtMagic).substr(0, 8))) {
    return FileKind::kLibvirt;
  }
  if (bytes.size() < 4) return FileKind::kUnknown;
  switch (LoadBe32(bytes.data())) {
    case kStreamMagic:
      return FileKind::kMain;
    case kMultifdMagic:
      return FileKind::kMultifd;
    case kCprMagic:
      return FileKind::kCpr;
    default:
      break;
  }
  if (IsReturnMessageLength(static_cast<ReturnMessage>(LoadBe16(bytes.data())),
                            LoadBe16(&bytes[2]))) {
    return FileKind::kReturnPath;
  }
  return LooksLikePreemptChannel(bytes) ? FileKind::kPreempt
                                        : FileKind::kUnknown;
}

namespace {

struct Magic {
  // Takes a literal, with the zero bytes in it.
  template <size_t kSize>
  constexpr Magic(const char (&literal)[kSize], std::string_view what,
                  size_t at = 0)
      : bytes(literal, kSize - 1), what(what), at(at) {}

  std::string_view bytes;
  std::string_view what;
  size_t at;
};
constexpr char kTls[] = "a TLS record: the channel was encrypted";
// Files that people have beside streams, or keep them in.
constexpr Magic kMagics[] = {
    {"\177ELF", "an ELF file: a core or a memory dump?"},
    {"QFI\373",
     "a qcow2 image, whose snapshots are read if it is a file, and not "
     "compressed"},
    {"ustar", "a tar archive: unpack it", 257},
    {"\xd4\xc3\xb2\xa1", "a pcap file: take the TCP stream out of it"},
    {"\xa1\xb2\xc3\xd4", "a pcap file: take the TCP stream out of it"},
    {"\x0a\x0d\x0d\x0a", "a pcapng file: take the TCP stream out of it"},
    {"\x04\x22\x4d\x18", "lz4: decompress it with lz4 -d"},
    {"\x89LZO\0\r\n\x1a\n", "lzop: decompress it with lzop -d"},
    {"\x5d\0\0\x80\0", "lzma: decompress it with xz -d"},
    {"\x5d\0\0\0\x04", "lzma: decompress it with xz -d"},
    {"PK\x03\x04", "a zip archive: unpack it"},
    {"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it"},
    {"\x15\x03\x01", kTls},
    {"\x15\x03\x03", kTls},
    {"\x16\x03\x01", kTls},
    {"\x16\x03\x03", kTls},
    {"\x17\x03\x03", kTls},
    {"\x1f\x8b\x08", "compressed twice: decompress it with gzip -d once"},
    {"BZh", "compressed twice: decompress it with bzip2 -d once"},
    {"\xfd\x37zXZ\0", "compressed twice: decompress it with xz -d once"},
    {"\x28\xb5\x2f\xfd", "compressed twice: decompress it with zstd -d once"},
    {"KDMV", "a VMDK image"},
    {"\x78\x9c", "zlib data"},
};

std::string_view MagicOf(ByteSpan bytes) {
  for (const Magic& magic : kMagics) {
    if (bytes.size() >= magic.at + magic.bytes.size() &&
        AsText(bytes).substr(magic.at, magic.bytes.size()) == magic.bytes) {
      return magic.what;
    }
  }
  return "";
}

// "; QEVM stands at 0x27: --offset=39"
std::string StreamFurtherIn(ByteSpan bytes, uint64_t offset) {
  constexpr std::string_view kHeader("QEVM\0\0\0\3", 8);
  const size_t at = AsText(bytes).find(kHeader);
  if (at == std::string_view::npos) return "";
  return StrCat("; a stream begins at ", Hex(offset + at),
                ": --offset=", offset + at);
}

}  // namespace

std::string NotAStream(ByteSpan bytes, uint64_t offset) {
  switch (KindOf(bytes)) {
    case FileKind::kMain:
      return bytes.size() < 8 ? "input ends in the header" : "";
    case FileKind::kMultifd:
      return "a multifd channel, not the main channel: give that file as well";
    case FileKind::kReturnPath:
      return StrCat("a return path, not the main channel",
                    StreamFurtherIn(bytes, offset));
    case FileKind::kLibvirt:
      return "a libvirt save file, not a migration stream";
    case FileKind::kCpr:
      return "a CPR state file, not a migration stream";
    case FileKind::kPreempt:
      return "a postcopy-preempt channel, not the main channel: give that file "
             "as well";
    case FileKind::kEmpty:
      return "empty input";
    case FileKind::kUnknown:
      break;
  }
  if (bytes.size() < 4) return "not a migration stream: too short";
  if (const std::string_view what = MagicOf(bytes); !what.empty()) {
    return StrCat("not a migration stream: ", what,
                  StreamFurtherIn(bytes, offset));
  }
  return StrCat("not a migration stream: begins with ",
                Hex(LoadBe32(bytes.data()), 8), ", expected ",
                Hex(kStreamMagic), " (QEVM)", StreamFurtherIn(bytes, offset));
}

bool BeginsLikeAStream(ByteSpan bytes) {
  const FileKind kind = KindOf(bytes);
  return bytes.size() >= 8 &&
         (kind == FileKind::kMain ||
          (kind == FileKind::kUnknown && MagicOf(bytes).empty() &&
           LoadBe32(&bytes[4]) == kStreamVersion));
}

}  // namespace migstream
