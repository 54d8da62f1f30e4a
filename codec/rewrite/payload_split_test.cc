// A device is given another payload, whose first bytes travelled in pre-copy:
// they are in PARTs, and the others in END, whatever the stream had before.

#include <optional>
#include <string>

#include "codec/rewrite/rewrite_streams.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

using testing::HasSubstr;

// Which no record of a capture can hold, nor a single one of any.
std::string Long() {
  std::string payload;
  while (payload.size() < (size_t{5} << 20) / 2) {
    StrAppend(&payload, payload.size(), ";");
  }
  return payload;
}

struct Result {
  Error error;
  Streams streams;
  uint64_t pre_copy_bytes = 0;
};

Result Split(std::string_view capture, const std::string& payload,
             uint64_t split, RewriteOptions options = {},
             size_t out_channels = 0) {
  MemorySource source(AsBytes(payload));
  options.payload = &source;
  options.payload_split = split;
  RewrittenStreams rewritten =
      RewriteStreams(ReadStreams(capture), out_channels, options);
  Result result = {rewritten.error, rewritten.streams};
  if (!result.error.ok()) return result;
  StreamVisitor nobody;
  StreamSurvey survey(options.reader, nobody);
  MemorySource main(AsBytes(result.streams.main));
  const MemoryChannels channels(result.streams.channels);
  Error error =
      survey.ReadAll(main, channels.given(), [](const ReassembledPiece&) {});
  EXPECT_TRUE(error.ok()) << ToString(error);
  result.pre_copy_bytes = survey.facts().devices[0].data.pre_copy.bytes;
  return result;
}

TEST(PayloadSplitTest, TheFirstBytesAreOfPreCopyAndTheOthersAreNot) {
  const std::string payload = Long();
  for (std::string_view capture :
       {"s100-precopy", "s111-precopy", "s111-switchover-ack"}) {
    RewriteOptions options;
    options.reader.dialect = Row(DialectId::kV111);
    for (uint64_t split : {uint64_t{0}, uint64_t{1}, uint64_t{90},
                           uint64_t{1} << 20, uint64_t{payload.size()}}) {
      Result result = Split(capture, payload, split, options);
      ASSERT_TRUE(result.error.ok())
          << capture << ": " << ToString(result.error);
      EXPECT_EQ(result.pre_copy_bytes, split) << capture;
      EXPECT_TRUE(ExtractFrom(result.streams, "", PayloadExtractor::kPayload) ==
                  payload)
          << capture << " " << split;
      (void)ReportOf(result.streams.main);
    }
  }
}

TEST(PayloadSplitTest, ChannelsAreFoldedAndSpreadAgainForIt) {
  const std::string payload = Long();
  RewriteOptions options;
  options.single_channel = true;
  options.split_channels = true;
  Result result = Split("s111-multifd-precopy-ack", payload, 90, options, 2);
  ASSERT_TRUE(result.error.ok()) << ToString(result.error);
  EXPECT_EQ(result.pre_copy_bytes, 90u);
  EXPECT_TRUE(ExtractFrom(result.streams, "", PayloadExtractor::kPayload) ==
              payload);
}

// A record of v1 is a transaction of the device.
TEST(PayloadSplitTest, RecordsOfV1StayAsTheyAre) {
  std::string old = Extract(ReadStreams("s52-precopy").main, "");
  StreamVisitor nobody;
  StreamSurvey survey({}, nobody);
  std::string bytes = ReadStreams("s52-precopy").main;
  MemorySource main(AsBytes(bytes));
  ASSERT_TRUE(survey.Read(main).ok());
  const uint64_t split = survey.facts().devices[0].data.pre_copy.bytes;
  const std::string payload(old.size(), 'p');
  Result result = Split("s52-precopy", payload, split);
  ASSERT_TRUE(result.error.ok()) << ToString(result.error);
  EXPECT_EQ(result.pre_copy_bytes, split);
  for (uint64_t other : {split - 1, split + 1}) {
    EXPECT_THAT(Split("s52-precopy", payload, other).error.reason,
                HasSubstr("records of v1 must stay as they are"));
  }
}

TEST(PayloadSplitTest, WhatCannotBeSplitIsRefused) {
  RewriteOptions options;
  options.payload_split = 1;
  EXPECT_THAT(
      RewriteStreams(ReadStreams("s111-precopy"), 0, options).error.reason,
      HasSubstr("no new payload to split"));
  Result result = Split("s111-precopy", "abc", 4);
  EXPECT_EQ(result.error.code, ErrorCode::kBadOptions);
  EXPECT_EQ(result.error.reason,
            "the new payload has 3 bytes, and is to be split after 4");
  RewriteOptions v80;
  v80.reader.dialect = Row(DialectId::kV80);
  EXPECT_THAT(Split("s111-tiny", "abc", 1, v80).error.reason,
              HasSubstr("V80, which has no pre-copy"));
  EXPECT_TRUE(Split("s111-tiny", "abc", 0, v80).error.ok());
  // By its bytes, an xe VF's.
  std::string descriptor("\1\1", 2);
  descriptor.resize(24);
  EXPECT_THAT(Split("s111-precopy", descriptor, 1).error.reason,
              HasSubstr("xe, which has no pre-copy"));
}

}  // namespace
}  // namespace migstream
