#include "codec/qemu/vm_description.h"

#include <algorithm>
#include <utility>

#include "flags/section_type.h"

namespace migstream {

const DescribedDevice* VmDescription::Find(std::string_view name,
                                           uint32_t instance_id) const {
  const auto key = std::pair(name, instance_id);
  const auto key_of = [this](uint32_t at) {
    return std::pair(std::string_view(devices[at].name),
                     devices[at].instance_id);
  };
  const auto found = std::lower_bound(
      index_.begin(), index_.end(), key,
      [&](uint32_t at, const auto& wanted) { return key_of(at) < wanted; });
  return found == index_.end() || key_of(*found) != key ? nullptr
                                                        : &devices[*found];
}

FoundDescription FindDescription(ByteSpan tail) {
  FoundDescription result;
  auto last_nul = std::find(tail.rbegin(), tail.rend(), 0);
  if (last_nul == tail.rend()) {
    result.longer_tail_needed = true;
    return result;
  }
  // The NUL is one of the length's four bytes; or the EOF's, two before it.
  size_t nul = tail.rend() - last_nul - 1;
  for (size_t before_json : {6, 4, 3, 2, 1}) {
    size_t length_at = nul + before_json - 4;
    if (nul + before_json < 6) {
      result.longer_tail_needed = true;
      return result;
    }
    size_t json_at = length_at + 4;
    if (json_at < tail.size() && tail[json_at] == '{' &&
        tail[length_at - 2] == static_cast<uint8_t>(SectionType::kEof) &&
        tail[length_at - 1] ==
            static_cast<uint8_t>(SectionType::kVmDescription) &&
        LoadBe32(&tail[length_at]) == tail.size() - json_at) {
      result.found = true;
      result.json_at = json_at;
      return result;
    }
  }
  return result;
}

}  // namespace migstream
