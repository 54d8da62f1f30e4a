#include "codec/payload/pds.h"

namespace migstream {
namespace {

using Id = PayloadFindingId;

constexpr uint64_t kMaxBytes = 65536;

constexpr payload::Record kRecords[] = {
    {.name = "device_state", .bare = true, .note = "filled by firmware"}};
constexpr payload::Level kRoot = {.records = kRecords};
constexpr payload::PciRow kIds[] = {{0x1dd8, 0x1003, "Pensando VF"}};
constexpr payload::Generation kGenerations[] = {
    {"one firmware state", "pds_vfio_pci >= 6.6"}};
constexpr payload::Reader kReaders[] = {{{6, 6}, 1 << 0, {}, {}}};

constexpr payload::Refusal kFirmware = {
    payload::Moment::kDevice, {}, "failed to set migration state"};

}  // namespace

constexpr payload::Format kPdsFormat = {
    .driver = payload::Driver::kPds,
    .name = "pds",
    .module = "pds_vfio_pci",
    .source = "drivers/vfio/pci/pds",
    .root = &kRoot,
    .ids = kIds,
    .pre_copy = payload::PreCopy::kNone,
    .length_law = "1 to 65536",
    .generations = kGenerations,
    .readers = kReaders,
    .not_in_stream = "the firmware's version",
};

void PdsRules::Finish(const PayloadEnd& end, RuleOutput& out) {
  out.Note(Id::kOpaque, 0,
           "pds: nothing public describes the bytes; only length and phase "
           "were looked at");
  if (end.bytes > kMaxBytes) {
    out.Error(Id::kLength, kMaxBytes,
              StrCat(end.bytes, " bytes; 65536 are the most"),
              {payload::Moment::kWrite, "EINVAL", {}});
  }
  if (end.bytes % 4 != 0) {
    out.Warn(Id::kLength, end.bytes,
             "not whole 32-bit words: cut? Firmware always gets 65536 bytes, "
             "the rest zero",
             kFirmware);
  }
  if (end.all_zero && end.bytes > 0) {
    out.Warn(Id::kValue, 0,
             "all zero: the source clears the buffer, and the firmware wrote "
             "nothing",
             kFirmware);
  }
}

}  // namespace migstream
