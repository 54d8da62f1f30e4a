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
  bool Set(size_t record, std::string_view field, uint64_t value,
           uint16_t index = 0) {
    if (record == kNoRecord) return false;
    const PayloadRecord& from = report_.records[record];
    for (size_t i = 0; i < from.value_count; ++i) {
      const PayloadValue& known = report_.values[from.first_value + i];
      if (known.field->name == field && known.index == index) {
        return Put(known.offset, std::max<int>(known.bytes, 1), value);
      }
    }
    return false;
  }
  bool Set(std::string_view record, std::string_view field, uint64_t value,
           uint16_t index = 0) {
    return Set(Find(record), field, value, index);
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
  bool Append(std::string_view bytes) { return Replace(end(), 0, bytes); }

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
  bool Rename(std::string_view record, std::string_view name);

  bool Cut();
  bool NoFinal();
  bool OtherDriver();
  bool Phase();
  bool Length();
  bool OtherDevice();
  bool Version();
  bool UnknownTag();
  bool Nesting();
  bool Missing();
  bool SectionSize();
  bool Value();
  bool TwoSessions();
  bool Reserved();
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

// What has a name of eight bytes gets another.
bool Editor::Rename(std::string_view record, std::string_view name) {
  size_t at = Find(record);
  return at != kNoRecord &&
         Put(report_.records[at].offset, 8, payload::NameKey(name));
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

bool Editor::Length() {
  switch (driver()) {
    case Driver::kHisiAcc:
    case Driver::kMtty:
    case Driver::kQat:
      return Append(std::string(1, '\1'));
    case Driver::kPds:
      return end() > 1 && Replace(end() - 1, 1, "");
    case Driver::kMlx5:
    case Driver::kVirtio:
    case Driver::kXe:
    case Driver::kIceRfc:
    case Driver::kGvtG:
    case Driver::kSpdkNvme:
    case Driver::kOpaque:
      break;
  }
  return false;
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

bool Editor::Version() {
  switch (driver()) {
    case Driver::kHisiAcc:
      return report_.generation == 1 && Set("match", "major_ver", 2);
    case Driver::kMtty:
      return Set("header", "major_ver", 2);
    case Driver::kQat:
      return Set("state", "version", 2);
    case Driver::kXe:
      return Set(Find("TRAILER"), "version", 2);
    case Driver::kMlx5:
    case Driver::kPds:
    case Driver::kVirtio:
    case Driver::kIceRfc:
    case Driver::kGvtG:
    case Driver::kSpdkNvme:
    case Driver::kOpaque:
      break;
  }
  return false;
}

bool Editor::UnknownTag() {
  PayloadEncoder encoder(*report_.format->root);
  switch (driver()) {
    case Driver::kMlx5:
    case Driver::kVirtio:
      if (Find("") == kNoRecord) return false;  // One without a header.
      encoder.Unknown(7, random_.Bytes(16), {{"flags", 1}});
      return Append(encoder.Take());
    case Driver::kXe: {
      size_t trailer = Find("TRAILER");
      if (trailer == kNoRecord) return false;
      encoder.Unknown(9, random_.Bytes(16), {{"version", 1}});
      return Replace(report_.records[trailer].offset, 0, encoder.Take());
    }
    case Driver::kQat:
      return Rename("visrc", "visrcx");  // No kernel looks it up.
    case Driver::kHisiAcc:
    case Driver::kPds:
    case Driver::kMtty:
    case Driver::kIceRfc:
    case Driver::kGvtG:
    case Driver::kSpdkNvme:
    case Driver::kOpaque:
      break;
  }
  return false;
}

bool Editor::Nesting() {
  switch (driver()) {
    case Driver::kQat:
      return Set("gencap", "size", 4000);
    case Driver::kXe:
      return Set("REVID", "len", 100);
    case Driver::kVirtio:
      return Set(Find("DEVICE_STATUS", true), "length", 1 << 20);
    case Driver::kMlx5:
    case Driver::kHisiAcc:
    case Driver::kPds:
    case Driver::kMtty:
    case Driver::kIceRfc:
    case Driver::kGvtG:
    case Driver::kSpdkNvme:
    case Driver::kOpaque:
      break;
  }
  return false;
}

bool Editor::Missing() {
  switch (driver()) {
    case Driver::kQat:
      return Rename("pf2vm", "pf2vmx");
    case Driver::kXe:
      return Erase(Find("TRAILER"));
    case Driver::kVirtio:
      return Set(Find("DRV_FEATURES", true), "part_type", 0x2ff);
    case Driver::kMlx5:
    case Driver::kHisiAcc:
    case Driver::kPds:
    case Driver::kMtty:
    case Driver::kIceRfc:
    case Driver::kGvtG:
    case Driver::kSpdkNvme:
    case Driver::kOpaque:
      break;
  }
  return false;
}

bool Editor::SectionSize() {
  switch (driver()) {
    case Driver::kQat:
      return Resize(Find("mregs", true), 468) && Append(std::string(4, '\0'));
    case Driver::kXe:
      return Resize(Find("MMIO", true), 20);
    case Driver::kVirtio:
      return Resize(Find("DEVICE_STATUS", true), 2);
    case Driver::kMlx5:
    case Driver::kHisiAcc:
    case Driver::kPds:
    case Driver::kMtty:
    case Driver::kIceRfc:
    case Driver::kGvtG:
    case Driver::kSpdkNvme:
    case Driver::kOpaque:
      break;
  }
  return false;
}

bool Editor::Value() {
  switch (driver()) {
    case Driver::kMlx5:
      return Set("STOP_COPY_SIZE", "stop_copy_size", 4097);
    case Driver::kHisiAcc:
      return Set("match", "qp_num", 2000);
    case Driver::kPds:
      return Replace(0, end(), std::string(end(), '\0'));
    case Driver::kVirtio:
      return Set(Find("VQ_CFG", true), "queue_size", 100);
    case Driver::kQat:
      return Set("compver", "compver", 0);
    case Driver::kXe:
      return Set("GUC", "offset", 4096);
    case Driver::kMtty:
      return Set("port0", "head", 200);
    case Driver::kIceRfc:
    case Driver::kGvtG:
    case Driver::kSpdkNvme:
    case Driver::kOpaque:
      break;
  }
  return false;
}

bool Editor::TwoSessions() {
  size_t first = driver() == Driver::kMlx5 ? Find("STOP_COPY_SIZE")
                 : driver() == Driver::kXe ? Find("DESCRIPTOR")
                                           : kNoRecord;
  if (first == kNoRecord) return false;
  std::string again = BytesOf(report_.records[first]);
  size_t trailer = Find("TRAILER");
  return Replace(trailer == kNoRecord ? end() : report_.records[trailer].offset,
                 0, again);
}

bool Editor::Reserved() {
  switch (driver()) {
    case Driver::kMlx5:
      // With the first one's flags it would not look like mlx5's.
      return report_.records.size() > 1 &&
             Set(Find("FW_DATA", true), "flags", 2);
    case Driver::kHisiAcc:
      return Set("match", "qm_rsv_state", 1);
    case Driver::kVirtio:
      return Set(Find("DEVICE_STATUS", true), "reserved", 1);
    case Driver::kQat:
      return Find("zero fill") != kNoRecord && Put(end() - 1, 1, 1);
    case Driver::kXe:
      return Set("TRAILER", "flags", 1);
    case Driver::kPds:
    case Driver::kMtty:
    case Driver::kIceRfc:
    case Driver::kGvtG:
    case Driver::kSpdkNvme:
    case Driver::kOpaque:
      break;
  }
  return false;
}

bool Editor::Generation() {
  constexpr uint64_t kHisiV1 = 0xcdcdcdcdfeedaacc;
  if (driver() == Driver::kMlx5) return Erase(Find("STOP_COPY_SIZE"));
  return driver() == Driver::kHisiAcc && Set("match", "acc_magic", kHisiV1) &&
         Set("match", "major_ver", 0);
}

bool Editor::NotReady() {
  if (driver() != Driver::kHisiAcc) return false;
  uint64_t match = report_.format->prefix_bytes;
  return end() >= match && Replace(match, end() - match, "") &&
         (payload_.pre_copy_bytes > 0 || Set("match", "vf_qm_state", 1));
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
      return Version();
    case Id::kUnknownTag:
      return UnknownTag();
    case Id::kNesting:
      return Nesting();
    case Id::kMissing:
      return Missing();
    case Id::kSectionSize:
      return SectionSize();
    case Id::kValue:
      return Value();
    case Id::kDmaNull:
      return driver() == Driver::kHisiAcc && Set("regs", "sqc_dma", 0);
    case Id::kGap:
      return driver() == Driver::kXe &&
             Set(Find("VRAM", true), "offset", uint64_t{1} << 40);
    case Id::kTwoSessions:
      return TwoSessions();
    case Id::kReserved:
      return Reserved();
    case Id::kGrew:
      return driver() == Driver::kMlx5 &&
             Set("STOP_COPY_SIZE", "stop_copy_size", 0);
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
