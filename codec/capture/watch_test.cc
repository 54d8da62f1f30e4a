// A stream that comes in pieces is followed to its end, whatever the pieces.

#include <algorithm>
#include <string>
#include <vector>

#include "codec/capture/channel_watch.h"
#include "codec/capture/main_watch.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

struct Watched {
  std::vector<std::string> lines;
  std::vector<std::string> findings;
  bool done = false;
  Error error;
  std::map<std::string, MainWatch::Device> devices;
};

Watched Watch(const std::string& bytes, size_t piece) {
  Watched seen;
  MainWatch watch({
      .on_command =
          [&](const CommandView& command) {
            seen.lines.push_back(ToString(command.command));
          },
      .on_init_data_sent =
          [&](uint64_t offset, bool all) {
            seen.lines.push_back(
                StrCat("ready ", Hex(offset), all ? " all" : ""));
          },
      .on_finding =
          [&](const Finding& finding) {
            if (finding.severity != Severity::kNote) {
              seen.findings.push_back(finding.message);
            }
          },
      .on_stopped =
          [&](uint64_t offset) {
            seen.lines.push_back(StrCat("stopped ", Hex(offset)));
          },
  });
  ByteSpan left = AsBytes(bytes);
  while (!left.empty()) {
    const size_t size = std::min(piece, left.size());
    watch.Feed(left.first(size));
    left = left.subspan(size);
  }
  watch.Quiet();
  seen.done = watch.is_done();
  seen.error = watch.error();
  seen.devices = watch.devices();
  return seen;
}

class WatchTest : public testing::TestWithParam<testdata::Capture> {};

TEST_P(WatchTest, SeesTheEndOfAStreamThatHasOne) {
  const std::string bytes = ReadCapture(GetParam());
  const bool whole = GetParam().name().find("cancelled") == std::string::npos;
  const Watched coarse = Watch(bytes, 1 << 16);
  EXPECT_EQ(coarse.done, whole) << ToString(coarse.error);
  EXPECT_TRUE(coarse.error.ok()) << ToString(coarse.error);
  EXPECT_EQ(Watch(bytes, 4001).lines, coarse.lines);
}

TEST_P(WatchTest, CountsThePacketsOfItsDevices) {
  const Watched main = Watch(ReadCapture(GetParam()), 1 << 16);
  PacketCounts counts;
  for (const std::string& bytes : ReadChannels(GetParam())) {
    ChannelWatch channel("channel", 4096, counts);
    for (size_t at = 0; at < bytes.size(); at += 5003) {
      channel.Feed(AsBytes(bytes.substr(at, 5003)));
    }
    EXPECT_TRUE(channel.error().ok()) << ToString(channel.error());
    EXPECT_TRUE(channel.at_boundary());
  }
  for (const auto& [idstr, device] : main.devices) {
    EXPECT_EQ(device.in_channels, counts.contains(idstr)) << idstr;
    if (device.in_channels) {
      EXPECT_TRUE(counts[idstr].whole()) << idstr;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(AllCaptures, WatchTest,
                         testing::ValuesIn(AllCaptures()), CaptureName());

TEST(WatchTest, TellsWhatADestinationHasToDo) {
  const Watched seen =
      Watch(ReadCapture(GetCapture("s111-switchover-ack")), 1000);
  EXPECT_THAT(seen.lines, testing::ElementsAre(
                              "OPEN_RETURN_PATH", "PING", "ready 0x2287c all",
                              "stopped 0x356d9", "SWITCHOVER_START"));
}

TEST(WatchTest, DamageIsSeenAtOnce) {
  std::string bytes = ReadCapture(GetCapture("s111-switchover-ack"));
  bytes[0x17837] = 0x33;  // A PART's type.
  const Watched seen = Watch(bytes.substr(0, 0x17840), 100);
  EXPECT_EQ(seen.error.offset, 0x17837U);
}

}  // namespace
}  // namespace migstream
