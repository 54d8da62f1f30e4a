// A real stream as the frame of a generated one: what is learnt from it.

#ifndef MIGSTREAM_CODEC_GENERATE_FRAME_H_
#define MIGSTREAM_CODEC_GENERATE_FRAME_H_

#include <cstdint>
#include <string>
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

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_GENERATE_FRAME_H_
