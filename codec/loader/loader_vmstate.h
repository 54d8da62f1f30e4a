// What every vmstate loader says. FORMAT.md section 7.2, LOADERS.md
// section 4.

#ifndef MIGSTREAM_CODEC_LOADER_LOADER_VMSTATE_H_
#define MIGSTREAM_CODEC_LOADER_LOADER_VMSTATE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "codec/loader/loader_input.h"
#include "codec/loader/loader_row.h"

namespace migstream {

// A subsection's version, of which the low byte counts and must be 1. Nothing
// if it is; else it is refused at `at`.
std::optional<LoaderRefusal> CheckSubsectionVersion(uint64_t at,
                                                    std::string_view name,
                                                    uint32_t version,
                                                    const LoaderRow& row);

// "timer: incoming version_id 0 is too old for local minimum version_id 1";
// `oldest` is what the destination takes, "..." if that is not known.
std::string OldVersion(std::string_view name, uint32_t version,
                       std::string_view oldest, const LoaderRow& row);

// What such messages call a section's state: "ICH9LPC" of
// "0000:00:1f.0/ICH9LPC".
std::string_view VmstateName(std::string_view idstr);

// "VM subsection 'a/b' in 'a' does not exist"
std::string UnknownSubsection(std::string_view name, std::string_view parent);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_LOADER_LOADER_VMSTATE_H_
