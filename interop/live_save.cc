// A VMM's source for a live destination.
//
//   live_save SOCKET MACHINE DIALECT CHANNELS OPTIONS DEVICE...
//
// SOCKET is where the destination listens. OPTIONS: words with commas between
// them, return-path, switchover-ack and die=N: it kills itself at the Nth
// write. A DEVICE is that of LivePeer::Open(). Prints how it ended.

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "codec/session/save_session.h"
#include "codec/wire/text.h"
#include "interop/live_peer.h"

namespace migstream {
namespace {

// Ends the process, as a crash does, at the `die_at`th write of all outputs:
// half of it arrives.
class MortalOutput : public ChannelOutput {
 public:
  MortalOutput(int fd, uint64_t* writes_left)
      : fd_(fd), output_(fd), writes_left_(writes_left) {}
  int Write(std::span<const iovec> pieces) override {
    if (--*writes_left_ == 0) {
      [[maybe_unused]] ssize_t some =
          write(fd_, pieces[0].iov_base, (pieces[0].iov_len + 1) / 2);
      kill(getpid(), SIGKILL);
    }
    return output_.Write(pieces);
  }

 private:
  const int fd_;
  FdOutput output_;
  uint64_t* const writes_left_;
};

int Run(int count, char** arguments) {
  const Dialect* dialect = FindDialect(arguments[3]);
  if (dialect == nullptr) {
    std::fprintf(stderr, "no dialect %s\n", arguments[3]);
    return 2;
  }
  SaveOptions options = {.dialect = dialect, .return_path = false};
  uint64_t writes_left = 0;
  for (std::string_view word : Split(arguments[5], ',')) {
    options.return_path |= word == "return-path";
    options.switchover_ack |= word == "switchover-ack";
    if (word.starts_with("die="))
      writes_left = std::strtoull(&word[4], nullptr, 10);
  }
  const int main_fd = ConnectTo(arguments[1]);
  LivePeer peer;
  if (Error error = peer.Open({arguments + 6, arguments + count});
      !error.ok()) {
    std::printf("error %s\n", ToString(error).c_str());
    return 2;
  }
  MortalOutput main(main_fd, &writes_left);
  std::vector<std::unique_ptr<MortalOutput>> channels;
  for (int i = 0; i < std::atoi(arguments[4]); ++i) {
    channels.push_back(
        std::make_unique<MortalOutput>(ConnectTo(arguments[1]), &writes_left));
    options.channels.push_back(channels.back().get());
  }

  SaveSession session(peer.set(), main, options);
  Error error = session.WriteHead(arguments[2]);
  if (error.ok()) error = session.Start();
  Progress progress;
  std::vector<uint8_t> held;
  // What has come on the return path; false at its end.
  auto read_replies = [&] {
    uint8_t buffer[512];
    const ssize_t got = read(main_fd, buffer, sizeof buffer);
    if (got <= 0) return false;
    held.insert(held.end(), buffer, buffer + got);
    ByteSpan input = held;
    error = session.OnReturnPath(input);
    held.erase(held.begin(), held.end() - std::ssize(input));
    return true;
  };
  while (error.ok()) {
    while (error.ok() && !(progress.idle && session.SwitchoverAllowed())) {
      error = session.Iterate({}, &progress);
      if (!error.ok() || session.SwitchoverAllowed()) continue;
      PendingBytes pending;
      error = session.GetPending(&pending, /*exact=*/true);
      if (!error.ok() || !progress.idle || pending.initial != 0) continue;
      if (!read_replies()) {
        error = {ErrorCode::kReadFailed, 0, "", "no ack came"};
      }
    }
    if (!error.ok()) break;
    error = session.Switchover();
    if (error.code != ErrorCode::kSessionNeedsPreCopy) break;
    error = {};
    progress = {};
  }
  if (error.ok()) error = session.Complete(peer.configs());
  if (error.ok()) {
    error = session.WriteEof(AsBytes(R"({"page_size": 4096, "devices": []})"));
  }
  while (options.return_path && error.ok() && !session.shut_received()) {
    if (!read_replies()) break;
  }
  const Outcome outcome = session.Finish();
  std::printf("outcome %s\n", ToString(outcome.kind));
  if (!error.ok() || !outcome.error.ok()) {
    std::printf("error %s\n",
                ToString(error.ok() ? outcome.error : error).c_str());
  }
  for (const DeviceReport& report : outcome.devices) {
    std::printf("device %s\n", ToString(report).c_str());
  }
  return 0;
}

}  // namespace
}  // namespace migstream

int main(int count, char** arguments) {
  std::signal(SIGPIPE, SIG_IGN);
  if (count < 7) return 2;
  return migstream::Run(count, arguments);
}
