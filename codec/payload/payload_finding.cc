#include "codec/payload/payload_finding.h"

#include <algorithm>

namespace migstream {
namespace {

using Id = PayloadFindingId;

constexpr std::string_view kSameSource = "take the source's stream again";

constexpr PayloadFindingRow kRows[] = {
    {Id::kCut, "payload-cut", "error",
     "a record wants more bytes than the payload has",
     "accepts it (mlx5, virtio, qat); refuses a size beyond 4 GiB; xe waits "
     "for the rest and fails",
     kSameSource},
    {Id::kNoFinal, "payload-no-final", "error",
     "nothing that the driver must send in stop-copy was sent there",
     "accepts it", "look whether the source failed after its switchover"},
    {Id::kDriver, "payload-driver", "error or warning",
     "the configuration space says one driver, the bytes another",
     "refuses it (mtty, hisi_acc, qat), or loads nonsense",
     "look which device's payload was put here"},
    {Id::kPhase, "payload-phase", "error",
     "bytes in pre-copy that the driver cannot send there", "accepts it",
     "another device's payload, or an edited stream"},
    {Id::kInitEarly, "payload-init-early", "warning",
     "INIT_DATA_SENT before the driver's initial bytes were sent",
     "has no say in it",
     "switchover may come before the destination has what takes long to load"},
    {Id::kLength, "payload-length", "error or warning",
     "the driver never writes a payload of this length",
     "refuses it, at the write or leaving RESUMING; pds and qat do not look",
     kSameSource},
    {Id::kDevice, "payload-device", "error",
     "the payload is of another device than the configuration space",
     "refuses it (EFAULT, ENODEV)", "migrate between VFs of one kind"},
    {Id::kVersion, "payload-version", "error",
     "a version that no known kernel reads", "refuses it (EINVAL, EFAULT)",
     "the destination's kernel must be as new as the source's"},
    {Id::kUnknownTag, "payload-unknown-tag", "note or error",
     "a record that no known kernel writes",
     "skips it if it is optional; else EOPNOTSUPP",
     "the source may be newer than this program"},
    {Id::kNesting, "payload-nesting", "error",
     "a record runs over the one that it stands in",
     "refuses it (qat, xe); a virtio device decides", kSameSource},
    {Id::kMissing, "payload-missing", "error or warning",
     "a record that has to be there is not", "refuses it, at once or in time",
     kSameSource},
    {Id::kSectionSize, "payload-section-size", "error or warning",
     "a record of another size than its driver reads",
     "accepts qat's mregs and loads wrong registers; refuses others",
     "do not load it: the device is left wrong"},
    {Id::kValue, "payload-value", "warning or error",
     "a value that no source can have", "accepts it, mostly",
     "look whether the payload was edited or damaged"},
    {Id::kDmaNull, "payload-dma-null", "warning", "a DMA address is 0",
     "accepts it and leaves the device not ready",
     "reset the device, or migrate again"},
    {Id::kGap, "payload-gap", "error",
     "memory of the device is missing between two records", "accepts it",
     "do not load it: the device's memory has a hole"},
    {Id::kTwoSessions, "payload-two-sessions", "error",
     "a second save session begins", "accepts it",
     "the source was reset while it saved, or two payloads were joined"},
    {Id::kReserved, "payload-reserved", "warning",
     "bytes that are zero in every kernel's payload are not", "accepts it",
     "a newer source, or a damaged payload"},
    {Id::kGrew, "payload-grew", "note",
     "the final image is larger than was announced",
     "accepts it, and allocates again while the guest stands",
     "downtime is longer than it had to be"},
    {Id::kGeneration, "payload-generation", "note",
     "not what today's kernels write", "depends on its release",
     "see what the destination needs"},
    {Id::kNotReady, "payload-not-ready", "note",
     "the guest had no driver for the device: nothing to restore", "accepts it",
     "nothing to do"},
    {Id::kOpaque, "payload-opaque", "note",
     "nothing public describes the bytes; only length and phase were looked at",
     "its firmware decides", "nothing to do"},
};

}  // namespace

std::span<const PayloadFindingRow> AllPayloadFindings() { return kRows; }

const PayloadFindingRow& GetRow(PayloadFindingId id) {
  return kRows[static_cast<size_t>(id)];
}

void PayloadFindings::Add(PayloadFindingId id, Severity severity,
                          uint64_t offset, std::string text,
                          const payload::Refusal& refusal) {
  auto alike = [&](const PayloadFinding& other) {
    return other.id == id && other.severity == severity &&
           other.refusal.when == refusal.when;
  };
  if (std::count_if(kept_.begin(), kept_.end(), alike) ==
      ptrdiff_t{kMaxAlike}) {
    ++unkept_;
    return;
  }
  kept_.push_back({id, severity, offset, std::move(text), refusal});
}

bool PayloadFindings::Has(PayloadFindingId id) const {
  return std::any_of(kept_.begin(), kept_.end(),
                     [id](const auto& finding) { return finding.id == id; });
}

std::vector<PayloadFinding> PayloadFindings::Take() {
  std::stable_sort(
      kept_.begin(), kept_.end(),
      [](const auto& a, const auto& b) { return a.offset < b.offset; });
  return std::move(kept_);
}

}  // namespace migstream
