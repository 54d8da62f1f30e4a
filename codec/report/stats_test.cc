// Figures against the manifest's truth, and against streams that are counted
// by hand.

#include "codec/report/stats.h"

#include <numeric>
#include <string>
#include <vector>

#include "codec/channels/memory_channels.h"
#include "codec/device/config_bytes.h"
#include "codec/device/section_bytes.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/report/report.pb.h"
#include "codec/report/report_builder.h"
#include "codec/wire/text.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

report::Report ReportOf(const std::string& bytes,
                        const std::vector<std::string>& channels = {}) {
  MemorySource source(AsBytes(bytes));
  report::Report report;
  BuildReport(source, MemoryChannels(channels).given(), {}, report);
  return report;
}

class StatsCaptureTest : public testing::TestWithParam<testdata::Capture> {};

TEST_P(StatsCaptureTest, DevicesAndChannelsHaveTheManifestsBytes) {
  std::string bytes = ReadCapture(GetParam());
  std::vector<std::string> channels = ReadChannels(GetParam());
  report::Stats stats = MakeStats(ReportOf(bytes, channels), 100e9);
  EXPECT_EQ(stats.complete(), GetParam().completed());
  ASSERT_EQ(stats.channels_size(), 1 + channels.size());
  EXPECT_EQ(stats.channels(0).bytes(), bytes.size());
  for (size_t i = 0; i < channels.size(); ++i) {
    EXPECT_EQ(stats.channels(static_cast<int>(i) + 1).bytes(),
              channels[i].size());
  }
  if (!GetParam().completed()) return;
  ASSERT_EQ(stats.devices_size(), GetParam().devices_size());
  uint64_t stop_copy = 0;
  for (int i = 0; i < stats.devices_size(); ++i) {
    const report::DeviceStats& device = stats.devices(i);
    EXPECT_EQ(device.pre_copy().bytes() + device.stop_copy().bytes(),
              GetParam().devices(i).payload_bytes());
    EXPECT_FALSE(device.partial());
    stop_copy += device.stop_copy().bytes();
  }
  const report::Stopped& stopped = stats.stopped();
  EXPECT_EQ(stopped.device_bytes(), stop_copy);
  EXPECT_EQ(stopped.total_bytes(),
            stopped.device_bytes() + stopped.config_bytes() +
                stopped.ram_bytes() + stopped.other_bytes());
  uint64_t all = std::accumulate(
      stats.channels().begin(), stats.channels().end(), uint64_t{0},
      [](uint64_t sum, const report::ChannelStats& channel) {
        return sum + channel.bytes();
      });
  EXPECT_LT(stopped.total_bytes(), all);
  EXPECT_LE(stats.ram_bytes(), bytes.size());
}

INSTANTIATE_TEST_SUITE_P(All, StatsCaptureTest,
                         testing::ValuesIn(AllCaptures()), CaptureName());

const HandlerBytes kRam = {.id = 2, .idstr = "ram", .version = 4};
const HandlerBytes kVfio = {.id = 7, .idstr = "0000:00:05.0/vfio"};

TEST(StatsTest, WhatFollowsTheSwitchoverMovedWhileTheGuestWasStopped) {
  std::string eos = BeBytes(0x10, 8);
  std::string block = BeBytes(0x1000 | 0x04, 8) + Str8Bytes("pc.ram") +
                      BeBytes(0x1000, 8) + eos;
  std::string page =
      BeBytes(0x08, 8) + Str8Bytes("pc.ram") + std::string(4096, 'x') + eos;
  std::string config = ConfigBytes().Payload();
  std::string running = kRam.Start(block) + kVfio.Start(kSetupTag + kEos) +
                        kRam.Part(page) + kVfio.Part(DataBytes("abc") + kEos);
  std::string stopped = kRam.End(page) +
                        kVfio.End(DataBytes("de") + DataBytes("f") + kEos) +
                        kVfio.Full(TagBytes(2) + config + kEos) + EofBytes();
  for (const std::string& command : {std::string(), CommandBytes(11)}) {
    report::Stats stats =
        MakeStats(ReportOf(HeaderBytes() + running + command + stopped), 8000);
    ASSERT_TRUE(stats.complete());
    EXPECT_EQ(stats.devices(0).pre_copy().bytes(), 3);
    EXPECT_EQ(stats.devices(0).stop_copy().bytes(), 3);
    EXPECT_EQ(stats.devices(0).stop_copy().records(), 2);
    EXPECT_EQ(stats.devices(0).config_bytes(), config.size());
    EXPECT_EQ(stats.ram_bytes(), block.size() + 2 * page.size());
    EXPECT_EQ(stats.stopped().ram_bytes(), page.size());
    EXPECT_EQ(stats.stopped().total_bytes(), command.size() + stopped.size());
    EXPECT_EQ(
        stats.stopped().other_bytes(),
        command.size() + stopped.size() - page.size() - 3 - config.size());
    EXPECT_DOUBLE_EQ(
        stats.stopped().seconds(),
        static_cast<double>(command.size() + stopped.size()) / 1000);
  }
}

TEST(StatsTest, WhatCameOfARamSectionThatIsCutCounts) {
  const std::string stream = ReadCapture(GetCapture("s72-two"));
  const report::Report whole = ReportOf(stream);
  const uint64_t all = whole.switchover().ram_bytes_before();
  ASSERT_GT(all, 4096);
  // The PART's last page is not there, and its page's half.
  const report::Stats stats =
      MakeStats(ReportOf(stream.substr(0, all - 2000)), 1e9);
  EXPECT_FALSE(stats.complete());
  EXPECT_GT(stats.ram_bytes(), all / 2);
  EXPECT_LT(stats.ram_bytes(), all);
}

TEST(StatsTest, ChannelsThatWereNotGivenAreMissed) {
  report::Stats stats =
      MakeStats(ReportOf(ReadCapture(GetCapture("s100-multifd"))), 1e9);
  EXPECT_TRUE(stats.devices(0).partial());
}

TEST(StatsTest, LinksAreWrittenInManyWays) {
  EXPECT_DOUBLE_EQ(ParseLinkRate("100Gb"), 100e9);
  EXPECT_DOUBLE_EQ(ParseLinkRate("25Gbit/s"), 25e9);
  EXPECT_DOUBLE_EQ(ParseLinkRate("25Gbps"), 25e9);
  EXPECT_DOUBLE_EQ(ParseLinkRate("10GB/s"), 80e9);
  EXPECT_DOUBLE_EQ(ParseLinkRate("1.5MiB/s"), 1.5 * 1024 * 1024 * 8);
  EXPECT_DOUBLE_EQ(ParseLinkRate("300kB"), 2.4e6);
  EXPECT_DOUBLE_EQ(ParseLinkRate("9600b"), 9600);
  for (const char* bad : {"", "G", "Gb", "100", "100G", "-1Gb", "0Gb", "1e3Gb",
                          "1XB", "5iB", "1.2.3Gb", "nanGb", "/s", "infTb",
                          "1e400Gb", "999b", "0.9kb", "1001Tb", "126TB"}) {
    EXPECT_EQ(ParseLinkRate(bad), 0) << bad;
  }
  EXPECT_EQ(ParseLinkRate("1kb"), kLeastLinkRate);
  EXPECT_EQ(ParseLinkRate("1000Tb"), kMostLinkRate);
  EXPECT_EQ(ParseLinkRate(std::string(400, '9') + "b"), 0);
}

}  // namespace
}  // namespace migstream
