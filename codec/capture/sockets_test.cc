#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <string>

#include "codec/capture/passed_descriptors.h"
#include "codec/capture/socket_address.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

TEST(SocketAddressTest, IsWrittenAsQemuWritesIt) {
  for (std::string text : {"unix:/run/vm.sock", "tcp:host.example:4444",
                           "tcp:0:4444", "tcp:[::1]:1", "tcp::5"}) {
    SocketAddress address;
    EXPECT_EQ(ParseAddress(text, address), "") << text;
    EXPECT_EQ(ToString(address), text);
  }
}

TEST(SocketAddressTest, AnythingElseIsNone) {
  for (std::string text :
       {"", "unix:", "tcp:", "tcp:host", "tcp:host:", "tcp:host:http",
        "tcp:host:123456", "tcp:host:65536", "exec:cat", "/run/vm.sock"}) {
    SocketAddress address;
    EXPECT_NE(ParseAddress(text, address), "") << text;
  }
  SocketAddress address;
  EXPECT_NE(ParseAddress(StrCat("unix:/", std::string(120, 'x')), address), "");
}

// A folder for a socket, whose path has little room.
class SocketFolder {
 public:
  SocketFolder() { EXPECT_NE(mkdtemp(path_), nullptr); }
  ~SocketFolder() { EXPECT_EQ(rmdir(path_), 0) << "something is left in it"; }
  std::string address() const { return StrCat("unix:", path_, "/socket"); }

 private:
  char path_[32] = "/tmp/ms.XXXXXX";
};

TEST(SocketAddressTest, WhatListensIsConnectedTo) {
  SocketFolder folder;
  for (std::string text : {std::string("tcp:127.0.0.1:0"), folder.address()}) {
    SocketAddress address;
    ASSERT_EQ(ParseAddress(text, address), "") << text;
    std::string problem;
    const int listener = Listen(address, problem);
    ASSERT_GE(listener, 0) << problem;
    const int fd = Connect(address, problem);
    EXPECT_GE(fd, 0) << problem;
    close(fd);
    Unlisten(listener, address);
    EXPECT_EQ(Connect(address, problem), -1);
    EXPECT_NE(problem, "");
  }
}

TEST(SocketAddressTest, AKilledListenersSocketIsTakenOverAndALivingOnesIsNot) {
  SocketFolder folder;
  SocketAddress address;
  ASSERT_EQ(ParseAddress(folder.address(), address), "");
  std::string problem;
  const int killed = Listen(address, problem);
  EXPECT_EQ(Listen(address, problem), -1);
  EXPECT_THAT(problem, testing::HasSubstr("Address already in use"));
  close(killed);
  const int listener = Listen(address, problem);
  EXPECT_GE(listener, 0) << problem;
  Unlisten(listener, address);
  // What is no socket is somebody's.
  std::ofstream(address.path) << "a file";
  EXPECT_EQ(Listen(address, problem), -1);
  EXPECT_EQ(unlink(address.path.c_str()), 0);
}

TEST(PassedDescriptorsTest, ComeWithTheirByte) {
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  PassedDescriptors sent;
  sent.fds().push_back(ends[1]);
  const std::string text = "with it";
  ASSERT_TRUE(SendAll(pair[0], AsBytes(text), sent));
  EXPECT_TRUE(sent.empty());  // Closed here.
  std::array<uint8_t, 64> room;
  PassedDescriptors came;
  EXPECT_EQ(Receive(pair[1], room, came), 7);
  ASSERT_EQ(came.size(), 1U);
  EXPECT_EQ(write(came.fds()[0], "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(read(ends[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'x');
  for (int fd : {pair[0], pair[1], ends[0]}) close(fd);
}

}  // namespace
}  // namespace migstream
