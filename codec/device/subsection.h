// The vmstate subsections at the end of a config payload. FORMAT.md sections 7
// and 11.
//
// On the wire: 05, str8 name, be32 version, content. Nothing says how long the
// content is; a reader knows it by the name, or has to be told where the whole
// payload ends.

#ifndef MIGSTREAM_CODEC_DEVICE_SUBSECTION_H_
#define MIGSTREAM_CODEC_DEVICE_SUBSECTION_H_

#include <cstdint>
#include <string_view>

#include "codec/wire/bytes.h"
#include "flags/release.h"

namespace migstream {

inline constexpr std::string_view kVfioPciVmstate = "VFIOPCIDevice";
// A ramfb display.
inline constexpr std::string_view kDisplaySubsection =
    feature::kDisplaySubsection.name;
inline constexpr uint32_t kRamfbBytes = 28;

struct SubsectionView {
  std::string_view name;
  uint32_t version = 0;
  ByteSpan payload;
};

// The display subsection's payload. The guest wrote it, as big-endian numbers;
// all are zero until it did.
struct RamfbConfig {
  uint64_t address = 0;  // Guest-physical.
  uint32_t fourcc = 0;   // DRM pixel format.
  uint32_t flags = 0;
  uint32_t width = 0;  // Pixels.
  uint32_t height = 0;
  uint32_t stride = 0;  // Bytes.

  // `payload` is kRamfbBytes long; any other length gives zeros.
  static RamfbConfig Parse(ByteSpan payload);
};

// Whether a vmstate loader takes what begins here for a subsection of
// `parent`: the marker, and a name longer than the parent's that begins with
// it. kMore: it depends on bytes that are not in `bytes`.
enum class SubsectionStart { kNo, kYes, kMore };
SubsectionStart StartsSubsection(ByteSpan bytes, std::string_view parent);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DEVICE_SUBSECTION_H_
