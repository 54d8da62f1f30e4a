#include "codec/session/session_rig.h"

#include <algorithm>
#include <utility>

#include "codec/wire/text.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

std::string Idstr(size_t i) { return StrCat("0000:00:0", i + 5, ".0/vfio"); }

SavedConfig ConfigOf(const std::string& payload) {
  const std::string ended = payload + EndOfStateBytes();
  ConfigDeduction deduced = DeduceConfigLayout(
      AsBytes(ended), /*end_of_input=*/true, ConfigLayoutKind::kReleased,
      /*config_bytes=*/0, {}, {});
  EXPECT_EQ(deduced.outcome, ConfigDeduction::kFits);
  return {ConfigView::Parse(AsBytes(payload), deduced.layout)};
}

bool Runs(DeviceState state) {
  return state != DeviceState::kStop && state != DeviceState::kStopCopy &&
         state != DeviceState::kResuming && state != DeviceState::kError;
}

}  // namespace

std::string AllOf(const FakeDevice& device) {
  return device.initial + device.dirty + device.stop;
}

void RigSide::Open(const std::vector<FakeDevice>& fakes) {
  for (size_t i = 0; i < fakes.size(); ++i) {
    fds.push_back(vfio.Add(fakes[i]));
    if (fakes[i].v1) {
      MigrationRegion region;
      opened = FindMigrationRegion(fds[i], &region, vfio);
      devices.push_back(std::make_unique<RegionDevice>(fds[i], region, vfio));
    } else {
      std::unique_ptr<KernelDevice> device;
      if (opened.ok()) {
        opened = KernelDevice::Open(fds[i], &device, {.calls = &vfio});
      }
      devices.push_back(std::move(device));
    }
    if (opened.ok()) opened = set.Add(*devices[i], Idstr(i));
    if (!opened.ok()) return;
  }
}

Rig::Rig(RigOptions options) : options_(std::move(options)) {
  if (options_.destination.empty()) {
    for (const FakeDevice& from : options_.source) {
      options_.destination.push_back(
          {.flags = from.flags, .expected = AllOf(from), .v1 = from.v1});
    }
  }
  for (uint32_t i = 0; i < options_.channels; ++i) {
    channels_.push_back(std::make_unique<MemoryOutput>());
  }
  channels_taken_.resize(options_.channels);
  configs_.resize(options_.source.size());
}

void Rig::Run() {
  source_.Open(options_.source);
  destination_.Open(options_.destination);
  if (!source_.opened.ok() || !destination_.opened.ok()) {
    saved_.error = loaded_.error =
        source_.opened.ok() ? destination_.opened : source_.opened;
    return;
  }
  std::vector<ChannelOutput*> outputs;
  for (auto& channel : channels_) outputs.push_back(channel.get());
  save_ = std::make_unique<SaveSession>(
      source_.set, main_,
      SaveOptions{.dialect = &GetDialect(options_.dialect),
                  .channels = outputs,
                  .switchover_ack = options_.switchover_ack,
                  .switchover_ack_legacy = options_.switchover_ack_legacy,
                  .config_load_ready = options_.config_load_ready,
                  .skip_empty_parts = options_.skip_empty_parts,
                  .record_bytes = options_.record_bytes,
                  .trust_shut = options_.trust_shut});
  load_ = std::make_unique<LoadSession>(
      destination_.set,
      LoadOptions{.dialect = &GetDialect(options_.dialect),
                  .channels = options_.channels,
                  .switchover_ack = options_.switchover_ack,
                  .switchover_ack_legacy = options_.switchover_ack_legacy,
                  .wait_for_interrupts = options_.wait_for_interrupts});
  load_->Start();
  main_.room = options_.cut;
  if (!channels_.empty()) channels_.back()->room = options_.last_channel_cut;
  Save(*save_);
  Deliver();
  if (options_.wait_for_interrupts) {
    EXPECT_EQ(std::count(configs_.begin(), configs_.end(), 0u),
              std::ssize(configs_))
        << "a config before the interrupts";
    load_->InterruptsReady();
    Deliver();
  }
  loaded_ = load_->Finish();
  uint8_t headers[ReturnPathEncoder::kMinHeaderBytes];
  iovec pieces[ReturnPathEncoder::kMinPieces];
  ReturnPathEncoder reply(headers, pieces);
  reply.Send(load_->Shut());
  for (const iovec& piece : reply.pieces()) {
    return_path_.append(static_cast<char*>(piece.iov_base), piece.iov_len);
  }
  Deliver();
  saved_ = save_->Finish();
}

// What was sent arrives, and what is replied to it.
void Rig::Deliver() {
  // Each piece is behind what is left of the ones before.
  auto in_pieces = [this](std::string_view bytes, size_t& taken, auto feed) {
    size_t end = taken;
    do {
      end += std::min(options_.piece, bytes.size() - end);
      ByteSpan input = AsBytes(bytes.substr(taken, end - taken));
      feed(input);
      taken = end - input.size();
    } while (end < bytes.size());
  };
  auto next = [this](ByteSpan& input) {
    LoadAction action;
    while (load_->Next(input, action) == Step::kEvent) Take(action);
  };
  // All that was sent, as it arrives.
  arrived_.resize(1 + channels_.size());
  for (size_t i = 0; i < arrived_.size(); ++i) {
    const MemoryOutput& sent = i == 0 ? main_ : *channels_[i - 1];
    std::string more = sent.bytes.substr(arrived_[i].size());
    const size_t bytes = more.size();
    if (options_.on_the_way) options_.on_the_way(static_cast<int>(i) - 1, more);
    EXPECT_EQ(more.size(), bytes);
    arrived_[i] += more;
  }
  in_pieces(arrived_[0], main_taken_, next);
  for (uint32_t i = 0; i < channels_.size(); ++i) {
    in_pieces(arrived_[1 + i], channels_taken_[i],
              [&](ByteSpan& input) { load_->FeedChannel(i, input); });
  }
  in_pieces(arrived_[0], main_taken_, next);
  return_path_.resize(std::min(return_path_.size(), options_.return_cut));
  options_.return_cut -= return_path_.size();
  ByteSpan replies = AsBytes(return_path_);
  save_->OnReturnPath(replies);
  return_path_.erase(0, return_path_.size() - replies.size());
}

void Rig::Take(const LoadAction& action) {
  switch (action.kind) {
    case LoadAction::kStream:
      break;
    case LoadAction::kOpenReturnPath:
      actions_.push_back("open return path");
      break;
    case LoadAction::kReply: {
      actions_.push_back("reply " + ToString(action.reply));
      uint8_t headers[ReturnPathEncoder::kMinHeaderBytes];
      iovec pieces[ReturnPathEncoder::kMinPieces];
      ReturnPathEncoder reply(headers, pieces);
      reply.Send(action.reply);
      for (const iovec& piece : reply.pieces()) {
        return_path_.append(static_cast<char*>(piece.iov_base), piece.iov_len);
      }
      break;
    }
    case LoadAction::kApplyConfig: {
      actions_.push_back(StrCat("config ", action.device));
      const SavedConfig sent = ConfigOf(config_payload_);
      if (options_.compare_configs) {
        EXPECT_TRUE(IsSame(action.config.pci_config, sent.config.pci_config));
        EXPECT_TRUE(IsSame(action.config.msix_table, sent.config.msix_table));
      }
      ++configs_[action.device];
      break;
    }
  }
}

void Rig::Save(SaveSession& save) {
  if (!save.WriteHead("pc-q35-11.1").ok() || !save.Start().ok()) return;
  Deliver();
  for (int round = 0; round < 100; ++round) {
    Progress progress;
    if (!save.Iterate({}, &progress).ok()) return;
    Deliver();
    if (!save.error().ok()) return;
    PendingBytes pending;
    if (!save.GetPending(&pending, /*exact=*/true).ok()) return;
    if (!save.SwitchoverAllowed()) continue;
    if (options_.before_switchover) {
      options_.before_switchover(source_.vfio);
      options_.before_switchover = nullptr;
    }
    Error error = save.Switchover();
    if (error.code == ErrorCode::kSessionNeedsPreCopy) continue;
    if (!error.ok()) return;
    std::vector<SavedConfig> configs(
        source_.set.size(),
        options_.empty_configs ? SavedConfig() : ConfigOf(config_payload_));
    for (SavedConfig& config : configs) {
      config.subsections = options_.subsections;
    }
    if (save.Complete(configs).ok()) save.WriteEof();
    return;
  }
}

std::string Rig::Broken() {
  for (RigSide* side : {&source_, &destination_}) {
    const bool is_source = side == &source_;
    const char* name = is_source ? "source" : "destination";
    if (!side->opened.ok()) return "";
    for (size_t i = 0; i < side->set.size(); ++i) {
      const DeviceReport& report = side->set.device(i).report();
      FakeDevice& fake = side->fake(i);
      if (!fake.misuse.empty()) return StrCat(name, ": ", fake.misuse);
      if (report.lost != (fake.state == DeviceState::kError)) {
        return StrCat(name, ": lost, or not: ", ToString(report));
      }
      if (!report.lost && report.is != fake.state) {
        return StrCat(name, " is in ", ToString(fake.state),
                      ", reported: ", ToString(report));
      }
      const Outcome& outcome = is_source ? saved_ : loaded_;
      const bool runs = report.lost || fake.state == DeviceState::kRunning;
      // v1 stays in RESUMING until the guest runs.
      if (outcome.kind == Outcome::kAborted && !runs) {
        return StrCat(name, " aborted, and left in ", ToString(report));
      }
      if (outcome.kind != Outcome::kAborted && Runs(fake.state) &&
          fake.resets < (is_source ? 1u : 2u)) {
        return StrCat(name, " did not abort, and runs");
      }
    }
    size_t fds = side->vfio.open_data_fds();
    if (saved_.kind != Outcome::kUnknown && fds != 0) {
      return StrCat(name, ": ", fds, " data fds are open");
    }
  }
  if (saved_.kind == Outcome::kCompleted &&
      loaded_.kind != Outcome::kCompleted) {
    return "the source gave the guest away, and nobody has it";
  }
  if (saved_.kind == Outcome::kAborted && loaded_.kind == Outcome::kCompleted) {
    return "the guest runs on both sides";
  }
  if (loaded_.kind == Outcome::kCompleted) {
    for (size_t i = 0; i < source_.fds.size(); ++i) {
      if (destination_.fake(i).loaded != AllOf(source_.fake(i))) {
        return StrCat("device ", i, " was given other bytes");
      }
    }
  }
  return "";
}

}  // namespace migstream
