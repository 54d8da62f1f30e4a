// What `check` finds in a payload, put there on purpose: each finding of
// codec/payload/payload_finding.h has a damage of its name.
//
//   DamagedPayload damaged = {payload, true, true};
//   absl::Status status = DamagePayload(PayloadFindingId::kCut, damaged);

#ifndef MIGSTREAM_CODEC_GENERATE_PAYLOAD_DAMAGE_H_
#define MIGSTREAM_CODEC_GENERATE_PAYLOAD_DAMAGE_H_

#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "codec/generate/random.h"
#include "codec/generate/stream.pb.h"
#include "codec/generate/vendor_payload.h"
#include "codec/payload/payload_finding.h"
#include "codec/payload/payload_report.h"

namespace migstream {

struct DamagedPayload {
  VendorPayload payload;
  bool has_pre_copy = false;        // The dialect has PARTs,
  bool has_init_data_sent = false;  // and INIT_DATA_SENT in them.
  bool init_early = false;          // INIT_DATA_SENT comes before all payload.
};

// NOT_FOUND: the driver cannot have it, or the dialect has no place for it.
absl::Status DamagePayload(PayloadFindingId id, Random& random,
                           DamagedPayload& damaged);

// The finding that a recipe's damage makes; none for NONE.
std::optional<PayloadFindingId> FindingOf(recipe::PayloadDamage::Kind kind);
// By its name, "payload-cut"; NONE if there is none.
recipe::PayloadDamage::Kind FindPayloadDamage(std::string_view name);

// What is in a payload, as it would arrive.
PayloadReport ReadPayload(const DamagedPayload& damaged);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_GENERATE_PAYLOAD_DAMAGE_H_
