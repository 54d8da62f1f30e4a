// Every capture of a real QEMU, rewritten in every way that it allows.

#include <algorithm>
#include <string>

#include "codec/rewrite/rewrite.h"
#include "codec/rewrite/rewrite_streams.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::HasSubstr;

bool Is52(const testdata::Capture& capture) {
  return capture.qemu().rfind("5.", 0) == 0;
}
bool IsV1(const testdata::Capture& capture) {
  return Is52(capture) || capture.qemu().rfind("7.", 0) == 0;
}

class RewriteCaptureTest : public testing::TestWithParam<testdata::Capture> {
 protected:
  RewriteCaptureTest() : bytes_(ReadCapture(GetParam())) {
    whole_ = GetParam().completed() && GetParam().devices_size() > 0 &&
             !HasDeviceStateChannels(GetParam());
  }

  const std::string bytes_;
  bool whole_;  // All of its devices' state is there.
};

TEST_P(RewriteCaptureTest, WithoutOptionsNotOneByteChanges) {
  Rewritten same = RewriteBytes(bytes_, {});
  EXPECT_EQ(same.error.ok(), GetParam().completed()) << ToString(same.error);
  EXPECT_TRUE(same.bytes == bytes_);
}

TEST_P(RewriteCaptureTest, RecordsOfV2AreCutAndThoseOfV1AreNot) {
  if (!whole_) return;
  RewriteOptions options;
  options.record_bytes = 1000;
  options.reader.dialect = Row(
      IsV1(GetParam()) ? Is52(GetParam()) ? DialectId::kV52 : DialectId::kV60
                       : DialectId::kV81);
  Rewritten cut = RewriteBytes(bytes_, options);
  if (IsV1(GetParam())) {
    EXPECT_EQ(cut.error.code, ErrorCode::kNotWritable);
    EXPECT_THAT(cut.error.reason, HasSubstr("transaction of the device"));
    return;
  }
  ASSERT_TRUE(cut.error.ok()) << ToString(cut.error);
  ExpectSamePayloads(GetParam(), cut.bytes);
  report::Report report = ReportOf(cut.bytes);
  for (const report::Device& device : report.devices()) {
    EXPECT_LE(device.largest_record_bytes(), 1000);
    EXPECT_GE(device.data_records(), device.payload_bytes() / 1000);
  }
}

TEST_P(RewriteCaptureTest, From52ToV60AndBackGivesTheSameBytes) {
  if (!whole_ || !Is52(GetParam())) return;
  RewriteOptions options;
  options.to = Row(DialectId::kV60);
  Rewritten later = RewriteBytes(bytes_, options);
  ASSERT_TRUE(later.error.ok()) << ToString(later.error);
  ExpectSamePayloads(GetParam(), later.bytes);
  report::Report report = ReportOf(later.bytes);
  EXPECT_THAT(report.dialect(), testing::StartsWith("V60"));
  for (const report::Device& device : report.devices()) {
    EXPECT_EQ(device.config().section(), "FULL");
    EXPECT_EQ(Extract(later.bytes, device.idstr(), PayloadExtractor::kConfig),
              Extract(bytes_, device.idstr(), PayloadExtractor::kConfig));
  }
  options.to = Row(DialectId::kV52);
  Rewritten back = RewriteBytes(later.bytes, options);
  ASSERT_TRUE(back.error.ok()) << ToString(back.error);
  EXPECT_TRUE(back.bytes == bytes_);
}

TEST_P(RewriteCaptureTest, FromV60To52AndBackLosesNothing) {
  if (!whole_ || !IsV1(GetParam()) || Is52(GetParam())) return;
  RewriteOptions options;
  options.to = Row(DialectId::kV52);
  Rewritten earlier = RewriteBytes(bytes_, options);
  ASSERT_TRUE(earlier.error.ok()) << ToString(earlier.error);
  ExpectSamePayloads(GetParam(), earlier.bytes);
  report::Report report = ReportOf(earlier.bytes);
  EXPECT_EQ(report.dialect(), "V52");
  options.to = Row(DialectId::kV60);
  Rewritten back = RewriteBytes(earlier.bytes, options);
  ASSERT_TRUE(back.error.ok()) << ToString(back.error);
  EXPECT_EQ(back.bytes.size(), bytes_.size());
  ExpectSamePayloads(GetParam(), back.bytes);
}

TEST_P(RewriteCaptureTest, EmptyPartsAreGoneAndNothingElse) {
  if (!whole_) return;
  RewriteOptions options;
  options.strip_empty_parts = true;
  Rewritten stripped = RewriteBytes(bytes_, options);
  ASSERT_TRUE(stripped.error.ok()) << ToString(stripped.error);
  ExpectSamePayloads(GetParam(), stripped.bytes);
  report::Report before = ReportOf(bytes_);
  report::Report after = ReportOf(stripped.bytes);
  uint64_t empty = 0;
  for (int i = 0; i < before.devices_size(); ++i) {
    const report::Device& device = before.devices(i);
    uint64_t useful =
        device.pre_copy().records() +
        (device.init_data_sent() > 0 && device.pre_copy().records() == 0);
    EXPECT_LE(after.devices(i).pre_copy().sections(), useful);
    EXPECT_EQ(after.devices(i).init_data_sent(), device.init_data_sent());
    empty +=
        device.pre_copy().sections() - after.devices(i).pre_copy().sections();
  }
  EXPECT_EQ(before.sections().part() - after.sections().part(), empty);
}

TEST_P(RewriteCaptureTest, APayloadIsExchanged) {
  if (!whole_ || GetParam().devices_size() != 1) return;
  const uint64_t size = GetParam().devices(0).payload_bytes();
  for (int64_t more : {0, -1, 3 << 20}) {
    if (size == 0 && more <= 0) continue;
    std::string payload(size + more, 'P');
    payload.back() = 'e';
    MemorySource source(AsBytes(payload));
    RewriteOptions options;
    options.payload = &source;
    options.reader.dialect =
        Row(IsV1(GetParam()) ? DialectId::kAuto : DialectId::kV81);
    Rewritten replaced = RewriteBytes(bytes_, options);
    if (IsV1(GetParam()) && more != 0) {
      EXPECT_EQ(replaced.error.code, ErrorCode::kNotWritable) << more;
      continue;
    }
    ASSERT_TRUE(replaced.error.ok()) << ToString(replaced.error);
    EXPECT_TRUE(Extract(replaced.bytes, "") == payload) << more;
    ReportOf(replaced.bytes);
  }
}

TEST_P(RewriteCaptureTest, AConfigIsExchanged) {
  if (!whole_) return;
  const std::string device = GetParam().devices(0).idstr();
  std::string config = Extract(bytes_, device, PayloadExtractor::kConfig);
  config[4] = 7;  // Command.
  RewriteOptions options;
  options.device = device;
  options.config = config;
  Rewritten replaced = RewriteBytes(bytes_, options);
  ASSERT_TRUE(replaced.error.ok()) << ToString(replaced.error);
  EXPECT_EQ(replaced.bytes.size(), bytes_.size());
  EXPECT_TRUE(Extract(replaced.bytes, device, PayloadExtractor::kConfig) ==
              config);
  ExpectSamePayloads(GetParam(), replaced.bytes);

  // Another size; where there is a description, it says so.
  options.config.resize(config.size() == 256 ? 4096 : 256);
  replaced = RewriteBytes(bytes_, options);
  ASSERT_TRUE(replaced.error.ok()) << ToString(replaced.error);
  EXPECT_TRUE(Extract(replaced.bytes, device, PayloadExtractor::kConfig) ==
              options.config);
  ReportOf(replaced.bytes);
}

TEST_P(RewriteCaptureTest, ADroppedDeviceLeavesTheOthersAsTheyWere) {
  if (!GetParam().completed() || GetParam().devices_size() == 0) return;
  RewriteOptions options;
  options.dropped_devices = {GetParam().devices(0).idstr()};
  Rewritten dropped = RewriteBytes(bytes_, options);
  ASSERT_TRUE(dropped.error.ok()) << ToString(dropped.error);
  report::Report report = ReportOf(dropped.bytes);
  EXPECT_EQ(report.devices_size(), GetParam().devices_size() - 1);
  if (!whole_ || GetParam().devices_size() < 2) return;
  const testdata::Device& other = GetParam().devices(1);
  EXPECT_EQ(Sha256(Extract(dropped.bytes, other.idstr())),
            other.payload_sha256());
}

TEST_P(RewriteCaptureTest, ChannelsAreWrittenAgainToTheLastByte) {
  Streams streams = {bytes_, ReadChannels(GetParam())};
  if (streams.channels.empty() || !GetParam().completed()) return;
  RewrittenStreams same =
      RewriteStreams(streams, streams.channels.size(), RewriteOptions());
  ASSERT_TRUE(same.error.ok()) << ToString(same.error);
  EXPECT_TRUE(same.streams.main == bytes_);
  EXPECT_TRUE(same.streams.channels == streams.channels);
}

TEST_P(RewriteCaptureTest, ChannelsAreMergedIntoOneAndSplitOverFour) {
  Streams streams = {bytes_, ReadChannels(GetParam())};
  if (streams.channels.empty() || !GetParam().completed()) return;
  RewriteOptions options;
  options.single_channel = true;
  RewrittenStreams merged = RewriteStreams(streams, 0, options);
  ASSERT_TRUE(merged.error.ok()) << ToString(merged.error);
  ExpectSamePayloads(GetParam(), merged.streams.main);
  report::Report report = ReportOf(merged.streams.main);
  EXPECT_EQ(report.ram().multifd_flushes(), 0);
  for (const report::Device& device : report.devices()) {
    EXPECT_FALSE(device.multifd_device_state());
    EXPECT_TRUE(device.has_config());
  }
  if (GetParam().devices_size() == 0 || IsV1(GetParam())) return;

  options = {};
  options.split_channels = true;
  RewrittenStreams split = RewriteStreams(merged.streams, 4, options);
  ASSERT_TRUE(split.error.ok()) << ToString(split.error);
  for (const testdata::Device& device : GetParam().devices()) {
    for (auto what : {PayloadExtractor::kPayload, PayloadExtractor::kConfig}) {
      EXPECT_TRUE(ExtractFrom(split.streams, device.idstr(), what) ==
                  Extract(merged.streams.main, device.idstr(), what));
    }
  }

  // And merged again: the channels have sync points, and no guest memory.
  EXPECT_EQ(ReportOf(split.streams.main).ram().multifd_flushes(), 2);
  options = {};
  options.single_channel = true;
  RewrittenStreams again = RewriteStreams(split.streams, 0, options);
  ASSERT_TRUE(again.error.ok()) << ToString(again.error);
  ExpectSamePayloads(GetParam(), again.streams.main);
  options.split_channels = true;

  // Both at once, from the channels that there were.
  options.single_channel = true;
  RewrittenStreams dealt = RewriteStreams(streams, 4, options);
  ASSERT_TRUE(dealt.error.ok()) << ToString(dealt.error);
  // A single channel cannot keep CONFIG_LOAD_READY.
  const report::Report before = ReportOf(bytes_);
  const bool lost = std::any_of(
      before.devices().begin(), before.devices().end(),
      [](const report::Device& device) { return device.config_load_ready(); });
  EXPECT_EQ(dealt.streams.main == split.streams.main, !lost);
}

INSTANTIATE_TEST_SUITE_P(All, RewriteCaptureTest,
                         testing::ValuesIn(AllCaptures()), CaptureName());

}  // namespace
}  // namespace migstream
