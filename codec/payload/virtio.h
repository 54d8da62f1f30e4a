// virtio: net and block VFs with device parts. Each record is a snapshot of the
// whole device; the last one counts.

#ifndef MIGSTREAM_CODEC_PAYLOAD_VIRTIO_H_
#define MIGSTREAM_CODEC_PAYLOAD_VIRTIO_H_

#include "codec/payload/driver_rules.h"
#include "codec/payload/format.h"

namespace migstream {

extern const payload::Format kVirtioFormat;

struct VirtioRules {
  void Add(const PayloadEvent& event, RuleOutput& out);
  void Finish(const PayloadEnd& end, RuleOutput& out);

  // About the snapshot that is being walked.
  struct Snapshot {
    uint64_t start = 0;
    uint64_t last_type = 0;
    uint64_t selector = 0;  // Of the part that has just begun.
    uint64_t last_queue = UINT64_MAX;
    uint64_t common = 0;  // Bit n: a PCI_COMMON_CFG of offset n.
    uint32_t seen = 0;    // Bit n: part 0x100 + n.
    uint64_t device_features = 0;
    uint64_t driver_features = 0;
    uint64_t driver_features_at = 0;
    uint64_t num_queues = 0;
    uint64_t queue_size = 0;
    uint32_t queues = 0;
    uint32_t own_parts = 0;  // Of the device's type.
    bool enabled = false;    // A virtqueue is.
    bool complete = false;
    uint8_t status = 0;
  };

  void Outer(const PayloadEvent& event, RuleOutput& out);
  void Part(const PayloadEvent& event, RuleOutput& out);
  void Value(const PayloadEvent& event, RuleOutput& out);
  void Queue(const PayloadEvent& event, RuleOutput& out);

  Snapshot now;
  uint64_t snapshots = 0;
  uint64_t finals = 0;
  uint8_t status_first = 0;
  bool oversize = false;
  // Parts that the specification does not have: the first few.
  uint64_t strange_at = 0;
  uint64_t strange[4] = {};
  uint32_t strange_count = 0;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_PAYLOAD_VIRTIO_H_
