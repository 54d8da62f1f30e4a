#include <sys/socket.h>
#include <unistd.h>

#include <array>
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
        "tcp:host:123456", "exec:cat", "/run/vm.sock"}) {
    SocketAddress address;
    EXPECT_NE(ParseAddress(text, address), "") << text;
  }
  SocketAddress address;
  EXPECT_NE(ParseAddress(StrCat("unix:/", std::string(120, 'x')), address), "");
}

TEST(SocketAddressTest, WhatListensIsConnectedTo) {
  const std::string unix_path =
      StrCat("unix:/tmp/ms", getpid(), ".sock");  // A path has little room.
  for (std::string text : {std::string("tcp:127.0.0.1:0"), unix_path}) {
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
