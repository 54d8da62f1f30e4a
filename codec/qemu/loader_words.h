// What QEMU's loaders say, where more than one room says it after them.
// LOADERS.md section 4.

#ifndef MIGSTREAM_CODEC_QEMU_LOADER_WORDS_H_
#define MIGSTREAM_CODEC_QEMU_LOADER_WORDS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "codec/device/config_compare.h"
#include "codec/wire/text.h"

namespace migstream {

// `savevm`: see feature::kSavevmInMessages.
inline std::string UnknownSection(bool savevm, std::string_view idstr,
                                  uint32_t instance_id) {
  return StrCat("Unknown ", savevm ? "savevm " : "", "section or instance '",
                idstr, "' ", instance_id,
                ". Make sure that your current VM setup matches your saved VM "
                "setup, including any hotplugged devices");
}

inline std::string UnsupportedVersion(uint32_t version, std::string_view idstr,
                                      uint32_t newest) {
  return StrCat("savevm: unsupported version ", static_cast<int32_t>(version),
                " for '", idstr, "' v", newest);
}

inline std::string UnknownRamBlock(std::string_view name) {
  return StrCat("Unknown ramblock \"", name, "\", cannot accept migration");
}

// The masks are those that the mismatch was found with.
inline std::string BadConfigData(const ConfigMismatch& mismatch,
                                 const ConfigMasks& masks) {
  auto digits = [](uint64_t number) { return Hex(number).substr(2); };
  const size_t i = mismatch.offset;
  return StrCat("get_pci_config_device: Bad config data: i=", Hex(i),
                " read: ", digits(mismatch.saved),
                " device: ", digits(mismatch.destination),
                " cmask: ", digits(masks.check[i]),
                " wmask: ", digits(masks.writable[i]),
                " w1cmask:", digits(masks.clearable[i]));
}

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_LOADER_WORDS_H_
