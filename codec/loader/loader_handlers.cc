#include "codec/loader/loader_handlers.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "codec/loader/loader_vmstate.h"
#include "codec/qemu/limits.h"
#include "codec/qemu/loader_words.h"
#include "codec/qemu/puller.h"
#include "codec/qemu/section_guess.h"
#include "codec/qemu/stream_decoder.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

// No handler of any release has come this far.
constexpr uint32_t kNewestVersion = 255;

// An alias that every handler has which has no other: any instance.
constexpr uint32_t kAnyInstance = 0xffffffff;
// Shorter pieces of a name are in too many.
constexpr size_t kTellingBytes = 3;
constexpr std::string_view kVfioSuffix = "/vfio";

// Devices of a PC that take versions older than the one they write, and then
// read fewer fields; `whole` is the oldest of which they read all.
struct OldestVersion {
  std::string_view name;
  uint32_t version;
  uint32_t whole;
};
constexpr OldestVersion kOldestVersions[] = {
    {"timer", 1, 2},  {"cpu", 11, 12},  {"fw_cfg", 1, 2}, {"i8254", 2, 3},
    {"ps2kbd", 2, 3}, {"ioapic", 1, 2}, {"e1000", 1, 2},  {"ich9_ahci", 0, 0},
};

const OldestVersion* FindOldest(std::string_view name) {
  for (const OldestVersion& row : kOldestVersions) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

bool IsHex(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// A bus and a slot, if it names both, are a PCI device's: "...:05.0/vfio".
bool MayBeVfio(std::string_view idstr) {
  const size_t colon = idstr.rfind(':');
  if (colon == idstr.npos) return true;
  const std::string_view slot =
      idstr.substr(colon + 1, idstr.rfind('/') - colon - 1);
  const size_t dot = slot.find('.');
  return dot != slot.npos && IsHex(slot.substr(0, dot)) &&
         IsHex(slot.substr(dot + 1));
}

bool IsNearlyVfio(std::string_view idstr) {
  return idstr.size() > kVfioSuffix.size() &&
         IsNearMiss(idstr.substr(idstr.size() - kVfioSuffix.size()),
                    kVfioSuffix);
}

// Where stream and description disagree about a name, either may be damaged.
// This is what no QEMU calls a device, or nearly what the description says.
bool IsDamaged(const LoaderHandler& handler, SectionType type,
               const VmDescription* description) {
  // Only those that iterate have a START.
  if (type == SectionType::kStart || handler.idstr.empty() ||
      handler.ends_early || handler.instance_id > kMaxInstances ||
      IsNearlyVfio(handler.idstr) ||
      !std::all_of(handler.idstr.begin(), handler.idstr.end(),
                   [](char c) { return c >= ' ' && c <= '~'; })) {
    return true;
  }
  return description != nullptr &&
         std::any_of(description->devices.begin(), description->devices.end(),
                     [&](const DescribedDevice& device) {
                       return device.name == handler.idstr ||
                              IsNearMiss(device.name, handler.idstr);
                     });
}

}  // namespace

bool IsNearMiss(std::string_view a, std::string_view b) {
  if (a.size() < b.size()) std::swap(a, b);
  if (a.size() != b.size()) {
    return b.size() >= kTellingBytes && a.size() <= b.size() + 2 &&
           a.find(b) != a.npos;
  }
  size_t wrong = 0;
  for (size_t i = 0; i < a.size(); ++i) wrong += a[i] != b[i];
  return wrong == 1;
}

void LoaderHandlers::Describe(const VmDescription* description) {
  description_ = description;
  described_vfio_ = 0;
  expected_ = nullptr;
  if (description == nullptr) return;
  next_described_ = description->devices.size();  // Not known.
  described_vfio_ = std::count_if(
      description_->devices.begin(), description_->devices.end(),
      [](const DescribedDevice& device) { return IsVfioIdstr(device.name); });
}

bool LoaderHandlers::Exists(LoaderHandler& handler, SectionType type,
                            LoaderVersions& versions) const {
  handler.vfio = IsVfioIdstr(handler.idstr);
  const DescribedDevice* described = Describe(handler);
  if (described != nullptr) {
    handler.instance_id = described->instance_id;
    handler.described_bytes = described->bytes;
    // Most devices take no older one.
    if (described->version) {
      const uint32_t newest = *described->version;
      const OldestVersion* oldest = FindOldest(VmstateName(handler.idstr));
      versions = {
          .newest = newest,
          .oldest = oldest ? std::min(oldest->version, newest) : newest};
      handler.older = handler.version_id < newest;
      handler.reads_less = handler.version_id <
                           (oldest ? std::min(oldest->whole, newest) : newest);
    }
  }
  if (handler.idstr == "ram") {
    versions = {.newest = kRamVersion};
    return handler.instance_id == 0;
  }
  if (handler.vfio) versions = {.newest = kVfioVersion};
  if (described != nullptr || ParserOf(handler) != nullptr) return true;
  if (handler.vfio) {
    // QEMU 5.2 describes none.
    return handler.instance_id == 0 && described_vfio_ == 0 &&
           MayBeVfio(handler.idstr);
  }
  // What the description does not name may well be there.
  versions = {.newest = kNewestVersion};
  return !IsDamaged(handler, type, description_);
}

const DescribedDevice* LoaderHandlers::Describe(
    const LoaderHandler& handler) const {
  if (!has_description()) return nullptr;
  if (handler.instance_id != kAnyInstance || handler.vfio) {
    return description_->Find(handler.idstr, handler.instance_id);
  }
  auto found =
      std::find_if(description_->devices.begin(), description_->devices.end(),
                   [&](const DescribedDevice& device) {
                     return device.name == handler.idstr;
                   });
  return found == description_->devices.end() ? nullptr : &*found;
}

std::optional<LoaderRefusal> CheckVersion(const LoaderHandler& handler,
                                          const LoaderVersions& versions,
                                          uint64_t at, const LoaderRow& row) {
  if (versions.newest && handler.version_id > *versions.newest) {
    return LoaderRefusal{
        at, UnsupportedVersion(row.savevm_words, handler.version_id,
                               handler.idstr, *versions.newest)};
  }
  if (versions.oldest && handler.version_id < *versions.oldest) {
    // The oldest that is taken may be older than the one described.
    return LoaderRefusal{at, OldVersion(VmstateName(handler.idstr),
                                        handler.version_id, "...", row)};
  }
  return std::nullopt;
}

bool LoaderHandlers::Name(const LoaderHandler& handler, size_t limit) {
  auto [found, added] =
      by_name_.try_emplace({handler.idstr, handler.instance_id}, named_.size());
  if (added) {
    names_ += SectionsOfName(handler.idstr.size());
    if (names_ > limit) {
      by_name_.erase(found);
      return false;
    }
    named_.push_back(handler);
    if (!handler.vfio && handler.idstr != "ram") ++others_;
  } else {
    LoaderHandler& known = named_[found->second];
    by_section_id_.erase({known.section_id, found->second});
    known = handler;
  }
  by_section_id_.emplace(handler.section_id, found->second);
  expected_ = nullptr;
  if (const DescribedDevice* device = Describe(handler)) {
    const std::vector<DescribedDevice>& devices = description_->devices;
    if (next_described_ < devices.size()) expected_ = &devices[next_described_];
    next_described_ = device - devices.data() + 1;
  }
  return true;
}

const DescribedDevice* LoaderHandlers::FirstUnnamed() const {
  if (!has_description()) return nullptr;
  for (const DescribedDevice& device : description_->devices) {
    if (!by_name_.contains({device.name, device.instance_id})) return &device;
  }
  return nullptr;
}

std::string LoaderHandlers::Shown(std::string_view idstr) const {
  const bool known =
      has_description() &&
      std::any_of(description_->devices.begin(), description_->devices.end(),
                  [&](const DescribedDevice& device) {
                    return device.name == idstr ||
                           IsNearMiss(idstr, device.name);
                  });
  return known ? std::string(idstr) : UnknownName(idstr);
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
