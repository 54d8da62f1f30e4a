// Between two live VMMs: takes a migration, devices' data by LoadSession, and
// passes it on, by SaveSession, while it comes. What is not the devices' goes
// through as it is, on the channel where it came.
//
//   live_relay SOCKET TO_SOCKET DIALECT CHANNELS OPTIONS LENGTHS IDSTR...
//
// It listens at SOCKET, says "listening", and connects to TO_SOCKET. OPTIONS:
// words with commas between them, switchover-ack. LENGTHS is a file for
// ContentLengths. Prints how it ended on either side.

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "codec/session/load_session.h"
#include "codec/session/plain_device.h"
#include "codec/session/save_session.h"
#include "codec/wire/bytes.h"
#include "interop/live_peer.h"

namespace migstream {
namespace {

constexpr uint32_t kFirstSectionId = 10000;  // Above those of a QEMU.

// A device that is on its way: what is written to one end is read at the other.
// As long as `*initial`, the source has not sent all of its initial data.
class PassingDevice : public PlainDevice {
 public:
  PassingDevice(std::string* held, const bool* initial)
      : held_(held), initial_(initial) {}

  IoResult Read(std::span<uint8_t> buffer) override {
    if (held_->empty() && *initial_) return {0, EAGAIN};
    const size_t bytes =
        held_->copy(reinterpret_cast<char*>(buffer.data()), buffer.size());
    held_->erase(0, bytes);
    return {bytes};
  }
  IoResult Write(ByteSpan bytes) override {
    *held_ += AsText(bytes);
    return {bytes.size()};
  }
  int GetPrecopyBytes(PrecopyBytes* bytes) override {
    bytes->initial = *initial_ ? kManyBytes : 0;
    return GetStopCopyBytes(&bytes->dirty);
  }
  int GetStopCopyBytes(uint64_t* bytes) override {
    *bytes = held_->size();
    return 0;
  }

 private:
  static constexpr uint64_t kManyBytes = uint64_t{1} << 40;

  std::string* const held_;
  const bool* const initial_;
};

// The way out of one multifd channel: the session's packets, and the guest's
// memory, which another thread passes on. No packet comes into another.
class SharedOutput : public ChannelOutput {
 public:
  explicit SharedOutput(int fd) : output_(fd) {}

  int Write(std::span<const iovec> pieces) override {
    std::lock_guard lock(mutex_);
    return output_.Write(pieces);
  }
  // A piece of a RAM packet, in one thread.
  int Pass(const MultifdEvent& event) {
    packet_ += AsText(event.bytes);
    const size_t end = event.kind == MultifdEventKind::kPayload
                           ? event.payload_offset + event.bytes.size()
                           : 0;
    if (end != event.payload_bytes) return 0;
    const iovec whole = {packet_.data(), packet_.size()};
    const int error = Write({&whole, 1});
    packet_.clear();
    return error;
  }

 private:
  FdOutput output_;
  std::mutex mutex_;
  std::string packet_;
};

struct RelayOptions {
  const Dialect* dialect;
  bool switchover_ack;
  const char* lengths;
  std::vector<std::string_view> idstrs;
};

class Relay {
 public:
  // The main channel comes first.
  Relay(const std::vector<int>& from, const std::vector<int>& to,
        const RelayOptions& options)
      : from_(from[0]),
        to_(to[0]),
        channels_(from.begin() + 1, from.end()),
        replies_(from[0]),
        output_(to[0]),
        lengths_(options.lengths),
        held_(options.idstrs.size()),
        configs_(options.idstrs.size()),
        initial_(options.switchover_ack) {
    SaveOptions save = {.dialect = options.dialect,
                        .switchover_ack = options.switchover_ack,
                        .skip_empty_parts = true,
                        // The test sees whether the guest runs.
                        .trust_shut = true};
    for (size_t i = 1; i < to.size(); ++i) {
      outputs_.push_back(std::make_unique<SharedOutput>(to[i]));
      save.channels.push_back(outputs_.back().get());
    }
    for (size_t i = 0; i < held_.size(); ++i) {
      for (MigrationSet* set : {&in_, &out_}) {
        devices_.push_back(
            std::make_unique<PassingDevice>(&held_[i], &initial_));
        if (!set->Add(*devices_.back(), options.idstrs[i]).ok()) std::exit(2);
      }
      save.section_ids.push_back(kFirstSectionId + static_cast<uint32_t>(i));
    }
    acks_expected_ = !options.switchover_ack ? 0
                     : options.dialect->habits.init_data_sent_repeats
                         ? held_.size()
                         : 1;
    load_ = std::make_unique<LoadSession>(
        in_,
        LoadOptions{
            .dialect = options.dialect,
            .channels = static_cast<uint32_t>(channels_.size()),
            .switchover_ack = options.switchover_ack,
            .content_length = [this](const SectionView& section,
                                     ByteSpan) { return lengths_(section); },
            .channel_ram =
                [this](uint32_t channel, const MultifdEvent& event) {
                  if (outputs_[channel]->Pass(event) != 0) {
                    load_->Cancel(Gone());
                  }
                },
        });
    save_ = std::make_unique<SaveSession>(out_, output_, save);
  }

  int Run() {
    Error error = load_->Start();
    std::vector<std::thread> threads;
    for (uint32_t i = 0; i < channels_.size(); ++i) {
      threads.emplace_back([this, i] { ServeChannel(i); });
    }
    pollfd ends[2] = {{from_, POLLIN, 0}, {to_, POLLIN, 0}};
    while (error.ok() && !save_->shut_received() &&
           poll(ends, 2, load_->eof() && !saved_ ? kLookMs : -1) >= 0) {
      if (ends[1].revents != 0) error = TakeReplies();
      if (error.ok() && ends[0].revents != 0 && !TakeStream(&error)) {
        ends[0].fd = -1;
      }
      if (error.ok()) error = TakeActions();
      if (error.ok() && load_->eof() && !saved_) error = Complete();
    }
    const Outcome saved = save_->Finish();
    if (saved.kind != Outcome::kCompleted) load_->Cancel(saved.error);
    const Outcome loaded = load_->Finish();
    Reply(replies_, load_->Shut());
    std::printf("outcome %s\nloaded %s\n", ToString(saved.kind),
                ToString(loaded.kind));
    for (const Error& each : {error, saved.error, loaded.error}) {
      if (!each.ok()) std::printf("error %s\n", ToString(each).c_str());
    }
    std::fflush(stdout);
    LetStart();
    uint8_t buffer[4096];
    while (read(from_, buffer, sizeof buffer) > 0) continue;
    for (int channel : channels_) shutdown(channel, SHUT_RD);
    for (std::thread& thread : threads) thread.join();
    return 0;
  }

 private:
  static constexpr int kLookMs = 10;  // For what channels have brought.

  static Error Gone() {
    return {ErrorCode::kWriteFailed, 0, "", "the destination is gone"};
  }

  // A channel's first message is the session's, which Start() writes.
  void LetStart() {
    std::lock_guard lock(mutex_);
    started_ = true;
    may_start_.notify_all();
  }

  void ServeChannel(uint32_t channel) {
    {
      std::unique_lock lock(mutex_);
      may_start_.wait(lock, [this] { return started_; });
    }
    std::vector<uint8_t> held;
    while (ReadMore(channels_[channel], held)) {
      ByteSpan input = held;
      if (!load_->FeedChannel(channel, input).ok()) return;
      held.erase(held.begin(), held.end() - std::ssize(input));
    }
  }

  // False at the end.
  static bool ReadMore(int fd, std::vector<uint8_t>& held) {
    const size_t before = held.size();
    held.resize(before + (64 << 10));
    const ssize_t got = read(fd, &held[before], held.size() - before);
    held.resize(before + (got > 0 ? static_cast<size_t>(got) : 0));
    return got > 0;
  }

  Error TakeReplies() {
    if (!ReadMore(to_, answers_)) {
      return {ErrorCode::kReadFailed, 0, "", "the destination is gone"};
    }
    ByteSpan input = answers_;
    Error error = save_->OnReturnPath(input);
    answers_.erase(answers_.begin(), answers_.end() - std::ssize(input));
    // The source may go on when the destination is ready, not when this is.
    if (error.ok() && !initial_ && save_->SwitchoverAllowed()) {
      for (; acks_owed_ != 0; --acks_owed_) {
        Reply(replies_, {.type = ReturnMessage::kSwitchoverAck});
      }
    }
    return error;
  }

  // False at the stream's end.
  bool TakeStream(Error* error) {
    if (ReadMore(from_, stream_)) return true;
    if (!load_->eof()) *error = load_->Missing();
    return false;
  }

  Error TakeActions() {
    ByteSpan input = stream_;
    LoadAction action;
    Error error;
    while (error.ok() && load_->Next(input, action) == Step::kEvent) {
      error = Take(action);
    }
    stream_start_ += stream_.size() - input.size();
    stream_.erase(stream_.begin(), stream_.end() - std::ssize(input));
    return error.ok() ? load_->error() : error;
  }

  Error Take(const LoadAction& action) {
    switch (action.kind) {
      case LoadAction::kApplyConfig:
        configs_[action.device] = {action.config, action.subsections};
        return {};
      case LoadAction::kReply:
        if (action.reply.type == ReturnMessage::kSwitchoverAck) {
          initial_ = ++acks_owed_ < acks_expected_;
          return {};
        }
        Reply(replies_, action.reply);
        break;  // A PING, which the destination may answer as well.
      case LoadAction::kOpenReturnPath:
      case LoadAction::kStream:
        break;
    }
    const StreamEvent& event = action.event;
    switch (event.kind) {
      case StreamEvent::kSection:
        // Between two sections is where the devices' own may stand.
        if (Error error = PassData(); !error.ok()) return error;
        break;
      case StreamEvent::kCommand:
        if (event.command.command != Command::kSwitchoverStart) break;
        stopped_ = true;
        return save_->Switchover();  // Complete() writes it.
      case StreamEvent::kEof:
      case StreamEvent::kFinding:
        return {};
      case StreamEvent::kHeader:
      case StreamEvent::kConfiguration:
      case StreamEvent::kConfigurationSubsection:
      case StreamEvent::kDevice:
      case StreamEvent::kContent:
      case StreamEvent::kTakenOver:
      case StreamEvent::kRamRecord:
      case StreamEvent::kRamBlock:
      case StreamEvent::kRamBlocks:
      case StreamEvent::kSectionEnd:
      case StreamEvent::kDescription:
        break;
    }
    return Pass(event.offset, load_->decoder().offset());
  }

  // What devices have brought while the guest runs.
  Error PassData() {
    if (!started_) {
      if (Error error = save_->Start(); !error.ok()) return error;
      LetStart();
    }
    if (stopped_) return {};
    // All initial data is here: that is to be told, if nothing else.
    PendingBytes pending;
    if (Error error = save_->GetPending(&pending, /*exact=*/true);
        !error.ok()) {
      return error;
    }
    Progress progress;
    return save_->Iterate({}, &progress);
  }

  // Behind EOF, when all has come on all channels.
  Error Complete() {
    if (!load_->complete()) return {};
    saved_ = true;
    Error error = stopped_ ? Error() : save_->Switchover();
    if (error.ok()) error = save_->Complete(configs_);
    if (error.ok()) error = save_->WriteEof();
    if (!error.ok() || behind_eof_.empty()) return error;
    const iovec piece = {behind_eof_.data(), behind_eof_.size()};
    return output_.Write({&piece, 1}) == 0 ? Error() : Gone();
  }

  // Bytes of the stream as they are; those behind EOF wait for it.
  Error Pass(uint64_t begin, uint64_t end) {
    if (begin == end) return {};
    const iovec piece = {&stream_[begin - stream_start_], end - begin};
    if (load_->eof() && !saved_) {
      behind_eof_.append(static_cast<char*>(piece.iov_base), piece.iov_len);
      return {};
    }
    return output_.Write({&piece, 1}) == 0 ? Error() : Gone();
  }

  const int from_, to_;
  const std::vector<int> channels_;
  FdOutput replies_, output_;
  std::vector<std::unique_ptr<SharedOutput>> outputs_;
  const ContentLengths lengths_;
  std::vector<std::string> held_;
  std::vector<std::unique_ptr<PassingDevice>> devices_;
  MigrationSet in_, out_;
  std::unique_ptr<LoadSession> load_;
  std::unique_ptr<SaveSession> save_;
  std::vector<SavedConfig> configs_;
  std::vector<uint8_t> stream_;  // From `stream_start_` on.
  uint64_t stream_start_ = 0;
  std::vector<uint8_t> answers_;
  std::string behind_eof_;
  size_t acks_expected_ = 0, acks_owed_ = 0;  // To the source.
  bool initial_;                              // Initial data is still to come.
  bool stopped_ = false;
  bool saved_ = false;

  std::mutex mutex_;
  std::condition_variable may_start_;
  bool started_ = false;  // Written under the lock, by the main thread.
};

}  // namespace
}  // namespace migstream

int main(int count, char** arguments) {
  std::signal(SIGPIPE, SIG_IGN);
  if (count < 8) return 2;
  const migstream::RelayOptions options = {
      .dialect = migstream::FindDialect(arguments[3]),
      .switchover_ack = std::string_view(arguments[5]).find("switchover-ack") !=
                        std::string_view::npos,
      .lengths = arguments[6],
      .idstrs = {arguments + 7, arguments + count}};
  if (options.dialect == nullptr) return 2;
  const int listener = migstream::ListenAt(arguments[1]);
  std::puts("listening");
  std::fflush(stdout);
  std::vector<int> from, to;
  for (int i = 0; i <= std::atoi(arguments[4]); ++i) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    const bool is_main = migstream::IsMainChannel(fd).value_or(false);
    from.insert(is_main ? from.begin() : from.end(), fd);
    to.push_back(migstream::ConnectTo(arguments[2]));
  }
  return migstream::Relay(from, to, options).Run();
}
