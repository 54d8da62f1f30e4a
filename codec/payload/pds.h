// pds: AMD Pensando VFs. A buffer that firmware fills; its length and phase are
// all that can be judged.

#ifndef MIGSTREAM_CODEC_PAYLOAD_PDS_H_
#define MIGSTREAM_CODEC_PAYLOAD_PDS_H_

#include "codec/payload/driver_rules.h"
#include "codec/payload/format.h"

namespace migstream {

extern const payload::Format kPdsFormat;

struct PdsRules {
  void Add(const PayloadEvent&, RuleOutput&) {}
  void Finish(const PayloadEnd& end, RuleOutput& out);
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_PAYLOAD_PDS_H_
