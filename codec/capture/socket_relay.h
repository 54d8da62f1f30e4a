// Passes on what comes on a socket, and shows it on its way. Large pieces are
// looked at where they are (MSG_PEEK) and moved within the kernel, which saves
// two of three copies.
//
//   SocketRelay relay(from, to, {.passes = true, .moves = true});
//   PassedDescriptors passed;
//   const ssize_t count = relay.Receive(room, passed);
//   if (count > 0) relay.PassOn(room.first(count), passed);  // Each, once.

#ifndef MIGSTREAM_CODEC_CAPTURE_SOCKET_RELAY_H_
#define MIGSTREAM_CODEC_CAPTURE_SOCKET_RELAY_H_

#include <sys/types.h>

#include <cstdint>
#include <span>

#include "codec/capture/passed_descriptors.h"
#include "codec/wire/bytes.h"

namespace migstream {

class SocketRelay {
 public:
  struct Options {
    bool passes = false;  // `to` takes descriptors.
    // Through a pipe, which is two descriptors more. The thread gets no SIGPIPE
    // from here on, since splice() cannot be told to send none.
    bool moves = false;
  };
  // `to` is -1 if nothing is passed on. Both stay the caller's.
  SocketRelay(int from, int to, const Options& options);
  ~SocketRelay();
  SocketRelay(const SocketRelay&) = delete;
  SocketRelay& operator=(const SocketRelay&) = delete;

  // As recv() does, and the descriptors that came with the bytes.
  ssize_t Receive(std::span<uint8_t> room, PassedDescriptors& passed);

  // What Receive() gave. Waits while the other end takes none; false if it
  // is gone.
  bool PassOn(ByteSpan bytes, PassedDescriptors& passed);

 private:
  enum class Moved { kAll, kNone, kGone };
  Moved Move(size_t bytes);
  // So many of the socket's, which were seen.
  bool Drop(size_t bytes);

  const int from_;
  const int to_;
  const bool passes_;
  // The ends of the pipe that the bytes go through; -1: they are copied.
  int pipe_in_ = -1;
  int pipe_out_ = -1;
  bool moves_ = false;  // What Receive() gave is still in the socket.
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_CAPTURE_SOCKET_RELAY_H_
