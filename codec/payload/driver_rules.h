// What rows cannot say of a payload is a small struct a driver: it is given
// the walker's events, says what is wrong, and keeps what the report tells.
//
//   struct MttyRules {
//     void Add(const PayloadEvent& event, RuleOutput& out);
//     void Finish(const PayloadEnd& end, RuleOutput& out);
//   };
//
// State does not grow with the payload.

#ifndef MIGSTREAM_CODEC_PAYLOAD_DRIVER_RULES_H_
#define MIGSTREAM_CODEC_PAYLOAD_DRIVER_RULES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/payload/payload_decoder.h"
#include "codec/payload/payload_event.h"
#include "codec/payload/payload_finding.h"
#include "codec/wire/text.h"

namespace migstream {

struct PciId {
  uint16_t vendor = 0;
  uint16_t device = 0;

  bool operator==(const PciId&) const = default;
};

// "10de:2237".
std::string ToString(PciId id);

// A number that is not in the payload but of it: "snapshots", "vram_bytes".
struct PayloadFact {
  std::string_view name;
  uint64_t value = 0;
};

// How a payload ended.
struct PayloadEnd {
  uint64_t bytes = 0;           // In all.
  uint64_t pre_copy_bytes = 0;  // Of them.
  std::optional<PciId> id = {};
  PayloadFault fault = {};  // kNone: the walk came to the end.
  bool all_zero = false;    // Of the first 64 KiB.
  // Where INIT_DATA_SENT stood, in bytes of payload before it.
  std::optional<uint64_t> init_data_sent = {};

  bool sound() const { return fault.code == ErrorCode::kNone; }
};

struct RuleOutput {
  PayloadFindings findings;
  std::vector<PayloadFact> facts;
  size_t generation = 0;  // Of the format's rows.
  // Bytes that the driver calls initial; 0: not known.
  uint64_t initial_bytes = 0;

  void Error(PayloadFindingId id, uint64_t offset, std::string text,
             const payload::Refusal& refusal = {}) {
    findings.Add(id, Severity::kError, offset, std::move(text), refusal);
  }
  void Warn(PayloadFindingId id, uint64_t offset, std::string text,
            const payload::Refusal& refusal = {}) {
    findings.Add(id, Severity::kWarning, offset, std::move(text), refusal);
  }
  void Note(PayloadFindingId id, uint64_t offset, std::string text,
            const payload::Refusal& refusal = {}) {
    findings.Add(id, Severity::kNote, offset, std::move(text), refusal);
  }
  void Fact(std::string_view name, uint64_t value) {
    facts.push_back({name, value});
  }
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_PAYLOAD_DRIVER_RULES_H_
