// A VMM's destination for a live source.
//
//   live_load SOCKET DIALECT CHANNELS OPTIONS LENGTHS DEVICE...
//
// It listens at SOCKET, and says "listening". OPTIONS: words with commas
// between them, switchover-ack; die=N: it kills itself at the Nth read;
// silence=N: it gives up if nothing comes for so many milliseconds. LENGTHS is
// a file for ContentLengths. A DEVICE is that of LivePeer::Open(). Prints how
// it ended, and what it took: microseconds from the arrival of the bytes that
// made a config due to its being given, the longest; bytes of guest memory,
// none of which is kept; the most memory that the process had, in KiB.

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "codec/device/config_shape.h"
#include "codec/session/load_session.h"
#include "codec/wire/text.h"
#include "interop/live_peer.h"

namespace migstream {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kReadBytes = 256 << 10;
constexpr int kDescriptionMs = 1000;  // For a source that has none.

// The most memory that this process had. getrusage() counts what its parent
// had when it forked.
long PeakKib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != "VmHWM:") continue;
    long kib = 0;
    status >> kib;
    return kib;
  }
  return 0;
}

class Destination {
 public:
  Destination(int count, char** arguments)
      : lengths_(arguments[5]),
        dialect_(*FindDialect(arguments[2])),
        devices_(arguments + 6, arguments + count) {
    options_.dialect = &dialect_;
    options_.channels = static_cast<uint32_t>(std::atoi(arguments[3]));
    for (std::string_view word : Split(arguments[4], ',')) {
      options_.switchover_ack |= word == "switchover-ack";
      auto number = [&](std::string_view name) {
        return word.starts_with(name) ? std::atoi(&word[name.size()]) : 0;
      };
      if (int reads = number("die="); reads != 0) reads_left_ = reads;
      if (int silence = number("silence="); silence != 0) silence_ = silence;
    }
    options_.content_length = [this](const SectionView& section, ByteSpan) {
      return lengths_(section);
    };
    options_.channel_ram = [this](uint32_t, const MultifdEvent& event) {
      if (event.kind == MultifdEventKind::kPayload) {
        ram_bytes_ += event.bytes.size();
      }
    };
  }

  int Run(const char* path) {
    if (Error error = peer_.Open(devices_); !error.ok()) return Failed(error);
    LoadSession session(peer_.set(), options_);
    session_ = &session;
    const int listener = ListenAt(path);
    if (Error error = session.Start(); !error.ok()) return Failed(error);
    std::puts("listening");
    std::fflush(stdout);
    // A connection that says nothing holds up nobody.
    for (uint32_t i = 0; i <= options_.channels; ++i) {
      int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      std::thread([this, fd] { Serve(fd); }).detach();
    }
    close(listener);
    const Outcome outcome = Wait();
    if (outcome.kind == Outcome::kCompleted) {
      if (Error error = peer_.set().Run(); !error.ok()) return Failed(error);
    }
    if (main_ >= 0) {
      FdOutput replies(main_);
      Reply(replies, session.Shut());
    }
    Print(outcome);
    // A source that is told so closes its channels, and may still be writing.
    shutdown(main_, SHUT_WR);
    DrainMain();
    std::fflush(stdout);
    _exit(0);  // Threads may still be waiting for silent channels.
  }

 private:
  int Failed(const Error& error) {
    std::printf("error %s\n", ToString(error).c_str());
    std::fflush(stdout);
    _exit(2);
  }

  // Reads from the fd; 0 at its end.
  size_t Read(int fd, std::vector<uint8_t>& held) {
    const size_t before = held.size();
    held.resize(before + kReadBytes);
    if (--reads_left_ == 0) kill(getpid(), SIGKILL);
    const ssize_t got = read(fd, &held[before], kReadBytes);
    held.resize(before + (got > 0 ? static_cast<size_t>(got) : 0));
    ++activity_;
    return held.size() - before;
  }

  void Serve(int fd) {
    const std::optional<bool> is_main = IsMainChannel(fd);
    if (!is_main) return;
    if (*is_main) {
      main_ = fd;
      ServeMain(fd);
    } else {
      ServeChannel(fd, next_channel_++);
    }
    std::lock_guard lock(mutex_);
    changed_.notify_all();
  }

  void ServeMain(int fd) {
    std::vector<uint8_t> held;
    held.reserve(2 * kReadBytes);
    // Where the reads ended of which something is left.
    struct Arrival {
      uint64_t end;
      Clock::time_point time;
    };
    std::vector<Arrival> arrivals;
    uint64_t end = 0;
    // Behind EOF a description may follow.
    pollfd ready = {fd, POLLIN, 0};
    while (!session_->eof() || poll(&ready, 1, kDescriptionMs) == 1) {
      const size_t got = Read(fd, held);
      if (got == 0) break;
      arrivals.push_back({end += got, Clock::now()});
      ByteSpan input = held;
      const Step step = Next(input, [&](uint64_t offset) {
        for (const Arrival& arrival : arrivals) {
          if (arrival.end >= offset) return arrival.time;
        }
        return arrivals.back().time;
      });
      held.erase(held.begin(), held.end() - std::ssize(input));
      std::erase_if(arrivals, [&](const Arrival& arrival) {
        return arrival.end <= end - held.size();
      });
      if (step == Step::kError || step == Step::kDone) break;
    }
    main_over_ = true;
  }

  void ServeChannel(int fd, uint32_t channel) {
    std::vector<uint8_t> held;
    held.reserve(2 * kReadBytes);
    while (Read(fd, held) != 0) {
      const Clock::time_point now = Clock::now();
      ByteSpan input = held;
      if (!session_->FeedChannel(channel, input).ok()) return;
      held.erase(held.begin(), held.end() - std::ssize(input));
      ByteSpan nothing;
      Next(nothing, [&](uint64_t) { return now; });
    }
  }

  // All actions there are; `arrival` says when a byte of the main channel came.
  template <typename Arrival>
  Step Next(ByteSpan& input, Arrival arrival) {
    std::lock_guard lock(mutex_);
    LoadAction action;
    Step step;
    while ((step = session_->Next(input, action)) == Step::kEvent) {
      switch (action.kind) {
        case LoadAction::kStream:
          if (action.event.kind == StreamEvent::kContent && in_ram_) {
            ram_bytes_ += action.event.content.size();
          }
          if (action.event.kind == StreamEvent::kRamRecord) in_ram_ = true;
          if (action.event.kind == StreamEvent::kSectionEnd) in_ram_ = false;
          break;
        case LoadAction::kOpenReturnPath:
          break;
        case LoadAction::kReply:
          if (main_ >= 0) {
            FdOutput replies(main_);
            Reply(replies, action.reply);
          }
          break;
        case LoadAction::kApplyConfig: {
          const auto waited =
              Clock::now() - arrival(session_->decoder().offset());
          apply_us_ = std::max<int64_t>(
              apply_us_,
              std::chrono::duration_cast<std::chrono::microseconds>(waited)
                  .count());
          Apply(action);
          break;
        }
      }
    }
    changed_.notify_all();
    return step;
  }

  void Apply(const LoadAction& action) {
    std::string why = WhyConfigRefused(
        action.config.pci_config, peer_.device_config(action.device),
        PciPlace::kRootComplex, dialect_.first_release);
    if (!why.empty()) {
      session_->Cancel({ErrorCode::kConfigSize, 0, "", std::move(why)});
    }
  }

  // Until all is there, or will not come.
  Outcome Wait() {
    std::unique_lock lock(mutex_);
    uint64_t seen = 0;
    // A QEMU 7.2 fails that is told of the end before it has written all.
    while (session_->error().ok() && !(session_->complete() && main_over_)) {
      if (main_over_ && !session_->eof()) {
        session_->Cancel(session_->Missing());
        break;
      }
      if (changed_.wait_for(lock, std::chrono::milliseconds(silence_)) ==
          std::cv_status::no_timeout) {
        continue;
      }
      if (activity_ == seen) session_->Cancel(session_->Missing());
      seen = activity_;
    }
    return session_->Finish();
  }

  void DrainMain() {
    pollfd ready = {main_, POLLIN, 0};
    std::vector<uint8_t> buffer(kReadBytes);
    while (main_ >= 0 && poll(&ready, 1, silence_) == 1 &&
           read(main_, buffer.data(), buffer.size()) > 0) {
    }
  }

  void Print(const Outcome& outcome) {
    std::printf("outcome %s\n", ToString(outcome.kind));
    if (!outcome.error.ok()) {
      std::printf("error %s\n", ToString(outcome.error).c_str());
    }
    for (const DeviceReport& report : peer_.set().report()) {
      std::printf("device %s\n", ToString(report).c_str());
    }
    std::printf("apply-us %jd\nram-bytes %ju\nrss-kib %ld\n",
                static_cast<intmax_t>(apply_us_),
                static_cast<uintmax_t>(ram_bytes_), PeakKib());
  }

  const ContentLengths lengths_;
  const Dialect& dialect_;
  const std::vector<std::string_view> devices_;
  LoadOptions options_;
  LivePeer peer_;
  LoadSession* session_ = nullptr;
  int silence_ = 10000;
  std::atomic<int> reads_left_ = 0;
  std::atomic<uint64_t> activity_ = 0;
  std::atomic<uint32_t> next_channel_ = 0;
  std::atomic<int> main_ = -1;
  std::atomic<bool> main_over_ = false;
  std::atomic<uint64_t> ram_bytes_ = 0;

  std::mutex mutex_;  // Of Next(), and what follows.
  std::condition_variable changed_;
  bool in_ram_ = false;
  int64_t apply_us_ = 0;
};

}  // namespace
}  // namespace migstream

int main(int count, char** arguments) {
  std::signal(SIGPIPE, SIG_IGN);
  if (count < 7 || migstream::FindDialect(arguments[2]) == nullptr) return 2;
  return migstream::Destination(count, arguments).Run(arguments[1]);
}
