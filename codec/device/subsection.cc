#include "codec/device/subsection.h"

#include <algorithm>
#include <string_view>

#include "codec/wire/cursor.h"
#include "flags/section_type.h"

namespace migstream {

RamfbConfig RamfbConfig::Parse(ByteSpan payload) {
  RamfbConfig ramfb;
  if (payload.size() != kRamfbBytes) return ramfb;
  Cursor cursor(payload);
  ramfb.address = cursor.Be64();
  ramfb.fourcc = cursor.Be32();
  ramfb.flags = cursor.Be32();
  ramfb.width = cursor.Be32();
  ramfb.height = cursor.Be32();
  ramfb.stride = cursor.Be32();
  return ramfb;
}

SubsectionStart StartsSubsection(ByteSpan bytes, std::string_view parent) {
  if (bytes.empty()) return SubsectionStart::kMore;
  if (bytes[0] != static_cast<uint8_t>(SectionType::kSubsection)) {
    return SubsectionStart::kNo;
  }
  if (bytes.size() < 2) return SubsectionStart::kMore;
  if (bytes[1] < parent.size() + 1) return SubsectionStart::kNo;
  std::string_view name = AsText(bytes.subspan(2));
  std::string_view seen = name.substr(0, parent.size());
  if (!parent.starts_with(seen)) return SubsectionStart::kNo;
  return name.size() < bytes[1] ? SubsectionStart::kMore
                                : SubsectionStart::kYes;
}

}  // namespace migstream
