// hisi_acc: HiSilicon accelerators' VFs. One struct of 176 bytes, of which the
// first 40 say whether it fits the destination.

#ifndef MIGSTREAM_CODEC_PAYLOAD_HISI_ACC_H_
#define MIGSTREAM_CODEC_PAYLOAD_HISI_ACC_H_

#include "codec/payload/driver_rules.h"
#include "codec/payload/format.h"

namespace migstream {

extern const payload::Format kHisiAccFormat;

struct HisiAccRules {
  void Add(const PayloadEvent& event, RuleOutput& out);
  void Finish(const PayloadEnd& end, RuleOutput& out);

  void Match(const PayloadEvent& event, RuleOutput& out);
  void Registers(const PayloadEvent& event, RuleOutput& out);

  bool matched = false;  // All 40 bytes were there.
  bool v1 = false;
  uint64_t device = 0;
  uint64_t state = 0;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_PAYLOAD_HISI_ACC_H_
