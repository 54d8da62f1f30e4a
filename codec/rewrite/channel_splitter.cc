#include "codec/rewrite/channel_splitter.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>

#include "codec/qemu/configuration.h"
#include "codec/rewrite/buffered_config.h"
#include "codec/wire/text.h"
#include "flags/dialect.h"
#include "flags/ram_flags.h"

namespace migstream {

ChannelSetWriter& ChannelSplitter::Channels() {
  if (!channels_) channels_.emplace(sinks_, options_);
  return *channels_;
}

void ChannelSplitter::OnConfiguration(const ConfigurationView& configuration) {
  if (auto uuid = FindUuid(configuration)) options_.uuid = *uuid;
  for (const auto& subsection : configuration.subsections) {
    if (subsection.name != kPageBitsSubsection) continue;
    const uint32_t bits = LoadBe32(subsection.payload.data());
    options_.page_bytes = uint32_t{1} << std::min(bits, kMaxPageBits);
  }
  next().OnConfiguration(configuration);
}

void ChannelSplitter::OnCommand(const CommandView& command) {
  switchover_started_ |= command.command == Command::kSwitchoverStart;
  next().OnCommand(command);
}

void ChannelSplitter::OnSection(const SectionView& section) {
  next().OnSection(section);
  if (section.idstr == "ram" && section.type == SectionType::kEnd) Sync();
}

void ChannelSplitter::OnRamBlocks(std::span<const RamBlock> blocks) {
  next().OnRamBlocks(blocks);
  for (const RamBlock& block : blocks) {
    if (block.pages_offset == 0) continue;
    return Fail({ErrorCode::kNotWritable, block.pages_offset, "ram START",
                 "mapped-ram is for files, and channels are not"});
  }
  Sync();
}

void ChannelSplitter::Sync() {
  std::array<uint8_t, 8> flush;
  StoreBe64(flush.data(), kRamMultifdFlush);
  next().OnContent(flush);
  Fail(Channels().Sync());
}

void ChannelSplitter::OnDeviceEvent(const SectionView& section,
                                    const Event& event) {
  bool split =
      (section.type == SectionType::kEnd && event.kind == EventKind::kData) ||
      BufferedConfig::Takes(event.kind);
  if (!split) return next().OnDeviceEvent(section, event);
  if (!switchover_started_) {
    return Fail({ErrorCode::kNotWritable, event.offset,
                 std::string(section.idstr),
                 "a destination reads device state from channels only after "
                 "COMMAND SWITCHOVER_START, which this stream lacks"});
  }
  if (section.type == SectionType::kEnd && event.kind != EventKind::kData) {
    return Fail({ErrorCode::kNotWritable, event.offset,
                 std::string(section.idstr),
                 "CONFIG in END, which no release with such channels writes"});
  }
  if (error().ok()) Split(section, event);
  if (event.kind == EventKind::kConfigEnd) {
    Event end = event;
    end.kind = EventKind::kTag;
    // A destination that expects the one waits for ever without it.
    end.element = event.element == Element::kConfigLoadReady
                      ? Element::kConfigLoadReady
                      : Element::kEndOfState;
    next().OnDeviceEvent(section, end);
  }
}

void ChannelSplitter::Split(const SectionView& section, const Event& event) {
  if (event.kind != EventKind::kData) return AddToConfig(section, event);
  if (event.starts_record && event.record_bytes > 0) {
    Fail(Channels().DataStart(section.idstr, section.instance_id,
                              event.record_bytes));
  }
  if (!event.payload.empty()) Fail(Channels().Payload(event.payload));
}

void ChannelSplitter::AddToConfig(const SectionView& section,
                                  const Event& event) {
  if (event.kind == EventKind::kConfig) {
    config_.clear();
    encoder_ = std::make_unique<SectionEncoder>(
        SectionType::kFull, GetDialect(DialectId::kV111), headers_, pieces_);
  }
  if (encoder_->Append(event) != Put::kDone) {
    Error error = encoder_->error(section.idstr);
    error.offset = event.offset;
    return Fail(std::move(error));
  }
  for (const iovec& piece : encoder_->pieces()) {
    StrAppend(&config_,
              std::string_view(static_cast<const char*>(piece.iov_base),
                               piece.iov_len));
  }
  encoder_->Clear();
  if (event.kind == EventKind::kConfigEnd) {
    Fail(Channels().Config(section.idstr, section.instance_id,
                           AsBytes(config_)));
  }
}

}  // namespace migstream
