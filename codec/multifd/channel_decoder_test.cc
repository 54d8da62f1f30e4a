#include "codec/multifd/channel_decoder.h"

#include <random>
#include <string>
#include <vector>

#include "codec/multifd/packet_bytes.h"
#include "codec/wire/text.h"
#include "flags/multifd_flags.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

struct Seen {
  std::vector<std::string> events;  // The pieces of a payload put together.
  Error error;
  std::string bytes;  // All events' bytes.
};

Seen Decode(const std::string& bytes, size_t longest, uint32_t seed = 1) {
  Seen seen;
  ChannelDecoder decoder;
  std::mt19937 random(seed);
  std::string held;
  size_t given = 0;
  MultifdEvent event;
  while (true) {
    std::string buffer = held;
    ByteSpan input = AsBytes(buffer);
    Step step = decoder.Next(input, event);
    held = std::string(AsText(input));
    if (step == Step::kError) {
      seen.error = decoder.error("channel");
      EXPECT_EQ(decoder.Next(input, event), Step::kError) << "sticky";
      return seen;
    }
    if (step == Step::kNeedInput) {
      EXPECT_GT(decoder.bytes_needed(), held.size());
      if (given == bytes.size()) {
        seen.error = decoder.AtEndOfInput("channel", AsBytes(held));
        return seen;
      }
      size_t size = std::min(1 + random() % longest, bytes.size() - given);
      held += bytes.substr(given, size);
      given += size;
      continue;
    }
    // `input` was taken from `buffer`: the views are still good.
    seen.bytes += std::string(AsText(event.bytes));
    switch (event.kind) {
      case MultifdEventKind::kInit:
        seen.events.push_back(StrCat("init ", event.init.channel_id));
        break;
      case MultifdEventKind::kRamPacket:
        seen.events.push_back(StrCat(
            "ram ", MultifdFlagsToString(event.flags), " ", event.ram.block,
            " ", event.ram.normal_pages, " ", event.ram.zero_pages, ": "));
        break;
      case MultifdEventKind::kDeviceState:
        seen.events.push_back(StrCat("device ", event.device.idstr, " ",
                                     event.payload_bytes, ": "));
        break;
      case MultifdEventKind::kPayload:
        StrAppend(&seen.events.back(), AsText(event.bytes));
        break;
    }
  }
}

Seen DecodeAllWays(const std::string& bytes) {
  Seen whole = Decode(bytes, bytes.size() + 1);
  for (size_t longest : {1, 2, 13, 300, 5000}) {
    Seen pieces = Decode(bytes, longest);
    EXPECT_EQ(pieces.events, whole.events);
    EXPECT_EQ(ToString(pieces.error), ToString(whole.error));
    EXPECT_EQ(pieces.bytes, whole.bytes);
  }
  return whole;
}

TEST(ChannelDecoderTest, AChannelIsAnInitMessageAndPackets) {
  std::string pages(2 * 4096, 'p');
  std::string bytes =
      Init(3) +
      RamPacketBytes({.normal = 2, .zero = 1, .payload_bytes = 8192}, pages) +
      RamPacketBytes({.flags = kMultifdSync}) + Device("state");
  Seen seen = DecodeAllWays(bytes);
  EXPECT_TRUE(seen.error.ok()) << ToString(seen.error);
  EXPECT_EQ(seen.events,
            (std::vector<std::string>{
                "init 3", "ram 0 pc.ram 2 1: " + pages,
                "ram SYNC pc.ram 0 0: ", "device 0000:00:05.0/vfio 5: state"}));
  EXPECT_EQ(seen.bytes, bytes);
}

TEST(ChannelDecoderTest, ASizeWithoutPagesIsStaleAndHasNoPayload) {
  Seen seen = DecodeAllWays(Init(0) + RamPacketBytes({.payload_bytes = 4096}) +
                            RamPacketBytes({}));
  EXPECT_TRUE(seen.error.ok());
  EXPECT_EQ(seen.events.size(), 3);
}

TEST(ChannelDecoderTest, CompressedPayloadIsAsLongAsItSays) {
  Seen seen = DecodeAllWays(
      Init(0) +
      RamPacketBytes({.flags = kMultifdZstd, .normal = 2, .payload_bytes = 3},
                     "abc"));
  EXPECT_TRUE(seen.error.ok());
  EXPECT_EQ(seen.events[1], "ram ZSTD pc.ram 2 0: abc");
}

TEST(ChannelDecoderTest, EndingAnywhereButBetweenPacketsIsATruncation) {
  std::string bytes = Init(0) + Device("state");
  for (size_t size = 0; size < bytes.size(); ++size) {
    Seen seen = Decode(bytes.substr(0, size), size + 1);
    if (size == kMultifdInitBytes) {
      EXPECT_TRUE(seen.error.ok());
      continue;
    }
    EXPECT_EQ(seen.error.code, ErrorCode::kTruncated) << size;
    EXPECT_EQ(seen.error.offset, size);
  }
}

void ExpectError(const std::string& bytes, ErrorCode code, uint64_t offset) {
  Seen seen = DecodeAllWays(bytes);
  EXPECT_EQ(seen.error.code, code) << ToString(seen.error);
  EXPECT_EQ(seen.error.offset, offset) << ToString(seen.error);
}

// Where the packet after an init begins.
constexpr size_t kAt = kMultifdInitBytes;

TEST(ChannelDecoderTest, AnotherMagicIsRefused) {
  ExpectError(std::string(64, 'x'), ErrorCode::kMultifdMagic, 0);
  ExpectError(Init(0) + std::string(12, 'x'), ErrorCode::kMultifdMagic, kAt);
}

TEST(ChannelDecoderTest, AnotherVersionIsRefused) {
  ExpectError(Be32Text(0x11223344) + Be32Text(2) + std::string(56, '\0'),
              ErrorCode::kMultifdVersion, 4);
  ExpectError(Init(0) + Be32Text(0x11223344) + Be32Text(0) + Be32Text(0),
              ErrorCode::kMultifdVersion, kAt + 4);
}

TEST(ChannelDecoderTest, DeviceStateStandsAloneInTheFlags) {
  for (uint32_t more : {kMultifdSync, kMultifdZlib, kMultifdZstd, kMultifdQpl,
                        kMultifdUadk, kMultifdQatzip, MultifdFlag{0x80}}) {
    std::string device = Device("state");
    device.replace(8, 4, Be32Text(kMultifdDeviceState | more));
    ExpectError(Init(0) + device, ErrorCode::kMultifdFlags, kAt + 8);
  }
}

TEST(ChannelDecoderTest, ARamPacketHasOneCompressionAtTheMost) {
  ExpectError(Init(0) + RamPacketBytes({.flags = kMultifdZlib | kMultifdZstd}),
              ErrorCode::kMultifdFlags, kAt + 8);
  ExpectError(Init(0) + RamPacketBytes({.flags = 0x80}),
              ErrorCode::kMultifdFlags, kAt + 8);
  for (uint32_t one : {kMultifdZlib, kMultifdZstd, kMultifdQpl, kMultifdUadk,
                       kMultifdQatzip}) {
    Seen seen =
        DecodeAllWays(Init(0) + RamPacketBytes({.flags = one | kMultifdSync}));
    EXPECT_TRUE(seen.error.ok()) << ToString(seen.error);
  }
}

TEST(ChannelDecoderTest, ADeviceStatePacketMayNotBeEmpty) {
  ExpectError(Init(0) + Device(""), ErrorCode::kMultifdEmptyPacket, kAt + 272);
}

TEST(ChannelDecoderTest, ADeviceStatePacketIsWithinTheLimit) {
  for (uint32_t size : {0xffffffffu, (2u << 20) + 1}) {
    std::string huge = Device("state");
    huge.replace(272, 4, Be32Text(size));
    ExpectError(Init(0) + huge, ErrorCode::kMultifdPacketLimit, kAt + 272);
  }
}

TEST(ChannelDecoderTest, AnIdstrIsTerminated) {
  ExpectError(Init(0) + Device("state", std::string(256, 'x')),
              ErrorCode::kMultifdIdstr, kAt + 12);
  EXPECT_TRUE(DecodeAllWays(Init(0) + Device("state", std::string(255, 'x')))
                  .error.ok());
}

TEST(ChannelDecoderTest, ARamPacketHasNoMorePagesThanSlots) {
  ExpectError(Init(0) + RamPacketBytes({.normal = 129}),
              ErrorCode::kMultifdPages, kAt + 16);
  ExpectError(Init(0) + RamPacketBytes({.normal = 128, .zero = 1}),
              ErrorCode::kMultifdPages, kAt + 16);
  ExpectError(Init(0) + RamPacketBytes({.normal = 2, .zero = 0xffffffff}),
              ErrorCode::kMultifdPages, kAt + 16);
}

TEST(ChannelDecoderTest, UncompressedPagesAreAsLongAsTheirPayload) {
  ExpectError(Init(0) + RamPacketBytes({.normal = 1, .payload_bytes = 4095}),
              ErrorCode::kMultifdPayloadSize, kAt + 20);
  ExpectError(Init(0) + RamPacketBytes({.normal = 1}),
              ErrorCode::kMultifdPayloadSize, kAt + 20);
}

TEST(ChannelDecoderTest, CompressedPagesAreWithinTheLimit) {
  ExpectError(Init(0) + RamPacketBytes({.flags = kMultifdZstd,
                                        .normal = 1,
                                        .payload_bytes = (2 << 20) + 1}),
              ErrorCode::kMultifdPacketLimit, kAt + 20);
}

TEST(ChannelDecoderTest, PayloadMayBeMovedByTheCaller) {
  std::string bytes = Init(0) + Device("state").substr(0, 276);
  ChannelDecoder decoder;
  MultifdEvent event;
  ByteSpan input = AsBytes(bytes);
  EXPECT_EQ(decoder.Next(input, event), Step::kEvent);
  EXPECT_EQ(decoder.Next(input, event), Step::kEvent);
  EXPECT_EQ(decoder.payload_left(), 5);
  EXPECT_EQ(decoder.TakeOver(5), Step::kEvent);
  EXPECT_TRUE(decoder.at_boundary());
  EXPECT_EQ(decoder.TakeOver(1), Step::kError);
}

class ChannelCaptureTest : public testing::TestWithParam<testdata::Capture> {};

TEST_P(ChannelCaptureTest, EveryChannelIsDecodedToItsEnd) {
  for (const std::string& bytes : ReadChannels(GetParam())) {
    for (size_t longest : {size_t{97}, size_t{4096}, bytes.size()}) {
      Seen seen = Decode(bytes, longest);
      EXPECT_TRUE(seen.error.ok()) << ToString(seen.error);
      EXPECT_TRUE(seen.bytes == bytes);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, ChannelCaptureTest,
                         testing::ValuesIn(CapturesWithChannels()),
                         CaptureName());

}  // namespace
}  // namespace migstream
