// What can be wrong inside a payload, as rows, and a list of what was found.
//
//   PayloadFindings findings;
//   findings.Add(PayloadFindingId::kCut, Severity::kError, 0x13f8,
//                "FW_DATA wants 512 bytes, 412 are there");
//
// A finding that makes the destination's kernel say no carries the refusal.
// Offsets are in the payload. The list is bounded.

#ifndef MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_FINDING_H_
#define MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_FINDING_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/payload/format.h"
#include "codec/wire/finding.h"

namespace migstream {

enum class PayloadFindingId : uint8_t {
  kCut,
  kNoFinal,
  kDriver,
  kPhase,
  kInitEarly,
  kLength,
  kDevice,
  kVersion,
  kUnknownTag,
  kNesting,
  kMissing,
  kSectionSize,
  kValue,
  kDmaNull,
  kGap,
  kTwoSessions,
  kReserved,
  kGrew,
  kGeneration,
  kNotReady,
  kOpaque,
};

struct PayloadFindingRow {
  PayloadFindingId id;
  std::string_view name;      // "payload-cut".
  std::string_view severity;  // "error"; "note or error".
  std::string_view meaning;
  std::string_view kernel;  // What the destination's does about it today.
  std::string_view advice;
};

std::span<const PayloadFindingRow> AllPayloadFindings();
const PayloadFindingRow& GetRow(PayloadFindingId id);

struct PayloadFinding {
  PayloadFindingId id = PayloadFindingId::kCut;
  Severity severity = Severity::kNote;
  uint64_t offset = 0;
  std::string text;
  payload::Refusal refusal = {};
};

class PayloadFindings {
 public:
  // How many of one id, severity and moment of refusal are kept, so that no
  // flood of one kind hides another.
  static constexpr size_t kMaxAlike = 8;
  static constexpr size_t kMaxFindings = 21 * 3 * 5 * kMaxAlike;

  void Add(PayloadFindingId id, Severity severity, uint64_t offset,
           std::string text, const payload::Refusal& refusal = {});

  bool Has(PayloadFindingId id) const;
  // In the order of their offsets; what was found beyond the limit is counted.
  std::vector<PayloadFinding> Take();
  uint64_t unkept() const { return unkept_; }
  const std::vector<PayloadFinding>& kept() const { return kept_; }

 private:
  std::vector<PayloadFinding> kept_;
  uint64_t unkept_ = 0;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_FINDING_H_
