#include "codec/rewrite/dialect_guard.h"

#include "absl/strings/str_cat.h"

namespace migstream {

void DialectGuard::OnSection(const SectionView& section) {
  records_ = 0;
  next().OnSection(section);
}

void DialectGuard::OnDeviceEvent(const SectionView& section,
                                 const Event& event) {
  const WriterHabits& habits = dialect_.habits;
  auto refuse = [&](absl::string_view what) {
    Fail({ErrorCode::kNotWritable, event.offset,
          absl::StrCat(section.idstr, " ", ToString(section.type)),
          absl::StrCat(dialect_.writer, " writes no ", what)});
  };
  if (event.kind == EventKind::kData && event.starts_record) {
    ++records_;
    if (event.record_bytes == 0 && !habits.empty_records) {
      refuse("DATA of size 0");
    }
    if (habits.max_record_bytes != 0 &&
        event.record_bytes > habits.max_record_bytes) {
      refuse(absl::StrCat("DATA of more than ", habits.max_record_bytes,
                          " bytes; this has ", event.record_bytes));
    }
    if (section.type == SectionType::kPart &&
        records_ > habits.max_part_records) {
      refuse(absl::StrCat("PART of more than ", habits.max_part_records,
                          " DATA records"));
    }
  }
  next().OnDeviceEvent(section, event);
}

void DialectGuard::OnSectionEnd(const SectionView& section,
                                uint64_t content_bytes, bool footer) {
  if (section.vfio && section.type == SectionType::kPart &&
      records_ < dialect_.habits.min_part_records) {
    Fail({ErrorCode::kNotWritable, section.offset,
          absl::StrCat(section.idstr, " PART"),
          absl::StrCat(dialect_.writer,
                       " writes no PART without DATA; those without may be "
                       "stripped")});
  }
  next().OnSectionEnd(section, content_bytes, footer);
}

}  // namespace migstream
