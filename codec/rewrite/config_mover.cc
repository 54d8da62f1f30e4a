#include "codec/rewrite/config_mover.h"

#include "codec/wire/text.h"

namespace migstream {
namespace {

Error TooMuch(const SectionView& section, uint64_t offset) {
  return {ErrorCode::kHoldLimit, offset, std::string(section.idstr),
          StrCat("config payloads of more than ", kBufferedConfigBytes,
                 " bytes would have to be held")};
}

}  // namespace

void ConfigToFull::OnDeviceEvent(const SectionView& section,
                                 const Event& event) {
  if (section.type != SectionType::kEnd || !BufferedConfig::Takes(event.kind)) {
    return next().OnDeviceEvent(section, event);
  }
  if (event.kind == EventKind::kConfig) {
    if (section_offset_ == section.offset) {
      return Fail({ErrorCode::kNotWritable, event.offset,
                   std::string(section.idstr), "CONFIG twice in an END"});
    }
    section_offset_ = section.offset;
    fulls_.push_back({section, std::string(section.idstr), {}});
    fulls_.back().section.type = SectionType::kFull;
  }
  BufferedConfig& config = fulls_.back().config;
  held_bytes_ -= config.bytes();
  config.Add(event);
  held_bytes_ += config.bytes();
  if (held_bytes_ > kBufferedConfigBytes) Fail(TooMuch(section, event.offset));
}

void ConfigToFull::OnSectionEnd(const SectionView& section,
                                uint64_t content_bytes, bool footer) {
  footers_ = footer;
  next().OnSectionEnd(section, content_bytes, footer);
}

void ConfigToFull::OnEof(uint64_t offset) {
  for (Full& full : fulls_) {
    full.section.idstr = full.idstr;
    next().OnSection(full.section);
    full.config.Replay(full.section, next());
    next().OnSectionEnd(full.section, 0, footers_);
  }
  fulls_.clear();
  next().OnEof(offset);
}

void ConfigCollector::OnDeviceEvent(const SectionView& section,
                                    const Event& event) {
  bool taken =
      section.type == SectionType::kFull || section.type == SectionType::kEnd;
  if (!taken || !error_.ok() || !BufferedConfig::Takes(event.kind)) return;
  BufferedConfig& config =
      configs_[DeviceKey(section.idstr, section.instance_id)];
  if (event.kind == EventKind::kConfig && config.bytes() != 0) {
    error_ = {ErrorCode::kNotWritable, event.offset, std::string(section.idstr),
              "CONFIG twice"};
    return;
  }
  held_bytes_ -= config.bytes();
  config.Add(event);
  held_bytes_ += config.bytes();
  if (held_bytes_ > kBufferedConfigBytes)
    error_ = TooMuch(section, event.offset);
}

void ConfigToEnd::OnSection(const SectionView& section) {
  dropping_ = section.vfio && section.type == SectionType::kFull;
  if (dropping_) return;
  next().OnSection(section);
  if (!section.vfio || section.type != SectionType::kEnd) return;
  auto found = configs_.find(DeviceKey(section.idstr, section.instance_id));
  if (found == configs_.end()) {
    return Fail({ErrorCode::kNotWritable, section.offset,
                 std::string(section.idstr),
                 "the device has no CONFIG to put into END"});
  }
  found->second.Replay(section, next());
}

void ConfigToEnd::OnDeviceEvent(const SectionView& section,
                                const Event& event) {
  // An END that has one already has got it from `configs_`.
  bool own =
      section.type == SectionType::kEnd && BufferedConfig::Takes(event.kind);
  if (!dropping_ && !own) next().OnDeviceEvent(section, event);
}

void ConfigToEnd::OnSectionEnd(const SectionView& section,
                               uint64_t content_bytes, bool footer) {
  if (!dropping_) next().OnSectionEnd(section, content_bytes, footer);
  dropping_ = false;
}

}  // namespace migstream
