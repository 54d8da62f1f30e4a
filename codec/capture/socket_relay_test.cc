#include "codec/capture/socket_relay.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "codec/capture/passed_descriptors.h"
#include "codec/capture/socket_address.h"
#include "codec/wire/bytes.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

// Two ends that are connected.
struct Pair {
  int ours = -1;
  int theirs = -1;
};

Pair UnixPair() {
  int ends[2] = {-1, -1};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  return {ends[0], ends[1]};
}

Pair TcpPair() {
  SocketAddress address;
  EXPECT_EQ(ParseAddress("tcp:127.0.0.1:0", address), "");
  std::string problem;
  const int listener = Listen(address, problem);
  EXPECT_GE(listener, 0) << problem;
  Pair pair;
  pair.ours = Connect(address, problem);
  pair.theirs = accept(listener, nullptr, nullptr);
  Unlisten(listener, address);
  return pair;
}

std::string Pattern(size_t bytes) {
  std::string text(bytes, '\0');
  uint32_t state = 1;
  for (char& one : text) {
    state = state * 1664525 + 1013904223;
    one = static_cast<char>(state >> 24);
  }
  return text;
}

// A source, a relay and a destination, each on its thread.
class Relayed {
 public:
  Relayed(Pair source, Pair destination)
      : source_(source), destination_(destination) {}
  ~Relayed() {
    for (int fd : {source_.ours, source_.theirs, destination_.ours,
                   destination_.theirs}) {
      close(fd);
    }
  }

  int source() const { return source_.ours; }
  int destination() const { return destination_.theirs; }

  // Until the source has sent all. What was shown on the way.
  std::string Run(size_t room_bytes, bool without_splice = false) {
    std::string seen;
    std::thread thread([&] {
      if (without_splice) ForbidSplice();
      SocketRelay relay(source_.theirs, destination_.ours,
                        {.passes = true, .moves = true});
      std::vector<uint8_t> room(room_bytes);
      while (true) {
        PassedDescriptors passed;
        const ssize_t count = relay.Receive(room, passed);
        if (count <= 0) break;
        const ByteSpan bytes = ByteSpan(room).first(static_cast<size_t>(count));
        seen.append(AsText(bytes));
        if (!relay.PassOn(bytes, passed)) break;
      }
      shutdown(destination_.ours, SHUT_WR);
    });
    thread.join();
    return seen;
  }

 private:
  // This thread's calls of splice() fail, as a sandbox may have it.
  static void ForbidSplice() {
    sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_splice, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program = {4, rules};
    ASSERT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ASSERT_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
  }

  const Pair source_;
  const Pair destination_;
};

// In pieces of sizes that fit nothing, and the end.
void Send(int fd, ByteSpan bytes) {
  for (size_t piece = 1; !bytes.empty(); piece = piece * 3 + 1) {
    const ByteSpan here = bytes.first(std::min(bytes.size(), piece));
    PassedDescriptors none;
    ASSERT_TRUE(SendAll(fd, here, none));
    bytes = bytes.subspan(here.size());
  }
  shutdown(fd, SHUT_WR);
}

std::string ReceiveAll(int fd) {
  std::string text;
  std::vector<uint8_t> room(100'000);
  while (true) {
    const ssize_t count = read(fd, room.data(), room.size());
    if (count <= 0) return text;
    text.append(AsText(ByteSpan(room).first(static_cast<size_t>(count))));
  }
}

void ExpectAllIsPassedOn(bool without_splice) {
  const std::string sent = Pattern(3'000'000);
  for (auto make : {UnixPair, TcpPair}) {
    for (size_t room : {100, 70'000, 256 << 10}) {
      Relayed relayed(make(), make());
      std::string came;
      std::thread source([&] { Send(relayed.source(), AsBytes(sent)); });
      std::thread sink([&] { came = ReceiveAll(relayed.destination()); });
      EXPECT_TRUE(relayed.Run(room, without_splice) == sent) << room;
      source.join();
      sink.join();
      EXPECT_TRUE(came == sent) << room;
    }
  }
}

TEST(SocketRelayTest, ShowsAllAndPassesItOn) { ExpectAllIsPassedOn(false); }

TEST(SocketRelayTest, CopiesWhereTheSystemMovesNothing) {
  ExpectAllIsPassedOn(true);
}

TEST(SocketRelayTest, DescriptorsBetweenLargePiecesAreNotLost) {
  const std::string large = Pattern(60'000);
  Relayed relayed(UnixPair(), UnixPair());
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  PassedDescriptors passed;
  ASSERT_TRUE(SendAll(relayed.source(), AsBytes(large), passed));
  passed.fds().push_back(pipe_ends[1]);
  ASSERT_TRUE(SendAll(relayed.source(), AsBytes("with it"), passed));
  ASSERT_TRUE(SendAll(relayed.source(), AsBytes(large), passed));
  shutdown(relayed.source(), SHUT_WR);
  EXPECT_TRUE(relayed.Run(256 << 10) == large + "with it" + large);
  std::string came;
  PassedDescriptors arrived;
  std::vector<uint8_t> room(256 << 10);
  while (true) {
    const ssize_t count = Receive(relayed.destination(), room, arrived);
    if (count <= 0) break;
    came.append(AsText(ByteSpan(room).first(static_cast<size_t>(count))));
  }
  EXPECT_TRUE(came == large + "with it" + large);
  ASSERT_EQ(arrived.size(), 1U);
  EXPECT_EQ(write(arrived.fds()[0], "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(read(pipe_ends[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'x');
  close(pipe_ends[0]);
}

TEST(SocketRelayTest, AnEndThatIsGoneIsNoSignal) {
  for (auto make : {UnixPair, TcpPair}) {
    const Pair source = make(), destination = make();
    close(destination.theirs);
    const std::string sent = Pattern(100'000);
    std::thread sender([&] {
      PassedDescriptors none;
      while (SendAll(source.ours, AsBytes(sent), none)) {
      }
    });
    SocketRelay relay(source.theirs, destination.ours, {.moves = true});
    std::vector<uint8_t> room(64 << 10);
    bool passed_on = true;
    while (passed_on) {
      PassedDescriptors passed;
      const ssize_t count = relay.Receive(room, passed);
      if (count <= 0) break;
      passed_on = relay.PassOn(ByteSpan(room).first(static_cast<size_t>(count)),
                               passed);
    }
    EXPECT_FALSE(passed_on);
    close(source.theirs);
    sender.join();
    for (int fd : {source.ours, destination.ours}) close(fd);
  }
}

}  // namespace
}  // namespace migstream
