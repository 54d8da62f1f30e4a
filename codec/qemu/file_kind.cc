#include "codec/qemu/file_kind.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "codec/wire/error.h"
#include "flags/command.h"
#include "flags/section_type.h"

namespace migstream {

std::string NotAStream(ByteSpan bytes) {
  if (bytes.empty()) return "empty input";
  if (absl::StartsWith(AsText(bytes), "LibvirtQ")) {
    return "a libvirt save file, not a migration stream";
  }
  if (bytes.size() < 4) return "not a migration stream: too short";
  uint32_t magic = LoadBe32(bytes.data());
  switch (magic) {
    case kStreamMagic:
      return bytes.size() < 8 ? "input ends in the header" : "";
    case kMultifdMagic:
      return "a multifd channel, not the main channel";
    case kCprMagic:
      return "a CPR state file, not a migration stream";
    default:
      break;
  }
  uint16_t message = LoadBe16(bytes.data());
  uint16_t length = LoadBe16(&bytes[2]);
  if (message >= static_cast<uint16_t>(ReturnMessage::kShut) &&
      message <= static_cast<uint16_t>(ReturnMessage::kSwitchoverAck) &&
      (length == 0 || length == 4)) {
    return "a return path, not the main channel";
  }
  return absl::StrCat("not a migration stream: begins with ", Hex(magic),
                      ", expected ", Hex(kStreamMagic), " (QEVM)");
}

}  // namespace migstream
