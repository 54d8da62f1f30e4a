#include "codec/extract/payload_extractor.h"

#include <algorithm>
#include <set>
#include <span>
#include <vector>

#include "codec/channels/channel_reader.h"
#include "codec/device/config_view.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

// The names of all devices, each once.
std::vector<std::string_view> NamesOf(const StreamFacts& facts) {
  std::vector<std::string_view> names;
  std::set<std::string_view> known;
  for (const DeviceFacts& device : facts.devices) {
    if (known.insert(device.idstr).second) names.push_back(device.idstr);
  }
  return names;
}

std::string Listed(std::span<const std::string_view> names) {
  constexpr size_t kMost = 10;
  return StrCat(StrJoin(names.first(std::min(kMost, names.size())), ", "),
                names.size() > kMost ? ", …" : "");
}

}  // namespace

void PayloadExtractor::OnSection(const SectionView& section) {
  if (!section.vfio) return;
  if (!idstr_.empty() && !IsNamed(section.idstr, idstr_)) return;
  if (!device_) device_.emplace(section.idstr, section.instance_id);
  doubtful_ |= !IsTheDevice(section.idstr, section.instance_id) &&
               (!idstr_.empty() || section.idstr == device_->first);
}

void PayloadExtractor::OnDeviceEvent(const SectionView& section,
                                     const Event& event) {
  if (!IsTheDevice(section.idstr, section.instance_id)) return;
  if (event.kind == EventKind::kData && what_ == kPayload) {
    sink_.Write(event.payload);
  }
  OnConfig(event);
}

void PayloadExtractor::OnConfig(const Event& event) {
  if (event.kind != EventKind::kConfig || event.layout.total_bytes == 0) return;
  config_doubtful_ |= event.layout.other_pci_config_bytes != 0;
  if (what_ != kConfig) return;
  config_ = std::string(
      AsText(ConfigView::Parse(event.payload, event.layout).pci_config));
}

void PayloadExtractor::OnPiece(const ReassembledPiece& piece) {
  if (!IsTheDevice(piece.idstr, piece.instance_id)) return;
  if (piece.config) {
    Error error = DecodeConfigPiece(
        piece, [this](const Event& event) { OnConfig(event); });
    doubtful_ |= !error.ok();
  } else if (what_ == kPayload) {
    sink_.Write(piece.data);
  }
}

const DeviceFacts* PayloadExtractor::Find(const StreamFacts& facts) const {
  for (const DeviceFacts& device : facts.devices) {
    if (IsTheDevice(device.idstr, device.instance_id)) return &device;
  }
  return nullptr;
}

bool PayloadExtractor::NeedsChannels(const StreamFacts& facts) const {
  const DeviceFacts* device = Find(facts);
  return device != nullptr && device->in_channels && !device->channels_read;
}

// Behind the END no data comes, unless it is on channels: that shows in the END
// itself, which then has none, or in the FULL.
bool PayloadExtractor::IsCertain(const StreamFacts& facts) const {
  const DeviceFacts* device = Find(facts);
  if (device == nullptr || facts.in_channels.size() != 0) return false;
  return what_ == kConfig
             ? config_ && (device->full_closed || device->end_closed)
             : device->end_closed &&
                   (device->data_in_end || device->full_closed);
}

Error PayloadExtractor::NoDevice(const StreamFacts& facts) const {
  const std::vector<std::string_view> names = NamesOf(facts);
  Error error = {ErrorCode::kUnknownSection, 0, "", ""};
  if (names.empty()) {
    error.reason = "there is no VFIO device in this stream";
  } else if (idstr_.empty() && names.size() > 1) {
    error.reason =
        StrCat("there are several devices, name one: ", Listed(names));
  } else if (Find(facts) == nullptr) {
    error.reason =
        StrCat("no such device: ", idstr_, "; there is ", Listed(names));
  } else {
    return {};
  }
  return error;
}

Error PayloadExtractor::Finish(const StreamFacts& facts) {
  std::string lacking;
  Error error = FinishPart(facts, lacking);
  if (!error.ok() || lacking.empty()) return error;
  return {ErrorCode::kUnwalkable, Find(facts)->last_offset,
          idstr_.empty() ? Find(facts)->idstr : idstr_, lacking};
}

Error PayloadExtractor::FinishPart(const StreamFacts& facts,
                                   std::string& lacking) {
  if (Error error = NoDevice(facts); !error.ok()) return error;
  const DeviceFacts& device = *Find(facts);
  lacking = Lacking(device, facts);
  if (what_ == kPayload) return {};
  if (!config_) {
    return {ErrorCode::kUnwalkable, device.last_offset,
            idstr_.empty() ? device.idstr : idstr_, lacking};
  }
  sink_.Write(AsBytes(*config_));
  return {};
}

std::string PayloadExtractor::Lacking(const DeviceFacts& device,
                                      const StreamFacts& facts) const {
  if (NeedsChannels(facts)) {
    return "the device's stop-copy data and config travel on multifd channels; "
           "give their files as well";
  }
  if (doubtful_ || (what_ == kConfig && config_doubtful_)) {
    return "the device's state is not certain; see check";
  }
  if (what_ == kPayload && device.ends() == 0) {
    return "the device has no END section: its payload is not complete";
  }
  if (what_ == kConfig && !config_) {
    return "no config space of the device came";
  }
  if (what_ == kConfig && device.extra_config_offset != 0) {
    return StrCat("the device has ", device.configs,
                  " config spaces: which is meant?");
  }
  return "";
}

}  // namespace migstream
