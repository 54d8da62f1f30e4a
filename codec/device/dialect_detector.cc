#include "codec/device/dialect_detector.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace migstream {
namespace {

uint32_t Bit(const Dialect& row) { return 1u << static_cast<int>(row.id); }

// A stream that contradicts itself once tends to do so all the time.
constexpr size_t kMaxEvidence = 64;

}  // namespace

DialectDetector::DialectDetector() : candidates_(0) {
  for (const Dialect& row : AllDialects()) {
    if (row.released()) candidates_ |= Bit(row);
  }
}

template <typename Keep>
void DialectDetector::Exclude(DialectEvidence::Kind kind, uint64_t offset,
                              absl::string_view what, Keep keep) {
  uint32_t left = 0;
  for (const Dialect& row : AllDialects()) {
    if ((candidates_ & Bit(row)) != 0 && keep(row)) left |= Bit(row);
  }
  if (left == candidates_) return;
  bool contradiction = left == 0;
  if (!contradiction) candidates_ = left;
  auto known = [&](const DialectEvidence& e) { return e.what == what; };
  if (evidence_.size() < kMaxEvidence &&
      std::none_of(evidence_.begin(), evidence_.end(), known)) {
    evidence_.push_back({kind, offset, std::string(what), contradiction});
  }
}

void DialectDetector::Section(SectionType type, uint64_t offset) {
  any_section_ = true;
  type_ = type;
  previous_ = Element::kNone;
  records_ = 0;
  Exclude(DialectEvidence::kGrammar, offset, absl::StrCat("a ", ToString(type), " section"),
          [type](const Dialect& row) { return row.Grammar(type).Exists(); });
}

void DialectDetector::SawElement(Element element, uint64_t offset) {
  Element previous = previous_;
  SectionType type = type_;
  previous_ = element;
  Exclude(DialectEvidence::kGrammar, offset,
          previous == Element::kNone && element == Element::kEndOfState
              ? absl::StrCat(ToString(type), " of END_OF_STATE alone")
              : absl::StrCat(ToString(element), " in ", ToString(type)),
          [=](const Dialect& row) {
            return row.Grammar(type).After(previous).Contains(element);
          });
}

void DialectDetector::Observe(const Event& event) {
  switch (event.kind) {
    case EventKind::kSetup:
      return SawElement(Element::kSetup, event.offset);
    case EventKind::kData:
      if (!event.starts_record) return;
      ++records_;
      // The same again tells nothing new.
      if (previous_ != Element::kData) {
        SawElement(Element::kData, event.offset);
      }
      if (event.record_bytes == 0) {
        Exclude(DialectEvidence::kHabit, event.offset, "DATA of size 0",
                [](const Dialect& row) { return row.habits.empty_records; });
      }
      return Exclude(DialectEvidence::kHabit, event.offset, "DATA of more than 1 MiB",
                     [&event](const Dialect& row) {
                       return row.habits.max_record_bytes == 0 ||
                              event.record_bytes <= row.habits.max_record_bytes;
                     });
    case EventKind::kConfig:
      return SawElement(Element::kConfig, event.offset);
    case EventKind::kSubsection:
      if (event.subsection.name == kDisplaySubsection) {
        NotBefore(802, event.offset, kDisplaySubsection);
      }
      return;
    case EventKind::kConfigEnd:
      return;
    case EventKind::kInitDataSent:
      SawElement(Element::kInitDataSent, event.offset);
      break;
    case EventKind::kEndOfState:
      SawElement(Element::kEndOfState, event.offset);
      break;
    case EventKind::kConfigLoadReady:
      return SawElement(Element::kConfigLoadReady, event.offset);
    default:
      return;  // Never released.
  }
  if (type_ != SectionType::kPart) return;
  int records = records_;
  if (records == 0) {
    Exclude(DialectEvidence::kHabit, event.offset, "PART without DATA", [](const Dialect& row) {
      return row.habits.min_part_records == 0;
    });
  }
  Exclude(DialectEvidence::kHabit, event.offset, absl::StrCat("PART with ", records, " DATA records"),
          [records](const Dialect& row) {
            return records <= row.habits.max_part_records;
          });
}

void DialectDetector::NotBefore(Release release, uint64_t offset,
                                absl::string_view what) {
  Exclude(DialectEvidence::kRelease, offset, what, [release](const Dialect& row) {
    return row.last_release >= release;
  });
}

void DialectDetector::NotAfter(Release release, uint64_t offset,
                               absl::string_view what) {
  Exclude(DialectEvidence::kRelease, offset, what, [release](const Dialect& row) {
    return row.first_release <= release;
  });
}

std::vector<const Dialect*> DialectDetector::Candidates() const {
  std::vector<const Dialect*> rows;
  for (const Dialect& row : AllDialects()) {
    if ((candidates_ & Bit(row)) == 0) continue;
    if (!any_section_ && row.multifd_device_state) continue;
    rows.push_back(&row);
  }
  return rows;
}

std::string DialectDetector::Name() const {
  return absl::StrJoin(Candidates(), " or ",
                       [](std::string* out, const Dialect* row) {
                         absl::StrAppend(out, row->name);
                       });
}

}  // namespace migstream
