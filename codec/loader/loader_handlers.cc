#include "codec/loader/loader_handlers.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "codec/qemu/puller.h"
#include "codec/qemu/section_guess.h"
#include "codec/qemu/stream_decoder.h"

namespace migstream {
namespace {

// No handler of any release has come this far.
constexpr uint32_t kNewestVersion = 255;

// Whether one is the other with a wrong byte, or cut by one.
bool IsNearMiss(std::string_view a, std::string_view b) {
  if (a.size() < b.size()) std::swap(a, b);
  if (a.size() != b.size()) {
    return a.size() == b.size() + 1 && a.starts_with(b);
  }
  size_t wrong = 0;
  for (size_t i = 0; i < a.size(); ++i) wrong += a[i] != b[i];
  return wrong == 1;
}

// Where stream and description disagree about a name, either may be damaged.
// This is what no QEMU calls a device, or nearly what the description says.
bool IsDamaged(const LoaderHandler& handler, const VmDescription* description) {
  if (handler.instance_id > kMaxInstances ||
      !std::all_of(handler.idstr.begin(), handler.idstr.end(),
                   [](char c) { return c >= ' ' && c <= '~'; })) {
    return true;
  }
  return description != nullptr &&
         std::any_of(description->devices.begin(), description->devices.end(),
                     [&](const DescribedDevice& device) {
                       return IsNearMiss(device.name, handler.idstr);
                     });
}

}  // namespace

void LoaderHandlers::Describe(const VmDescription* description) {
  description_ = description;
  if (description == nullptr) return;
  described_vfio_ = std::count_if(
      description_->devices.begin(), description_->devices.end(),
      [](const DescribedDevice& device) { return IsVfioIdstr(device.name); });
}

bool LoaderHandlers::Exists(LoaderHandler& handler,
                            std::optional<uint32_t>& newest) const {
  handler.vfio = IsVfioIdstr(handler.idstr);
  const DescribedDevice* described =
      has_description() ? description_->Find(handler.idstr, handler.instance_id)
                        : nullptr;
  if (described != nullptr) {
    handler.described_bytes = described->bytes;
    if (described->version) newest = *described->version;
  }
  if (handler.idstr == "ram") {
    newest = kRamVersion;
    return handler.instance_id == 0;
  }
  if (handler.vfio) newest = kVfioVersion;
  if (described != nullptr || ParserOf(handler) != nullptr) return true;
  if (handler.vfio) {
    // QEMU 5.2 describes none.
    return handler.instance_id == 0 && described_vfio_ == 0;
  }
  // What the description does not name may well be there.
  newest = kNewestVersion;
  return !IsDamaged(handler, description_);
}

bool LoaderHandlers::Name(const LoaderHandler& handler, size_t limit) {
  auto [found, added] =
      by_name_.try_emplace({handler.idstr, handler.instance_id}, named_.size());
  if (added && named_.size() == limit) {
    by_name_.erase(found);
    return false;
  }
  if (added) {
    named_.push_back(handler);
    if (!handler.vfio && handler.idstr != "ram") ++others_;
  } else {
    LoaderHandler& known = named_[found->second];
    by_section_id_.erase({known.section_id, found->second});
    known = handler;
  }
  by_section_id_.emplace(handler.section_id, found->second);
  return true;
}

const LoaderHandler* LoaderHandlers::Find(uint32_t section_id) const {
  auto found = by_section_id_.lower_bound({section_id, 0});
  return found != by_section_id_.end() && found->first == section_id
             ? &named_[found->second]
             : nullptr;
}

HandlerParser ParserOf(const LoaderHandler& handler) {
  HandlerParser parser = FindHandlerParser(handler.idstr, SectionType::kStart);
  return parser ? parser : FindHandlerParser(handler.idstr, SectionType::kFull);
}

Error PassHandlerContent(ByteSource& source, HandlerParser parser,
                         SectionType type) {
  ContentWalk walk;
  walk.offset = source.offset();
  HandlerDecoder decoder(parser, type);
  auto next = [&](ByteSpan& input, ContentWalk& walk, StreamEvent& event) {
    return decoder.Next(input, walk, event);
  };
  return PullContent(source, walk, next, [](StreamEvent&) { return true; });
}

}  // namespace migstream
