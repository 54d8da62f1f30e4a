#include "codec/payload/others.h"

namespace migstream {
namespace {

using payload::Body;
using payload::Driver;
using payload::Field;
using payload::Generation;
using payload::Level;
using payload::Likeness;
using payload::Look;
using payload::Record;
using payload::Show;
using Id = PayloadFindingId;

uint64_t Number(ByteSpan head, size_t at, int width) {
  return payload::LoadNumber(head.data() + at, width, false);
}

Look Sure(bool fits) { return {fits ? Likeness::kSure : Likeness::kNo}; }

constexpr Field kTlvHeader[] = {{"type", 0, 2}, {"len", 2, 2}};
constexpr Field kIceHeaderFields[] = {
    {"magic", 0, 4, Show::kHex}, {"version", 4, 2}, {"types", 6, 2}};
constexpr Record kTlvs[] = {
    {.name = "END", .key = 0, .note = "last, and empty"},
    {.name = "HEADER",
     .key = 1,
     .body = Body::kFields,
     .bytes = 8,
     .fields = kIceHeaderFields},
    {.name = "VF_INFO", .key = 2},
    {.name = "TX_QUEUE", .key = 3},
    {.name = "RX_QUEUE", .key = 4},
    {.name = "MSIX_REGS", .key = 5},
};
constexpr Level kIceRoot = {.header_bytes = 4,
                            .size = {2, 2},
                            .key = {0, 2},
                            .unknown = "tlv",
                            .header = kTlvHeader,
                            .records = kTlvs};
constexpr Generation kIceGenerations[] = {
    {"ice RFC, never merged", "the tree that it was written for"}};

Look LookAtIce(ByteSpan head) {
  return Sure(head.size() >= 8 && Number(head, 0, 4) == 0x00080001 &&
              Number(head, 4, 4) == 0xe8000001);
}

constexpr Field kRegionHeader[] = {{"type", 0, 4}, {"size", 4, 4}};
constexpr Field kHeadFields[] = {
    {"version", 0, 4}, {"data_size", 4, 4}, {"crc", 8, 8, Show::kHex}};
constexpr Record kRegions[] = {
    {.name = "HEAD",
     .key = 1,
     .body = Body::kFields,
     .bytes = 528,
     .fields = kHeadFields},
    {.name = "CFG_SPACE", .key = 2, .bytes = 4096},
    {.name = "VREG", .key = 3, .bytes = 2 << 20},
    {.name = "SREG", .key = 4, .bytes = 2 << 20},
    {.name = "GTT", .key = 5},
    {.name = "PPGTT", .key = 6},
    {.name = "WORKLOAD", .key = 7},
    {.name = "OPREGION", .key = 8},
    {.name = "EXECLIST", .key = 9},
};
constexpr Level kGvtRoot = {.header_bytes = 8,
                            .size = {4, 4},
                            .key = {0, 4},
                            .unknown = "type",
                            .header = kRegionHeader,
                            .records = kRegions};
constexpr Generation kGvtGenerations[] = {
    {"GVT-g of intel/gvt-linux, never upstream",
     "the tree that it was written for"}};

Look LookAtGvt(ByteSpan head) {
  return Sure(head.size() >= 16 && Number(head, 0, 4) == 1 &&
              Number(head, 4, 4) == 528 && Number(head, 8, 4) == 0);
}

// How many regions there are depends on the library's version: nine or ten.
constexpr Field kSpdkFields[] = {
    {"magic", 0, 4, Show::kHex},
    {"version", 4, 4},
    {"opts_size", 8, 4},
    {"bar_offset_and_len", 16, 8, Show::kHex, 18},
};
constexpr Record kSpdkRecords[] = {
    {.name = "header",
     .body = Body::kFields,
     .bare = true,
     .bytes = 160,
     .fields = kSpdkFields},
    {.name = "rest of header", .bare = true, .bytes = 4096 - 160},
    {.name = "controller data, queue pairs and BARs", .bare = true},
};
constexpr Level kSpdkRoot = {.records = kSpdkRecords};
constexpr Generation kSpdkGenerations[] = {
    {"SPDK NVMe over vfio-user", "SPDK's nvmf_vfio_user, of the same version"}};

Look LookAtSpdk(ByteSpan head) {
  return Sure(head.size() >= 16 && Number(head, 0, 4) == 0xafedbc23 &&
              Number(head, 12, 4) == 0);
}

constexpr Record kOpaqueRecords[] = {{.name = "payload", .bare = true}};
constexpr Level kOpaqueRoot = {.records = kOpaqueRecords};
constexpr Generation kOpaqueGenerations[] = {{"opaque", "the same driver"}};

}  // namespace

constexpr payload::Format kIceRfcFormat = {
    .driver = Driver::kIceRfc,
    .name = "ice (RFC)",
    .source = "a series of 2025, never merged",
    .root = &kIceRoot,
    .look = LookAtIce,
    .length_law = "the sum of 4 + len, the last an END",
    .generations = kIceGenerations,
};

constexpr payload::Format kGvtGFormat = {
    .driver = Driver::kGvtG,
    .name = "gvt-g",
    .source = "intel/gvt-linux, gvt-stable-4.17",
    .root = &kGvtRoot,
    .look = LookAtGvt,
    .length_law = "the sum of 8 + size",
    .generations = kGvtGenerations,
};

constexpr payload::Format kSpdkNvmeFormat = {
    .driver = Driver::kSpdkNvme,
    .name = "spdk-nvme",
    .source = "spdk/spdk, lib/nvmf/vfio_user.c",
    .root = &kSpdkRoot,
    .look = LookAtSpdk,
    .length_law = "4096 of header, then what it points to",
    .generations = kSpdkGenerations,
};

constexpr payload::Format kOpaqueFormat = {
    .driver = Driver::kOpaque,
    .name = "opaque",
    .root = &kOpaqueRoot,
    .length_law = "any",
    .generations = kOpaqueGenerations,
    .not_in_stream = "anything that could be read",
};

void OtherRules::Finish(const PayloadEnd& end, RuleOutput& out) {
  switch (driver) {
    case Driver::kIceRfc:
      out.Note(Id::kGeneration, 0, "ice RFC: no upstream kernel takes this");
      return;
    case Driver::kGvtG:
      out.Note(Id::kGeneration, 0,
               "GVT-g of intel/gvt-linux: no upstream kernel takes this");
      return;
    case Driver::kSpdkNvme:
      out.Note(Id::kGeneration, 0, "SPDK's NVMe controller over vfio-user");
      return;
    case Driver::kOpaque:
    case Driver::kMlx5:
    case Driver::kHisiAcc:
    case Driver::kPds:
    case Driver::kVirtio:
    case Driver::kQat:
    case Driver::kXe:
    case Driver::kMtty:
      break;
  }
  out.Note(Id::kOpaque, 0,
           end.id ? StrCat("no driver known for ", ToString(*end.id),
                           ": opaque (NVIDIA vGPU and others are closed)")
                  : "nothing known in the bytes: opaque");
}

}  // namespace migstream
