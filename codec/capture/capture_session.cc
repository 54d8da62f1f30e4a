#include "codec/capture/capture_session.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <utility>

#include "codec/capture/capture_log.h"
#include "codec/capture/passed_descriptors.h"
#include "codec/capture/recorder.h"
#include "codec/capture/recording_watch.h"
#include "codec/capture/socket_relay.h"
#include "codec/wire/bytes.h"
#include "codec/wire/text.h"
#include "flags/section_type.h"

namespace migstream {
namespace {

// QEMU's 255 multifd channels, the main channel, those of postcopy and CPR; and
// a few that belong to nobody.
constexpr size_t kMostConnections = 300;

// A destination lets the source wait. What is passed on does not wait: a disk
// that pauses for a fifth of a second, at 10 Gbit/s, ends no recording.
constexpr size_t kWaitingBuffers = (64 << 20) / Recorder::kBufferBytes;
constexpr size_t kForwardBuffers = (256 << 20) / Recorder::kBufferBytes;

// Whose bytes are moved within the kernel: each has a pipe, and a process often
// may have 1024 descriptors and no more. Others are copied.
constexpr size_t kMostMoved = 32;

// One that the source has made, and where it is passed on to.
struct Connection {
  int source = -1;
  int onward = -1;       // -1: this is the destination.
  bool can_pass = true;  // Descriptors.
  bool moves = false;    // What the source sends.
  std::string file;      // Empty as long as nothing came.
  std::thread forward;
  std::thread back;
  std::atomic<int> running = 0;       // Threads.
  std::atomic<bool> brought = false;  // Bytes, in either direction.
};

// A socket that is listened on.
struct Listener {
  int fd = -1;
  SocketAddress address;
  const CaptureOptions::Route* route = nullptr;
};

// Waits for the first bytes, and leaves them there. Fewer than these if it ends
// behind them.
ssize_t PeekFirst(int fd, std::span<uint8_t> to) {
  for (bool ended = false;;) {
    const ssize_t count =
        recv(fd, to.data(), to.size(), MSG_PEEK | MSG_WAITALL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0 || static_cast<size_t>(count) == to.size() || ended) {
      return count;
    }
    // A unix socket does not wait for all of them where they are left there.
    constexpr int kMoment = 10;  // ms
    pollfd end = {fd, POLLRDHUP, 0};
    ended = poll(&end, 1, kMoment) > 0;
  }
}

class Session {
 public:
  Session(const CaptureOptions& options, int stop_fd)
      : options_(options),
        stop_fd_(stop_fd),
        answers_(!options.routes[0].forward),
        log_(options.say),
        watch_(log_, answers_),
        recorder_({.buffers = answers_ ? kWaitingBuffers : kForwardBuffers,
                   .waits = answers_,
                   .replaces = options.replaces},
                  watch_),
        wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  ~Session() {
    if (wake_fd_ >= 0) close(wake_fd_);
  }

  CaptureResult Run() {
    if (std::string problem = ListenAll(); !problem.empty()) {
      Unlisten();
      log_.Lose(problem);
      return {.problem = std::move(problem), .files = {}};
    }
    watch_.Start(recorder_, StrCat(options_.name, ".return"),
                 [this] { BreakAll(); });
    Loop();
    Unlisten();
    // What is left has brought nothing.
    BreakAll();
    for (auto& connection : connections_) Join(*connection);
    // Until then one of them may yet be answered.
    recorder_.Finish();
    for (auto& connection : connections_) Close(*connection);
    CaptureResult result;
    result.problem = log_.problem();
    result.files = watch_.files(&result.has_main);
    return result;
  }

 private:
  std::string ListenAll() {
    for (const CaptureOptions::Route& route : options_.routes) {
      std::string problem;
      Listener listener = {-1, route.listen, &route};
      listener.fd = Listen(listener.address, problem);
      if (listener.fd < 0) return problem;
      log_.Say(StrCat(
          "listening on ", ToString(listener.address),
          route.forward ? StrCat(", for ", ToString(*route.forward)) : ""));
      listeners_.push_back(std::move(listener));
    }
    return "";
  }

  void Unlisten() {
    for (Listener& listener : listeners_) {
      migstream::Unlisten(listener.fd, listener.address);
    }
  }

  void Loop() {
    while (true) {
      ForgetSilent();
      std::vector<pollfd> polled = {{stop_fd_, POLLIN, 0},
                                    {wake_fd_, POLLIN, 0}};
      // What is too much waits in the kernel.
      const bool full = connections_.size() >= kMostConnections;
      for (const Listener& listener : listeners_) {
        polled.push_back({full ? -1 : listener.fd, POLLIN, 0});
      }
      // What was connected before the end is looked at yet.
      const int ready = poll(polled.data(), polled.size(), IsOver() ? 0 : -1);
      if (ready < 0) continue;
      if (ready == 0) return;
      if (polled[0].revents != 0) TakeStop();
      if (uint64_t count = 0; polled[1].revents != 0) {
        (void)!read(wake_fd_, &count, sizeof count);
      }
      for (size_t i = 0; i < listeners_.size(); ++i) {
        if (polled[i + 2].revents != 0) Accept(listeners_[i]);
      }
    }
  }

  // Its thread may not have come to look at them yet.
  static bool HasBytes(const Connection& one) {
    std::array<uint8_t, 4> magic;
    return recv(one.source, magic.data(), magic.size(),
                MSG_PEEK | MSG_DONTWAIT) == ssize_t{magic.size()};
  }

  bool IsRunning() const {
    return std::any_of(
        connections_.begin(), connections_.end(), [](const auto& one) {
          return one->running != 0 && (one->brought || HasBytes(*one));
        });
  }

  // All that brought something is closed, and something did.
  bool IsOver() const { return !IsRunning() && (seen_stream_ || ending_); }

  // Whoever came, said nothing and went, as a scanner of ports does.
  void ForgetSilent() {
    std::lock_guard lock(mutex_);
    std::erase_if(connections_, [](const auto& one) {
      if (one->running != 0 || one->brought) return false;
      Join(*one);
      Close(*one);
      return true;
    });
  }

  void TakeStop() {
    char byte = 0;
    (void)!read(stop_fd_, &byte, 1);
    if (!answers_ && IsRunning() && !std::exchange(stopped_, true)) {
      recorder_.Stop();
      log_.Lose(
          "the recording is ended; the migration goes on (once more ends it)");
      return;
    }
    log_.Lose("interrupted");
    ending_ = true;
    BreakAll();
  }

  void Accept(const Listener& listener) {
    const int source = accept4(listener.fd, nullptr, nullptr, SOCK_CLOEXEC);
    if (source < 0) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
        log_.Lose(
            StrCat("a connection cannot be taken: ", std::strerror(errno)));
        ending_ = true;
        BreakAll();
      }
      return;
    }
    auto connection = std::make_unique<Connection>();
    connection->source = source;
    SendAtOnce(source);
    if (const auto& forward = listener.route->forward) {
      std::string problem;
      connection->onward = Connect(*forward, problem);
      if (connection->onward < 0) {
        log_.Lose(StrCat("the destination cannot be reached: ", problem));
        close(source);
        ending_ = true;
        BreakAll();
        return;
      }
      connection->can_pass = forward->is_unix();
      SendAtOnce(connection->onward);
    }
    Connection& one = *connection;
    one.running = one.onward < 0 ? 1 : 2;
    {
      std::lock_guard lock(mutex_);
      one.moves = connections_.size() < kMostMoved;
      connections_.push_back(std::move(connection));
    }
    if (broken_) BreakAll();
    one.forward = std::thread([this, &one] { Forward(one); });
    if (one.onward >= 0) one.back = std::thread([this, &one] { Back(one); });
  }

  // A thread's end.
  void Done(Connection& one) {
    --one.running;
    const uint64_t count = 1;
    (void)!write(wake_fd_, &count, sizeof count);
  }

  static void Join(Connection& one) {
    if (one.forward.joinable()) one.forward.join();
    if (one.back.joinable()) one.back.join();
  }

  static void Close(const Connection& one) {
    close(one.source);
    if (one.onward >= 0) close(one.onward);
  }

  void BreakAll() {
    std::lock_guard lock(mutex_);
    broken_ = true;
    for (auto& one : connections_) {
      shutdown(one->source, SHUT_RDWR);
      if (one->onward >= 0) shutdown(one->onward, SHUT_RDWR);
    }
  }

  // Bytes have come.
  void Bring(Connection& one) {
    one.brought = true;
    std::call_once(first_, [this] {
      if (!options_.on_first) return;
      if (std::string why = options_.on_first(); !why.empty()) log_.Lose(why);
    });
  }

  // What the source sends.
  void Forward(Connection& one) {
    std::array<uint8_t, 4> magic = {};
    const ssize_t count = PeekFirst(one.source, magic);
    // What is cut off here before it says what it is, is nobody's.
    const bool unfinished = broken_ && count < ssize_t{magic.size()};
    if (count > 0 && !unfinished) {
      Bring(one);
      // CPR state comes before the stream, by an address of its own.
      if (count < 4 || LoadBe32(magic.data()) != kCprMagic ||
          options_.routes.size() == 1) {
        seen_stream_ = true;
      }
      const RecordingWatch::Opened opened = watch_.Open(
          options_.name, ByteSpan(magic).first(static_cast<size_t>(count)),
          one.source);
      {
        std::lock_guard lock(mutex_);
        one.file = opened.path;
      }
      Pump(one, one.source, one.onward, opened.file, opened.path);
    }
    // The other direction may have more to say.
    if (one.onward >= 0) shutdown(one.onward, SHUT_WR);
    Done(one);
  }

  // What the destination sends back.
  void Back(Connection& one) {
    std::array<uint8_t, 1> byte;
    if (PeekFirst(one.onward, byte) > 0) {
      Bring(one);
      std::string forward;
      {
        std::lock_guard lock(mutex_);
        forward = one.file;
      }
      if (forward.empty()) forward = StrCat(options_.name, ".first");
      const RecordingWatch::Opened opened = watch_.OpenBack(forward);
      Pump(one, one.onward, one.source, opened.file, opened.path);
    }
    shutdown(one.source, SHUT_WR);
    Done(one);
  }

  // Until either end is closed.
  void Pump(Connection& one, int from, int to, int file,
            const std::string& path) {
    SocketRelay relay(
        from, to,
        {.passes = one.can_pass, .moves = one.moves && from == one.source});
    Recorder::Slot slot;
    std::vector<uint8_t> unrecorded;
    uint64_t offset = 0;
    while (true) {
      std::span<uint8_t> room = recorder_.Room(slot);
      const bool recorded = !room.empty();
      if (!recorded) {
        // As a destination there is nobody else to take it.
        if (answers_) break;
        unrecorded.resize(Recorder::kBufferBytes);
        room = unrecorded;
      }
      PassedDescriptors passed;
      const ssize_t count = relay.Receive(room, passed);
      if (count <= 0) break;
      const auto bytes = static_cast<size_t>(count);
      if (!passed.empty()) SayPassed(one, path, offset, passed.size(), to);
      // Before it is passed on: what the other end was sent is in the file.
      if (recorded) recorder_.Put(file, slot, bytes);
      offset += bytes;
      if (!relay.PassOn(room.first(bytes), passed)) {
        // The other end is gone: so is this one, for who sends to it.
        shutdown(from, SHUT_RDWR);
        if (from == one.source && !broken_) {
          log_.Lose(StrCat(path,
                           ": the destination closed it before it had all that "
                           "the source sent; the file has it"));
        }
        break;
      }
    }
    recorder_.EndFile(file);
  }

  void SayPassed(const Connection& one, const std::string& path,
                 uint64_t offset, size_t descriptors, int to) {
    const bool single = descriptors == 1;
    std::string done =
        "cannot be passed on: that takes a unix socket on both sides";
    if (to < 0 || one.can_pass) {
      done = StrCat(single ? "is " : "are ", to < 0 ? "closed" : "passed on");
    }
    log_.Say(StrCat(path, ":", Hex(offset), ": ", descriptors,
                    single ? " file descriptor " : " file descriptors ", done));
  }

  const CaptureOptions& options_;
  const int stop_fd_;
  const bool answers_;
  CaptureLog log_;
  RecordingWatch watch_;
  Recorder recorder_;
  const int wake_fd_;
  std::vector<Listener> listeners_;
  std::mutex mutex_;
  std::deque<std::unique_ptr<Connection>> connections_;
  std::once_flag first_;
  std::atomic<bool> seen_stream_ = false;
  std::atomic<bool> broken_ = false;
  bool stopped_ = false;
  bool ending_ = false;
};

}  // namespace

CaptureResult RunCapture(const CaptureOptions& options, int stop_fd) {
  return Session(options, stop_fd).Run();
}

}  // namespace migstream
