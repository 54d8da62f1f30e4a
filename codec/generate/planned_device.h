// Who the devices of a recipe (stream.proto) are: their names, section ids and
// configs, with what the recipe leaves open decided, and the frame's taken
// over.

#ifndef MIGSTREAM_CODEC_GENERATE_PLANNED_DEVICE_H_
#define MIGSTREAM_CODEC_GENERATE_PLANNED_DEVICE_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "codec/generate/config_parts.h"
#include "codec/generate/device_channels.h"
#include "codec/generate/frame.h"
#include "codec/generate/generated.h"
#include "codec/generate/random.h"
#include "codec/generate/stream.pb.h"
#include "codec/qemu/stream_visitor.h"
#include "flags/dialect.h"

namespace migstream {

// The RAM's section of a stream without a frame.
inline constexpr uint32_t kRamSectionId = 2;

struct PlannedDevice {
  const recipe::Device* recipe = nullptr;
  const Dialect* dialect = nullptr;
  SectionView section;  // Its idstr is a view of GeneratedDevice's.
  ConfigParts config;
  bool has_config = true;
  uint64_t full_bytes = 0;  // Of its FULL's content.
  std::vector<DevicePacket> packets;
};

// Fills both lists, one element for each of the recipe's devices; `planned`
// views the recipe and `devices`. The status says what cannot be.
absl::Status PlanDevices(const recipe::Migration& recipe,
                         const Dialect& dialect, const Frame* frame,
                         Random& random, std::vector<GeneratedDevice>& devices,
                         std::vector<PlannedDevice>& planned);

// A recipe's record, repeated as it asks.
template <typename Message, typename Function>
void Repeat(const google::protobuf::RepeatedPtrField<Message>& list,
            Function function) {
  for (const Message& message : list) {
    uint64_t times = std::max<uint64_t>(message.repeat(), 1);
    for (; times > 0; --times) {
      if (!function(message)) return;
    }
  }
}

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_GENERATE_PLANNED_DEVICE_H_
