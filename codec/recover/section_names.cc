#include "codec/recover/section_names.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "codec/qemu/stream_event.h"
#include "codec/recover/next_section.h"

namespace migstream {
namespace {

constexpr size_t kWindowBytes = 1 << 20;
constexpr size_t kMostNames = 1 << 15;

// A device, as one header names it.
struct Named {
  std::string idstr;
  uint32_t instance_id = 0;
  uint32_t version_id = 0;
  bool twice = false;  // Another header of the type says otherwise.

  bool IsSame(const Named& other) const {
    return idstr == other.idstr && instance_id == other.instance_id;
  }
};

using Names = std::map<uint32_t, Named>;

void Add(const SectionView& section, Names& names) {
  if (names.size() == kMostNames) return;
  Named named = {std::string(section.idstr), section.instance_id,
                 section.version_id};
  auto [entry, added] = names.try_emplace(section.id, named);
  entry->second.twice |= !added && !entry->second.IsSame(named);
}

// How many ids name the same device.
class Counts {
 public:
  explicit Counts(const Names& names) {
    for (const auto& [id, named] : names) ++counts_[KeyOf(named)];
  }
  size_t Of(const Named& named) const {
    auto found = counts_.find(KeyOf(named));
    return found == counts_.end() ? 0 : found->second;
  }

 private:
  using Key = std::pair<std::string_view, uint32_t>;
  static Key KeyOf(const Named& named) {
    return {named.idstr, named.instance_id};
  }
  std::map<Key, size_t> counts_;
};

}  // namespace

void FindSectionNames(ByteSource& source, const VmDescription* description,
                      RecoveryPlan& plan) {
  Names starts;
  Names fulls;
  uint64_t with_footer = 0;
  uint64_t without = 0;
  const uint64_t begin = source.offset();
  constexpr size_t kMargin = kMaxSectionHeaderBytes;
  size_t at = 0;  // In the window, behind room for a footer.
  while (true) {
    ByteSpan window = source.Peek(kWindowBytes);
    window = window.first(std::min(window.size(), kWindowBytes));
    const bool last = window.size() < kWindowBytes;
    const size_t end = last ? window.size() : window.size() - kMargin;
    for (; at < end; ++at) {
      const bool start =
          window[at] == static_cast<uint8_t>(SectionType::kStart);
      if (!start && window[at] != static_cast<uint8_t>(SectionType::kFull)) {
        continue;
      }
      auto head = ParseSectionHead(window.subspan(at),
                                   [](uint32_t) { return nullptr; });
      if (!head) continue;
      const SectionView& section = head->section;
      const bool described =
          !start && description != nullptr &&
          description->Find(section.idstr, section.instance_id) != nullptr;
      const bool footer =
          at >= kFooterBytes && IsFooter(window.subspan(at - kFooterBytes));
      if (described) ++(footer ? with_footer : without);
      if (section.vfio && (footer || described)) {
        Add(section, start ? starts : fulls);
      }
    }
    if (last) break;
    source.Consume(end - kFooterBytes);
    at = kFooterBytes;
  }
  source.MoveTo(begin);
  if (with_footer + without != 0) plan.footers = with_footer > without;
  const Counts counts(fulls);
  for (const auto& [id, full] : fulls) {
    auto start = starts.find(id);
    if (full.twice) continue;
    if (start != starts.end() && !start->second.IsSame(full)) {
      // Where two differ, the one that names a device twice is wrong.
      if (counts.Of(start->second) == 0) continue;
    }
    if (counts.Of(full) > 1) continue;
    plan.names.push_back({id, full.idstr, full.instance_id, full.version_id});
  }
}

}  // namespace migstream
