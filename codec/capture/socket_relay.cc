#include "codec/capture/socket_relay.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace migstream {
namespace {

// Fewer bytes are copied sooner than moved.
constexpr ssize_t kLeastMoved = 16 << 10;

// A user's pipes have 64 MiB together, unless the system was told otherwise;
// further ones are small, and do as well.
constexpr int kPipeBytes = 256 << 10;

// As splice(), which waits; what is interrupted goes on.
ssize_t Splice(int from, int to, size_t bytes) {
  ssize_t count = 0;
  do {
    count = splice(from, nullptr, to, nullptr, bytes, SPLICE_F_MOVE);
  } while (count < 0 && errno == EINTR);
  return count;
}

}  // namespace

SocketRelay::SocketRelay(int from, int to, const Options& options)
    : from_(from), to_(to), passes_(options.passes) {
  if (to_ < 0 || !options.moves) return;
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  int ends[2];
  if (pthread_sigmask(SIG_BLOCK, &signals, nullptr) != 0 ||
      pipe2(ends, O_CLOEXEC) != 0) {
    return;
  }
  pipe_out_ = ends[0];
  pipe_in_ = ends[1];
  (void)fcntl(pipe_in_, F_SETPIPE_SZ, kPipeBytes);
}

SocketRelay::~SocketRelay() {
  if (pipe_in_ < 0) return;
  close(pipe_in_);
  close(pipe_out_);
}

ssize_t SocketRelay::Receive(std::span<uint8_t> room,
                             PassedDescriptors& passed) {
  if (pipe_in_ < 0) return migstream::Receive(from_, room, passed);
  const ssize_t there = migstream::Receive(from_, room, passed, MSG_PEEK);
  // Descriptors would be lost on the way through a pipe.
  moves_ = there >= kLeastMoved && passed.empty();
  if (moves_ || there <= 0) return there;
  passed.Close();
  return migstream::Receive(from_, room.first(static_cast<size_t>(there)),
                            passed);
}

bool SocketRelay::PassOn(ByteSpan bytes, PassedDescriptors& passed) {
  if (to_ < 0) return true;
  if (std::exchange(moves_, false)) {
    switch (Move(bytes.size())) {
      case Moved::kAll:
        return true;
      case Moved::kGone:
        return false;
      case Moved::kNone:
        break;
    }
    // Nor will the next ones.
    close(std::exchange(pipe_in_, -1));
    close(std::exchange(pipe_out_, -1));
    if (!Drop(bytes.size())) return false;
  }
  return SendAll(to_, bytes, passed, passes_);
}

bool SocketRelay::Drop(size_t bytes) {
  std::array<uint8_t, 4096> dropped;
  while (bytes != 0) {
    const ssize_t count =
        recv(from_, dropped.data(), std::min(bytes, dropped.size()), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes -= static_cast<size_t>(count);
  }
  return true;
}

SocketRelay::Moved SocketRelay::Move(size_t bytes) {
  for (bool begun = false; bytes != 0; begun = true) {
    const ssize_t came = Splice(from_, pipe_in_, bytes);
    if (came < 0 && !begun && (errno == EINVAL || errno == ENOSYS)) {
      return Moved::kNone;
    }
    if (came <= 0) return Moved::kGone;
    bytes -= static_cast<size_t>(came);
    for (auto held = static_cast<size_t>(came); held != 0;) {
      const ssize_t went = Splice(pipe_out_, to_, held);
      if (went <= 0) return Moved::kGone;
      held -= static_cast<size_t>(went);
    }
  }
  return Moved::kAll;
}

}  // namespace migstream
