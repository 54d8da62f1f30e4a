// What a packet claims costs no memory before it is checked.

#include <functional>
#include <span>
#include <string>

#include "codec/extract/page_inflater.h"
#include "codec/multifd/channel_decoder.h"
#include "codec/multifd/channel_encoder.h"
#include "codec/multifd/packet_bytes.h"
#include "codec/multifd/reassembler.h"
#include "codec/wire/count_allocations.h"
#include "flags/multifd_flags.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

constexpr char kIdstr[] = "0000:00:05.0/vfio";
// For names and the text of an error.
constexpr size_t kFew = 2048;

size_t BytesAllocatedBy(const std::function<void()>& act) {
  const uint64_t before = AllocatedSoFar().bytes;
  act();
  return AllocatedSoFar().bytes - before;
}

// The VFIO packet in a device-state packet of 300 bytes.
std::string VfioPayload(uint32_t index) {
  return Be32Text(0) + Be32Text(index) + Be32Text(0) + std::string(12, 'd');
}

TEST(AllocationTest, ADecoderAllocatesNothing) {
  std::string bytes = Init(0);
  for (int i = 0; i < 100; ++i) {
    bytes += Device(VfioPayload(i)) +
             RamPacketBytes({.normal = 1, .payload_bytes = 4096},
                            std::string(4096, 'p'));
  }
  int events = 0;
  EXPECT_EQ(BytesAllocatedBy([&] {
              ChannelDecoder decoder;
              MultifdEvent event;
              ByteSpan input = AsBytes(bytes);
              while (decoder.Next(input, event) == Step::kEvent) ++events;
            }),
            0);
  EXPECT_EQ(events, 401);
}

TEST(AllocationTest, AnEncoderAllocatesNothing) {
  std::string data(1 << 20, 'd');
  uint64_t bytes = 0;
  EXPECT_EQ(BytesAllocatedBy([&] {
              uint8_t headers[ChannelEncoder::kMinHeaderBytes];
              iovec pieces[ChannelEncoder::kMinPieces];
              ChannelEncoder encoder(headers, pieces);
              encoder.Init({});
              encoder.Clear();
              VfioPacketHeader header;
              for (int i = 0; i < 100; ++i) {
                header.index = i;
                encoder.VfioPacket({kIdstr, 0}, header, AsBytes(data));
                encoder.Clear();
                encoder.Sync(i);
                encoder.Clear();
              }
              bytes = encoder.bytes();
            }),
            0);
  EXPECT_EQ(bytes, 64 + 100 * (276 + 12 + (1 << 20) + 1344));
}

TEST(AllocationTest, AnIndexClaimCostsNothing) {
  for (uint32_t index : {0xfffffffeu, 0xffffffffu, (1u << 20) + 1, 1u << 20}) {
    std::string packet = Device(VfioPayload(index));
    ASSERT_EQ(packet.size(), 300);
    for (bool expected : {false, true}) {
      Reassembler reassembler;
      if (expected) reassembler.Expect(kIdstr, 0);
      Error error;
      size_t bytes = BytesAllocatedBy([&] {
        error = reassembler.Add({kIdstr, 0}, AsBytes(packet).subspan(276));
      });
      EXPECT_EQ(error.code, index > 1 << 20 ? ErrorCode::kMultifdIndexLimit
                                            : ErrorCode::kMultifdGapLimit);
      EXPECT_LE(bytes, kFew) << Hex(index);
      EXPECT_EQ(reassembler.held_bytes(), 0);
    }
  }
}

TEST(AllocationTest, APayloadSizeClaimCostsNothing) {
  std::string bytes = Init(0) + Device("state");
  bytes.replace(64 + 272, 4, Be32Text(0xffffffff));
  ChannelDecoder decoder;
  MultifdEvent event;
  ByteSpan input = AsBytes(bytes);
  EXPECT_EQ(BytesAllocatedBy([&] {
              EXPECT_EQ(decoder.Next(input, event), Step::kEvent);
              EXPECT_EQ(decoder.Next(input, event), Step::kError);
            }),
            0);
}

TEST(AllocationTest, HoldingPacketsTakesWhatTheLimitSays) {
  MultifdLimits limits;
  limits.held_bytes_per_device = 64 << 10;
  Reassembler reassembler(limits);
  size_t bytes = BytesAllocatedBy([&] {
    for (uint32_t index = 4000; index > 0; --index) {
      std::string payload = VfioPayload(index);
      if (!reassembler.Add({kIdstr, 0}, AsBytes(payload)).ok()) break;
    }
  });
  EXPECT_EQ(reassembler.Finish().code, ErrorCode::kMultifdHeldLimit);
  EXPECT_LE(reassembler.held_bytes(), 64 << 10);
  // Growing a table takes its size anew, and a test its packets.
  EXPECT_LE(bytes, 6 * (64 << 10));
}

TEST(AllocationTest, APageClaimCostsWhatThePacketHolds) {
  std::string bytes = Init(0) + RamPacketBytes({.flags = kMultifdQpl,
                                                .normal = 128,
                                                .payload_bytes = 2 << 20});
  ChannelDecoder decoder;
  PageInflater inflater;
  MultifdEvent event;
  ChannelPage page;
  ByteSpan input = AsBytes(bytes);
  EXPECT_LE(BytesAllocatedBy([&] {
              while (decoder.Next(input, event) == Step::kEvent) {
                inflater.Add(event);
              }
              EXPECT_EQ(inflater.Next(page), Step::kNeedInput);
            }),
            kFew);
}

}  // namespace
}  // namespace migstream
