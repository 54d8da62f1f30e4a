#include "codec/device/dialect_detector.h"

#include <algorithm>
#include <string_view>

#include "codec/wire/text.h"
#include "flags/release.h"
#include "flags/tag.h"

namespace migstream {
namespace {

uint32_t Bit(const Dialect& row) { return 1u << static_cast<int>(row.id); }

// Whether each release's loader takes the element wherever it stands. The other
// releases refuse a tag that only some know; and behind CONFIG in an END a
// record may follow in one release, and in no other.
bool Loads(SectionType type, Element element) {
  switch (element) {
    case Element::kSetup:
    case Element::kData:
    case Element::kEndOfState:
      return true;
    case Element::kConfig:
      return type != SectionType::kEnd;
    case Element::kInitDataSent:
    case Element::kConfigLoadReady:
    case Element::kTrigger:
    case Element::kDataStateComplete:
    case Element::kNone:
      break;
  }
  return false;
}

// The size that all writers' records may have.
uint64_t LeastCap() {
  uint64_t least = ~uint64_t{0};
  for (const Dialect& row : AllDialects()) {
    uint64_t cap = row.habits.max_record_bytes;
    if (row.released() && cap != 0) least = std::min(least, cap);
  }
  return least;
}

// What excludes nothing new is not kept; this is for what contradicts itself.
constexpr size_t kMaxExclusions = 64;

}  // namespace

DialectDetector::DialectDetector() : least_cap_(LeastCap()) {}

template <typename Keep>
void DialectDetector::Exclude(DialectEvidence::Kind kind, uint64_t offset,
                              std::string_view what, Keep keep, bool loads) {
  uint32_t kept = 0;
  uint32_t all = 0;
  for (const Dialect& row : AllDialects()) {
    if (!row.released()) continue;
    all |= Bit(row);
    if (keep(row)) kept |= Bit(row);
  }
  if (kept == all || exclusions_.size() >= kMaxExclusions) return;
  for (const Exclusion& known : exclusions_) {
    if (known.rows_kept == kept && known.evidence.kind == kind) return;
  }
  exclusions_.push_back({{.kind = kind,
                          .offset = offset,
                          .what = std::string(what),
                          .loads = loads},
                         kept});
}

DialectDetector::Verdict DialectDetector::Decide() const {
  Verdict verdict = {};
  for (const Dialect& row : AllDialects()) {
    if (row.released()) verdict.candidates |= Bit(row);
  }
  for (DialectEvidence::Kind kind :
       {DialectEvidence::kGrammar, DialectEvidence::kRelease,
        DialectEvidence::kHabit}) {
    for (const Exclusion& exclusion : exclusions_) {
      if (exclusion.evidence.kind != kind) continue;
      uint32_t left = verdict.candidates & exclusion.rows_kept;
      if (left == verdict.candidates) continue;
      verdict.evidence.push_back(exclusion.evidence);
      verdict.evidence.back().contradiction = left == 0;
      if (left != 0) verdict.candidates = left;
    }
  }
  return verdict;
}

std::vector<DialectEvidence> DialectDetector::Evidence() const {
  return Decide().evidence;
}

void DialectDetector::Section(SectionType type, uint64_t offset) {
  any_section_ = true;
  type_ = type;
  previous_ = Element::kNone;
  records_ = 0;
  uint16_t& seen = seen_[static_cast<size_t>(type)][0];
  if (seen != 0) return;
  Exclude(
      DialectEvidence::kGrammar, offset,
      StrCat("a ", ToString(type), " section"),
      [type](const Dialect& row) { return row.Grammar(type).Exists(); },
      /*loads=*/true);
}

void DialectDetector::SawElement(Element element, uint64_t offset) {
  Element previous = previous_;
  SectionType type = type_;
  previous_ = element;
  uint16_t& seen =
      seen_[static_cast<size_t>(type)][static_cast<size_t>(previous)];
  uint16_t bit = static_cast<uint16_t>(1u << static_cast<int>(element));
  if ((seen & bit) != 0) return;
  seen |= bit;
  Exclude(
      DialectEvidence::kGrammar, offset,
      previous == Element::kNone && element == Element::kEndOfState
          ? StrCat(ToString(type), " of END_OF_STATE alone")
          : StrCat(ToString(element), " in ", ToString(type)),
      [=](const Dialect& row) {
        return row.Grammar(type).After(previous).Contains(element);
      },
      Loads(type, element));
}

inline void DialectDetector::SawRecord(uint64_t bytes, uint64_t offset) {
  ++records_;
  // The same again tells nothing new.
  if (previous_ != Element::kData) SawElement(Element::kData, offset);
  // No row cares for other sizes.
  if (bytes == 0 || bytes > least_cap_) SawOddRecord(bytes, offset);
}

void DialectDetector::Observe(const Event& event) {
  switch (event.kind) {
    case EventKind::kData:
      if (event.starts_record) SawRecord(event.record_bytes, event.offset);
      return;
    case EventKind::kConfig:
      return SawElement(Element::kConfig, event.offset);
    case EventKind::kSubsection:
      if (event.subsection.name == kDisplaySubsection) {
        NotBefore(feature::kDisplaySubsection.first, event.offset,
                  kDisplaySubsection);
      }
      return;
    case EventKind::kConfigEnd:
      return;
    case EventKind::kTag:
      return SawTag(event.element, event.offset);
  }
}

void DialectDetector::ObserveRecords(const DeviceRecords& records) {
  records.ForEach([this](uint64_t offset, ByteSpan payload) {
    SawRecord(payload.size(), offset);
  });
}

// But for their sizes all are as the first one.
void DialectDetector::ObserveParts(uint64_t offset,
                                   const DeviceRecords& records) {
  Section(SectionType::kPart, offset);
  ObserveRecords(records);
  records_ = 1;
  SawTag(Element::kEndOfState, records.offset + kRecordHeaderBytes +
                                   records.payloads.front().iov_len);
}

void DialectDetector::SawOddRecord(uint64_t bytes, uint64_t offset) {
  if (bytes == 0) {
    return Exclude(DialectEvidence::kHabit, offset, "DATA of size 0",
                   [](const Dialect& row) { return row.habits.empty_records; });
  }
  Exclude(DialectEvidence::kHabit, offset, "DATA of more than 1 MiB",
          [bytes](const Dialect& row) {
            return row.habits.max_record_bytes == 0 ||
                   bytes <= row.habits.max_record_bytes;
          });
}

void DialectDetector::SawTag(Element element, uint64_t offset) {
  switch (element) {
    case Element::kSetup:
    case Element::kConfigLoadReady:
      return SawElement(element, offset);
    case Element::kInitDataSent:
      SawElement(element, offset);
      if (++init_data_sent_ == 2) {
        Exclude(DialectEvidence::kHabit, offset, "INIT_DATA_SENT a second time",
                [](const Dialect& row) {
                  return row.habits.init_data_sent_repeats;
                });
      }
      break;
    case Element::kEndOfState:
      SawElement(element, offset);
      break;
    case Element::kTrigger:  // The two were never released.
    case Element::kDataStateComplete:
    case Element::kNone:
    case Element::kConfig:
    case Element::kData:
      return;
  }
  if (type_ != SectionType::kPart) return;
  int records = records_;
  uint64_t number = uint64_t{1} << std::min(records, 63);
  if ((part_records_seen_ & number) != 0) return;
  part_records_seen_ |= number;
  if (records == 0) {
    Exclude(
        DialectEvidence::kHabit, offset, "PART without DATA",
        [](const Dialect& row) { return row.habits.min_part_records == 0; });
  }
  Exclude(DialectEvidence::kHabit, offset,
          StrCat("PART with ", records, " DATA records"),
          [records](const Dialect& row) {
            return records <= row.habits.max_part_records;
          });
}

void DialectDetector::NotBefore(Release release, uint64_t offset,
                                std::string_view what) {
  Exclude(
      DialectEvidence::kRelease, offset, what,
      [release](const Dialect& row) { return row.last_release >= release; });
}

void DialectDetector::NotAfter(Release release, uint64_t offset,
                               std::string_view what) {
  Exclude(
      DialectEvidence::kRelease, offset, what,
      [release](const Dialect& row) { return row.first_release <= release; });
}

std::vector<const Dialect*> DialectDetector::Candidates() const {
  std::vector<const Dialect*> rows;
  uint32_t candidates = Decide().candidates;
  for (const Dialect& row : AllDialects()) {
    if ((candidates & Bit(row)) == 0) continue;
    if (!any_section_ && row.multifd_device_state) continue;
    rows.push_back(&row);
  }
  return rows;
}

void ReleaseBounds::Apply(DialectDetector& detector) const {
  for (const Bound& bound : bounds_) {
    if (bound.not_before) {
      detector.NotBefore(bound.release, bound.offset, bound.what);
    } else {
      detector.NotAfter(bound.release, bound.offset, bound.what);
    }
  }
}

std::vector<const Dialect*> DetectDialects(
    const ReleaseBounds& bounds,
    const std::vector<DialectDetector*>& detectors) {
  if (detectors.empty()) {
    DialectDetector alone;
    bounds.Apply(alone);
    return alone.Candidates();
  }
  Release first = 0;
  Release last = kNewestRelease;
  for (DialectDetector* detector : detectors) {
    bounds.Apply(*detector);
    auto rows = detector->Candidates();
    Release oldest = kNewestRelease;
    Release newest = 0;
    for (const Dialect* row : rows) {
      oldest = std::min(oldest, row->first_release);
      newest = std::max(newest, row->last_release);
    }
    first = std::max(first, oldest);
    last = std::min(last, newest);
  }
  uint32_t any = 0;
  for (DialectDetector* detector : detectors) {
    constexpr std::string_view kWhat = "bound set by another device";
    detector->NotBefore(first, 0, kWhat);
    detector->NotAfter(last, 0, kWhat);
    for (const Dialect* row : detector->Candidates()) any |= Bit(*row);
  }
  std::vector<const Dialect*> rows;
  for (const Dialect& row : AllDialects()) {
    if ((any & Bit(row)) != 0) rows.push_back(&row);
  }
  return rows;
}

std::string DialectDetector::Name() const {
  std::vector<std::string_view> names;
  for (const Dialect* row : Candidates()) names.push_back(row->name);
  return StrJoin(names, " or ");
}

}  // namespace migstream
