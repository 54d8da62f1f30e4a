#include "codec/generate/damage_marks.h"

#include <string_view>

#include "codec/io/absl_view.h"
#include "codec/wire/bytes.h"

namespace migstream {

uint64_t NumberAt(const std::string& bytes, uint64_t at, int width) {
  if (at > bytes.size() || bytes.size() - at < static_cast<size_t>(width)) {
    return 0;
  }
  return LoadBe(AsBytes(bytes).data() + at, width);
}

absl::Status NothingThere(std::string_view what) {
  return absl::NotFoundError(AbslView(what));
}

size_t FindMark(const MarkedBytes& stream, const DoneDamage& done,
                MarkKind kind, const std::function<bool(const Mark&)>& fits) {
  uint32_t nth = done.damage.nth();
  for (size_t i = 0; i < stream.marks.size(); ++i) {
    const Mark& mark = stream.marks[i];
    if (mark.kind != kind ||
        mark.device != static_cast<int>(done.damage.device()) || !fits(mark)) {
      continue;
    }
    if (nth-- == 0) return i;
  }
  return kNone;
}
void MarkDamage(MarkedBytes& stream, const Generated& all, uint64_t at) {
  Mark mark;
  mark.kind = MarkKind::kDamage;
  mark.offset = at;
  mark.number = static_cast<uint32_t>(all.damages.size());
  stream.marks.push_back(mark);
}

}  // namespace migstream
