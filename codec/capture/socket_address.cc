#include "codec/capture/socket_address.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "codec/wire/text.h"

namespace migstream {
namespace {

// As many channels as QEMU may open at a time.
constexpr int kBacklog = 255;

sockaddr_un PathAddress(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

std::string Why(const SocketAddress& address) {
  return StrCat(ToString(address), ": ", std::strerror(errno));
}

int Failed(int fd, const SocketAddress& address, std::string& problem) {
  problem = Why(address);
  if (fd >= 0) close(fd);
  return -1;
}

int ConnectUnix(const SocketAddress& address, std::string& problem) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un to = PathAddress(address.path);
  if (fd < 0 ||
      connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    return Failed(fd, address, problem);
  }
  return fd;
}

// Whether it is a socket that a killed process has left.
bool IsAbandoned(const SocketAddress& address) {
  std::string problem;
  const int fd = ConnectUnix(address, problem);
  const bool refused = fd < 0 && errno == ECONNREFUSED;
  if (fd >= 0) close(fd);
  struct stat info;
  return refused && lstat(address.path.c_str(), &info) == 0 &&
         S_ISSOCK(info.st_mode);
}

int ListenUnix(const SocketAddress& address, std::string& problem) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un to = PathAddress(address.path);
  auto bound = [&] {
    return bind(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  };
  if (fd < 0) return Failed(fd, address, problem);
  if (!bound()) {
    const int why = errno;
    const bool again = why == EADDRINUSE && IsAbandoned(address) &&
                       unlink(address.path.c_str()) == 0 && bound();
    if (!again) {
      errno = why;
      return Failed(fd, address, problem);
    }
  }
  return listen(fd, kBacklog) == 0 ? fd : Failed(fd, address, problem);
}

// The first of a host's names with which `use` gives a descriptor.
template <typename Use>
int Tcp(const SocketAddress& address, int flags, std::string& problem,
        Use use) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  const bool any = address.host.empty() || address.host == "0";
  const int error = getaddrinfo(any ? nullptr : address.host.c_str(),
                                address.port.c_str(), &hints, &found);
  if (error != 0) {
    problem = StrCat(ToString(address), ": ", gai_strerror(error));
    return -1;
  }
  int fd = -1;
  for (const addrinfo* one = found; one != nullptr && fd < 0;
       one = one->ai_next) {
    fd = socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC,
                one->ai_protocol);
    if (fd >= 0 && !use(fd, *one)) fd = Failed(fd, address, problem);
  }
  if (fd < 0 && problem.empty()) problem = Why(address);
  freeaddrinfo(found);
  if (fd >= 0) problem.clear();
  return fd;
}

std::string PortOf(int fd) {
  sockaddr_storage bound = {};
  socklen_t size = sizeof bound;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0) {
    return "0";
  }
  const in_port_t port =
      bound.ss_family == AF_INET6
          ? reinterpret_cast<const sockaddr_in6*>(&bound)->sin6_port
          : reinterpret_cast<const sockaddr_in*>(&bound)->sin_port;
  return StrCat(ntohs(port));
}

// The C library takes one that is too large for another.
bool IsPort(std::string_view text) {
  if (text.empty() || text.size() > 5) return false;
  uint32_t port = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return false;
    port = port * 10 + static_cast<uint32_t>(c - '0');
  }
  return port <= 0xffff;
}

}  // namespace

std::string ParseAddress(std::string_view text, SocketAddress& address) {
  address = {};
  if (text.starts_with("unix:")) {
    address.path = std::string(text.substr(5));
    if (address.path.empty()) return "unix: needs a path";
    if (address.path.size() >= sizeof(sockaddr_un::sun_path)) {
      return StrCat("the path of a socket has at most ",
                    sizeof(sockaddr_un::sun_path) - 1, " bytes");
    }
    return "";
  }
  if (!text.starts_with("tcp:")) return "it begins with unix: or tcp:";
  text.remove_prefix(4);
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || !IsPort(text.substr(colon + 1))) {
    return "tcp: needs HOST:PORT, with a port of 0 to 65535";
  }
  address.port = std::string(text.substr(colon + 1));
  text = text.substr(0, colon);
  if (text.starts_with("[") && text.ends_with("]")) {
    text = text.substr(1, text.size() - 2);
  }
  address.host = std::string(text);
  return "";
}

std::string ToString(const SocketAddress& address) {
  if (address.is_unix()) return StrCat("unix:", address.path);
  const bool literal = address.host.find(':') != std::string::npos;
  return StrCat("tcp:", literal ? "[" : "", address.host, literal ? "]" : "",
                ":", address.port);
}

int Listen(SocketAddress& address, std::string& problem) {
  if (address.is_unix()) return ListenUnix(address, problem);
  const int fd =
      Tcp(address, AI_PASSIVE, problem, [](int candidate, const addrinfo& to) {
        const int on = 1;
        setsockopt(candidate, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        return bind(candidate, to.ai_addr, to.ai_addrlen) == 0 &&
               listen(candidate, kBacklog) == 0;
      });
  if (fd >= 0) address.port = PortOf(fd);
  return fd;
}

void Unlisten(int fd, const SocketAddress& address) {
  if (fd < 0) return;
  close(fd);
  if (address.is_unix()) unlink(address.path.c_str());
}

int Connect(const SocketAddress& address, std::string& problem) {
  if (address.is_unix()) return ConnectUnix(address, problem);
  return Tcp(address, 0, problem, [](int candidate, const addrinfo& to) {
    return connect(candidate, to.ai_addr, to.ai_addrlen) == 0;
  });
}

void SendAtOnce(int fd) {
  const int on = 1;
  // Means nothing to a unix socket.
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace migstream
