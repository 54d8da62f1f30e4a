#include "codec/session/load_session.h"

#include <algorithm>
#include <utility>

#include "codec/device/section_decoder.h"
#include "codec/wire/text.h"
#include "flags/command.h"
#include "flags/trigger_flags.h"

namespace migstream {
namespace {

// A config payload that came, kept until the session ends.
struct StoredConfig {
  std::vector<uint8_t> bytes;
  ConfigLayout layout;
  // Pointers, since views of them are handed out.
  struct Subsection {
    std::string name;
    std::vector<uint8_t> payload;
  };
  std::vector<std::unique_ptr<Subsection>> kept;
  std::vector<SubsectionView> subsections;
};

}  // namespace

struct LoadSession::Device {
  size_t index = 0;
  DeviceControl* control = nullptr;

  // The main channel's thread only.
  bool started = false;
  bool initial_sent = false;
  uint32_t configs = 0;

  std::mutex mutex;  // What follows, and the device itself.
  std::optional<Reassembler> packets;
  uint64_t held_bytes = 0;  // As `packets` had them last.
  bool closed = false;      // By Finish(): it is given nothing any more.
  uint32_t ends = 0;
  bool data_over = false;  // All that the device is to be given was written.
  bool full = false;
  bool mark = false;  // CONFIG_LOAD_READY, TRIGGER, or E3's subflag.
  std::vector<std::unique_ptr<StoredConfig>> stored;
  bool config_open = false;  // Before the END_OF_STATE that closes it.
  size_t given = 0;          // Of stored ones.
};

struct LoadSession::Channel {
  explicit Channel(const ChannelOptions& options) : receiver(options) {}
  ChannelReceiver receiver;
  std::string name;
  std::atomic<bool> heard = false;
  bool in_ram = false;  // In a RAM packet, not one of a device.
};

LoadSession::LoadSession(MigrationSet& devices, LoadOptions options)
    : set_(devices),
      options_(std::move(options)),
      dialect_(*options_.dialect),
      decoder_({
          .dialect = options_.dialect,
          .limits = options_.limits.stream,
          .switchover_ack_off = !options_.switchover_ack,
          .footers = options_.footers,
          .content_length = options_.content_length,
          .config_hints = [this](const SectionView& section) -> ConfigHints {
            size_t i = set_.Find(section.idstr, section.instance_id);
            return i < options_.config_hints.size() ? options_.config_hints[i]
                                                    : ConfigHints();
          },
      }) {
  for (uint32_t i = 0; i < options_.channels; ++i) {
    channels_.push_back(std::make_unique<Channel>(ChannelOptions{
        .page_bytes = options_.page_bytes, .limits = options_.limits.multifd}));
    channels_[i]->name = StrCat("channel ", i);
  }
}

LoadSession::~LoadSession() = default;

bool LoadSession::RepeatsAcks() const {
  return dialect_.habits.init_data_sent_repeats &&
         !options_.switchover_ack_legacy;
}

LoadSession::Trigger LoadSession::TriggerOf(const Dialect& dialect) {
  switch (dialect.id) {
    case DialectId::kV52:
    case DialectId::kE4:
    case DialectId::kE5V7:
    case DialectId::kE5V26:
      return Trigger::kAtOnce;
    case DialectId::kV60:
    case DialectId::kV80:
    case DialectId::kV81:
    case DialectId::kV100:
    case DialectId::kV111:
    case DialectId::kE1:
    case DialectId::kE6:
    case DialectId::kAuto:
      return Trigger::kFull;
    case DialectId::kV100M:
    case DialectId::kE7:
      return Trigger::kPacket;
    case DialectId::kV101M:
    case DialectId::kV111M:
    case DialectId::kE2:
    case DialectId::kE3:
      return Trigger::kMark;
  }
  return Trigger::kFull;
}

// Why nothing can be loaded so; empty if it can.
std::string LoadSession::WhyNot() const {
  if (dialect_.id == DialectId::kAuto) {
    return "a destination has to know its source's dialect";
  }
  if (dialect_.id == DialectId::kE6) {
    return "E6 does not say when a device's data is over";
  }
  if (dialect_.multifd_device_state == (options_.channels == 0)) {
    return StrCat(dialect_.name, options_.channels == 0
                                     ? " needs channels"
                                     : " has no device state on channels");
  }
  return "";
}

Error LoadSession::Start() {
  if (std::string why = WhyNot(); !why.empty()) {
    return Fail({ErrorCode::kBadOptions, 0, "", std::move(why)});
  }
  if (dialect_.multifd_device_state) {
    if (Error error = set_.CheckChannels(); !error.ok()) return Fail(error);
  }
  for (size_t i = 0; i < set_.size(); ++i) {
    devices_.push_back(std::make_unique<Device>());
    devices_[i]->index = i;
    devices_[i]->control = &set_.device(i);
    devices_[i]->packets.emplace(options_.limits.multifd,
                                 dialect_.host_endian_packets);
    acks_awaited_ += set_.device(i).Has(kMigrationPreCopy) ? 1 : 0;
  }
  started_ = true;
  if (Error error = set_.StartResuming(); !error.ok()) return Fail(error);
  return {};
}

Error LoadSession::Fail(Error error) {
  Cancel(std::move(error));
  return this->error();
}

// Allocates nothing: it has to work where that is what failed.
void LoadSession::Cancel(Error error) {
  std::lock_guard lock(mutex_);
  if (error_.ok()) error_ = std::move(error);
  failed_ = true;
  may_queue_.notify_all();
}

Error LoadSession::error() {
  std::lock_guard lock(mutex_);
  return error_;
}

Error LoadSession::Push(LoadAction action) {
  {
    std::lock_guard lock(mutex_);
    if (actions_.size() < options_.limits.actions) {
      actions_.push_back(std::move(action));
      return {};
    }
  }
  return {
      ErrorCode::kSessionActionLimit, 0, "",
      StrCat("more than ", options_.limits.actions, " actions were not taken")};
}

bool LoadSession::Pop(LoadAction& action) {
  std::lock_guard lock(mutex_);
  if (actions_.empty()) return false;
  action = std::move(actions_.front());
  actions_.pop_front();
  return true;
}

Step LoadSession::Next(ByteSpan& input, LoadAction& action) {
  if (Pop(action)) return Step::kEvent;
  while (!failed_) {
    StreamEvent& event = action.event;
    Step step = decoder_.Next(input, event);
    if (step == Step::kError) {
      Fail(decoder_.error());
      break;
    }
    if (step != Step::kEvent) return step;
    bool for_vmm = false;
    action.kind = LoadAction::kStream;
    if (Error error = OnEvent(event, &for_vmm, action); !error.ok()) {
      Fail(std::move(error));
      break;
    }
    if (for_vmm || Pop(action)) return Step::kEvent;
  }
  return Step::kError;
}

Error LoadSession::OnEvent(const StreamEvent& event, bool* for_vmm,
                           LoadAction& action) {
  *for_vmm = false;
  switch (event.kind) {
    case StreamEvent::kCommand:
      return OnCommand(event.command, for_vmm, action);
    case StreamEvent::kSection:
      if (event.section->vfio) return OnSection(*event.section);
      break;
    case StreamEvent::kDevice:
      return OnDeviceEvent(event.device);
    case StreamEvent::kSectionEnd:
      if (event.section->vfio) return OnSectionEnd(event.section->type);
      break;
    case StreamEvent::kEof:
      eof_ = true;
      break;
    case StreamEvent::kHeader:
    case StreamEvent::kConfiguration:
    case StreamEvent::kConfigurationSubsection:
    case StreamEvent::kContent:
    case StreamEvent::kTakenOver:
    case StreamEvent::kRamRecord:
    case StreamEvent::kRamBlock:
    case StreamEvent::kRamBlocks:
    case StreamEvent::kDescription:
    case StreamEvent::kFinding:
      break;
  }
  *for_vmm = true;
  return {};
}

Error LoadSession::OnCommand(const CommandView& command, bool* for_vmm,
                             LoadAction& action) {
  *for_vmm = true;
  switch (command.command) {
    case Command::kOpenReturnPath:
      action.kind = LoadAction::kOpenReturnPath;
      // An old source waits for one ack, whatever the devices are.
      if (options_.switchover_ack && !RepeatsAcks() && acks_awaited_ == 0) {
        return Push({.kind = LoadAction::kReply,
                     .reply = {.type = ReturnMessage::kSwitchoverAck}});
      }
      return {};
    case Command::kPing:
      if (!options_.return_path || command.data.size() != 4) return {};
      action.kind = LoadAction::kReply;
      action.reply = {.type = ReturnMessage::kPong,
                      .value = LoadBe32(command.data.data())};
      return {};
    case Command::kSwitchoverStart:
      return StartSwitchover();
    case Command::kPostcopyAdvise:
    case Command::kPostcopyListen:
    case Command::kPostcopyRun:
    case Command::kPostcopyRamDiscard:
    case Command::kPackaged:
    case Command::kEnableColo:
    case Command::kPostcopyResume:
    case Command::kRecvBitmap:
      break;
  }
  return {};
}

Error LoadSession::OnSection(const SectionView& section) {
  const bool named =
      section.type == SectionType::kStart || section.type == SectionType::kFull;
  if (named) {
    const size_t i = set_.Find(section.idstr, section.instance_id);
    if (i >= devices_.size()) {
      return {ErrorCode::kSessionUnknownDevice, section.offset,
              std::string(section.idstr),
              "this destination has no such device"};
    }
    section_devices_[section.id] = i;
    current_ = i;
  } else {
    // The decoder has seen its START, or the VMM has told it of the section.
    const auto known = section_devices_.find(section.id);
    if (known == section_devices_.end()) {
      return {ErrorCode::kSessionOrder, section.offset,
              std::string(section.idstr), "no START of it came"};
    }
    current_ = known->second;
  }
  Device& device = *devices_[current_];
  std::lock_guard lock(device.mutex);
  auto refuse = [&](ErrorCode code, const char* why) -> Error {
    return {code, section.offset,
            StrCat(section.idstr, " ", ToString(section.type)), why};
  };
  switch (section.type) {
    case SectionType::kStart:
      if (device.started) return refuse(ErrorCode::kSessionRepeated, "again");
      device.started = true;
      break;
    case SectionType::kPart:
    case SectionType::kEnd:
      if (device.ends >= dialect_.habits.max_ends) {
        return refuse(ErrorCode::kSessionRepeated, "behind the device's END");
      }
      break;
    case SectionType::kFull:
      if (device.full) return refuse(ErrorCode::kSessionRepeated, "again");
      if (!device.started) {
        return refuse(ErrorCode::kSessionIncomplete, "before its START");
      }
      break;
    case SectionType::kEof:
    case SectionType::kSubsection:
    case SectionType::kVmDescription:
    case SectionType::kConfiguration:
    case SectionType::kCommand:
    case SectionType::kSectionFooter:
      break;  // Not what a section begins with.
  }
  return {};
}

Error LoadSession::OnDeviceEvent(const Event& event) {
  Device& device = *devices_[current_];
  std::lock_guard lock(device.mutex);
  switch (event.kind) {
    case EventKind::kTag:
      return OnTag(device, event);
    case EventKind::kData:
      if (event.starts_record && event.record_bytes != 0 &&
          device.control->has_records()) {
        if (Error error = device.control->StartWriting(event.record_bytes);
            !error.ok()) {
          return error;
        }
      }
      return device.control->Write(event.payload);
    case EventKind::kConfig:
    case EventKind::kSubsection:
    case EventKind::kConfigEnd:
      return OnConfigEvent(device, event);
  }
  return {};
}

Error LoadSession::OnTag(Device& device, const Event& event) {
  switch (event.element) {
    case Element::kInitDataSent:
      return OnInitialDataSent(device);
    case Element::kConfigLoadReady:
    case Element::kTrigger:
      device.mark = true;
      break;
    case Element::kSetup:
    case Element::kEndOfState:
    case Element::kDataStateComplete:
    case Element::kData:
    case Element::kConfig:
    case Element::kNone:
      break;
  }
  return {};
}

Error LoadSession::OnInitialDataSent(Device& device) {
  const bool first = !device.initial_sent;
  device.initial_sent = true;
  if (!RepeatsAcks()) {
    // One ack when the last device is ready.
    if (!first || acks_awaited_ == 0 || --acks_awaited_ != 0) return {};
  }
  return Push({.kind = LoadAction::kReply,
               .reply = {.type = ReturnMessage::kSwitchoverAck}});
}

Error LoadSession::OnConfigEvent(Device& device, const Event& event) {
  switch (event.kind) {
    case EventKind::kConfig:
      if ((event.trigger_flags & kTriggerEnableInterrupts) != 0) {
        device.mark = true;
      }
      if (dialect_.subflag.width != 0 &&
          (event.trigger_flags & kTriggerConfigFollows) == 0) {
        break;  // A trigger alone.
      }
      if (++device.configs > dialect_.habits.max_configs) {
        return {ErrorCode::kSessionRepeated, event.offset,
                device.control->report().idstr, "another CONFIG"};
      }
      device.stored.push_back(std::make_unique<StoredConfig>());
      device.stored.back()->bytes.assign(event.payload.begin(),
                                         event.payload.end());
      device.stored.back()->layout = event.layout;
      device.config_open = true;
      break;
    case EventKind::kSubsection: {
      StoredConfig& config = *device.stored.back();
      const SubsectionView& from = event.subsection;
      config.kept.push_back(
          std::make_unique<StoredConfig::Subsection>(StoredConfig::Subsection{
              std::string(from.name),
              {from.payload.begin(), from.payload.end()}}));
      config.subsections.push_back({config.kept.back()->name, from.version,
                                    config.kept.back()->payload});
      break;
    }
    case EventKind::kConfigEnd:
      device.config_open = false;
      return ReleaseConfig(device);
    case EventKind::kTag:
    case EventKind::kData:
      break;
  }
  return {};
}

Error LoadSession::OnSectionEnd(SectionType type) {
  Device& device = *devices_[current_];
  std::lock_guard lock(device.mutex);
  if (type == SectionType::kEnd) {
    ++device.ends;
    device.data_over |= !dialect_.multifd_device_state;
  }
  if (type == SectionType::kFull) device.full = true;
  // QEMU without x-migration-load-config-after-iter marks nothing; to wait for
  // the FULL is never too early.
  if (type == SectionType::kFull && dialect_.multifd_device_state) {
    device.mark = true;
  }
  return ReleaseConfig(device);
}

Error LoadSession::ReleaseConfig(Device& device) {
  if (device.config_open) return {};
  if (options_.wait_for_interrupts && !interrupts_ready_) return {};
  const Trigger trigger = TriggerOf(dialect_);
  const bool due =
      trigger == Trigger::kAtOnce ||
      (device.data_over && (trigger == Trigger::kPacket ||
                            (trigger == Trigger::kFull && device.full) ||
                            (trigger == Trigger::kMark && device.mark)));
  if (!due) return {};
  // Each config of E3 replaces the one before.
  if (trigger == Trigger::kMark && !device.stored.empty()) {
    device.given = std::max(device.given, device.stored.size() - 1);
  }
  while (device.given < device.stored.size()) {
    const StoredConfig& config = *device.stored[device.given++];
    if (Error error =
            Push({.kind = LoadAction::kApplyConfig,
                  .device = device.index,
                  .config = ConfigView::Parse(config.bytes, config.layout),
                  .subsections = config.subsections});
        !error.ok()) {
      return error;
    }
  }
  return {};
}

void LoadSession::InterruptsReady() {
  interrupts_ready_ = true;
  for (auto& device : devices_) {
    Error error;
    {
      std::lock_guard lock(device->mutex);
      error = ReleaseConfig(*device);
    }
    if (!error.ok()) Fail(std::move(error));
  }
}

Error LoadSession::StartSwitchover() {
  std::deque<HeldPacket> queue;
  {
    std::lock_guard lock(mutex_);
    giving_queue_ = true;
    queue.swap(queue_);
  }
  // They are older than what channels bring meanwhile, which would have to be
  // held until they have all been given.
  for (HeldPacket& packet : queue) {
    if (Error error = TakePacket(packet.device, packet.payload, packet.place);
        !error.ok()) {
      return error;
    }
  }
  std::lock_guard lock(mutex_);
  queue_bytes_ = 0;
  switchover_ = true;
  may_queue_.notify_all();
  return {};
}

Error LoadSession::FeedChannel(uint32_t channel, ByteSpan& input) {
  Channel& from = *channels_.at(channel);
  MultifdEvent event;
  while (!failed_) {
    Step step = from.receiver.Next(input, event);
    if (step == Step::kError) return Fail(from.receiver.error(from.name));
    if (step != Step::kEvent) return {};
    from.heard = true;
    if (event.kind != MultifdEventKind::kPayload) {
      from.in_ram = event.kind == MultifdEventKind::kRamPacket;
    }
    if (from.in_ram) {
      if (options_.channel_ram) options_.channel_ram(channel, event);
      continue;
    }
    if (!from.receiver.has_packet()) continue;
    const DeviceStatePacket packet = from.receiver.device();
    const PacketPlace place = {from.name, from.receiver.packet_offset()};
    const size_t i = set_.Find(packet.idstr, packet.instance_id);
    if (i >= devices_.size() || !dialect_.multifd_device_state) {
      return Fail({ErrorCode::kMultifdUnknownDevice, place.offset,
                   std::string(packet.idstr),
                   "this destination expects no packets of such a device",
                   from.name});
    }
    std::vector<uint8_t>& payload = from.receiver.payload();
    {
      std::unique_lock lock(mutex_);
      may_queue_.wait(lock, [&] {
        return switchover_ || failed_ ||
               (!giving_queue_ && queue_bytes_ < options_.limits.queue_bytes);
      });
      if (failed_) break;
      if (!switchover_) {
        queue_bytes_ += payload.size() + MultifdLimits::kHeldPacketBytes;
        queue_.push_back({i, std::move(payload), place});
        payload = {};
        continue;
      }
    }
    if (Error error = TakePacket(i, payload, place); !error.ok()) {
      return Fail(std::move(error));
    }
  }
  return error();
}

Error LoadSession::TakePacket(size_t i, std::vector<uint8_t>& payload,
                              const PacketPlace& place) {
  Device& device = *devices_[i];
  const DeviceReport& report = device.control->report();
  std::lock_guard lock(device.mutex);
  if (device.closed) {
    return {ErrorCode::kSessionOrder, place.offset, report.idstr,
            "a packet came after the session's end", std::string(place.file)};
  }
  Error error =
      device.packets->Take({report.idstr, report.instance_id}, payload, place);
  if (!error.ok()) return error;
  for (ReassembledPiece piece; device.packets->Next(piece);) {
    error = piece.config
                ? TakeConfigPacket(device, piece.data, piece.data_offset())
                : device.control->Write(piece.data);
    if (!error.ok()) return error;
  }
  // Unsigned: it may go up or down.
  const uint64_t held = device.packets->held_bytes();
  const uint64_t all = held_bytes_ += held - device.held_bytes;
  device.held_bytes = held;
  if (all > options_.limits.multifd.held_bytes) {
    return {ErrorCode::kMultifdTotalHeldLimit, place.offset, report.idstr,
            StrCat("packets that wait for others hold ", all,
                   " bytes, the limit is ", options_.limits.multifd.held_bytes),
            std::string(place.file)};
  }
  return {};
}

Error LoadSession::TakeConfigPacket(Device& device, ByteSpan data,
                                    uint64_t offset) {
  ConfigHints hints = device.index < options_.config_hints.size()
                          ? options_.config_hints[device.index]
                          : ConfigHints();
  hints.content_bytes = data.size();
  // As a FULL of the main channel has it.
  SectionDecoder section(SectionType::kFull, GetDialect(DialectId::kV100),
                         {.offset = offset,
                          .config = hints,
                          .limits = options_.limits.stream.device});
  section.SetEndOfInput();
  device.data_over = true;
  for (Event event;;) {
    switch (section.Next(data, event)) {
      case Step::kEvent:
        if (Error error = OnConfigEvent(device, event); !error.ok()) {
          return error;
        }
        break;
      case Step::kNeedInput:
        return section.Truncated(device.control->report().idstr, data);
      case Step::kDone:
        return {};
      case Step::kError:
        return section.error(device.control->report().idstr);
    }
  }
}

Error LoadSession::MissingOf(size_t i) {
  Device& device = *devices_[i];
  std::lock_guard lock(device.mutex);
  auto missing = [&](const char* what) -> Error {
    return {ErrorCode::kSessionIncomplete, 0, "",
            StrCat(device.control->report().idstr, ": ", what)};
  };
  if (!device.started) return missing("its START did not come");
  if (device.ends == 0) return missing("its END did not come");
  if (dialect_.multifd_device_state) {
    if (Error error = device.packets->Finish(); !error.ok()) return error;
  }
  if (!device.data_over) return missing("its packets did not come");
  if (dialect_.full.Exists() && !device.full) {
    return missing("its FULL did not come");
  }
  if (device.stored.empty()) return missing("its config did not come");
  if (device.given < device.stored.size()) {
    return missing("its config waits for the interrupts");
  }
  return {};
}

Error LoadSession::Missing() {
  if (Error error = this->error(); !error.ok()) return error;
  for (auto& channel : channels_) {
    if (channel->heard) continue;
    return {ErrorCode::kSessionIncomplete, 0, "",
            StrCat(channel->name, " has sent nothing")};
  }
  for (size_t i = 0; i < devices_.size(); ++i) {
    if (Error error = MissingOf(i); !error.ok()) return error;
  }
  if (!eof_) {
    return {ErrorCode::kSessionIncomplete, 0, "", "EOF did not come"};
  }
  std::lock_guard lock(mutex_);
  if (actions_.empty()) return {};
  return {ErrorCode::kSessionIncomplete, 0, "",
          "there are actions that were not taken"};
}

bool LoadSession::complete() { return Missing().ok(); }

Outcome LoadSession::Finish() {
  if (!finished_) {
    finished_ = true;
    Error error = Missing();
    if (!error.ok()) Fail(error);
    // A channel's thread may be in a device still; the next is refused.
    for (auto& device : devices_) {
      std::lock_guard lock(device->mutex);
      device->closed = true;
    }
    if (error.ok()) {
      error = set_.FinishResuming();
      completed_ = error.ok();
    } else if (started_) {
      set_.ResetAll();
    }
    if (!error.ok()) Fail(std::move(error));
  }
  return {completed_ ? Outcome::kCompleted : Outcome::kAborted,
          completed_ ? Error() : error(), set_.report()};
}

}  // namespace migstream
