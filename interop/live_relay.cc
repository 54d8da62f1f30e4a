// Between two live VMMs: takes a migration, devices' data by LoadSession, and
// passes it on, by SaveSession, while it comes. What is not the devices' goes
// through as it is.
//
//   live_relay SOCKET TO_SOCKET DIALECT LENGTHS IDSTR...
//
// It listens at SOCKET, says "listening", and connects to TO_SOCKET. LENGTHS is
// a file for ContentLengths. Prints how it ended on either side.

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "codec/session/load_session.h"
#include "codec/session/plain_device.h"
#include "codec/session/save_session.h"
#include "codec/wire/text.h"
#include "interop/live_peer.h"

namespace migstream {
namespace {

constexpr uint32_t kFirstSectionId = 10000;  // Above those of a QEMU.

// A device that is on its way: what is written to one end is read at the other.
class PassingDevice : public PlainDevice {
 public:
  explicit PassingDevice(std::string* held) : held_(held) {}

  IoResult Read(std::span<uint8_t> buffer) override {
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
    return GetStopCopyBytes(&bytes->dirty);
  }
  int GetStopCopyBytes(uint64_t* bytes) override {
    *bytes = held_->size();
    return 0;
  }

 private:
  std::string* const held_;
};

class Relay {
 public:
  Relay(int from, int to, const Dialect* dialect, const char* lengths,
        const std::vector<std::string_view>& idstrs)
      : from_(from),
        to_(to),
        replies_(from),
        output_(to),
        lengths_(lengths),
        held_(idstrs.size()),
        configs_(idstrs.size()) {
    std::vector<uint32_t> ids;
    for (size_t i = 0; i < idstrs.size(); ++i) {
      for (MigrationSet* set : {&in_, &out_}) {
        devices_.push_back(std::make_unique<PassingDevice>(&held_[i]));
        if (!set->Add(*devices_.back(), idstrs[i]).ok()) std::exit(2);
      }
      ids.push_back(kFirstSectionId + static_cast<uint32_t>(i));
    }
    load_ = std::make_unique<LoadSession>(
        in_, LoadOptions{.dialect = dialect,
                         .content_length = [this](const SectionView& section,
                                                  ByteSpan) {
                           return lengths_(section);
                         }});
    save_ = std::make_unique<SaveSession>(
        out_, output_,
        SaveOptions{
            .dialect = dialect, .section_ids = ids, .skip_empty_parts = true});
  }

  int Run() {
    Error error = load_->Start();
    pollfd ends[2] = {{from_, POLLIN, 0}, {to_, POLLIN, 0}};
    while (error.ok() && !save_->shut_received() && poll(ends, 2, -1) > 0) {
      if (ends[1].revents != 0) error = TakeReplies();
      if (error.ok() && ends[0].revents != 0 && !TakeStream(&error)) {
        ends[0].fd = -1;
      }
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
    uint8_t buffer[4096];
    while (read(from_, buffer, sizeof buffer) > 0) continue;
    return 0;
  }

 private:
  Error TakeReplies() {
    uint8_t buffer[512];
    const ssize_t got = read(to_, buffer, sizeof buffer);
    if (got <= 0) {
      return {ErrorCode::kReadFailed, 0, "", "the destination is gone"};
    }
    answers_.insert(answers_.end(), buffer, buffer + got);
    ByteSpan input = answers_;
    Error error = save_->OnReturnPath(input);
    answers_.erase(answers_.begin(), answers_.end() - std::ssize(input));
    return error;
  }

  // False at the stream's end.
  bool TakeStream(Error* error) {
    const size_t before = stream_.size();
    stream_.resize(before + (64 << 10));
    const ssize_t got = read(from_, &stream_[before], stream_.size() - before);
    stream_.resize(before + (got > 0 ? static_cast<size_t>(got) : 0));
    if (got <= 0) {
      if (!load_->eof()) *error = load_->Missing();
      return false;
    }
    ByteSpan input = stream_;
    LoadAction action;
    while (error->ok() && load_->Next(input, action) == Step::kEvent) {
      *error = Take(action);
    }
    if (error->ok()) *error = load_->error();
    stream_start_ += stream_.size() - input.size();
    stream_.erase(stream_.begin(), stream_.end() - std::ssize(input));
    return true;
  }

  Error Take(const LoadAction& action) {
    switch (action.kind) {
      case LoadAction::kApplyConfig:
        configs_[action.device] = {action.config, action.subsections};
        return {};
      case LoadAction::kReply:
        Reply(replies_, action.reply);
        if (action.event.kind != StreamEvent::kCommand) return {};
        break;  // A PING, which the destination may answer as well.
      case LoadAction::kOpenReturnPath:
      case LoadAction::kStream:
        break;
    }
    const StreamEvent& event = action.event;
    switch (event.kind) {
      case StreamEvent::kSection:
        // Between two sections is where the devices' own may stand.
        if (!started_) {
          started_ = true;
          if (Error error = save_->Start(); !error.ok()) return error;
        }
        if (Error error = PassData(); !error.ok()) return error;
        break;
      case StreamEvent::kCommand:
        if (event.command.command != Command::kSwitchoverStart) break;
        stopped_ = true;
        return save_->Switchover();  // Complete() writes it.
      case StreamEvent::kEof: {
        Error error = stopped_ ? Error() : save_->Switchover();
        if (error.ok()) error = save_->Complete(configs_);
        return error.ok() ? save_->WriteEof() : error;
      }
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
    const bool any =
        std::any_of(held_.begin(), held_.end(),
                    [](const std::string& data) { return !data.empty(); });
    if (stopped_ || !any) return {};
    Progress progress;
    return save_->Iterate({}, &progress);
  }

  // Bytes of the stream as they are.
  Error Pass(uint64_t begin, uint64_t end) {
    if (begin == end) return {};
    const iovec piece = {&stream_[begin - stream_start_], end - begin};
    if (output_.Write({&piece, 1}) == 0) return {};
    return {ErrorCode::kWriteFailed, 0, "", "the destination is gone"};
  }

  const int from_, to_;
  FdOutput replies_, output_;
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
  bool started_ = false;
  bool stopped_ = false;
};

}  // namespace
}  // namespace migstream

int main(int count, char** arguments) {
  std::signal(SIGPIPE, SIG_IGN);
  if (count < 6) return 2;
  const migstream::Dialect* dialect = migstream::FindDialect(arguments[3]);
  if (dialect == nullptr) return 2;
  const int listener = migstream::ListenAt(arguments[1]);
  std::puts("listening");
  std::fflush(stdout);
  const int from = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  return migstream::Relay(from, migstream::ConnectTo(arguments[2]), dialect,
                          arguments[4], {arguments + 5, arguments + count})
      .Run();
}
