// A real stream as the frame of a generated one: what is learnt from it, and
// its description with other devices in it. FORMAT.md section 7.

#ifndef MIGSTREAM_CODEC_GENERATE_FRAME_H_
#define MIGSTREAM_CODEC_GENERATE_FRAME_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "codec/generate/config_parts.h"
#include "codec/wire/bytes.h"

namespace migstream {

struct FrameDevice {
  std::string idstr;
  uint32_t instance_id = 0;
  uint32_t section_id = 0;
  bool has_config = false;
  ConfigParts config;
};

struct Frame {
  static absl::StatusOr<Frame> Read(ByteSpan bytes);

  std::vector<FrameDevice> devices;
  std::string machine_type;
  uint32_t highest_id = 0;
  bool footers = true;
  bool return_path = false;
  bool switchover_start = false;
};

// `json` with `entries`, which are objects, in the place of the VFIO devices'.
std::string ReplaceVfioEntries(std::string_view json,
                               const std::vector<std::string>& entries);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_GENERATE_FRAME_H_
