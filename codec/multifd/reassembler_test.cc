#include "codec/multifd/reassembler.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "codec/multifd/channel_decoder.h"
#include "flags/multifd_flags.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

constexpr char kIdstr[] = "0000:00:05.0/vfio";

std::string Payload(uint32_t index, const std::string& data, uint32_t flags = 0,
                    uint32_t version = 0) {
  std::string bytes(12, '\0');
  uint8_t* at = reinterpret_cast<uint8_t*>(bytes.data());
  StoreBe32(at, version);
  StoreBe32(at + 4, index);
  StoreBe32(at + 8, flags);
  return bytes + data;
}

// Adds packets, and takes all that becomes due.
class Fixture {
 public:
  explicit Fixture(const MultifdLimits& limits = {}) : reassembler_(limits) {}

  Error Add(const std::string& payload, const std::string& idstr = kIdstr) {
    Error error = reassembler_.Add({idstr, 0}, AsBytes(payload));
    ReassembledPiece piece;
    while (reassembler_.Next(piece)) {
      text_ += std::string(AsText(piece.data)) + (piece.config ? "!" : "");
      indexes_.push_back(piece.index);
    }
    return error;
  }

  Reassembler reassembler_;
  std::string text_;
  std::vector<uint32_t> indexes_;
};

TEST(ReassemblerTest, InOrderNothingIsHeldOrCopied) {
  Reassembler reassembler;
  std::string payload = Payload(0, "abc");
  ASSERT_TRUE(reassembler.Add({kIdstr, 0}, AsBytes(payload)).ok());
  ReassembledPiece piece;
  ASSERT_TRUE(reassembler.Next(piece));
  EXPECT_EQ(piece.data.data(), AsBytes(payload).data() + 12);
  EXPECT_FALSE(reassembler.Next(piece));
  EXPECT_EQ(reassembler.held_bytes(), 0);
}

TEST(ReassemblerTest, AnyOrderOfArrivalGivesTheOrderOfIndexes) {
  std::vector<uint32_t> order = {0, 1, 2, 3, 4};
  do {
    Fixture f;
    for (uint32_t index : order) {
      EXPECT_TRUE(
          f.Add(Payload(index, std::string(1, 'a' + index), index == 4 ? 1 : 0))
              .ok());
    }
    EXPECT_EQ(f.text_, "abcde!");
    EXPECT_TRUE(f.reassembler_.Finish().ok());
    EXPECT_EQ(f.reassembler_.held_bytes(), 0);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(ReassemblerTest, ATakenPayloadIsHeldWithoutACopy) {
  auto bytes = [](const std::string& payload) {
    return std::vector<uint8_t>(payload.begin(), payload.end());
  };
  Reassembler reassembler;
  ReassembledPiece piece;
  std::vector<uint8_t> first = bytes(Payload(1, "late"));
  const uint8_t* late = first.data() + 12;
  ASSERT_TRUE(reassembler.Take({kIdstr, 0}, first).ok());
  EXPECT_TRUE(first.empty());
  EXPECT_EQ(reassembler.held_bytes(), 4 + MultifdLimits::kHeldPacketBytes);
  EXPECT_FALSE(reassembler.Next(piece));

  // What is due stays the caller's.
  std::vector<uint8_t> second = bytes(Payload(0, "now"));
  const uint8_t* now = second.data() + 12;
  ASSERT_TRUE(reassembler.Take({kIdstr, 0}, second).ok());
  EXPECT_EQ(second.size(), 15);
  ASSERT_TRUE(reassembler.Next(piece));
  EXPECT_EQ(piece.data.data(), now);
  ASSERT_TRUE(reassembler.Next(piece));
  EXPECT_EQ(piece.data.data(), late);
  EXPECT_EQ(AsText(piece.data), "late");
  EXPECT_FALSE(reassembler.Next(piece));
  EXPECT_EQ(reassembler.held_bytes(), 0);
}

TEST(ReassemblerTest, AWrongPayloadIsNotTaken) {
  Reassembler reassembler;
  std::vector<uint8_t> payload(11);
  EXPECT_EQ(reassembler.Take({kIdstr, 0}, payload).code,
            ErrorCode::kMultifdShortPacket);
  EXPECT_EQ(payload.size(), 11);
}

TEST(ReassemblerTest, BuffersThatComeBackHoldLaterPackets) {
  Reassembler reassembler;
  std::string text;
  std::vector<uint8_t> buffer;
  // Pairs in the wrong order.
  for (uint32_t index : {1, 0, 3, 2, 5, 4, 7, 6}) {
    std::string payload = Payload(index, std::string(1, 'a' + index));
    buffer.assign(payload.begin(), payload.end());
    ASSERT_TRUE(reassembler.Take({kIdstr, 0}, buffer).ok());
    ReassembledPiece piece;
    while (reassembler.Next(piece)) text += std::string(AsText(piece.data));
  }
  EXPECT_EQ(text, "abcdefgh");
}

TEST(ReassemblerTest, DevicesAreReassembledSeparately) {
  Fixture f;
  EXPECT_TRUE(f.Add(Payload(1, "B", 1), "b/vfio").ok());
  EXPECT_TRUE(f.Add(Payload(0, "A", 1), "a/vfio").ok());
  EXPECT_EQ(f.text_, "A!");
  EXPECT_TRUE(f.Add(Payload(0, "b"), "b/vfio").ok());
  EXPECT_EQ(f.text_, "A!bB!");
  EXPECT_TRUE(f.reassembler_.Finish().ok());
}

TEST(ReassemblerTest, AMissingPacketIsNamed) {
  Fixture f;
  f.Add(Payload(0, "a"));
  f.Add(Payload(2, "c"));
  f.Add(Payload(3, "", 1));
  Error error = f.reassembler_.Finish();
  EXPECT_EQ(error.code, ErrorCode::kMultifdGap);
  EXPECT_EQ(error.reason, "packet 1 is missing, 2 after it are there");
}

TEST(ReassemblerTest, AMissingConfigPacketIsNamed) {
  Fixture f;
  f.Add(Payload(0, "a"));
  EXPECT_EQ(f.reassembler_.Finish().reason,
            "no config packet, 1 data packets are there");
}

// The last of `packets` is refused, and so is all after it. A real loader
// waits in silence for ever on some of these.
void ExpectRefused(const std::vector<std::string>& packets, ErrorCode code,
                   const std::string& reason) {
  Fixture f;
  Error error;
  for (const std::string& packet : packets) {
    EXPECT_TRUE(error.ok()) << ToString(error);
    error = f.Add(packet);
  }
  EXPECT_EQ(error.code, code);
  EXPECT_EQ(error.section, kIdstr);
  EXPECT_EQ(error.reason, reason);
  EXPECT_EQ(f.Add(Payload(5, "x")).code, code) << "sticky";
  EXPECT_EQ(f.reassembler_.Finish().code, code);
}

// Adds a packet that was read in `file` at `offset`.
Error AddAt(Reassembler& reassembler, const std::string& payload,
            const char* file, uint64_t offset) {
  Error error = reassembler.Add({kIdstr, 0}, AsBytes(payload), {file, offset});
  for (ReassembledPiece piece; reassembler.Next(piece);) {
    EXPECT_EQ(piece.data_offset(), piece.place.offset + 276 + 12);
  }
  return error;
}

TEST(ReassemblerTest, AnErrorNamesTheFileAndThePacketInIt) {
  Reassembler reassembler;
  EXPECT_TRUE(AddAt(reassembler, Payload(0, "a"), "ch1", 64).ok());
  Error error = AddAt(reassembler, Payload(1, "b", 0, 7), "ch2", 640);
  EXPECT_EQ(ToString(error),
            "ch2:0x280: 0000:00:05.0/vfio: packet has unknown version 7");
  EXPECT_EQ(ToString(reassembler.Finish()), ToString(error));
}

TEST(ReassemblerTest, WhatIsMissingIsBeforeThePacketAfterIt) {
  Reassembler reassembler;
  EXPECT_TRUE(AddAt(reassembler, Payload(3, "d"), "ch1", 64).ok());
  EXPECT_TRUE(AddAt(reassembler, Payload(2, "c"), "ch2", 128).ok());
  EXPECT_TRUE(AddAt(reassembler, Payload(0, "a"), "ch3", 192).ok());
  EXPECT_EQ(ToString(reassembler.Finish()),
            "ch2:0x80: 0000:00:05.0/vfio: packet 1 is missing, 2 after it are "
            "there");
}

TEST(ReassemblerTest, AMissingConfigIsAfterTheLastPacket) {
  Reassembler reassembler;
  EXPECT_TRUE(AddAt(reassembler, Payload(0, "a"), "ch1", 64).ok());
  EXPECT_TRUE(AddAt(reassembler, Payload(1, "b"), "ch2", 128).ok());
  EXPECT_EQ(ToString(reassembler.Finish()),
            "ch2:0x80: 0000:00:05.0/vfio: no config packet, 2 data packets are "
            "there");
}

TEST(ReassemblerTest, APacketShorterThanItsHeaderIsRefused) {
  ExpectRefused({"eleven byte"}, ErrorCode::kMultifdShortPacket,
                "packet too short at 11 (min is 12)");
}

TEST(ReassemblerTest, APacketOfAnotherVersionIsRefused) {
  ExpectRefused({Payload(0, "a", 0, 1)}, ErrorCode::kMultifdVersion,
                "packet has unknown version 1");
}

TEST(ReassemblerTest, AHeaderOfDialectE6IsTakenForOneByItsBytes) {
  ExpectRefused({Payload(0x02000000, "a")}, ErrorCode::kMultifdIndexLimit,
                "packet index 0x2000000 is beyond 1048576; in dialects E6 and "
                "E7 it is 2");
  ExpectRefused({Payload(0, "a", 0x01000000)}, ErrorCode::kMultifdFlags,
                "packet 0 has flags 0x1000000; in dialects E6 and E7 it is 1");
}

TEST(ReassemblerTest, APacketWithUnknownFlagsIsRefused) {
  ExpectRefused({Payload(0, "a", 2)}, ErrorCode::kMultifdFlags,
                "packet 0 has flags 0x2");
}

TEST(ReassemblerTest, ASecondPacketOfAnIndexIsRefused) {
  // Whether the first has been given, or waits.
  ExpectRefused({Payload(0, "a"), Payload(0, "a")},
                ErrorCode::kMultifdDuplicate, "packet 0 came before");
  ExpectRefused({Payload(1, "a"), Payload(1, "a")},
                ErrorCode::kMultifdDuplicate, "packet 1 came before");
}

TEST(ReassemblerTest, NoPacketMayStandAfterTheConfig) {
  ExpectRefused({Payload(1, "", 1), Payload(2, "a")},
                ErrorCode::kMultifdConfigNotLast,
                "packet 2 comes after the config packet 1");
  ExpectRefused({Payload(2, "a"), Payload(1, "", 1)},
                ErrorCode::kMultifdConfigNotLast,
                "packet 2 comes after the config packet 1");
}

TEST(ReassemblerTest, ASecondConfigIsRefused) {
  ExpectRefused({Payload(0, "", 1), Payload(1, "", 1)},
                ErrorCode::kMultifdConfigNotLast,
                "packets 0 and 1 are both config packets");
}

TEST(ReassemblerTest, AnIndexBeyondTheLimitIsRefused) {
  ExpectRefused({Payload(0xffffffff, "a")}, ErrorCode::kMultifdIndexLimit,
                "packet index 0xffffffff is beyond 1048576");
  ExpectRefused({Payload(0xfffffffe, "a")}, ErrorCode::kMultifdIndexLimit,
                "packet index 0xfffffffe is beyond 1048576");
  ExpectRefused({Payload((1 << 20) + 1, "a")}, ErrorCode::kMultifdIndexLimit,
                "packet index 0x100001 is beyond 1048576");
}

TEST(ReassemblerTest, APacketTooFarAheadIsRefused) {
  EXPECT_TRUE(Fixture().Add(Payload(4096, "a")).ok());
  ExpectRefused({Payload(4097, "a")}, ErrorCode::kMultifdGapLimit,
                "packet 4097 is 4097 ahead of packet 0, the limit is 4096");
  ExpectRefused({Payload(0, "a"), Payload(4098, "a")},
                ErrorCode::kMultifdGapLimit,
                "packet 4098 is 4097 ahead of packet 1, the limit is 4096");
}

TEST(ReassemblerTest, AnUnknownDeviceIsRefusedIfTheKnownAreTold) {
  Fixture f;
  f.reassembler_.Expect(kIdstr, 0);
  EXPECT_TRUE(f.Add(Payload(0, "a")).ok());
  EXPECT_EQ(f.Add(Payload(0, "a"), "other/vfio").code,
            ErrorCode::kMultifdUnknownDevice);
}

TEST(ReassemblerTest, BytesHeldForOneDeviceAreBounded) {
  MultifdLimits limits;
  constexpr uint32_t kEach = MultifdLimits::kHeldPacketBytes;
  limits.held_bytes_per_device = 2 * kEach + 11;
  Fixture f(limits);
  EXPECT_TRUE(f.Add(Payload(1, std::string(10, 'x'))).ok());
  EXPECT_EQ(f.reassembler_.held_bytes(), kEach + 10);
  EXPECT_TRUE(f.Add(Payload(2, "x")).ok());
  EXPECT_EQ(f.Add(Payload(3, "")).code, ErrorCode::kMultifdHeldLimit);
}

TEST(ReassemblerTest, BytesHeldForAllDevicesAreBounded) {
  MultifdLimits limits;
  limits.held_bytes = 2 * 64 + 15;
  Fixture f(limits);
  EXPECT_TRUE(f.Add(Payload(1, std::string(10, 'x')), "a/vfio").ok());
  EXPECT_EQ(f.Add(Payload(1, std::string(6, 'x')), "b/vfio").code,
            ErrorCode::kMultifdTotalHeldLimit);
}

TEST(ReassemblerTest, WhatIsDueIsNotHeldAndMayBeOfAnySize) {
  MultifdLimits limits;
  limits.held_bytes = 0;
  limits.held_bytes_per_device = 0;
  Fixture f(limits);
  EXPECT_TRUE(f.Add(Payload(0, std::string(1000, 'x'))).ok());
  EXPECT_EQ(f.Add(Payload(2, "x")).code, ErrorCode::kMultifdHeldLimit);
}

TEST(ReassemblerTest, DevicesAreBounded) {
  MultifdLimits limits;
  limits.devices = 2;
  Fixture f(limits);
  EXPECT_TRUE(f.Add(Payload(0, "a"), "a/vfio").ok());
  EXPECT_TRUE(f.Add(Payload(0, "a"), "b/vfio").ok());
  EXPECT_EQ(f.Add(Payload(0, "a"), "c/vfio").code, ErrorCode::kDeviceLimit);
}

TEST(ReassemblerTest, WhatIsDueHasToBeTakenFirst) {
  Reassembler reassembler;
  std::string payload = Payload(0, "a");
  EXPECT_TRUE(reassembler.Add({kIdstr, 0}, AsBytes(payload)).ok());
  EXPECT_EQ(reassembler.Add({kIdstr, 0}, AsBytes(payload)).code,
            ErrorCode::kMultifdNotTaken);
}

TEST(ReassemblerTest, HostEndianHeadersAreThoseOfE6AndE7) {
  Reassembler reassembler({}, true);
  std::string payload(
      "\0\0\0\0"
      "\1\0\0\0"
      "\0\0\0\0"
      "b",
      13);
  EXPECT_TRUE(reassembler.Add({kIdstr, 0}, AsBytes(payload)).ok());
  payload[4] = 0;
  payload[12] = 'a';
  EXPECT_TRUE(reassembler.Add({kIdstr, 0}, AsBytes(payload)).ok());
  ReassembledPiece piece;
  ASSERT_TRUE(reassembler.Next(piece));
  EXPECT_EQ(AsText(piece.data), "a");
  ASSERT_TRUE(reassembler.Next(piece));
  EXPECT_EQ(AsText(piece.data), "b");
}

// The packets of all channels of a real migration, dealt in many orders.
class ReassemblyCaptureTest : public testing::TestWithParam<testdata::Capture> {
};

struct Packet {
  std::string idstr;
  std::string payload;
};

std::vector<Packet> PacketsOf(const std::string& channel) {
  std::vector<Packet> packets;
  ChannelDecoder decoder;
  ByteSpan input = AsBytes(channel);
  MultifdEvent event;
  bool device = false;
  while (decoder.Next(input, event) == Step::kEvent) {
    if (event.kind == MultifdEventKind::kDeviceState) {
      packets.push_back({std::string(event.device.idstr), ""});
    }
    if (event.kind == MultifdEventKind::kPayload && device) {
      packets.back().payload += std::string(AsText(event.bytes));
    } else {
      device = event.kind == MultifdEventKind::kDeviceState;
    }
  }
  return packets;
}

TEST_P(ReassemblyCaptureTest, GivesTheEndOfEachDevicesPayloadInAnyOrder) {
  std::vector<Packet> packets;
  for (const std::string& channel : ReadChannels(GetParam())) {
    for (Packet& packet : PacketsOf(channel)) packets.push_back(packet);
  }
  std::mt19937 random(1);
  for (int way = 0; way < 20; ++way) {
    Reassembler reassembler;
    std::map<std::string, std::string> payloads;
    std::map<std::string, std::vector<uint64_t>> sizes;
    std::map<std::string, int> configs;
    for (const Packet& packet : packets) {
      ASSERT_TRUE(
          reassembler.Add({packet.idstr, 0}, AsBytes(packet.payload)).ok());
      ReassembledPiece piece;
      while (reassembler.Next(piece)) {
        std::string idstr(piece.idstr);
        if (piece.config) {
          ++configs[idstr];
        } else {
          payloads[idstr] += std::string(AsText(piece.data));
          sizes[idstr].push_back(piece.data.size());
        }
      }
    }
    EXPECT_TRUE(reassembler.Finish().ok());
    for (const testdata::Device& device : GetParam().devices()) {
      EXPECT_EQ(configs[device.idstr()], 1);
      // What came before, in PARTs, is on the main channel.
      std::vector<uint64_t> truth(device.record_sizes().begin(),
                                  device.record_sizes().end());
      const auto& seen = sizes[device.idstr()];
      ASSERT_LE(seen.size(), truth.size());
      EXPECT_TRUE(std::equal(seen.rbegin(), seen.rend(), truth.rbegin()));
      if (seen.size() == truth.size()) {
        EXPECT_EQ(Sha256(payloads[device.idstr()]), device.payload_sha256());
      }
    }
    std::shuffle(packets.begin(), packets.end(), random);
  }
}

std::vector<testdata::Capture> WithDeviceState() {
  std::vector<testdata::Capture> captures;
  for (const testdata::Capture& capture : AllCaptures()) {
    if (HasDeviceStateChannels(capture)) captures.push_back(capture);
  }
  return captures;
}

INSTANTIATE_TEST_SUITE_P(All, ReassemblyCaptureTest,
                         testing::ValuesIn(WithDeviceState()), CaptureName());

}  // namespace
}  // namespace migstream
