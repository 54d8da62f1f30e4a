#include "codec/capture/passed_descriptors.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace migstream {
namespace {

// The kernel passes no more at a time.
constexpr size_t kMostDescriptors = 253;
constexpr size_t kControlBytes = CMSG_SPACE(kMostDescriptors * sizeof(int));

}  // namespace

void PassedDescriptors::Close() {
  for (int fd : fds_) close(fd);
  fds_.clear();
}

ssize_t Receive(int fd, std::span<uint8_t> to, PassedDescriptors& passed,
                int flags) {
  alignas(cmsghdr) char control[kControlBytes];
  iovec piece = {to.data(), to.size()};
  msghdr message = {};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t count = 0;
  do {
    count = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | flags);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return count;
  for (cmsghdr* head = CMSG_FIRSTHDR(&message); head != nullptr;
       head = CMSG_NXTHDR(&message, head)) {
    if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) {
      continue;
    }
    const size_t fds = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < fds; ++i) {
      int one = -1;
      std::memcpy(&one, CMSG_DATA(head) + i * sizeof(int), sizeof one);
      passed.fds().push_back(one);
    }
  }
  return count;
}

bool SendAll(int fd, ByteSpan bytes, PassedDescriptors& passed, bool can_pass) {
  alignas(cmsghdr) char control[kControlBytes];
  while (!bytes.empty()) {
    iovec piece = {const_cast<uint8_t*>(bytes.data()), bytes.size()};
    msghdr message = {};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    if (!passed.empty() && can_pass) {
      const size_t size = passed.size() * sizeof(int);
      message.msg_control = control;
      message.msg_controllen = CMSG_SPACE(size);
      cmsghdr* head = CMSG_FIRSTHDR(&message);
      head->cmsg_level = SOL_SOCKET;
      head->cmsg_type = SCM_RIGHTS;
      head->cmsg_len = CMSG_LEN(size);
      std::memcpy(CMSG_DATA(head), passed.fds().data(), size);
    }
    const ssize_t count = sendmsg(fd, &message, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    passed.Close();
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return true;
}

}  // namespace migstream
