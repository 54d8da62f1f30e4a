// Refuses what the writers of a dialect never do, though its grammar could
// express it: a stream that claims to be of that dialect would lie.
// FORMAT.md section 10.

#ifndef MIGSTREAM_CODEC_REWRITE_DIALECT_GUARD_H_
#define MIGSTREAM_CODEC_REWRITE_DIALECT_GUARD_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "codec/rewrite/visitor_filter.h"
#include "flags/dialect.h"

namespace migstream {

class DialectGuard : public VisitorFilter {
 public:
  DialectGuard(const Dialect& dialect, StreamVisitor& next)
      : VisitorFilter(next), dialect_(dialect) {}

  void OnSection(const SectionView& section) override;
  void OnDeviceEvent(const SectionView& section, const Event& event) override;
  void OnSectionEnd(const SectionView& section, uint64_t content_bytes,
                    bool footer) override;

 private:
  const Dialect& dialect_;
  // How often a device had an END, or a CONFIG.
  using Counts = std::map<std::pair<std::string, uint32_t>, int>;
  int Count(Counts& counts, const SectionView& section);
  void Refuse(const SectionView& section, uint64_t offset,
              std::string_view what);

  uint64_t records_ = 0;  // In this section.
  Counts ends_;
  Counts configs_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REWRITE_DIALECT_GUARD_H_
