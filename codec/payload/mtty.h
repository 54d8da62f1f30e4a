// mtty: the kernel's sample device, serial ports without hardware.

#ifndef MIGSTREAM_CODEC_PAYLOAD_MTTY_H_
#define MIGSTREAM_CODEC_PAYLOAD_MTTY_H_

#include "codec/payload/driver_rules.h"
#include "codec/payload/format.h"

namespace migstream {

extern const payload::Format kMttyFormat;

struct MttyRules {
  void Add(const PayloadEvent& event, RuleOutput& out);
  void Finish(const PayloadEnd& end, RuleOutput& out);

  void Header(const PayloadEvent& event, RuleOutput& out);
  void Port(const PayloadEvent& event, RuleOutput& out);

  uint64_t ports = 0;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_PAYLOAD_MTTY_H_
