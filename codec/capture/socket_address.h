// Where a migration comes from or goes to, as QEMU writes it: "unix:PATH",
// "tcp:HOST:PORT", "tcp:[::1]:PORT"; HOST is empty or 0 for any.
//
//   SocketAddress address;
//   std::string problem = ParseAddress("unix:/run/vm.sock", address);
//   int fd = Listen(address, problem);  // -1: `problem` says why.

#ifndef MIGSTREAM_CODEC_CAPTURE_SOCKET_ADDRESS_H_
#define MIGSTREAM_CODEC_CAPTURE_SOCKET_ADDRESS_H_

#include <string>
#include <string_view>

namespace migstream {

struct SocketAddress {
  std::string path;  // unix; empty: tcp.
  std::string host;
  std::string port;
  bool is_unix() const { return !path.empty(); }
};

// Empty if it is one, else what is wrong with it.
std::string ParseAddress(std::string_view text, SocketAddress& address);
// As it is written.
std::string ToString(const SocketAddress& address);

// Descriptors that the caller closes; -1, and why, if there is none. A port 0
// is replaced by the one that the system chose; a path is removed by
// Unlisten(), and taken over from a process that was killed.
int Listen(SocketAddress& address, std::string& problem);
void Unlisten(int fd, const SocketAddress& address);
int Connect(const SocketAddress& address, std::string& problem);

// For what is sent at once: small messages are not gathered.
void SendAtOnce(int fd);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_CAPTURE_SOCKET_ADDRESS_H_
