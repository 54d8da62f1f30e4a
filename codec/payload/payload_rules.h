// What is wrong inside a payload, from the walker's events: the driver's own
// rules, and those that hold for all.
//
//   PayloadRules rules(recognition);
//   rules.Add(event);             // Each one, in order.
//   rules.Finish(end);
//   rules.output().findings …
//
// Its state does not grow with the payload; findings are bounded.

#ifndef MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_RULES_H_
#define MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_RULES_H_

#include <variant>

#include "codec/payload/driver_rules.h"
#include "codec/payload/formats.h"
#include "codec/payload/hisi_acc.h"
#include "codec/payload/mlx5.h"
#include "codec/payload/mtty.h"
#include "codec/payload/others.h"
#include "codec/payload/payload_event.h"
#include "codec/payload/pds.h"
#include "codec/payload/qat.h"
#include "codec/payload/virtio.h"
#include "codec/payload/xe.h"

namespace migstream {

class PayloadRules {
 public:
  explicit PayloadRules(const Recognition& found);

  void Add(const PayloadEvent& event) {
    std::visit([&](auto& rules) { rules.Add(event, output_); }, driver_);
  }
  void Finish(const PayloadEnd& end);
  // Whether a rule is about what opaque records hold.
  bool looks_at_opaque() const {
    return std::holds_alternative<QatRules>(driver_);
  }

  RuleOutput& output() { return output_; }

 private:
  void Phase(const PayloadEnd& end);
  void Cut(const PayloadEnd& end);
  payload::Refusal Nothing() const;

  const payload::Format* format_;
  std::variant<OtherRules, Mlx5Rules, HisiAccRules, PdsRules, VirtioRules,
               QatRules, XeRules, MttyRules>
      driver_;
  RuleOutput output_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_RULES_H_
