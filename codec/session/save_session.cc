#include "codec/session/save_session.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cstring>
#include <mutex>
#include <utility>

#include "codec/device/section_encoder.h"
#include "codec/multifd/channel_encoder.h"
#include "codec/wire/text.h"
#include "flags/command.h"
#include "flags/multifd_flags.h"
#include "flags/release.h"

namespace migstream {
namespace {

constexpr uint32_t kPingValue = 1;  // QEMU's first.
constexpr size_t kMaxChannels = 255;
// A config packet's pieces: its own header, and those of a section.
constexpr size_t kConfigPieces = 4 * SectionEncoder::kMinPieces;

// `flush` empties the encoder's buffers; false if it cannot.
template <typename Flush>
bool PutConfig(SectionEncoder& encoder, const SavedConfig& config,
               Flush flush) {
  auto put = [&](auto call) {
    Put done = call();
    if (done == Put::kFull && flush()) done = call();
    return done == Put::kDone;
  };
  if (!put([&] { return encoder.Config(config.config); })) return false;
  for (const SubsectionView& subsection : config.subsections) {
    if (!put([&] { return encoder.Subsection(subsection); })) return false;
  }
  return put([&] { return encoder.EndConfig(); });
}

// Why no session can be saved so; empty if one can.
std::string WhyNot(const SaveOptions& options, size_t devices) {
  const Dialect& dialect = *options.dialect;
  if (!dialect.released() && dialect.id != DialectId::kE1) {
    return StrCat(dialect.name, " is read only: no release loads it");
  }
  if (dialect.multifd_device_state == options.channels.empty()) {
    return StrCat(dialect.name, options.channels.empty()
                                    ? " needs channels"
                                    : " has no device state on channels");
  }
  if (options.channels.size() > kMaxChannels) {
    return StrCat("multifd has at most ", kMaxChannels, " channels");
  }
  if (!options.section_ids.empty() && options.section_ids.size() != devices) {
    return "there are not as many section ids as devices";
  }
  if (options.switchover_ack &&
      (!options.return_path ||
       dialect.Meaning(static_cast<uint64_t>(Tag::kDevInitDataSent)) !=
           Element::kInitDataSent)) {
    return "switchover-ack needs a return path, and QEMU 8.1";
  }
  if (options.config_load_ready &&
      !dialect.full.After(Element::kNone).Contains(Element::kConfigLoadReady)) {
    return StrCat(dialect.name, " has no CONFIG_LOAD_READY");
  }
  if (options.record_bytes == 0) return "records of no bytes";
  return "";
}

}  // namespace

struct SaveSession::Lane {
  Lane(size_t number, ChannelOutput& to)
      : name(StrCat("channel ", number)),
        output(to),
        encoder(headers, pieces) {}

  // What the encoder holds; an error calls it `what`.
  Error Send(std::string_view what) {
    if (!encoder.ok()) return encoder.error(what);
    const int error = output.Write(encoder.pieces());
    encoder.Clear();
    if (error == 0) return {};
    return {ErrorCode::kWriteFailed, 0, "",
            StrCat(name, " is gone: ", std::strerror(error))};
  }

  const std::string name;
  ChannelOutput& output;
  uint8_t headers[ChannelEncoder::kMinHeaderBytes];
  iovec pieces[kConfigPieces];
  ChannelEncoder encoder;
};

SaveSession::SaveSession(MigrationSet& devices, ChannelOutput& main,
                         SaveOptions options)
    : set_(devices),
      main_(main),
      options_(std::move(options)),
      dialect_(*options_.dialect),
      encoder_(dialect_, headers_, pieces_) {}

SaveSession::~SaveSession() = default;

Error SaveSession::Expect(Phase phase, const char* call) const {
  if (!error_.ok()) return error_;
  if (phase_ == phase) return {};
  return {ErrorCode::kSessionOrder, 0, "",
          StrCat(call, " is not due: see save_session.h for the order")};
}

Error SaveSession::Fail(Error error) {
  if (error_.ok()) error_ = std::move(error);
  if (!eof_begun_) {
    set_.Abort();
    phase_ = Phase::kOver;
  }
  return error_;
}

Error SaveSession::Flush() {
  int error = main_.Write(encoder_.pieces());
  encoder_.Clear();
  if (error == 0) return {};
  return Fail({ErrorCode::kWriteFailed, 0, "",
               StrCat("the main channel is gone: ", std::strerror(error))});
}

// The buffers have room for a section's header and what comes with it.
Error SaveSession::Put(migstream::Put put) {
  if (put == migstream::Put::kError) return Fail(encoder_.error());
  assert(put == migstream::Put::kDone);
  return {};
}

SectionView SaveSession::Section(SectionType type, size_t i) const {
  const DeviceReport& report = set_.device(i).report();
  return {.type = type,
          .id = options_.section_ids.empty() ? static_cast<uint32_t>(i + 1)
                                             : options_.section_ids[i],
          .idstr = report.idstr,
          .instance_id = report.instance_id,
          .version_id = kVfioVersion,
          .vfio = true};
}

Error SaveSession::OpenSection(SectionType type, size_t i) {
  return Put(encoder_.Section(Section(type, i)));
}

Error SaveSession::CloseSection() {
  if (!encoder_.ok()) return Fail(encoder_.error());
  if (Error error = Put(encoder_.EndSection(options_.footers)); !error.ok()) {
    return error;
  }
  return Flush();
}

Error SaveSession::WriteHead(std::string_view machine_type) {
  if (Error error = Expect(Phase::kNew, "WriteHead()"); !error.ok()) {
    return error;
  }
  encoder_.Header();
  encoder_.Configuration(machine_type);
  if (options_.return_path) {
    uint8_t ping[4];
    StoreBe32(ping, kPingValue);
    encoder_.Command(Command::kOpenReturnPath);
    if (Error error = Flush(); !error.ok()) return error;
    encoder_.Command(Command::kPing, ping);
    return Flush();
  }
  return Flush();
}

Error SaveSession::Start() {
  if (Error error = Expect(Phase::kNew, "Start()"); !error.ok()) return error;
  if (std::string why = WhyNot(options_, set_.size()); !why.empty()) {
    return Fail({ErrorCode::kBadOptions, 0, "", std::move(why)});
  }
  if (Error error = set_.CheckMigratable(); !error.ok()) return Fail(error);
  if (dialect_.multifd_device_state) {
    if (Error error = set_.CheckChannels(); !error.ok()) return Fail(error);
  }
  devices_.resize(set_.size());
  buffer_.resize(options_.record_bytes);
  for (size_t i = 0; i < options_.channels.size(); ++i) {
    lanes_.push_back(std::make_unique<Lane>(i, *options_.channels[i]));
    lanes_[i]->encoder.Init(
        {.uuid = options_.uuid, .channel_id = static_cast<uint8_t>(i)});
    if (Error error = lanes_[i]->Send("INIT"); !error.ok()) return Fail(error);
  }
  phase_ = Phase::kPreCopy;
  // Without PART a release cannot read a device that runs.
  if (dialect_.part.Exists()) {
    if (Error error = set_.StartPreCopy(); !error.ok()) return Fail(error);
  }
  // As old destinations count: one ack, whatever the devices are.
  if (options_.switchover_ack && !RepeatsAcks()) acks_due_ = 1;
  for (size_t i = 0; i < set_.size(); ++i) {
    Device& device = devices_[i];
    device.in_precopy = IsPreCopy(set_.device(i).state());
    if (device.in_precopy && !set_.device(i).has_records()) {
      if (Error error = set_.device(i).GetPrecopyBytes(&device.pending);
          !error.ok()) {
        return Fail(error);
      }
      if (options_.switchover_ack && RepeatsAcks()) ++acks_due_;
    }
    if (Error error = OpenSection(SectionType::kStart, i); !error.ok()) {
      return error;
    }
    encoder_.device().Setup();
    encoder_.device().EndOfState();
    if (Error error = CloseSection(); !error.ok()) return error;
  }
  return {};
}

bool SaveSession::RepeatsAcks() const {
  return dialect_.habits.init_data_sent_repeats &&
         !options_.switchover_ack_legacy;
}

bool SaveSession::WritesInitialDataSent(const Device& device) const {
  return options_.switchover_ack && device.in_precopy &&
         device.pending.initial == 0 && !device.initial_sent;
}

Error SaveSession::Iterate(const Pace& pace, Progress* progress) {
  *progress = {};
  if (Error error = Expect(Phase::kPreCopy, "Iterate()"); !error.ok()) {
    return error;
  }
  size_t without = 0;  // Devices in a row that had nothing.
  while (without < set_.size() && progress->bytes < pace.max_bytes &&
         !(pace.out_of_time && pace.out_of_time())) {
    const size_t i = next_;
    next_ = (next_ + 1) % set_.size();
    uint64_t bytes = 0;
    if (devices_[i].in_precopy) {
      if (Error error = SendPart(i, &bytes); !error.ok()) return error;
    }
    progress->bytes += bytes;
    without = bytes == 0 ? without + 1 : 0;
  }
  progress->idle = without == set_.size() || set_.size() == 0;
  return {};
}

Error SaveSession::SendPart(size_t i, uint64_t* bytes) {
  Device& device = devices_[i];
  if (set_.device(i).has_records()) {
    bool pending = false;
    if (Error error = SendRecord(i, /*stopped=*/false, bytes, &pending);
        !error.ok() || (!pending && options_.skip_empty_parts)) {
      return error;
    }
    encoder_.device().EndOfState();
    return CloseSection();
  }
  ReadResult read = set_.Read(i, buffer_);
  if (read.kind == ReadResult::kFailed) return Fail(std::move(read.error));
  PrecopyBytes& pending = device.pending;
  if (read.kind == ReadResult::kData) {
    // Initial data comes first; the estimates may be too low.
    const uint64_t initial = std::min<uint64_t>(pending.initial, read.bytes);
    pending.initial -= initial;
    pending.dirty -= std::min<uint64_t>(pending.dirty, read.bytes - initial);
  } else if (read.kind == ReadResult::kNothingNow) {
    pending = {};
  }
  *bytes = read.bytes;
  const bool initial_sent = WritesInitialDataSent(device);
  if (read.bytes == 0 && !initial_sent && options_.skip_empty_parts) return {};
  if (Error error = OpenSection(SectionType::kPart, i); !error.ok()) {
    return error;
  }
  if (read.bytes != 0) {
    encoder_.device().Data(ByteSpan(buffer_).first(read.bytes));
  }
  if (initial_sent) {
    encoder_.device().InitDataSent();
    device.initial_sent = true;
  } else {
    encoder_.device().EndOfState();
  }
  return CloseSection();
}

// One transaction of a v1 device as one DATA record; `pending`: there was one.
// In a PART the section is opened, and a record written, in any case but with
// skip_empty_parts.
Error SaveSession::SendRecord(size_t i, bool stopped, uint64_t* bytes,
                              bool* pending) {
  RecordStart start;
  if (Error error = set_.StartReading(i, &start); !error.ok()) {
    return Fail(error);
  }
  *pending = start.pending;
  *bytes = start.bytes;
  if (!start.pending && (stopped || options_.skip_empty_parts)) return {};
  if (!stopped) {
    if (Error error = OpenSection(SectionType::kPart, i); !error.ok()) {
      return error;
    }
  }
  encoder_.device().DataHeader(start.bytes);
  for (uint64_t left = start.bytes; left != 0;) {
    ReadResult read = set_.Read(
        i, std::span(buffer_).first(std::min<uint64_t>(left, buffer_.size())));
    if (read.kind != ReadResult::kData) {
      return Fail(read.kind == ReadResult::kFailed
                      ? std::move(read.error)
                      : Error{ErrorCode::kDeviceProtocol, 0, "",
                              "a record ends before its size"});
    }
    encoder_.device().Payload(ByteSpan(buffer_).first(read.bytes));
    left -= read.bytes;
    if (left == 0) return encoder_.ok() ? Error() : Fail(encoder_.error());
    if (Error error = Flush(); !error.ok()) return error;
  }
  return {};
}

Error SaveSession::CheckReinit(size_t i, bool* reinit) {
  Device& device = devices_[i];
  if (Error error = set_.device(i).GetPrecopyBytes(&device.pending);
      !error.ok()) {
    return error;
  }
  *reinit = device.pending.reinit && device.initial_sent;
  if (*reinit) {
    device.initial_sent = false;
    if (options_.switchover_ack && RepeatsAcks()) ++acks_due_;
  }
  return {};
}

Error SaveSession::GetPending(PendingBytes* pending, bool exact) {
  *pending = {};
  if (Error error = Expect(Phase::kPreCopy, "GetPending()"); !error.ok()) {
    return error;
  }
  for (size_t i = 0; i < set_.size(); ++i) {
    Device& device = devices_[i];
    if (exact && device.in_precopy) {
      bool reinit;
      if (Error error = CheckReinit(i, &reinit); !error.ok()) {
        return Fail(error);
      }
    }
    pending->initial += device.pending.initial;
    pending->dirty += device.pending.dirty;
    uint64_t stop_copy = device.pending.initial + device.pending.dirty;
    if (exact && set_.device(i).device().GetStopCopyBytes(&stop_copy) != 0) {
      pending->stop_copy_is_guess = true;
    }
    pending->stop_copy += stop_copy;
  }
  pending->stop_copy_is_guess |= !exact;
  return {};
}

bool SaveSession::SwitchoverAllowed() const {
  if (!error_.ok() || phase_ != Phase::kPreCopy) return false;
  for (const Device& device : devices_) {
    if (device.pending.initial != 0) return false;
  }
  return acks_due_ == 0;
}

Error SaveSession::OnReturnPath(ByteSpan& input) {
  if (phase_ == Phase::kOver && !error_.ok()) return error_;
  ReturnPathMessage message;
  Step step;
  while ((step = return_path_.Next(input, message)) == Step::kEvent) {
    auto refuse = [&](const char* why) {
      return Fail({ErrorCode::kSessionReturnPath, 0, "",
                   StrCat("return path: ", ToString(message), why)});
    };
    switch (message.type) {
      case ReturnMessage::kPong:
        break;
      case ReturnMessage::kSwitchoverAck:
        if (acks_due_ == 0) return refuse(" was not asked for");
        --acks_due_;
        break;
      case ReturnMessage::kShut:
        shut_ = message.value;
        if (message.value == 0 && !eof_begun_) {
          return refuse(" came before the stream's end");
        }
        if (message.value != 0 && !eof_begun_) {
          return Fail({ErrorCode::kSessionPeerFailed, 0, "",
                       "the destination gave up"});
        }
        break;
      case ReturnMessage::kReqPagesId:
      case ReturnMessage::kReqPages:
      case ReturnMessage::kRecvBitmap:
      case ReturnMessage::kResumeAck:
        return refuse(" belongs to postcopy, which devices do not have");
    }
  }
  if (step == Step::kError) return Fail(return_path_.error());
  return {};
}

Error SaveSession::Switchover() {
  if (Error error = Expect(Phase::kPreCopy, "Switchover()"); !error.ok()) {
    return error;
  }
  // Between the last look and the vCPUs' end new initial data may have come.
  bool any = false;
  for (size_t i = 0; i < set_.size() && RepeatsAcks(); ++i) {
    if (!devices_[i].in_precopy || !set_.device(i).device().tells_reinit()) {
      continue;
    }
    bool reinit = false;
    if (Error error = CheckReinit(i, &reinit); !error.ok()) return Fail(error);
    any |= reinit;
  }
  if (any) {
    return {ErrorCode::kSessionNeedsPreCopy, 0, "",
            "a device has new initial data: the guest should run on"};
  }
  if (Error error = set_.Quiesce(); !error.ok()) return Fail(error);
  phase_ = Phase::kStopped;
  return {};
}

// The next bytes of a stopped device; 0 at its end.
Error SaveSession::ReadStopped(size_t i, std::span<uint8_t> buffer,
                               size_t* bytes) {
  while (true) {
    ReadResult read = set_.Read(i, buffer);
    switch (read.kind) {
      case ReadResult::kData:
      case ReadResult::kEnd:
        *bytes = read.bytes;
        return {};
      case ReadResult::kWait:
        if (Error error = set_.device(i).Wait(/*writing=*/false); !error.ok()) {
          return error;
        }
        break;
      case ReadResult::kNothingNow:  // Only in PRE_COPY.
      case ReadResult::kFailed:
        return std::move(read.error);
    }
  }
}

Error SaveSession::SendConfig(const SavedConfig& config) {
  Error error;
  auto flush = [&] {
    error = Flush();
    return error.ok();
  };
  if (PutConfig(encoder_.device(), config, flush)) return {};
  return error.ok() ? Fail(encoder_.error()) : error;
}

Error SaveSession::SendEnd(size_t i, const SavedConfig& config) {
  if (Error error = OpenSection(SectionType::kEnd, i); !error.ok()) {
    return error;
  }
  if (!dialect_.multifd_device_state) {
    if (dialect_.end.After(Element::kNone).Contains(Element::kConfig)) {
      if (Error error = SendConfig(config); !error.ok()) return error;
      if (Error error = Flush(); !error.ok()) return error;
    }
    if (Error error = set_.Collect(i); !error.ok()) return Fail(error);
    const bool records = set_.device(i).has_records();
    for (bool more = true; more;) {
      if (records) {
        uint64_t bytes = 0;
        bool pending = false;
        if (Error error = SendRecord(i, /*stopped=*/true, &bytes, &pending);
            !error.ok()) {
          return error;
        }
        // QEMU ends at a record without data, whatever is pending.
        more = pending && bytes != 0;
        if (!pending) break;
      } else {
        size_t bytes = 0;
        if (Error error = ReadStopped(i, buffer_, &bytes); !error.ok()) {
          return Fail(error);
        }
        if (bytes == 0) break;
        encoder_.device().Data(ByteSpan(buffer_).first(bytes));
      }
      if (!encoder_.ok()) return Fail(encoder_.error());
      if (Error error = Flush(); !error.ok()) return error;
    }
  }
  encoder_.device().EndOfState();
  return CloseSection();
}

Error SaveSession::SendFull(size_t i, const SavedConfig& config) {
  if (!dialect_.full.Exists()) return {};
  if (Error error = OpenSection(SectionType::kFull, i); !error.ok()) {
    return error;
  }
  if (options_.config_load_ready) {
    encoder_.device().ConfigLoadReady();
  } else if (dialect_.multifd_device_state) {
    encoder_.device().EndOfState();
  } else if (Error error = SendConfig(config); !error.ok()) {
    return error;
  }
  return CloseSection();
}

// A stopped device whose packets are on their way, by any channels.
struct SaveSession::Packets {
  std::mutex mutex;  // Of reading the device.
  bool collected = false;
  std::atomic<bool> over = false;
  uint32_t index = 0;  // Of the next packet.
};

// One packet of the device, or that of its config, which is the last.
Error SaveSession::SendPacket(Lane& lane, std::span<uint8_t> buffer, size_t i,
                              Packets& packets, const SavedConfig& config) {
  const DeviceReport& report = set_.device(i).report();
  const DeviceStatePacket packet = {report.idstr, report.instance_id};
  size_t bytes = 0;
  uint32_t index;
  {
    std::lock_guard lock(packets.mutex);
    if (packets.over) return {};
    Error error = packets.collected ? Error() : set_.Collect(i);
    packets.collected = true;
    if (error.ok()) error = ReadStopped(i, buffer, &bytes);
    packets.over = !error.ok() || bytes == 0;
    if (!error.ok()) return error;
    index = packets.index++;
  }
  if (bytes == 0) return SendConfigPacket(lane, packet, index, config);
  lane.encoder.VfioPacket(packet, {.index = index},
                          ByteSpan(buffer).first(bytes));
  return lane.Send(report.idstr);
}

Error SaveSession::SendConfigPacket(Lane& lane, const DeviceStatePacket& packet,
                                    uint32_t index, const SavedConfig& config) {
  // The config as a FULL of the main channel has it.
  uint8_t headers[SectionEncoder::kMinHeaderBytes];
  iovec pieces[kConfigPieces - 1];  // The lane has one more: its header.
  SectionEncoder section(SectionType::kFull, GetDialect(DialectId::kV100),
                         headers, pieces);
  const Error too_many = {ErrorCode::kConfigLimit, 0, "",
                          StrCat(packet.idstr, ": too many subsections")};
  if (!PutConfig(section, config, [] { return false; })) {
    return section.ok() ? too_many : section.error(packet.idstr);
  }
  migstream::Put put = lane.encoder.VfioPacketStart(
      packet, {.index = index, .flags = kVfioPacketConfigState},
      static_cast<uint32_t>(section.bytes()));
  for (const iovec& piece : section.pieces()) {
    if (put != migstream::Put::kDone) break;
    put = lane.encoder.Payload(
        {static_cast<const uint8_t*>(piece.iov_base), piece.iov_len});
  }
  return put == migstream::Put::kFull ? too_many : lane.Send(packet.idstr);
}

Error SaveSession::SendChannels(std::span<const SavedConfig> configs) {
  std::vector<Packets> packets(set_.size());
  std::vector<Error> errors(lanes_.size());
  std::atomic<bool> failed = false;
  auto send = [&](size_t lane, std::span<uint8_t> buffer, size_t i) {
    errors[lane] = SendPacket(*lanes_[lane], buffer, i, packets[i], configs[i]);
    if (!errors[lane].ok()) failed = true;
  };
  if (set_.executor()) {
    // A channel begins with a device of its own, as far as there are any, and
    // then helps with the others.
    set_.executor()(lanes_.size(), [&](size_t lane) {
      std::vector<uint8_t> buffer(options_.record_bytes);
      for (size_t k = 0; k < set_.size(); ++k) {
        const size_t i = (lane + k) % set_.size();
        while (!failed && !packets[i].over) send(lane, buffer, i);
      }
    });
  } else {
    size_t lane = 0;
    for (size_t i = 0; i < set_.size(); ++i) {
      for (; !failed && !packets[i].over; lane = (lane + 1) % lanes_.size()) {
        send(lane, buffer_, i);
      }
    }
  }
  for (Error& error : errors) {
    if (!error.ok()) return Fail(std::move(error));
  }
  return {};
}

Error SaveSession::Complete(std::span<const SavedConfig> configs) {
  if (Error error = Expect(Phase::kStopped, "Complete()"); !error.ok()) {
    return error;
  }
  if (configs.size() != set_.size()) {
    return Fail({ErrorCode::kBadOptions, 0, "",
                 "there are not as many configs as devices"});
  }
  if (feature::kSwitchoverStart.In(dialect_.first_release)) {
    encoder_.Command(Command::kSwitchoverStart);
    if (Error error = Flush(); !error.ok()) return error;
  }
  for (size_t i = 0; i < set_.size(); ++i) {
    if (Error error = SendEnd(i, configs[i]); !error.ok()) return error;
  }
  if (dialect_.multifd_device_state) {
    if (Error error = SendChannels(configs); !error.ok()) return error;
  }
  for (size_t i = 0; i < set_.size(); ++i) {
    if (Error error = SendFull(i, configs[i]); !error.ok()) return error;
  }
  phase_ = Phase::kSaved;
  return {};
}

Error SaveSession::SyncChannels() {
  if (!error_.ok()) return error_;
  for (auto& lane : lanes_) {
    lane->encoder.Sync(syncs_);
    if (Error error = lane->Send("SYNC"); !error.ok()) return Fail(error);
  }
  ++syncs_;
  return {};
}

Error SaveSession::WriteEof(ByteSpan json) {
  if (Error error = Expect(Phase::kSaved, "WriteEof()"); !error.ok()) {
    return error;
  }
  phase_ = Phase::kEof;
  eof_begun_ = true;
  encoder_.Eof();
  if (!json.empty()) encoder_.Description(json);
  return Flush();
}

Outcome SaveSession::MakeOutcome(Outcome::Kind kind, Error error) {
  return {kind, std::move(error), set_.report()};
}

Outcome SaveSession::Finish() {
  if (!eof_begun_) {
    Fail({ErrorCode::kSessionOrder, 0, "", "it was ended before EOF"});
    return MakeOutcome(Outcome::kAborted, error_);
  }
  if (shut_ && *shut_ != 0) {
    Outcome outcome = Decide(/*runs_at_destination=*/false);
    outcome.error = {ErrorCode::kSessionPeerFailed, 0, "",
                     "the destination refused what it was sent"};
    return outcome;
  }
  if (!shut_) {
    return MakeOutcome(
        Outcome::kUnknown,
        {ErrorCode::kSessionIncomplete, 0, "",
         "all was sent, and the destination did not say what came of it"});
  }
  if (dialect_.multifd_device_state && !options_.trust_shut) {
    return MakeOutcome(
        Outcome::kUnknown,
        {ErrorCode::kSessionIncomplete, 0, "",
         "with multifd a QEMU says SHUT 0 although a device has failed"});
  }
  return Decide(/*runs_at_destination=*/true);
}

Outcome SaveSession::Decide(bool runs_at_destination) {
  phase_ = Phase::kOver;
  Error error = runs_at_destination ? set_.Commit() : set_.Abort();
  return MakeOutcome(
      runs_at_destination ? Outcome::kCompleted : Outcome::kAborted,
      std::move(error));
}

Error SaveSession::Cancel() {
  if (eof_begun_) {
    return {ErrorCode::kSessionOrder, 0, "",
            "EOF was written: the destination may run"};
  }
  Fail({ErrorCode::kSessionOrder, 0, "", "it was cancelled"});
  return {};
}

}  // namespace migstream
