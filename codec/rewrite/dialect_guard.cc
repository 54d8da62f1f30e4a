#include "codec/rewrite/dialect_guard.h"

#include <string_view>

#include "codec/wire/text.h"

namespace migstream {

int DialectGuard::Count(Counts& counts, const SectionView& section) {
  return ++counts[{std::string(section.idstr), section.instance_id}];
}

void DialectGuard::Refuse(const SectionView& section, uint64_t offset,
                          std::string_view what) {
  Fail({ErrorCode::kNotWritable, offset,
        StrCat(section.idstr, " ", ToString(section.type)),
        StrCat(dialect_.writer, " writes no ", what)});
}

void DialectGuard::OnSection(const SectionView& section) {
  records_ = 0;
  if (section.vfio && section.type == SectionType::kEnd &&
      Count(ends_, section) > dialect_.habits.max_ends) {
    Refuse(section, section.offset, "further END of a device");
  }
  next().OnSection(section);
}

void DialectGuard::OnDeviceEvent(const SectionView& section,
                                 const Event& event) {
  const WriterHabits& habits = dialect_.habits;
  auto refuse = [&](std::string_view what) {
    Refuse(section, event.offset, what);
  };
  if (event.kind == EventKind::kConfig && event.layout.total_bytes != 0 &&
      Count(configs_, section) > habits.max_configs) {
    refuse("further CONFIG of a device");
  }
  if (event.kind == EventKind::kData && event.starts_record) {
    ++records_;
    if (event.record_bytes == 0 && !habits.empty_records) {
      refuse("DATA of size 0");
    }
    if (habits.max_record_bytes != 0 &&
        event.record_bytes > habits.max_record_bytes) {
      refuse(StrCat("DATA of more than ", habits.max_record_bytes,
                    " bytes; this has ", event.record_bytes));
    }
    if (section.type == SectionType::kPart &&
        records_ > habits.max_part_records) {
      refuse(StrCat("PART of more than ", habits.max_part_records,
                    " DATA records"));
    }
  }
  next().OnDeviceEvent(section, event);
}

void DialectGuard::OnSectionEnd(const SectionView& section,
                                uint64_t content_bytes, bool footer) {
  if (section.vfio && section.type == SectionType::kPart &&
      records_ < dialect_.habits.min_part_records) {
    Refuse(section, section.offset,
           "PART without DATA; --strip-empty-parts leaves them out");
  }
  next().OnSectionEnd(section, content_bytes, footer);
}

}  // namespace migstream
