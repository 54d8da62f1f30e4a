#include "codec/capture/main_watch.h"

#include <algorithm>
#include <utility>

#include "flags/section_type.h"

namespace migstream {

MainWatch::MainWatch(Listener listener)
    : listener_(std::move(listener)),
      decoder_({.content_length = [this](const SectionView& section,
                                         ByteSpan input) {
        return LengthOf(section, input);
      }}) {}

void MainWatch::Feed(ByteSpan bytes) {
  if (done_ || !error_.ok()) return;
  // Mostly nothing is held, and nothing is copied.
  if (held_.empty()) {
    held_ = std::string(AsText(Decode(bytes)));
    return;
  }
  held_.append(AsText(bytes));
  DecodeHeld();
}

void MainWatch::Quiet() {
  if (done_ || !error_.ok()) return;
  // Without a description, or behind the last device's state.
  quiet_ = true;
  DecodeHeld();
  quiet_ = false;
  if (eof_ && error_.ok()) done_ = true;
}

void MainWatch::DecodeHeld() {
  const ByteSpan left = Decode(AsBytes(held_));
  held_.erase(0, held_.size() - left.size());
}

ByteSpan MainWatch::Decode(ByteSpan input) {
  for (StreamEvent event;;) {
    switch (decoder_.Next(input, event)) {
      case Step::kEvent:
        Take(event);
        continue;
      case Step::kNeedInput:
        return input;
      case Step::kDone:
        done_ = true;
        return {};
      case Step::kError:
        error_ = decoder_.error();
        return {};
    }
  }
}

void MainWatch::Take(const StreamEvent& event) {
  switch (event.kind) {
    case StreamEvent::kConfiguration:
      machine_type_ = std::string(event.machine_type);
      break;
    case StreamEvent::kSection:
      config_ = false;
      if (event.section->type == SectionType::kEnd &&
          !std::exchange(stopped_, true)) {
        listener_.on_stopped(event.offset);
      }
      break;
    case StreamEvent::kDevice:
      TakeDevice(event);
      break;
    case StreamEvent::kSectionEnd:
      if (event.section->vfio && event.section->type == SectionType::kFull) {
        devices_[std::string(event.section->idstr)].in_channels = !config_;
      }
      break;
    case StreamEvent::kCommand:
      if (event.command.command == Command::kSwitchoverStart &&
          !std::exchange(stopped_, true)) {
        listener_.on_stopped(event.offset);
      }
      listener_.on_command(event.command);
      break;
    case StreamEvent::kEof:
      eof_ = true;
      break;
    case StreamEvent::kFinding:
      listener_.on_finding(*event.finding);
      break;
    case StreamEvent::kHeader:
    case StreamEvent::kConfigurationSubsection:
    case StreamEvent::kContent:
    case StreamEvent::kTakenOver:
    case StreamEvent::kRamRecord:
    case StreamEvent::kRamBlock:
    case StreamEvent::kRamBlocks:
    case StreamEvent::kDescription:
      break;
  }
}

void MainWatch::TakeDevice(const StreamEvent& event) {
  if (event.device.kind == EventKind::kConfig) config_ = true;
  const bool ready = event.device.Is(Element::kInitDataSent);
  const bool data = event.device.kind == EventKind::kData &&
                    event.section->type == SectionType::kPart;
  if (!ready && !data) return;
  Device& device = devices_[std::string(event.section->idstr)];
  device.sent_data = device.sent_data || data;
  if (!ready) return;
  device.init_data_sent = true;
  listener_.on_init_data_sent(
      event.offset,
      std::all_of(devices_.begin(), devices_.end(), [](const auto& entry) {
        return entry.second.init_data_sent || !entry.second.sent_data;
      }));
}

ContentLength MainWatch::LengthOf(const SectionView& section, ByteSpan input) {
  // What follows an end has to be in view as well.
  constexpr size_t kMargin = kFooterBytes + kMaxSectionHeaderBytes;
  constexpr size_t kMost = 8 << 20;
  GuessContext context;
  context.section_id = section.id;
  context.footers = decoder_.footers().value_or(true);
  context.end_of_input = quiet_;
  if (decoder_.package_end() != 0) {
    context.package_left = decoder_.package_end() - decoder_.offset();
  }
  context.known_section = [this](uint32_t id) {
    return decoder_.FindSection(id);
  };
  if (std::exchange(guess_at_, section.offset) != section.offset || quiet_) {
    searched_ = 0;
  }
  if (auto guess = GuessSectionEnd(input, searched_, context)) {
    guessed_ = true;
    return {.kind = ContentLength::kBytes, .bytes = guess->content_bytes};
  }
  if (input.size() > kMost) {
    guessed_ = true;
    return {};
  }
  searched_ = input.size() > kMargin ? input.size() - kMargin : 0;
  return {.kind = ContentLength::kNeedInput};
}

}  // namespace migstream
