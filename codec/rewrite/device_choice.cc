#include "codec/rewrite/device_choice.h"

#include "codec/wire/printable.h"
#include "codec/wire/text.h"

namespace migstream {

bool DeviceChoice::Matches(const SectionView& section) {
  if (!section.vfio) return false;
  if (!idstr_.empty() && !IsNamed(section.idstr, idstr_)) return false;
  if (!found_) found_.emplace(section.idstr, section.instance_id);
  if (found_->first == section.idstr && found_->second == section.instance_id) {
    return true;
  }
  several_ = true;
  return false;
}

Error DeviceChoice::Finish() const {
  if (!found_) {
    return {ErrorCode::kUnknownSection, 0, "",
            idstr_.empty() ? "there is no VFIO device"
                           : StrCat("there is no device ", idstr_)};
  }
  if (several_) {
    return {ErrorCode::kUnknownSection, 0, "",
            "there are several devices: which one?"};
  }
  return {};
}

}  // namespace migstream
