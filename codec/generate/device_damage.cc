#include <algorithm>
#include <optional>

#include "absl/status/status.h"
#include "codec/generate/damage_marks.h"
#include "codec/generate/damages.h"
#include "codec/wire/error.h"
#include "codec/wire/text.h"
#include "flags/tag.h"

namespace migstream {
namespace {

constexpr int kNoTag = 9;  // In the place of DATA.

absl::Status SetTag(Generated& stream, DoneDamage& done, MarkKind kind,
                    int number) {
  size_t at = FindMark(stream.main, done, kind);
  if (at == kNone) return NothingThere("no such tag");
  uint64_t offset = stream.main.marks[at].offset;
  stream.main.Replace(offset, kTagBytes, TagText(number));
  done.found = Hex(kTagPrefix + number);
  MarkDamage(stream.main, stream, offset);
  return absl::OkStatus();
}

// A record and the one that follows it in the same section.
struct Neighbours {
  Mark first;
  Mark second;
};

std::optional<Neighbours> FindNeighbours(const MarkedBytes& stream,
                                         const DoneDamage& done) {
  auto behind = [&stream](const Mark& mark) {
    return std::find_if(stream.marks.begin(), stream.marks.end(),
                        [&mark](const Mark& other) {
                          return other.kind == MarkKind::kData &&
                                 other.offset == mark.offset + mark.bytes;
                        });
  };
  size_t at = FindMark(stream, done, MarkKind::kData, [&](const Mark& mark) {
    return behind(mark) != stream.marks.end();
  });
  if (at == kNone) return std::nullopt;
  return Neighbours{stream.marks[at], *behind(stream.marks[at])};
}

}  // namespace

absl::Status BadTag(Generated& stream, DoneDamage& done) {
  return SetTag(stream, done, MarkKind::kData, kNoTag);
}

absl::Status SetupEos(Generated& stream, DoneDamage& done) {
  return SetTag(stream, done, MarkKind::kSetupEnd, kNoEndOfState);
}

absl::Status ConfigEos(Generated& stream, DoneDamage& done) {
  return SetTag(stream, done, MarkKind::kConfigEnd, kNoEndOfState);
}

absl::Status SizePlus1(Generated& stream, DoneDamage& done) {
  size_t at = FindMark(stream.main, done, MarkKind::kData);
  if (at == kNone) return NothingThere("no such record");
  Mark record = stream.main.marks[at];
  stream.main.Replace(record.offset + kTagBytes, 8,
                      Be64Text(record.bytes - 2 * kTagBytes + 1));
  // The loader's next tag begins a byte late.
  uint64_t next = record.offset + record.bytes + 1;
  done.found = Hex(NumberAt(stream.main.bytes, next, 8));
  MarkDamage(stream.main, stream, next);
  return absl::OkStatus();
}

absl::Status DropRecord(Generated& stream, DoneDamage& done) {
  size_t at = FindMark(stream.main, done, MarkKind::kData);
  if (at == kNone) return NothingThere("no such record");
  Mark record = stream.main.marks[at];
  stream.main.Replace(record.offset, record.bytes, "");
  MarkDamage(stream.main, stream, record.offset);
  return absl::OkStatus();
}

absl::Status SwapRecords(Generated& stream, DoneDamage& done) {
  auto two = FindNeighbours(stream.main, done);
  if (!two) return NothingThere("no two records in one section");
  std::string first =
      stream.main.bytes.substr(two->first.offset, two->first.bytes);
  std::string second =
      stream.main.bytes.substr(two->second.offset, two->second.bytes);
  stream.main.bytes.replace(two->first.offset, first.size() + second.size(),
                            second + first);
  for (Mark& mark : stream.main.marks) {
    if (mark.kind != MarkKind::kData) continue;
    if (mark.offset == two->first.offset) {
      mark.bytes = second.size();
    } else if (mark.offset == two->second.offset) {
      mark.offset = two->first.offset + second.size();
      mark.bytes = first.size();
    }
  }
  MarkDamage(stream.main, stream, two->first.offset);
  return absl::OkStatus();
}

absl::Status MergeRecords(Generated& stream, DoneDamage& done) {
  auto two = FindNeighbours(stream.main, done);
  if (!two) return NothingThere("no two records in one section");
  uint64_t sum = two->first.bytes + two->second.bytes - 4 * kTagBytes;
  stream.main.Replace(two->second.offset, 2 * kTagBytes, "");
  stream.main.Replace(two->first.offset + kTagBytes, 8, Be64Text(sum));
  auto gone = [&](const Mark& mark) {
    return mark.kind == MarkKind::kData && mark.offset == two->second.offset;
  };
  std::erase_if(stream.main.marks, gone);
  for (Mark& mark : stream.main.marks) {
    if (mark.kind == MarkKind::kData && mark.offset == two->first.offset) {
      mark.bytes = sum + 2 * kTagBytes;
    }
  }
  MarkDamage(stream.main, stream, two->first.offset);
  return absl::OkStatus();
}

absl::Status SplitRecord(Generated& stream, DoneDamage& done) {
  size_t at = FindMark(
      stream.main, done, MarkKind::kData,
      [](const Mark& mark) { return mark.bytes >= 2 * kTagBytes + 2; });
  if (at == kNone) return NothingThere("no record of two bytes");
  Mark record = stream.main.marks[at];
  uint64_t payload = record.bytes - 2 * kTagBytes;
  uint64_t first = payload / 2;
  stream.main.Replace(record.offset + kTagBytes, 8, Be64Text(first));
  uint64_t cut = record.offset + 2 * kTagBytes + first;
  stream.main.Replace(cut, 0, TagText(4) + Be64Text(payload - first));
  stream.main.marks[at].bytes = 2 * kTagBytes + first;
  Mark second = record;
  second.offset = cut;
  second.bytes = 2 * kTagBytes + payload - first;
  stream.main.marks.insert(
      stream.main.marks.begin() + static_cast<ptrdiff_t>(at) + 1, second);
  MarkDamage(stream.main, stream, record.offset);
  return absl::OkStatus();
}

absl::Status EmptyRecord(Generated& stream, DoneDamage& done) {
  size_t at = FindMark(stream.main, done, MarkKind::kData);
  if (at == kNone) return NothingThere("no such record");
  uint64_t offset = stream.main.marks[at].offset;
  stream.main.Replace(offset, 0, TagText(4) + Be64Text(0));
  MarkDamage(stream.main, stream, offset);
  return absl::OkStatus();
}

absl::Status FlipPayload(Generated& stream, DoneDamage& done) {
  size_t at =
      FindMark(stream.main, done, MarkKind::kData,
               [](const Mark& mark) { return mark.bytes > 2 * kTagBytes; });
  if (at == kNone) return NothingThere("no record with payload");
  uint64_t offset = stream.main.marks[at].offset + 2 * kTagBytes;
  char& flipped = stream.main.bytes[offset];
  flipped = static_cast<char>(~flipped);
  MarkDamage(stream.main, stream, offset);
  return absl::OkStatus();
}

absl::Status InitDataSent(Generated& stream, DoneDamage& done) {
  for (const GeneratedDevice& device : stream.devices) {
    if (device.init_data_sent)
      return NothingThere("the stream uses switchover-ack");
  }
  size_t at = FindMark(stream.main, done, MarkKind::kEnd, [](const Mark& mark) {
    return mark.section == SectionType::kPart;
  });
  if (at == kNone) return NothingThere("no such PART");
  uint64_t offset = stream.main.marks[at].offset;
  stream.main.Replace(offset, kTagBytes, TagText(5));
  MarkDamage(stream.main, stream, offset);
  return absl::OkStatus();
}

absl::Status LoadReady(Generated& stream, DoneDamage& done) {
  size_t at = FindMark(
      stream.main, done, MarkKind::kConfig,
      [](const Mark& mark) { return mark.section == SectionType::kFull; });
  if (at == kNone) return NothingThere("no CONFIG in FULL");
  uint64_t offset = stream.main.marks[at].offset;
  stream.main.Replace(offset, kTagBytes, TagText(6));
  MarkDamage(stream.main, stream, offset);
  return absl::OkStatus();
}

absl::Status ConfigInEnd(Generated& stream, DoneDamage& done) {
  const GeneratedDevice& device = stream.devices[done.damage.device()];
  size_t config = FindMark(
      stream.main, done, MarkKind::kConfig,
      [](const Mark& mark) { return mark.section == SectionType::kFull; });
  size_t end = FindMark(
      stream.main, done, MarkKind::kSection,
      [](const Mark& mark) { return mark.section == SectionType::kEnd; });
  size_t footer = FindMark(stream.main, done, MarkKind::kFooter);
  if (config == kNone || end == kNone || footer == kNone) {
    return NothingThere("no END, no CONFIG in FULL, or no footers");
  }
  const Mark& from = stream.main.marks[config];
  std::string element =
      stream.main.bytes.substr(from.offset, from.bytes + kTagBytes);
  uint64_t content = stream.main.marks[end].offset + 1 + 4;
  stream.main.Replace(content, 0, element);
  done.found = device.idstr;
  MarkDamage(stream.main, stream, content + element.size());
  return absl::OkStatus();
}

absl::Status Truncate(Generated& stream, DoneDamage& done) {
  size_t at =
      FindMark(stream.main, done, MarkKind::kData,
               [](const Mark& mark) { return mark.bytes > 2 * kTagBytes; });
  if (at == kNone) return NothingThere("no record with payload");
  const Mark& record = stream.main.marks[at];
  uint64_t cut =
      record.offset + 2 * kTagBytes + (record.bytes - 2 * kTagBytes) / 2;
  stream.main.Replace(cut, stream.main.bytes.size() - cut, "");
  MarkDamage(stream.main, stream, cut);
  return absl::OkStatus();
}

}  // namespace migstream
