// What is in streams without a driver of any released kernel behind it: said to
// be what it is, and walked as far as it has a framing.

#ifndef MIGSTREAM_CODEC_PAYLOAD_OTHERS_H_
#define MIGSTREAM_CODEC_PAYLOAD_OTHERS_H_

#include "codec/payload/driver_rules.h"
#include "codec/payload/format.h"

namespace migstream {

extern const payload::Format kIceRfcFormat;
extern const payload::Format kGvtGFormat;
extern const payload::Format kSpdkNvmeFormat;
// For all that no row knows.
extern const payload::Format kOpaqueFormat;

struct OtherRules {
  explicit OtherRules(payload::Driver driver) : driver(driver) {}
  void Add(const PayloadEvent&, RuleOutput&) {}
  void Finish(const PayloadEnd& end, RuleOutput& out);

  payload::Driver driver;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_PAYLOAD_OTHERS_H_
