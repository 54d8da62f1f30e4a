#include "codec/extract/payload_extractor.h"

#include <algorithm>
#include <string_view>

#include "codec/channels/channel_reader.h"
#include "codec/device/config_view.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"

namespace migstream {

bool PayloadExtractor::Named(std::string_view idstr) const {
  return idstr_.empty() ? idstr == devices_.front() : IsNamed(idstr, idstr_);
}

bool PayloadExtractor::Wanted(const SectionView& section) const {
  if (!section.vfio) return false;
  return Named(section.idstr);
}

void PayloadExtractor::OnSection(const SectionView& section) {
  if (!section.vfio) return;
  if (known_.insert(std::string(section.idstr)).second) {
    devices_.emplace_back(section.idstr);
  }
  if (!Wanted(section)) return;
  events_in_section_ = 0;
  if (!found_) instance_id_ = section.instance_id;
  ambiguous_ |= section.instance_id != instance_id_;
  found_ = true;
  offset_ = section.offset;
  ended_ |= section.type == SectionType::kEnd;
}

void PayloadExtractor::OnDeviceEvent(const SectionView& section,
                                     const Event& event) {
  if (!Wanted(section)) return;
  ++events_in_section_;
  switch (event.kind) {
    case EventKind::kData:
      data_in_end_ |= section.type == SectionType::kEnd;
      if (what_ == kPayload) sink_.Write(event.payload);
      break;
    case EventKind::kConfig:
      OnConfig(event);
      break;
    case EventKind::kTag:
      multifd_ |= event.Is(Element::kConfigLoadReady) ||
                  (event.Is(Element::kEndOfState) &&
                   section.type == SectionType::kFull &&
                   events_in_section_ == 1 && !data_in_end_);
      break;
    case EventKind::kSubsection:
    case EventKind::kConfigEnd:
      break;
  }
}

void PayloadExtractor::OnConfig(const Event& event) {
  if (event.layout.total_bytes == 0) return;
  ++configs_;
  ambiguous_ |= event.layout.other_pci_config_bytes != 0;
  if (what_ != kConfig) return;
  // The last one counts.
  config_ = std::string(
      AsText(ConfigView::Parse(event.payload, event.layout).pci_config));
}

void PayloadExtractor::OnPiece(const ReassembledPiece& piece) {
  if (!found_ || !Named(piece.idstr) || piece.instance_id != instance_id_) {
    return;
  }
  if (!piece.config) {
    if (what_ == kPayload) sink_.Write(piece.data);
    return;
  }
  Error error = DecodeConfigPiece(piece, [this](const Event& event) {
    if (event.kind == EventKind::kConfig) OnConfig(event);
  });
  ambiguous_ |= !error.ok();
  multifd_complete_ = true;
}

std::string PayloadExtractor::DeviceNames() const {
  constexpr size_t kMost = 10;
  std::span<const std::string> all = devices_;
  return StrCat(StrJoin(all.first(std::min(kMost, all.size())), ", "),
                all.size() > kMost ? ", …" : "");
}

Error PayloadExtractor::Finish() {
  Error error;
  error.offset = offset_;
  error.section = !idstr_.empty()    ? idstr_
                  : devices_.empty() ? ""
                                     : devices_.front();
  if (devices_.empty()) {
    error.code = ErrorCode::kUnknownSection;
    error.section.clear();
    error.reason = "there is no VFIO device in this stream";
  } else if (idstr_.empty() && devices_.size() > 1) {
    error.code = ErrorCode::kUnknownSection;
    error.section.clear();
    error.reason =
        StrCat("there are several devices, name one: ", DeviceNames());
  } else if (!found_) {
    error.code = ErrorCode::kUnknownSection;
    error.section.clear();
    error.reason =
        StrCat("no such device: ", idstr_, "; there is ", DeviceNames());
  } else if (multifd_ && !multifd_complete_) {
    error.code = ErrorCode::kUnwalkable;
    error.reason =
        channels_read_
            ? "the device's config packet is missing in the multifd channels "
              "that were given"
            : "the device's stop-copy data and config travel on multifd "
              "channels; give their files as well";
    if (!missing_channels_.empty()) {
      StrAppend(&error.reason, "; ", missing_channels_);
    }
  } else if (ambiguous_) {
    error.code = ErrorCode::kUnwalkable;
    error.reason = "the device's state is not certain; see check";
  } else if (what_ == kPayload && !ended_) {
    error.code = ErrorCode::kUnwalkable;
    error.reason = "the device has no END section: its payload is not complete";
  } else if (what_ == kConfig &&
             (configs_ == 0 || configs_ > dialect_.habits.max_configs)) {
    error.code = ErrorCode::kUnwalkable;
    error.reason = StrCat("the device has ", configs_,
                          " config payloads in dialect ", dialect_.name);
  }
  if (error.ok() && what_ == kConfig) sink_.Write(AsBytes(config_));
  return error;
}

}  // namespace migstream
