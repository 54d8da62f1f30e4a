// xe: VFs of Intel graphics. Packets {version, type, tile, GT, offset, size},
// from a DESCRIPTOR to a TRAILER.

#ifndef MIGSTREAM_CODEC_PAYLOAD_XE_H_
#define MIGSTREAM_CODEC_PAYLOAD_XE_H_

#include "codec/payload/driver_rules.h"
#include "codec/payload/format.h"

namespace migstream {

extern const payload::Format kXeFormat;

struct XeRules {
  static constexpr uint64_t kGts = 2;

  void Add(const PayloadEvent& event, RuleOutput& out);
  void Finish(const PayloadEnd& end, RuleOutput& out);

  void Packet(const PayloadEvent& event, RuleOutput& out);
  void OfType(const PayloadEvent& event, RuleOutput& out);
  void KeyValue(const PayloadEvent& event, RuleOutput& out);

  uint64_t packets = 0;
  bool descriptor = false;
  bool trailer = false;
  bool has_device = false;
  uint64_t device = 0;
  uint64_t device_at = 0;
  uint64_t revision = 0;
  uint64_t gts = 0;  // A bit each.
  uint64_t guc_bytes = 0;
  uint64_t ggtt_bytes = 0;
  uint64_t vram_bytes = 0;
  uint64_t vram_packets = 0;
  uint64_t counted = 0;           // By the driver's MIG_DATA_SIZE.
  uint64_t next_vram[kGts] = {};  // By the bytes so far,
  uint64_t vram_end[kGts] = {};   // and by the last offset.
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_PAYLOAD_XE_H_
