#include "codec/payload/mlx5.h"

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

constexpr uint64_t kMaxRecord = 0xffffffff;
constexpr uint64_t kOptional = 1;
constexpr uint64_t kFwData = 0, kStopCopySize = 1;
// In chunk mode the source reserves one chunk, not the whole.
constexpr uint64_t kChunk = 8 << 20;

constexpr ValueName kFlags[] = {{0, "optional"}};
constexpr ValueName kTags[] = {{0, "FW_DATA"}, {1, "STOP_COPY_SIZE"}};
constexpr Field kHeader[] = {
    {"record_size", 0, 8},
    {"flags", 8, 4, Show::kBits, 1, kFlags},
    {"tag", 12, 4, Show::kDecimal, 1, kTags},
};
constexpr Field kSizeFields[] = {{"stop_copy_size", 0, 8}};
constexpr Record kRecords[] = {
    {.name = "FW_DATA",
     .key = kFwData,
     .note = "one SAVE_VHCA_STATE result: an image, an increment, or a chunk"},
    {.name = "STOP_COPY_SIZE",
     .key = kStopCopySize,
     .body = Body::kFields,
     .bytes = 8,
     .fields = kSizeFields,
     .note = "first, and once; what the source reserved for the final image"},
};
constexpr Level kRoot = {.header_bytes = 16,
                         .size = {0, 8},
                         .key = {12, 4},
                         .unknown = "tag",
                         .header = kHeader,
                         .records = kRecords};
constexpr Record kImage[] = {
    {.name = "image", .bare = true, .note = "one raw firmware image"}};
constexpr Level kRawRoot = {.records = kImage};

constexpr PciRow kIds[] = {{0x15b3, 0x101e, "ConnectX or BlueField VF"}};

constexpr Generation kGenerations[] = {
    {"no header (sources up to 6.1, or 6.8 with firmware without PRE_COPY)",
     "mlx5_vfio_pci <= 6.8", "one that has no headers either"},
    {"records without tags (6.2)", "mlx5_vfio_pci >= 6.2"},
    {"records with tags (6.3)", "mlx5_vfio_pci >= 6.3"},
};
constexpr Refusal kNoSuchTag = {Moment::kWrite, "EOPNOTSUPP", {}};
constexpr Refusal kTooLong = {Moment::kWrite, "ENOMEM", {}};
constexpr Refusal kFirmware = {Moment::kDevice, {}, "LOAD_VHCA_STATE"};
constexpr Reader kReaders[] = {
    {{5, 18}, 1 << 0, kFirmware, "takes headers for a part of the image"},
    {{6, 2}, 1 << 0 | 1 << 1, kNoSuchTag, "reads flags and tag as one number"},
    {{6, 3}, 1 << 0 | 1 << 1 | 1 << 2, {}, {}},
    {{6, 9},
     1 << 1 | 1 << 2,
     kTooLong,
     "reads the image's first eight bytes as a size"},
};

// What no header can hold is an image; the end has no say in it.
Look LookAt(ByteSpan head) {
  if (head.size() < 16) return {Likeness::kMaybe};
  uint64_t size = payload::LoadNumber(head.data(), 8, false);
  uint64_t flags = payload::LoadNumber(head.data() + 8, 4, false);
  uint64_t tag = payload::LoadNumber(head.data() + 12, 4, false);
  if (size == 8 && flags == kOptional && tag == kStopCopySize) {
    return {Likeness::kSure};
  }
  bool fits = size > 0 && size <= kMaxRecord && flags <= 1 && tag <= 1;
  return {fits ? Likeness::kMaybe : Likeness::kNo};
}

}  // namespace

constexpr payload::Format kMlx5Format = {
    .driver = payload::Driver::kMlx5,
    .name = "mlx5",
    .module = "mlx5_vfio_pci",
    .source = "drivers/vfio/pci/mlx5",
    .root = &kRoot,
    .legacy_root = &kRawRoot,
    .ids = kIds,
    .look = LookAt,
    .pre_copy = payload::PreCopy::kAny,
    .length_law = "24 + the sum of 16 + size",
    .generations = kGenerations,
    .readers = kReaders,
    .not_in_stream = "firmware, PSID and capabilities, which must match",
};

void Mlx5Rules::Add(const PayloadEvent& event, RuleOutput& out) {
  if (legacy) return;
  if (event.kind == PayloadEventKind::kFields) {
    uint64_t size = event.Number(0, 8);
    if (size % 4096 != 0 || size > kMaxRecord - 4095) {
      out.Warn(Id::kValue, event.offset,
               StrCat("stop_copy_size ", Hex(size), " is not whole pages",
                      size > kMaxRecord ? " below 4 GiB" : "",
                      ": no kernel writes that"));
    }
    if (!has_size) stop_copy_size = size;
    if (!has_size) size_offset = event.offset;
    has_size = true;
    return;
  }
  if (event.kind != PayloadEventKind::kRecord) return;
  bool first = !first_done;
  first_done = true;
  uint64_t flags = event.Number(8, 4);
  if (event.bytes > kMaxRecord) {
    oversize = true;
    out.Error(
        Id::kCut, event.offset,
        StrCat("record_size ", Hex(event.bytes), " is more than 0xffffffff"),
        kTooLong);
    return;
  }
  if (flags > kOptional) {
    out.Warn(Id::kReserved, event.offset + 8,
             StrCat("flags ", Hex(flags), ": no kernel sets more than bit 0"));
  }
  if (event.key == kFwData) return Image(event, out);
  if (event.key != kStopCopySize) {
    if (flags & kOptional) {
      out.Note(Id::kUnknownTag, event.offset,
               StrCat("tag ", event.key, " is not known up to ",
                      ToString(kNewestKernel), "; optional: ", event.bytes,
                      " bytes are skipped"));
    } else {
      out.Error(Id::kUnknownTag, event.offset,
                StrCat("tag ", event.key, " is mandatory and not known"),
                kNoSuchTag);
    }
    return;
  }
  if (has_size) {
    out.Error(Id::kTwoSessions, event.offset,
              "a second STOP_COPY_SIZE: two sessions in one payload");
  } else if (!first) {
    out.Warn(Id::kValue, event.offset, "STOP_COPY_SIZE is not the first");
  }
  if (event.bytes != 8) {
    out.Warn(Id::kValue, event.offset,
             StrCat("STOP_COPY_SIZE of ", event.bytes,
                    " bytes, not 8: the kernel reads eight all the same"));
  }
  out.generation = 2;
}

void Mlx5Rules::Image(const PayloadEvent& event, RuleOutput& out) {
  if (++images == 1) out.initial_bytes = event.offset + 16 + event.bytes;
  if (event.bytes == 0) {
    out.Warn(Id::kValue, event.offset,
             "FW_DATA of 0 bytes: no source can be read past one", kFirmware);
  }
  if (event.Number(8, 4) & kOptional) {
    out.Warn(Id::kValue, event.offset + 8,
             "FW_DATA marked optional: it is loaded all the same");
  }
  if (!event.stop_copy) return;
  ++finals;
  final_image = event.bytes;
  if (has_size && event.bytes > stop_copy_size && !grew) {
    grew = true;
    out.Note(Id::kGrew, event.offset,
             StrCat("final image ", event.bytes, " > stop_copy_size ",
                    stop_copy_size, ": allocated again in the blackout"));
  }
}

void Mlx5Rules::Finish(const PayloadEnd& end, RuleOutput& out) {
  if (legacy) {
    out.generation = 0;
    out.Note(Id::kGeneration, 0,
             "no record header: one raw firmware image (a source up to 6.1, or "
             "6.8 with firmware without PRE_COPY)");
    return;
  }
  if (images > 0 && !has_size) {
    out.generation = 1;
    out.Note(Id::kGeneration, 0,
             "6.2 header, without STOP_COPY_SIZE; any >= 6.2 takes it");
  } else {
    out.generation = 2;
  }
  if (end.sound() && finals == 0) {
    out.Error(Id::kNoFinal, end.pre_copy_bytes, "no FW_DATA in stop-copy");
  }
  if (has_size && stop_copy_size > uint64_t{1} << 30 &&
      stop_copy_size / 16 > end.bytes) {
    out.Warn(Id::kValue, size_offset,
             StrCat("stop_copy_size ", Hex(stop_copy_size), " of ", end.bytes,
                    " bytes in all: the destination allocates it"));
  }
  if (has_size) out.Fact("stop_copy_size", stop_copy_size);
  out.Fact("images", images);
  if (finals > 0) out.Fact("final_image", final_image);
  out.Fact("final_records", finals);
  out.Fact("chunk_mode", stop_copy_size == kChunk && finals > 1);
}

}  // namespace migstream
