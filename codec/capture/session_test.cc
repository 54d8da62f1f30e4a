// A capture as a destination, with peers that a network has as well.

#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "codec/capture/capture_session.h"
#include "codec/capture/socket_address.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr char kHeader[] = "QEVM\0\0\0\3";
constexpr char kOpenReturnPath[] = "\x08\0\1\0";
constexpr char kPing[] = "\x08\0\2\0\4\0\0\0\1";

std::string Stream() { return ReadCapture(GetCapture("s111-switchover-ack")); }

class CaptureSessionTest : public testing::Test {
 protected:
  CaptureSessionTest() {
    // A socket's path has little room.
    char folder[] = "/tmp/ms.XXXXXX";
    EXPECT_NE(mkdtemp(folder), nullptr);
    folder_ = folder;
    listen_.path = folder_ + "/sock";
    options_.routes = {{listen_, {}}};
    options_.name = StrCat(testing::TempDir(), "/session", getpid());
    options_.replaces = true;
    options_.on_first = [this] {
      ++firsts_;
      return "";
    };
    options_.say = [this](const std::string&) {
      (void)!write(said_[1], "", 1);
    };
    EXPECT_EQ(pipe(said_), 0);
    EXPECT_EQ(pipe(stop_), 0);
  }
  ~CaptureSessionTest() override {
    for (const std::string& file : result_.files) unlink(file.c_str());
    EXPECT_EQ(rmdir(folder_.c_str()), 0) << "the socket is still there";
    for (int fd : {said_[0], said_[1], stop_[0], stop_[1]}) close(fd);
  }

  // Returns once it listens, or has said why it does not.
  void Start() {
    running_ =
        std::thread([this] { result_ = RunCapture(options_, stop_[0]); });
    char byte = 0;
    EXPECT_EQ(read(said_[0], &byte, 1), 1);
  }
  void Stop() { EXPECT_EQ(write(stop_[1], "", 1), 1); }
  const CaptureResult& End() {
    running_.join();
    return result_;
  }

  int Join(std::string_view bytes = "") {
    std::string problem;
    const int fd = Connect(listen_, problem);
    EXPECT_GE(fd, 0) << problem;
    EXPECT_TRUE(Send(fd, bytes));
    return fd;
  }
  static bool Send(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  std::string folder_;
  SocketAddress listen_;
  CaptureOptions options_;
  int firsts_ = 0;

 private:
  int said_[2];
  int stop_[2];
  std::thread running_;
  CaptureResult result_;
};

// The header of a stream that pings.
std::string PingingStream() {
  return StrCat(std::string_view(kHeader, sizeof kHeader - 1),
                std::string_view(kOpenReturnPath, sizeof kOpenReturnPath));
}

std::string Pings(size_t count) {
  std::string pings;
  while (count-- != 0) pings.append(kPing, sizeof kPing - 1);
  return pings;
}

TEST_F(CaptureSessionTest, WhoeverSaysNothingIsNotWaitedFor) {
  Start();
  const int silent = Join();
  const int unfinished = Join("QE");
  close(Join(Stream()));
  const CaptureResult& result = End();
  EXPECT_EQ(result.problem, "");
  EXPECT_THAT(result.files,
              ElementsAre(StrCat(options_.name, ".qvm"), testing::_));
  EXPECT_EQ(firsts_, 1);
  close(silent);
  close(unfinished);
}

TEST_F(CaptureSessionTest, TheFirstBytesMayComeInPieces) {
  Start();
  const std::string stream = Stream();
  const int source = Join(stream.substr(0, 2));
  // Until they are seen: another connection's end.
  close(Join());
  EXPECT_TRUE(Send(source, stream.substr(2)));
  close(source);
  EXPECT_TRUE(End().has_main);
}

TEST_F(CaptureSessionTest, AScannerOfPortsEndsNothingAndTakesNoRoom) {
  Start();
  for (int i = 0; i < 500; ++i) close(Join());
  close(Join(Stream()));
  const CaptureResult& result = End();
  EXPECT_EQ(result.problem, "");
  EXPECT_TRUE(result.has_main);
}

TEST_F(CaptureSessionTest, AsManyChannelsAsQemuMayOpenLeaveRoom) {
  Start();
  std::vector<int> channels;
  for (int i = 0; i < 255; ++i) {
    channels.push_back(Join(std::string_view("\x11\x22\x33\x44\0\0\0\1", 8)));
  }
  close(Join(Stream()));
  for (int fd : channels) close(fd);
  const CaptureResult& result = End();
  EXPECT_EQ(result.problem, "");
  EXPECT_THAT(result.files, SizeIs(257));
}

TEST_F(CaptureSessionTest, ASourceThatDoesNotReadIsRefused) {
  Start();
  const int source = Join(PingingStream());
  const std::string pings = Pings(1000);
  while (Send(source, pings)) {
  }
  EXPECT_THAT(End().problem, HasSubstr("does not read its answers"));
  close(source);
}

TEST_F(CaptureSessionTest, WhatIsAnsweredIsRecorded) {
  constexpr size_t kPings = 50;
  constexpr size_t kPongBytes = 8;
  Start();
  const int source = Join(PingingStream());
  std::string pongs(20 * kPings * kPongBytes, '\0');
  for (size_t at = 0; at < pongs.size(); at += kPings * kPongBytes) {
    EXPECT_TRUE(Send(source, Pings(kPings)));
    EXPECT_EQ(recv(source, &pongs[at], kPings * kPongBytes, MSG_WAITALL),
              static_cast<ssize_t>(kPings * kPongBytes));
  }
  close(source);
  const CaptureResult& result = End();
  EXPECT_EQ(result.problem, "");
  std::ifstream file(StrCat(options_.name, ".return"), std::ios::binary);
  EXPECT_TRUE(std::string(std::istreambuf_iterator<char>(file), {}) == pongs);
}

// A whole stream in the file is no migration that ended well.
TEST_F(CaptureSessionTest, ADestinationThatEndsTooEarlyIsTold) {
  SocketAddress onward;
  onward.path = folder_ + "/onward";
  std::string problem;
  const int listener = Listen(onward, problem);
  ASSERT_GE(listener, 0) << problem;
  options_.routes[0].forward = onward;
  Start();
  const std::string stream = Stream();
  const int source = Join(stream.substr(0, 1000));
  const int destination = accept(listener, nullptr, nullptr);
  std::string came(1000, '\0');
  EXPECT_EQ(recv(destination, came.data(), came.size(), MSG_WAITALL), 1000);
  EXPECT_TRUE(came == stream.substr(0, 1000));
  close(destination);
  Send(source, stream.substr(1000));
  const CaptureResult& result = End();
  EXPECT_THAT(result.problem, HasSubstr("the destination closed it before"));
  EXPECT_TRUE(result.has_main);
  close(source);
  Unlisten(listener, onward);
}

TEST_F(CaptureSessionTest, WhereNothingCameNothingIsReplaced) {
  Start();
  const int silent = Join();
  Stop();
  EXPECT_EQ(End().problem, "interrupted");
  EXPECT_EQ(firsts_, 0);
  close(silent);
}

TEST_F(CaptureSessionTest, WhatCannotListenLeavesNoSocket) {
  SocketAddress nowhere;
  nowhere.path = "/nonexistent/socket";
  options_.routes = {{listen_, nowhere}, {nowhere, nowhere}};
  EXPECT_THAT(RunCapture(options_, -1).problem, HasSubstr("No such file"));
  EXPECT_NE(access(listen_.path.c_str(), F_OK), 0);
}

}  // namespace
}  // namespace migstream
