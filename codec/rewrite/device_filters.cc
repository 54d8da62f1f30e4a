#include "codec/rewrite/device_filters.h"

#include <algorithm>

#include "codec/device/pci_config.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

// What a device reads at a time since v2.
constexpr uint64_t kRecordBytes = 1 << 20;

std::string Name(const SectionView& section) {
  return StrCat(section.idstr, " ", ToString(section.type));
}

}  // namespace

void DeviceDropper::OnSection(const SectionView& section) {
  dropping_ = choice_.Matches(section);
  if (!dropping_) next().OnSection(section);
}

void DeviceDropper::OnDeviceEvent(const SectionView& section,
                                  const Event& event) {
  if (!dropping_) next().OnDeviceEvent(section, event);
}

void DeviceDropper::OnSectionEnd(const SectionView& section,
                                 uint64_t content_bytes, bool footer) {
  if (!dropping_) next().OnSectionEnd(section, content_bytes, footer);
  dropping_ = false;
}

void EmptyPartStripper::OnSection(const SectionView& section) {
  held_ = section.vfio && section.type == SectionType::kPart;
  held_records_ = 0;
  if (!held_) next().OnSection(section);
}

void EmptyPartStripper::OnDeviceEvent(const SectionView& section,
                                      const Event& event) {
  if (held_ && event.Is(Element::kEndOfState)) return;
  if (held_ && event.kind == EventKind::kData && event.record_bytes == 0) {
    ++held_records_;
    return;
  }
  if (held_) Release(section);
  next().OnDeviceEvent(section, event);
}

void EmptyPartStripper::Release(const SectionView& section) {
  held_ = false;
  next().OnSection(section);
  Event empty;
  empty.kind = EventKind::kData;
  empty.starts_record = true;
  for (; held_records_ > 0; --held_records_) {
    next().OnDeviceEvent(section, empty);
  }
}

void EmptyPartStripper::OnSectionEnd(const SectionView& section,
                                     uint64_t content_bytes, bool footer) {
  if (!held_) next().OnSectionEnd(section, content_bytes, footer);
  held_ = false;
}

void ConfigReplacer::OnSection(const SectionView& section) {
  chosen_ = choice_.Matches(section);
  next().OnSection(section);
}

void ConfigReplacer::OnDeviceEvent(const SectionView& section,
                                   const Event& event) {
  if (!chosen_ || event.kind != EventKind::kConfig ||
      event.layout.total_bytes == 0) {
    return next().OnDeviceEvent(section, event);
  }
  const ConfigLayout& old = event.layout;
  if (old.kind != ConfigLayoutKind::kReleased) {
    return Fail({ErrorCode::kNotWritable, event.offset, Name(section),
                 "the config payload has a layout that was never released"});
  }
  PciMsix msix = PciConfig::Parse(AsBytes(config_)).msix;
  uint32_t vectors = msix.present ? msix.vectors : 0;
  if (vectors != old.msix_vectors) {
    return Fail({ErrorCode::kNotWritable, event.offset, Name(section),
                 StrCat("the new config space has ", vectors,
                        " MSI-X vectors, and the table in the stream ",
                        old.msix_vectors)});
  }
  constexpr size_t kVersionBytes = 4;
  std::string payload(AsText(event.payload));
  payload.replace(kVersionBytes, old.pci_config_bytes, config_);
  Event replaced = event;
  replaced.payload = AsBytes(payload);
  uint32_t bytes = static_cast<uint32_t>(config_.size());
  replaced.layout.pci_config_bytes = bytes;
  replaced.layout.fixed_bytes += bytes - old.pci_config_bytes;
  replaced.layout.total_bytes += bytes - old.pci_config_bytes;
  replaced_ = true;
  next().OnDeviceEvent(section, replaced);
}

void ConfigReplacer::Finish() {
  Fail(choice_.Finish());
  if (!replaced_) {
    Fail({ErrorCode::kNotWritable, 0, "",
          "the device has no CONFIG in the main channel"});
  }
}

PayloadReplacer::PayloadReplacer(std::string idstr, ByteSource& payload,
                                 std::optional<uint64_t> split,
                                 bool record_boundaries_matter,
                                 StreamVisitor& next)
    : VisitorFilter(next),
      choice_(std::move(idstr)),
      payload_(payload),
      split_(split.has_value()),
      left_in_parts_(split.value_or(0)),
      left_(payload.size().value_or(0) - left_in_parts_),
      keep_records_(record_boundaries_matter) {}

void PayloadReplacer::OnSection(const SectionView& section) {
  if (section.type == SectionType::kEnd) EndPreCopy();
  chosen_ = choice_.Matches(section);
  if (chosen_ && section.type == SectionType::kStart) {
    idstr_ = section.idstr;
    device_ = section;
    device_.type = SectionType::kPart;
    device_.idstr = idstr_;
  }
  next().OnSection(section);
}

void PayloadReplacer::OnSectionEnd(const SectionView& section,
                                   uint64_t content_bytes, bool footer) {
  footers_ = footer;
  next().OnSectionEnd(section, content_bytes, footer);
}

void PayloadReplacer::OnCommand(const CommandView& command) {
  if (command.command == Command::kSwitchoverStart) EndPreCopy();
  next().OnCommand(command);
}

// A writer puts one record into each PART.
void PayloadReplacer::EndPreCopy() {
  while (left_in_parts_ > 0 && error().ok()) {
    if (keep_records_ || idstr_.empty()) {
      return Fail({ErrorCode::kNotWritable, 0, idstr_,
                   StrCat("the new payload has ", left_in_parts_,
                          " bytes of pre-copy more than the records of the "
                          "device's PARTs, and records of v1 must stay as "
                          "they are")});
    }
    next().OnSection(device_);
    Record(device_, std::min(left_in_parts_, kRecordBytes));
    next().OnDeviceEvent(device_, {});  // END_OF_STATE
    next().OnSectionEnd(device_, 0, footers_);
  }
}

void PayloadReplacer::OnDeviceEvent(const SectionView& section,
                                    const Event& event) {
  if (!chosen_) return next().OnDeviceEvent(section, event);
  if (event.kind == EventKind::kData) {
    if (!event.starts_record) return;  // It was filled with its header.
    const uint64_t left = LeftFor(section);
    if (keep_records_ && event.record_bytes > left) {
      return Fail({ErrorCode::kNotWritable, event.offset, Name(section),
                   StrCat("the new payload has ", left,
                          " bytes left for a record of ", event.record_bytes,
                          ", and records of v1 must stay as they are")});
    }
    uint64_t bytes = std::min(event.record_bytes, left);
    if (bytes > 0 || event.record_bytes == 0) Record(section, bytes);
    return;
  }
  if (section.type == SectionType::kEnd && event.kind == EventKind::kTag &&
      EndsSection(event.element) && !keep_records_) {
    while (left_ > 0 && error().ok()) {
      Record(section, std::min(left_, kRecordBytes));
    }
  }
  next().OnDeviceEvent(section, event);
}

void PayloadReplacer::Record(const SectionView& section, uint64_t bytes) {
  Event event;
  event.kind = EventKind::kData;
  event.starts_record = true;
  event.record_bytes = bytes;
  LeftFor(section) -= bytes;
  do {
    ByteSpan here = payload_.Peek(bytes > event.record_offset ? 1 : 0);
    here = here.first(
        std::min<uint64_t>(here.size(), bytes - event.record_offset));
    if (here.empty() && bytes > event.record_offset) {
      return Fail({ErrorCode::kReadFailed, payload_.offset(), "new payload",
                   payload_.failure().empty() ? "it became shorter"
                                              : payload_.failure()});
    }
    event.payload = here;
    next().OnDeviceEvent(section, event);
    payload_.Consume(here.size());
    event.record_offset += here.size();
    event.starts_record = false;
  } while (event.record_offset < bytes);
}

void PayloadReplacer::Finish() {
  Fail(choice_.Finish());
  if (left_ > 0) {
    Fail({ErrorCode::kNotWritable, 0, "",
          StrCat("the new payload has ", left_,
                 " bytes more than the records of the device")});
  }
}

}  // namespace migstream
