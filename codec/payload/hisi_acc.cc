#include "codec/payload/hisi_acc.h"

namespace migstream {
namespace {

using payload::Body;
using payload::Field;
using payload::Generation;
using payload::Level;
using payload::Likeness;
using payload::Look;
using payload::Moment;
using payload::PciRow;
using payload::Reader;
using payload::Record;
using payload::Refusal;
using payload::Show;
using payload::ValueName;
using Id = PayloadFindingId;

constexpr uint64_t kV1 = 0xcdcdcdcdfeedaacc;
constexpr uint64_t kV2 = 0xaaccfeeddecadede;
constexpr uint16_t kVendor = 0x19e5;
constexpr uint32_t kMatchBytes = 40, kAllBytes = 176;

constexpr ValueName kMagics[] = {{kV1, "V1"}, {kV2, "V2"}};
constexpr ValueName kStates[] = {{0, "ready"}, {1, "not ready"}};
constexpr Field kMatch[] = {
    {"acc_magic", 0, 8, Show::kHex, 1, kMagics},
    {"qp_num", 8, 4},
    {"dev_id", 12, 4, Show::kHex},
    {"que_iso_cfg", 16, 4, Show::kHex},
    {"qp_base", 20, 4},
    {"vf_qm_state", 24, 4, Show::kDecimal, 1, kStates},
    {"major_ver", 28, 2},
    {"minor_ver", 30, 2},
    {"qm_rsv_state", 32, 4, Show::kHex, 2},
};
constexpr Field kRegisters[] = {
    {"aeq_int_mask", 0, 4, Show::kHex},    {"eq_int_mask", 4, 4, Show::kHex},
    {"ifc_int_source", 8, 4, Show::kHex},  {"ifc_int_mask", 12, 4, Show::kHex},
    {"ifc_int_set", 16, 4, Show::kHex},    {"page_size", 20, 4, Show::kHex},
    {"qm_eqc_dw", 24, 4, Show::kHex, 7},   {"qm_aeqc_dw", 52, 4, Show::kHex, 7},
    {"qm_rsv_regs", 80, 4, Show::kHex, 5}, {"eqe_dma", 104, 8, Show::kHex},
    {"aeqe_dma", 112, 8, Show::kHex},      {"sqc_dma", 120, 8, Show::kHex},
    {"cqc_dma", 128, 8, Show::kHex},
};
constexpr Record kRecords[] = {
    {.name = "match",
     .body = Body::kFields,
     .bare = true,
     .bytes = kMatchBytes,
     .fields = kMatch,
     .note = "alone: the VF was not ready, and nothing is restored"},
    {.name = "regs",
     .body = Body::kFields,
     .bare = true,
     .bytes = kAllBytes - kMatchBytes,
     .fields = kRegisters},
    {.name = "excess", .bare = true, .note = "no kernel writes any"},
};
constexpr Level kRoot = {.records = kRecords};

constexpr PciRow kIds[] = {{kVendor, 0xa251, "ZIP VF"},
                           {kVendor, 0xa256, "SEC VF"},
                           {kVendor, 0xa259, "HPRE VF"}};

constexpr Generation kGenerations[] = {
    {"V1", "hisi_acc_vfio_pci >= 5.18", "the same qp_num and que_iso_cfg"},
    {"V2", "hisi_acc_vfio_pci >= 6.16, or a 6.12.y or 6.1.y with V2,",
     "the same qp_num and que_iso_cfg"},
};
constexpr Refusal kNoMagic = {Moment::kWrite, "EFAULT",
                              "failed to match ACC_DEV_MAGIC"};
constexpr Reader kReaders[] = {
    {{5, 18}, 1 << 0, kNoMagic, "late 6.1.y and 6.12.y read V2 as well"},
    {{6, 16}, 1 << 0 | 1 << 1, {}, {}},
};

Look LookAt(ByteSpan head) {
  if (head.size() < 8) return {};
  for (bool big : {false, true}) {
    uint64_t magic = payload::LoadNumber(head.data(), 8, big);
    if (magic == kV1 || magic == kV2) return {Likeness::kSure, big};
  }
  return {};
}

bool AnyBit(const PayloadEvent& event, size_t from, size_t to) {
  for (size_t i = from; i < to; ++i) {
    if (event.view[i] != 0) return true;
  }
  return false;
}

}  // namespace

constexpr payload::Format kHisiAccFormat = {
    .driver = payload::Driver::kHisiAcc,
    .name = "hisi_acc",
    .module = "hisi_acc_vfio_pci",
    .source = "drivers/vfio/pci/hisilicon",
    .root = &kRoot,
    .ids = kIds,
    .look = LookAt,
    .host_order = true,
    .pre_copy = payload::PreCopy::kPrefix,
    .prefix_bytes = kMatchBytes,
    .length_law = "40 (not ready) or 176",
    .generations = kGenerations,
    .readers = kReaders,
    .not_in_stream = "the queues' contents, which are in guest memory",
};

void HisiAccRules::Add(const PayloadEvent& event, RuleOutput& out) {
  if (event.kind != PayloadEventKind::kFields) return;
  event.offset == 0 ? Match(event, out) : Registers(event, out);
}

void HisiAccRules::Match(const PayloadEvent& event, RuleOutput& out) {
  matched = true;
  out.initial_bytes = kMatchBytes;
  uint64_t magic = event.Number(0, 8);
  v1 = magic == kV1;
  device = event.Number(12, 4);
  state = event.Number(24, 4);
  uint64_t qp_num = event.Number(8, 4);
  uint64_t major = event.Number(28, 2);
  if (magic == kV2 && major != 1) {
    out.Error(
        Id::kVersion, 28,
        StrCat("driver version ", major, ".", event.Number(30, 2),
               "; every kernel up to ", ToString(kNewestKernel), " wants 1"),
        {Moment::kWrite, "EFAULT", "migration driver version"});
  }
  if (qp_num == 0 || qp_num > 1024) {
    out.Error(Id::kValue, 8,
              StrCat("qp_num ", qp_num, " is not 1 to 1024: no VF has as many"),
              {Moment::kWrite, "EFAULT", "failed to match VF qp num"});
  }
  if (state > 1) {
    out.Warn(Id::kValue, 24, StrCat("vf_qm_state ", state, " is not 0 or 1"));
  }
  size_t reserved = v1 ? 28 : 32;
  if (AnyBit(event, reserved, kMatchBytes)) {
    out.Warn(Id::kReserved, reserved, "qm_rsv_state is not zero");
  }
}

void HisiAccRules::Registers(const PayloadEvent& event, RuleOutput& out) {
  if (AnyBit(event, 80, 104)) {
    out.Warn(Id::kReserved, event.offset + 80, "qm_rsv_regs is not zero");
  }
  // Each queue's address, and where its context has it too.
  static constexpr struct {
    std::string_view name, context;
    uint8_t at, words;
  } kQueues[] = {{"eqe_dma", "qm_eqc_dw", 104, 24},
                 {"aeqe_dma", "qm_aeqc_dw", 112, 52},
                 {"sqc_dma", {}, 120, 0},
                 {"cqc_dma", {}, 128, 0}};
  for (const auto& queue : kQueues) {
    uint64_t address = event.Number(queue.at, 8);
    if (address == 0) {
      out.Warn(Id::kDmaNull, event.offset + queue.at,
               StrCat(queue.name,
                      " 0: taken, and the device left not ready "
                      "(\"resume dma addr is NULL\")"));
      continue;
    }
    if (queue.words == 0 || v1) continue;
    uint64_t context = event.Number(queue.words + 8, 4) << 32 |
                       event.Number(queue.words + 4, 4);
    if (address != context) {
      out.Warn(Id::kValue, event.offset + queue.at,
               StrCat(queue.name, " ", Hex(address), " is not ", queue.context,
                      "[2]:[1] ", Hex(context)));
    }
  }
  if (state == 1) {
    out.Warn(Id::kValue, 24, "vf_qm_state 1, not ready, and yet registers");
  }
}

void HisiAccRules::Finish(const PayloadEnd& end, RuleOutput& out) {
  out.generation = v1 ? 0 : 1;
  if (end.bytes > kAllBytes) {
    out.Error(Id::kLength, kAllBytes,
              StrCat(end.bytes - kAllBytes, " bytes after the 176"),
              {Moment::kWrite, "ENOMEM", {}});
  } else if (end.bytes != kMatchBytes && end.bytes != kAllBytes) {
    out.Error(Id::kLength, end.bytes,
              StrCat(end.bytes, " bytes; only 40 or 176 are complete"),
              {Moment::kStop, "EINVAL", "failed to recover the VF"});
  }
  if (!matched) return;
  if (end.id && end.id->vendor == kVendor && end.id->device != device) {
    out.Error(Id::kDevice, 12,
              StrCat("dev_id ", Hex(device), ", configuration space ",
                     Hex(end.id->device)),
              {Moment::kWrite, "EFAULT", "failed to match VF devices"});
  }
  if (v1) {
    out.Note(Id::kGeneration, 0,
             "V1: eqe_dma and aeqe_dma were computed from the wrong words; a "
             "V2 destination mends them if one write holds all 176 bytes");
  }
  if (end.bytes == kMatchBytes) {
    out.Note(Id::kNotReady, 24,
             state == 0 && end.pre_copy_bytes > 0
                 ? "40 bytes and vf_qm_state 0: they went out in pre-copy, "
                   "before the state was known; nothing followed: not ready"
                 : "not ready, no guest driver: nothing to restore");
  }
}

}  // namespace migstream
