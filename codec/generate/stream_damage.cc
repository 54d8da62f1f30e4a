#include <algorithm>
#include <initializer_list>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "codec/generate/damage_marks.h"
#include "codec/generate/damages.h"
#include "codec/wire/bytes.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

// An id that no section has, for a footer or a PART.
constexpr uint32_t kOtherId = 0xffff;

// A section of the device, of one of these types.
size_t FindSection(const Generated& stream, const DoneDamage& done,
                   std::initializer_list<SectionType> types) {
  return FindMark(stream.main, done, MarkKind::kSection, [&](const Mark& mark) {
    return std::find(types.begin(), types.end(), mark.section) != types.end();
  });
}

}  // namespace

absl::Status BadMagic(Generated& stream, DoneDamage&) {
  stream.main.bytes[0] ^= 1;
  MarkDamage(stream.main, stream, 0);
  return absl::OkStatus();
}

absl::Status OldVersion(Generated& stream, DoneDamage&) {
  stream.main.Replace(4, 4, Be32Text(kStreamVersionObsolete));
  MarkDamage(stream.main, stream, 4);
  return absl::OkStatus();
}

absl::Status FooterId(Generated& stream, DoneDamage& done) {
  size_t at = FindMark(stream.main, done, MarkKind::kFooter);
  if (at == kNone) return NothingThere("no such footer");
  const GeneratedDevice& device = stream.devices[done.damage.device()];
  uint32_t other = device.section_id == kOtherId ? kOtherId - 1 : kOtherId;
  uint64_t offset = stream.main.marks[at].offset + 1;
  stream.main.Replace(offset, 4, Be32Text(other));
  done.found = absl::StrFormat("%s - read 0x%x expected 0x%x", device.idstr,
                               other, device.section_id);
  MarkDamage(stream.main, stream, offset);
  return absl::OkStatus();
}

absl::Status DropFooter(Generated& stream, DoneDamage& done) {
  size_t at = FindMark(stream.main, done, MarkKind::kFooter);
  if (at == kNone) return NothingThere("no such footer");
  const Mark footer = stream.main.marks[at];
  stream.main.Replace(footer.offset, footer.bytes, "");
  done.found = stream.devices[done.damage.device()].idstr;
  MarkDamage(stream.main, stream, footer.offset);
  return absl::OkStatus();
}

absl::Status VersionId(Generated& stream, DoneDamage& done) {
  const GeneratedDevice& device = stream.devices[done.damage.device()];
  size_t at =
      FindSection(stream, done, {SectionType::kStart, SectionType::kFull});
  if (at == kNone) return NothingThere("no such START or FULL");
  uint64_t offset =
      stream.main.marks[at].offset + 1 + 4 + 1 + device.idstr.size() + 4;
  stream.main.Replace(offset, 4, Be32Text(2));
  done.found = device.idstr;
  MarkDamage(stream.main, stream, offset);
  return absl::OkStatus();
}

absl::Status SectionId(Generated& stream, DoneDamage& done) {
  size_t at =
      FindSection(stream, done, {SectionType::kPart, SectionType::kEnd});
  if (at == kNone) return NothingThere("no such PART or END");
  uint32_t other = kOtherId;
  for (const GeneratedDevice& device : stream.devices) {
    if (device.section_id == other) ++other;
  }
  uint64_t offset = stream.main.marks[at].offset + 1;
  stream.main.Replace(offset, 4, Be32Text(other));
  done.found = StrCat(other);
  MarkDamage(stream.main, stream, offset);
  return absl::OkStatus();
}

absl::Status SetSectionType(Generated& stream, DoneDamage& done) {
  constexpr char kNoType = 0x42;
  size_t at = FindMark(stream.main, done, MarkKind::kSection);
  if (at == kNone) return NothingThere("no such section");
  uint64_t offset = stream.main.marks[at].offset;
  stream.main.bytes[offset] = kNoType;
  done.found = StrCat(static_cast<int>(kNoType));
  MarkDamage(stream.main, stream, offset);
  return absl::OkStatus();
}

}  // namespace migstream
