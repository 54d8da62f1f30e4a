#include "codec/payload/xe.h"

#include <bit>

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

constexpr uint16_t kVendor = 0x8086;
constexpr uint64_t kVersion = 1, kHeaderBytes = 24, kMmioBytes = 16;
enum Type : uint64_t {
  kDescriptor = 1,
  kTrailer = 2,
  kGgtt = 3,
  kMmio = 4,
  kGuc = 5,
  kVram = 6,
};
constexpr uint64_t kDeviceKey = 0xf001, kRevisionKey = 0xf002;

constexpr ValueName kTypes[] = {{1, "DESCRIPTOR"}, {2, "TRAILER"}, {3, "GGTT"},
                                {4, "MMIO"},       {5, "GUC"},     {6, "VRAM"}};
constexpr Field kHeader[] = {
    {"version", 0, 1},
    {"type", 1, 1, Show::kDecimal, 1, kTypes},
    {"tile_id", 2, 1},
    {"gt_id", 3, 1},
    {"flags", 4, 4, Show::kHex},
    {"offset", 8, 8, Show::kHex},
    {"size", 16, 8},
};
constexpr Field kKlvHeader[] = {{"len", 0, 2}, {"key", 2, 2, Show::kHex}};
constexpr Field kDevId[] = {{"devid", 0, 4, Show::kHex}};
constexpr Field kRevId[] = {{"revid", 0, 4, Show::kHex}};
constexpr Field kVfSwFlag[] = {{"vf_sw_flag", 0, 4, Show::kHex, 4}};

constexpr Record kKlvs[] = {
    {.name = "DEVID",
     .key = kDeviceKey,
     .body = Body::kFields,
     .bytes = 4,
     .fields = kDevId,
     .note = "must be the destination's"},
    {.name = "REVID",
     .key = kRevisionKey,
     .body = Body::kFields,
     .bytes = 4,
     .fields = kRevId,
     .note = "must be the destination's"},
};
constexpr Level kKlvList = {.header_bytes = 4,
                            .size = {0, 2},
                            .unit = 4,
                            .key = {2, 2},
                            .recovers = true,
                            .unknown = "klv",
                            .header = kKlvHeader,
                            .records = kKlvs};
constexpr Record kRecords[] = {
    {.name = "DESCRIPTOR",
     .key = kDescriptor,
     .body = Body::kList,
     .list = &kKlvList,
     .note = "first"},
    {.name = "TRAILER", .key = kTrailer, .note = "last, and empty"},
    {.name = "GGTT", .key = kGgtt, .note = "eight bytes a page of 4 KiB"},
    {.name = "MMIO",
     .key = kMmio,
     .body = Body::kFields,
     .bytes = kMmioBytes,
     .fields = kVfSwFlag},
    {.name = "GUC", .key = kGuc, .note = "firmware's state of the VF"},
    {.name = "VRAM",
     .key = kVram,
     .note = "from 0 on without a gap, 512 MiB at the most each"},
};
constexpr Level kRoot = {.header_bytes = kHeaderBytes,
                         .size = {16, 8},
                         .key = {1, 1},
                         .unknown = "type",
                         .header = kHeader,
                         .records = kRecords};

constexpr PciRow kIds[] = {
    {kVendor, 0xb080, "Panther Lake"}, {kVendor, 0xb081, "Panther Lake"},
    {kVendor, 0xb082, "Panther Lake"}, {kVendor, 0xb083, "Panther Lake"},
    {kVendor, 0xb084, "Panther Lake"}, {kVendor, 0xb085, "Panther Lake"},
    {kVendor, 0xb086, "Panther Lake"}, {kVendor, 0xb087, "Panther Lake"},
    {kVendor, 0xb08f, "Panther Lake"}, {kVendor, 0xb090, "Panther Lake"},
    {kVendor, 0xb0a0, "Panther Lake"}, {kVendor, 0xb0b0, "Panther Lake"},
    {kVendor, 0xfd80, "Wildcat Lake"}, {kVendor, 0xfd81, "Wildcat Lake"},
    {kVendor, 0xe202, "Battlemage"},   {kVendor, 0xe209, "Battlemage"},
    {kVendor, 0xe20b, "Battlemage"},   {kVendor, 0xe20c, "Battlemage"},
    {kVendor, 0xe20d, "Battlemage"},   {kVendor, 0xe210, "Battlemage"},
    {kVendor, 0xe211, "Battlemage"},   {kVendor, 0xe212, "Battlemage"},
    {kVendor, 0xe216, "Battlemage"},   {kVendor, 0xe220, "Battlemage"},
    {kVendor, 0xe221, "Battlemage"},   {kVendor, 0xe222, "Battlemage"},
    {kVendor, 0xe223, "Battlemage"},
};
constexpr Generation kGenerations[] = {
    {"packets version 1", "xe_vfio_pci >= 6.19, GuC >= 70.54",
     "the same device and revision, GGTT and VRAM of the same size"}};
constexpr Reader kReaders[] = {{{6, 19}, 1 << 0, {}, {}}};

constexpr Refusal kSilent = {Moment::kWrite, "EINVAL", {}};
constexpr Refusal kBadPacket = {Moment::kWrite, "EINVAL",
                                "Received invalid restore packet"};
constexpr Refusal kBadKlvs = {
    Moment::kWrite, "ENODATA", "corrupted descriptor KLVs", "EINVAL", {7, 3}};
constexpr Refusal kNotFinished = {Moment::kStop, {}, "RESTORE didn't finish"};

Look LookAt(ByteSpan head) {
  if (head.size() < kHeaderBytes) return {};
  auto number = [&](size_t at, int width) {
    return payload::LoadNumber(head.data() + at, width, false);
  };
  bool fits = number(0, 4) == 0x0101 && number(4, 4) == 0 &&
              number(8, 8) == 0 && number(16, 8) % 4 == 0 &&
              number(16, 8) < 4096;
  return {fits ? Likeness::kSure : Likeness::kNo};
}

}  // namespace

constexpr payload::Format kXeFormat = {
    .driver = payload::Driver::kXe,
    .name = "xe",
    .module = "xe_vfio_pci",
    .source = "drivers/vfio/pci/xe, drivers/gpu/drm/xe/xe_sriov_packet.c",
    .root = &kRoot,
    .ids = kIds,
    .look = LookAt,
    .pre_copy = payload::PreCopy::kNone,
    .length_law = "the sum of 24 + size, the last a TRAILER",
    .generations = kGenerations,
    .readers = kReaders,
    .not_in_stream = "the firmware's version, and how much GGTT the VF has",
};

void XeRules::Add(const PayloadEvent& event, RuleOutput& out) {
  switch (event.kind) {
    case PayloadEventKind::kRecord:
      if (event.depth == 0) {
        Packet(event, out);
      } else if (!event.record) {
        out.Note(
            Id::kUnknownTag, event.offset,
            StrCat("descriptor KLV ", Hex(event.key), " is not known up to ",
                   ToString(kNewestKernel), ": skipped"));
      } else if (event.bytes != event.record->bytes) {
        out.Warn(Id::kSectionSize, event.offset,
                 StrCat(event.record->name, " of ", event.bytes, " bytes"));
      }
      break;
    case PayloadEventKind::kFields:
      if (event.depth > 0) KeyValue(event, out);
      break;
    case PayloadEventKind::kOverrun:
      out.Error(Id::kNesting, event.offset,
                StrCat("a descriptor KLV wants ", event.bytes, " bytes, ",
                       event.left, " are left"),
                kBadKlvs);
      break;
    case PayloadEventKind::kOpaque:
    case PayloadEventKind::kRecordEnd:
      break;
  }
}

void XeRules::KeyValue(const PayloadEvent& event, RuleOutput&) {
  if (event.key == kDeviceKey) {
    has_device = true;
    device = event.Number(0, 4);
    device_at = event.record_offset;
  } else if (event.key == kRevisionKey) {
    revision = event.Number(0, 4);
  }
}

void XeRules::Packet(const PayloadEvent& event, RuleOutput& out) {
  uint64_t version = event.Number(0, 1), type = event.key,
           tile = event.Number(2, 1), gt = event.Number(3, 1);
  bool first = packets++ == 0;
  if (version != kVersion) {
    out.Error(Id::kVersion, event.offset,
              StrCat("packet version ", version, "; kernels up to ",
                     ToString(kNewestKernel), " want 1",
                     type == kDescriptor && event.bytes >= 4
                         ? "; in a DESCRIPTOR they follow a null pointer"
                         : ""),
              kSilent);
  }
  std::string_view name = event.record ? event.record->name : "packet";
  if (gt >= kGts) {
    out.Error(Id::kValue, event.offset,
              StrCat(name, " of GT ", gt, ": no device has it"), kSilent);
  } else if (tile != 0) {
    out.Error(Id::kValue, event.offset,
              StrCat(name, " of GT ", gt, " claims tile ", tile), kBadPacket);
  }
  if (event.Number(4, 4) != 0) {
    out.Warn(Id::kReserved, event.offset + 4, "flags are not 0");
  }
  if (first && type != kDescriptor) {
    out.Warn(Id::kMissing, event.offset,
             "no DESCRIPTOR first: the destination does not compare device and "
             "revision");
  }
  if (trailer) {
    out.Warn(Id::kValue, event.offset, StrCat(name, " after the TRAILER"));
  }
  if (type == 0) {
    out.Error(Id::kValue, event.offset, "packet type 0", kBadPacket);
  } else if (!event.record) {
    out.Note(
        Id::kUnknownTag, event.offset,
        StrCat("packet type ", type, " is not known up to ",
               ToString(kNewestKernel), ": \"Skipping VF unknown data type\""));
  }
  if (type != kDescriptor && type != kTrailer) {
    counted += kHeaderBytes + event.bytes;
    if (gt < kGts) gts |= uint64_t{1} << gt;
  }
  if (event.record) OfType(event, out);
}

void XeRules::OfType(const PayloadEvent& event, RuleOutput& out) {
  uint64_t gt = event.Number(3, 1), at = event.Number(8, 8);
  if (event.key != kVram && at != 0) {
    out.Warn(Id::kValue, event.offset + 8,
             StrCat(event.record->name, " at offset ", Hex(at), ", not 0"));
  }
  switch (event.key) {
    case kDescriptor:
      if (descriptor) {
        out.Error(Id::kTwoSessions, event.offset,
                  "a second DESCRIPTOR: two sessions in one payload");
      }
      descriptor = true;
      break;
    case kTrailer:
      trailer = true;
      if (event.bytes != 0) {
        out.Error(Id::kValue, event.offset,
                  StrCat("TRAILER of ", event.bytes, " bytes"), kSilent);
      }
      break;
    case kGgtt:
      ggtt_bytes += event.bytes;
      if (event.bytes % 8 != 0 || gt != 0) {
        out.Warn(Id::kValue, event.offset,
                 StrCat("GGTT of ", event.bytes, " bytes, of GT ", gt));
      }
      break;
    case kMmio:
      if (event.bytes != kMmioBytes) {
        out.Error(Id::kSectionSize, event.offset,
                  StrCat("MMIO of ", event.bytes, " bytes, not 16"),
                  {Moment::kLater, "EIO", "Failed to restore VF"});
      }
      break;
    case kGuc:
      guc_bytes += event.bytes;
      if (event.bytes == 0 || event.bytes % 4 != 0) {
        out.Warn(Id::kValue, event.offset,
                 StrCat("GUC of ", event.bytes, " bytes, no whole words"));
      }
      break;
    case kVram:
      vram_bytes += event.bytes;
      ++vram_packets;
      if (gt >= kGts) break;
      // Behind a hole the rest is sound, and so it is behind a wrong offset.
      if (at != next_vram[gt] && at != vram_end[gt]) {
        out.Error(
            Id::kGap, event.offset,
            StrCat("VRAM at ", Hex(at), ", ", Hex(next_vram[gt]), " expected"));
      }
      next_vram[gt] = (at == vram_end[gt] ? at : next_vram[gt]) + event.bytes;
      vram_end[gt] = at + event.bytes;
      break;
  }
}

void XeRules::Finish(const PayloadEnd& end, RuleOutput& out) {
  if (has_device && end.id && end.id->vendor == kVendor &&
      end.id->device != device) {
    out.Error(Id::kDevice, device_at,
              StrCat("device ", Hex(device), ", configuration space ",
                     Hex(end.id->device)),
              {Moment::kWrite, "ENODEV", "devid mismatch"});
  }
  if (!trailer && end.sound()) {
    out.Error(Id::kMissing, end.bytes,
              "no TRAILER: the save was cut; the destination waits for it, and "
              "fails leaving RESUMING",
              kNotFinished);
  }
  uint64_t headers = vram_packets > 1 ? (vram_packets - 1) * kHeaderBytes : 0;
  out.Fact("gts", std::popcount(gts));
  out.Fact("guc_bytes", guc_bytes);
  out.Fact("ggtt_ptes", ggtt_bytes / 8);
  out.Fact("ggtt_range", ggtt_bytes / 8 * 4096);
  out.Fact("vram_bytes", vram_bytes);
  out.Fact("mig_data_size_estimate", counted - headers);
}

}  // namespace migstream
