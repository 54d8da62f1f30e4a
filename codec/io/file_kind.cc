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
  return IsReturnMessageLength(
             static_cast<ReturnMessage>(LoadBe16(bytes.data())),
             LoadBe16(&bytes[2]))
             ? FileKind::kReturnPath
             : FileKind::kUnknown;
}

std::string NotAStream(ByteSpan bytes) {
  switch (KindOf(bytes)) {
    case FileKind::kMain:
      return bytes.size() < 8 ? "input ends in the header" : "";
    case FileKind::kMultifd:
      return "a multifd channel, not the main channel";
    case FileKind::kReturnPath:
      return "a return path, not the main channel";
    case FileKind::kLibvirt:
      return "a libvirt save file, not a migration stream";
    case FileKind::kCpr:
      return "a CPR state file, not a migration stream";
    case FileKind::kEmpty:
      return "empty input";
    case FileKind::kUnknown:
      break;
  }
  if (bytes.size() < 4) return "not a migration stream: too short";
  return StrCat("not a migration stream: begins with ",
                Hex(LoadBe32(bytes.data())), ", expected ", Hex(kStreamMagic),
                " (QEVM)");
}

bool BeginsLikeAStream(ByteSpan bytes) {
  const FileKind kind = KindOf(bytes);
  return bytes.size() >= 8 &&
         (kind == FileKind::kMain || (kind == FileKind::kUnknown &&
                                      LoadBe32(&bytes[4]) == kStreamVersion));
}

}  // namespace migstream
