#include "codec/generate/payload_damage.h"

#include <algorithm>
#include <vector>

#include "codec/generate/damage_marks.h"
#include "codec/payload/payload_tally.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

using payload::Driver;
using payload::Level;
using Id = PayloadFindingId;

constexpr size_t kNoRecord = ~size_t{0};

// How a finding is made by a change to one record, the last of its name.
enum class Edit : uint8_t {
  kSet,     // `what`, a field, becomes `number`.
  kResize,  // Its body has `number` bytes, and the lists around it fit.
  kRename,  // Its name becomes `what`.
  kErase,
};
struct EditRow {
  Id id;
  Driver driver;
  Edit edit;
  std::string_view record;
  std::string_view what = {};
  uint64_t number = 0;
};
constexpr EditRow kEdits[] = {
    {Id::kVersion, Driver::kHisiAcc, Edit::kSet, "match", "major_ver", 2},
    {Id::kVersion, Driver::kMtty, Edit::kSet, "header", "major_ver", 2},
    {Id::kVersion, Driver::kQat, Edit::kSet, "state", "version", 2},
    {Id::kVersion, Driver::kXe, Edit::kSet, "TRAILER", "version", 2},
    // No kernel looks it up.
    {Id::kUnknownTag, Driver::kQat, Edit::kRename, "visrc", "visrcx"},
    {Id::kNesting, Driver::kQat, Edit::kSet, "gencap", "size", 4000},
    {Id::kNesting, Driver::kXe, Edit::kSet, "REVID", "len", 100},
    {Id::kNesting, Driver::kVirtio, Edit::kSet, "DEVICE_STATUS", "length",
     1 << 20},
    {Id::kMissing, Driver::kQat, Edit::kRename, "pf2vm", "pf2vmx"},
    {Id::kMissing, Driver::kXe, Edit::kErase, "TRAILER"},
    {Id::kMissing, Driver::kVirtio, Edit::kSet, "DRV_FEATURES", "part_type",
     0x2ff},
    {Id::kSectionSize, Driver::kQat, Edit::kResize, "mregs", {}, 468},
    {Id::kSectionSize, Driver::kXe, Edit::kResize, "MMIO", {}, 20},
    {Id::kSectionSize, Driver::kVirtio, Edit::kResize, "DEVICE_STATUS", {}, 2},
    {Id::kValue, Driver::kMlx5, Edit::kSet, "STOP_COPY_SIZE", "stop_copy_size",
     4097},
    {Id::kValue, Driver::kHisiAcc, Edit::kSet, "match", "qp_num", 2000},
    {Id::kValue, Driver::kVirtio, Edit::kSet, "VQ_CFG", "queue_size", 100},
    {Id::kValue, Driver::kQat, Edit::kSet, "compver", "compver", 0},
    {Id::kValue, Driver::kXe, Edit::kSet, "GUC", "offset", 4096},
    {Id::kValue, Driver::kMtty, Edit::kSet, "port0", "head", 200},
    {Id::kDmaNull, Driver::kHisiAcc, Edit::kSet, "regs", "sqc_dma", 0},
    {Id::kGap, Driver::kXe, Edit::kSet, "VRAM", "offset", uint64_t{1} << 40},
    {Id::kReserved, Driver::kMlx5, Edit::kSet, "FW_DATA", "flags", 2},
    {Id::kReserved, Driver::kHisiAcc, Edit::kSet, "match", "qm_rsv_state", 1},
    {Id::kReserved, Driver::kVirtio, Edit::kSet, "DEVICE_STATUS", "reserved",
     1},
    {Id::kReserved, Driver::kXe, Edit::kSet, "TRAILER", "flags", 1},
    {Id::kGrew, Driver::kMlx5, Edit::kSet, "STOP_COPY_SIZE", "stop_copy_size",
     0},
    {Id::kGeneration, Driver::kMlx5, Edit::kErase, "STOP_COPY_SIZE"},
};

// A payload that is edited by what the reader says of it.
class Editor {
 public:
  Editor(Random& random, DamagedPayload& damaged)
      : random_(random),
        damaged_(damaged),
        payload_(damaged.payload),
        report_(ReadPayload(damaged)) {}

  // Whether it could be done.
  bool Do(Id id);

 private:
  Driver driver() const { return report_.format->driver; }
  uint64_t end() const { return payload_.bytes.size(); }

  // The first, or the last, of that name; of any that has a header and a body,
  // of the outermost list, without.
  size_t Find(std::string_view name, bool last = false) const {
    size_t found = kNoRecord;
    for (size_t i = 0; i < report_.records.size(); ++i) {
      const PayloadRecord& record = report_.records[i];
      bool fits = name.empty() ? record.depth == 0 && record.header_bytes > 0 &&
                                     record.there > 0
                               : record.name == name;
      if (!fits) continue;
      found = i;
      if (!last) break;
    }
    return found;
  }

  bool Put(uint64_t at, int width, uint64_t value) {
    if (at > end() || end() - at < static_cast<uint64_t>(width)) return false;
    payload::StoreNumber(reinterpret_cast<uint8_t*>(payload_.bytes.data()) + at,
                         width, report_.big_endian, value);
    return true;
  }

  // The field of a record, in its header or its body.
  bool Set(size_t record, std::string_view field, uint64_t value) {
    if (record == kNoRecord) return false;
    const PayloadRecord& from = report_.records[record];
    for (size_t i = 0; i < from.value_count; ++i) {
      const PayloadValue& known = report_.values[from.first_value + i];
      if (known.field->name == field && known.index == 0) {
        return Put(known.offset, std::max<int>(known.bytes, 1), value);
      }
    }
    return false;
  }

  bool Replace(uint64_t at, uint64_t bytes, std::string_view with) {
    if (at > end() || bytes > end() - at) return false;
    payload_.bytes.replace(at, bytes, with);
    uint64_t& split = payload_.pre_copy_bytes;
    if (split >= at + bytes && at < split) {
      split = split - bytes + with.size();
    } else if (split > at) {
      split = at;
    }
    return true;
  }

  // Where xe's last packet begins; of others, the end.
  uint64_t BeforeTrailer() const {
    size_t trailer = Find("TRAILER");
    return trailer == kNoRecord ? end() : report_.records[trailer].offset;
  }

  std::string BytesOf(const PayloadRecord& record) const {
    return payload_.bytes.substr(record.offset,
                                 record.header_bytes + record.there);
  }
  bool Erase(size_t record) {
    if (record == kNoRecord) return false;
    const PayloadRecord& gone = report_.records[record];
    return Replace(gone.offset, gone.header_bytes + gone.there, "");
  }

  // Where records of the list that `record` is in have their header's parts.
  const Level* LevelOf(size_t record) const;
  bool Resize(size_t record, uint64_t bytes);
  void SetSize(size_t record, uint64_t bytes);

  bool Cut();
  bool NoFinal();
  bool OtherDriver();
  bool Phase();
  bool Length();
  bool OtherDevice();
  bool UnknownTag();
  bool Apply(Id id);
  bool TwoSessions();
  bool Generation();
  bool NotReady();
  bool Opaque();

  Random& random_;
  DamagedPayload& damaged_;
  VendorPayload& payload_;
  const PayloadReport report_;
};

const Level* Editor::LevelOf(size_t record) const {
  const int depth = report_.records[record].depth;
  if (depth == 0) return report_.format->root;
  for (size_t i = record; i-- > 0;) {
    if (report_.records[i].depth == depth - 1) {
      const payload::Record* row = report_.records[i].row;
      return row ? row->list : nullptr;
    }
  }
  return nullptr;
}

void Editor::SetSize(size_t record, uint64_t bytes) {
  const Level* level = LevelOf(record);
  if (!level) return;
  Put(report_.records[record].offset + level->size.offset, level->size.bytes,
      bytes / level->unit);
}

// The record's body, and so those of the lists around it.
bool Editor::Resize(size_t record, uint64_t bytes) {
  if (record == kNoRecord) return false;
  const PayloadRecord& resized = report_.records[record];
  SetSize(record, bytes);
  uint8_t depth = resized.depth;
  for (size_t i = record; i-- > 0 && depth > 0;) {
    const PayloadRecord& around = report_.records[i];
    if (around.depth >= depth) continue;
    depth = around.depth;
    SetSize(i, around.bytes - resized.there + bytes);
  }
  std::string body = payload_.bytes.substr(
      resized.offset + resized.header_bytes, resized.there);
  body.resize(bytes);
  return Replace(resized.offset + resized.header_bytes, resized.there, body);
}

bool Editor::Cut() {
  size_t last = Find("", true);
  if (last == kNoRecord) return false;
  const PayloadRecord& record = report_.records[last];
  uint64_t to = record.offset + record.header_bytes + record.there / 2;
  return Replace(to, end() - to, "");
}

bool Editor::NoFinal() {
  std::string_view name = driver() == Driver::kMlx5     ? "FW_DATA"
                          : driver() == Driver::kVirtio ? "DEVICE_DATA"
                                                        : "none";
  // They stand at the end, after what went out in pre-copy.
  for (const PayloadRecord& record : report_.records) {
    if (record.name != name || !record.stop_copy) continue;
    return Replace(record.offset, end() - record.offset, "");
  }
  return false;
}

bool Editor::OtherDriver() {
  constexpr PciId kMtty = {0x4348, 0x3253}, kHisiZip = {0x19e5, 0xa251};
  payload_.id = driver() == Driver::kMtty ? kHisiZip : kMtty;
  return true;
}

bool Editor::Phase() {
  if (!damaged_.has_pre_copy) return false;
  uint64_t most = 0;
  switch (report_.format->pre_copy) {
    case payload::PreCopy::kAny:
      return false;
    case payload::PreCopy::kNone:
      break;
    case payload::PreCopy::kPrefix:
      most = report_.initial_bytes > 0 ? report_.initial_bytes
                                       : report_.format->prefix_bytes;
      break;
  }
  payload_.pre_copy_bytes = most + 4;
  return payload_.pre_copy_bytes <= end();
}

// Another device of the same driver, where the payload says which it is of.
bool Editor::OtherDevice() {
  if (driver() != Driver::kHisiAcc && driver() != Driver::kXe) return false;
  for (const payload::PciRow& row : report_.format->ids) {
    if (row.device == payload_.id.device) continue;
    payload_.id = {row.vendor, row.device};
    return true;
  }
  return false;
}

// What a row says of it; with a reserved byte of QAT's fill, and pds's bytes,
// none of which is in a record's field.
bool Editor::Apply(Id id) {
  if (id == Id::kReserved && driver() == Driver::kQat) {
    return Find("zero fill") != kNoRecord && Put(end() - 1, 1, 1);
  }
  if (id == Id::kValue && driver() == Driver::kPds) {
    return Replace(0, end(), std::string(end(), '\0'));
  }
  for (const EditRow& row : kEdits) {
    if (row.id != id || row.driver != driver()) continue;
    size_t record = Find(row.record, true);
    if (record == kNoRecord) return false;
    switch (row.edit) {
      case Edit::kSet:
        return Set(record, row.what, row.number);
      case Edit::kResize:
        return Resize(record, row.number);
      case Edit::kRename:
        return Put(report_.records[record].offset, 8,
                   payload::NameKey(row.what));
      case Edit::kErase:
        return Erase(record);
    }
  }
  return false;
}

// A byte too many, or pds's last word cut.
bool Editor::Length() {
  Driver of = driver();
  if (of == Driver::kPds) return end() > 1 && Replace(end() - 1, 1, "");
  bool fixed = of == Driver::kHisiAcc || of == Driver::kMtty ||
               (of == Driver::kQat && end() == 4096);
  return fixed && Replace(end(), 0, std::string(1, '\1'));
}

bool Editor::UnknownTag() {
  const bool xe = driver() == Driver::kXe;
  if (!xe && driver() != Driver::kMlx5 && driver() != Driver::kVirtio) {
    return Apply(Id::kUnknownTag);
  }
  if (Find("") == kNoRecord) return false;  // One without a header.
  PayloadEncoder encoder(*report_.format->root);
  constexpr uint64_t kNobodys = 9;
  encoder.Unknown(kNobodys, random_.Bytes(16), {{xe ? "version" : "flags", 1}});
  return Replace(BeforeTrailer(), 0, encoder.Take());
}

bool Editor::Generation() {
  constexpr uint64_t kHisiV1 = 0xcdcdcdcdfeedaacc;
  if (driver() != Driver::kHisiAcc) return Apply(Id::kGeneration);
  size_t match = Find("match");
  return Set(match, "acc_magic", kHisiV1) && Set(match, "major_ver", 0);
}

bool Editor::TwoSessions() {
  size_t first = driver() == Driver::kMlx5 ? Find("STOP_COPY_SIZE")
                 : driver() == Driver::kXe ? Find("DESCRIPTOR")
                                           : kNoRecord;
  if (first == kNoRecord) return false;
  std::string again = BytesOf(report_.records[first]);
  return Replace(BeforeTrailer(), 0, again);
}

bool Editor::NotReady() {
  if (driver() != Driver::kHisiAcc) return false;
  uint64_t match = report_.format->prefix_bytes;
  return end() >= match && Replace(match, end() - match, "") &&
         (payload_.pre_copy_bytes > 0 || Set(Find("match"), "vf_qm_state", 1));
}

bool Editor::Opaque() {
  payload_.id = {0x10de, 0x2237};  // A driver that is not public.
  payload_.bytes = random_.Bytes(end());
  return true;
}

bool Editor::Do(Id id) {
  switch (id) {
    case Id::kCut:
      return Cut();
    case Id::kNoFinal:
      return NoFinal();
    case Id::kDriver:
      return OtherDriver();
    case Id::kPhase:
      return Phase();
    case Id::kInitEarly:
      damaged_.init_early =
          damaged_.has_init_data_sent && report_.initial_bytes > 0;
      return damaged_.init_early;
    case Id::kLength:
      return Length();
    case Id::kDevice:
      return OtherDevice();
    case Id::kVersion:
      // V1 has none.
      return (driver() != Driver::kHisiAcc || report_.generation == 1) &&
             Apply(id);
    case Id::kUnknownTag:
      return UnknownTag();
    case Id::kReserved:
      // With the first one's flags it would not look like mlx5's.
      return (driver() != Driver::kMlx5 || report_.records.size() > 1) &&
             Apply(id);
    case Id::kNesting:
    case Id::kMissing:
    case Id::kSectionSize:
    case Id::kValue:
    case Id::kDmaNull:
    case Id::kGap:
    case Id::kGrew:
      return Apply(id);
    case Id::kTwoSessions:
      return TwoSessions();
    case Id::kGeneration:
      return Generation();
    case Id::kNotReady:
      return NotReady();
    case Id::kOpaque:
      return Opaque();
  }
  return false;
}

}  // namespace

PayloadReport ReadPayload(const DamagedPayload& damaged) {
  const VendorPayload& payload = damaged.payload;
  PayloadTally tally({.id = payload.id});
  ByteSpan bytes = AsBytes(payload.bytes);
  tally.Add(bytes.first(payload.pre_copy_bytes), {});
  tally.BeginStopCopy();
  tally.Add(bytes.subspan(payload.pre_copy_bytes), {});
  return tally.Finish();
}

absl::Status DamagePayload(PayloadFindingId id, Random& random,
                           DamagedPayload& damaged) {
  DamagedPayload before = damaged;
  Editor editor(random, damaged);
  if (editor.Do(id)) return absl::OkStatus();
  damaged = std::move(before);
  return NothingThere(
      StrCat("damage ", GetRow(id).name, ": the payload cannot have it"));
}

std::optional<PayloadFindingId> FindingOf(recipe::PayloadDamage::Kind kind) {
  if (kind == recipe::PayloadDamage::NONE) return std::nullopt;
  return static_cast<PayloadFindingId>(kind -
                                       recipe::PayloadDamage::PAYLOAD_CUT);
}

recipe::PayloadDamage::Kind FindPayloadDamage(std::string_view name) {
  for (const PayloadFindingRow& row : AllPayloadFindings()) {
    if (row.name != name) continue;
    return static_cast<recipe::PayloadDamage::Kind>(
        static_cast<int>(row.id) + recipe::PayloadDamage::PAYLOAD_CUT);
  }
  return recipe::PayloadDamage::NONE;
}

}  // namespace migstream
