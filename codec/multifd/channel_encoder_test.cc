#include "codec/multifd/channel_encoder.h"

#include <functional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "codec/multifd/channel_decoder.h"
#include "codec/multifd/packet_bytes.h"
#include "flags/multifd_flags.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

constexpr char kIdstr[] = "0000:00:05.0/vfio";

// An encoder with the smallest buffers it may have, and all that it wrote.
class Encoding {
 public:
  explicit Encoding(const ChannelEncoderOptions& options = {})
      : encoder_(headers_, pieces_, options) {}

  ChannelEncoder* operator->() { return &encoder_; }

  // With the init of channel 0 written.
  void Begin() {
    MultifdInit init;
    init.uuid.fill(0x7a);
    EXPECT_EQ(encoder_.Init(init), Put::kDone);
    EXPECT_EQ(bytes(), Init(0));
  }

  // All that was written; the pieces are taken.
  const std::string& bytes() {
    for (const iovec& piece : encoder_.pieces()) {
      bytes_.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
    }
    encoder_.Clear();
    return bytes_;
  }

 private:
  uint8_t headers_[ChannelEncoder::kMinHeaderBytes];
  iovec pieces_[ChannelEncoder::kMinPieces];
  ChannelEncoder encoder_;
  std::string bytes_;
};

RamPacket PacketOf(const Ram& ram, const std::string& offsets) {
  RamPacket packet;
  packet.allocated_pages = 128;
  packet.normal_pages = ram.normal;
  packet.next_packet_size = ram.payload_bytes;
  packet.packet_number = 7;
  packet.zero_pages = ram.zero;
  packet.block = "pc.ram";
  packet.offsets = AsBytes(offsets);
  return packet;
}

TEST(ChannelEncoderTest, AChannelIsAnInitMessageAndPackets) {
  std::string pages(2 * 4096, 'p');
  std::string offsets = Be64Text(0x1000) + Be64Text(0x2000) + Be64Text(0x8000);
  Ram ram = {.normal = 2,
             .zero = 1,
             .payload_bytes = 8192,
             .offsets = {0x1000, 0x2000, 0x8000}};
  Encoding encoding;
  encoding.Begin();
  EXPECT_EQ(encoding->Ram(0, PacketOf(ram, offsets)), Put::kDone);
  EXPECT_FALSE(encoding->at_boundary());
  EXPECT_EQ(encoding->Payload(AsBytes(pages)), Put::kDone);
  EXPECT_TRUE(encoding->at_boundary());
  encoding.bytes();
  EXPECT_EQ(encoding->DeviceState({kIdstr, 0}, 5), Put::kDone);
  EXPECT_EQ(encoding->Payload(AsBytes("state")), Put::kDone);
  EXPECT_TRUE(encoding.bytes() ==
              Init(0) + RamPacketBytes(ram, pages) + Device("state"));
  EXPECT_EQ(encoding->bytes(), encoding.bytes().size());
}

TEST(ChannelEncoderTest, ASyncPacketHasNeitherPagesNorBlock) {
  Encoding encoding;
  encoding.Begin();
  EXPECT_EQ(encoding->Sync(0x0102030405060708), Put::kDone);
  EXPECT_TRUE(encoding->at_boundary());
  EXPECT_EQ(encoding.bytes().substr(64),
            Be32Text(0x11223344) + Be32Text(1) + Be32Text(1)  // header: SYNC
                + std::string(12, '\0')         // no pages, no payload
                + Be64Text(0x0102030405060708)  // packet_num
                + std::string(4 + 28 + 256 + 1024, '\0'));
}

TEST(ChannelEncoderTest, TheLengthOfARamPacketIsThatOfThePageSize) {
  struct Case {
    uint32_t page_bytes;
    size_t bytes;
  };
  for (const Case& c : {Case{256, 320 + 16384}, Case{1024, 320 + 4096},
                        Case{4096, 1344}, Case{65536, 384}}) {
    Encoding encoding({.page_bytes = c.page_bytes});
    encoding.Begin();
    EXPECT_EQ(encoding->Sync(0), Put::kDone);
    EXPECT_EQ(encoding.bytes().size(), kMultifdInitBytes + c.bytes);
  }
}

TEST(ChannelEncoderTest, AVfioPacketIsADeviceStatePacketWithAHeader) {
  std::string data(1000, 'd');
  VfioPacketHeader header;
  header.index = 0x01020304;
  header.flags = kVfioPacketConfigState;
  for (bool host_endian : {false, true}) {
    std::string payload =
        host_endian ? std::string(
                          "\0\0\0\0"   // version
                          "\4\3\2\1"   // index
                          "\1\0\0\0",  // flags
                          12)
                    : Be32Text(0) + Be32Text(0x01020304) + Be32Text(1);
    Encoding whole({.host_endian = host_endian});
    whole.Begin();
    EXPECT_EQ(whole->VfioPacket({kIdstr, 0}, header, AsBytes(data)),
              Put::kDone);
    ASSERT_EQ(whole->pieces().size(), 2);
    EXPECT_EQ(whole->pieces()[1].iov_base, data.data()) << "by reference";
    EXPECT_TRUE(whole.bytes() == Init(0) + Device(payload + data));

    Encoding pieces({.host_endian = host_endian});
    pieces.Begin();
    pieces->VfioPacketStart({kIdstr, 0}, header, 1000);
    for (size_t at = 0; at < data.size(); at += 300) {
      pieces->Payload(AsBytes(std::string_view(data).substr(at, 300)));
    }
    EXPECT_TRUE(pieces.bytes() == whole.bytes());
  }
}

TEST(ChannelEncoderTest, TheCallerMayMoveThePayload) {
  Encoding encoding;
  encoding.Begin();
  encoding->DeviceState({kIdstr, 0}, 10);
  EXPECT_EQ(encoding->TakeOver(7), Put::kDone);
  EXPECT_EQ(encoding->Payload(AsBytes("abc")), Put::kDone);
  EXPECT_TRUE(encoding->at_boundary());
  EXPECT_EQ(encoding->bytes(), 64 + 276 + 10);
  EXPECT_EQ(encoding.bytes().size(), 64 + 276 + 3);
  EXPECT_EQ(encoding->TakeOver(1), Put::kError);
  EXPECT_EQ(encoding->error("c").code, ErrorCode::kRecordOverrun);
}

TEST(ChannelEncoderTest, WhatDoesNotFitChangesNothing) {
  Encoding encoding;
  encoding.Begin();
  int full = 0;
  auto until_done = [&](const std::function<Put()>& put) {
    uint64_t before = encoding->bytes();
    size_t piece_count = encoding->pieces().size();
    if (put() == Put::kDone) return;
    ++full;
    EXPECT_TRUE(encoding->ok());
    EXPECT_EQ(encoding->bytes(), before);
    EXPECT_EQ(encoding->pieces().size(), piece_count);
    encoding.bytes();
    EXPECT_EQ(put(), Put::kDone);
  };
  std::string want = Init(0);
  for (int i = 0; i < 20; ++i) {
    until_done([&] { return encoding->DeviceState({kIdstr, 0}, 18); });
    want += Device(std::string("abcabcabcabcabcabc"));
    for (int j = 0; j < 6; ++j) {
      until_done([&] { return encoding->Payload(AsBytes("abc")); });
    }
    until_done([&] { return encoding->Sync(7); });
    std::string sync = RamPacketBytes({.flags = kMultifdSync});
    sync.replace(12, 4, Be32Text(0));
    sync.replace(64, 6, 6, '\0');
    want += sync;
  }
  EXPECT_TRUE(encoding.bytes() == want);
  EXPECT_GT(full, 20);
}

TEST(ChannelEncoderTest, StaleBytesAreWrittenAsTheyWere) {
  // Every byte that means nothing: of the init, of RAM packets with and without
  // pages, and after an idstr's NUL.
  std::mt19937 random(1);
  auto noise = [&random](std::string& bytes, size_t from, size_t size) {
    for (size_t i = from; i < from + size; ++i) {
      bytes[i] = static_cast<char>(random());
    }
  };
  std::string init = Init(3);
  noise(init, 25, 39);
  std::string pages(4096, 'p');
  std::string ram = RamPacketBytes(
      {.normal = 1, .payload_bytes = 4096, .offsets = {0x1000}}, pages);
  noise(ram, 36, 28);            // unused
  noise(ram, 64 + 7, 249);       // after the block's name
  noise(ram, 320 + 8, 8 * 127);  // offsets without pages
  std::string sync = RamPacketBytes({.flags = kMultifdSync});
  noise(sync, 20, 4);  // next_packet_size
  noise(sync, 36, 28 + 256 + 1024);
  std::string unterminated = RamPacketBytes({});
  unterminated.replace(64, 256, 256, 'x');
  std::string almost = unterminated;
  almost[319] = '\0';
  std::string device = Device("state");
  noise(device, 12 + 18, 256 - 18 - 1);
  std::string longest = Device("state", std::string(255, 'x'));

  std::string bytes =
      init + ram + sync + unterminated + almost + device + longest;
  ChannelDecoder decoder;
  Encoding encoding;
  ByteSpan input = AsBytes(bytes);
  MultifdEvent event;
  while (decoder.Next(input, event) == Step::kEvent) {
    EXPECT_EQ(encoding->Append(event), Put::kDone)
        << ToString(encoding->error("c"));
    encoding.bytes();
  }
  EXPECT_TRUE(decoder.AtEndOfInput("c", input).ok());
  EXPECT_TRUE(encoding.bytes() == bytes);
}

TEST(ChannelEncoderTest, WhatNoDecoderWouldTakeIsRefused) {
  const std::string offsets(8 * 128, '\0');
  const std::string more_offsets(8 * 129, '\0');
  const std::string tail(238, 'x');
  auto ram = [&](const Ram& ram) {
    return [ram, &offsets](ChannelEncoder& e) {
      return e.Ram(ram.flags, PacketOf(ram, offsets));
    };
  };
  struct Case {
    std::string rule;
    std::function<Put(ChannelEncoder&)> put;
    ErrorCode code;
  };
  for (const Case& c : {
           Case{"one init", [](ChannelEncoder& e) { return e.Init({}); },
                ErrorCode::kNotWritable},
           Case{"a whole payload before the next packet",
                [](ChannelEncoder& e) {
                  e.DeviceState({kIdstr, 0}, 5);
                  e.Payload(AsBytes("abcd"));
                  e.Clear();
                  return e.Sync(0);
                },
                ErrorCode::kMissingPayload},
           Case{"no more than the payload",
                [](ChannelEncoder& e) {
                  e.DeviceState({kIdstr, 0}, 5);
                  return e.Payload(AsBytes("abcdef"));
                },
                ErrorCode::kRecordOverrun},
           Case{"no empty packet",
                [](ChannelEncoder& e) {
                  return e.DeviceState({kIdstr, 0}, 0);
                },
                ErrorCode::kMultifdEmptyPacket},
           Case{"a size of 32 bits",
                [](ChannelEncoder& e) {
                  return e.VfioPacketStart({kIdstr, 0}, {}, 0xfffffff4);
                },
                ErrorCode::kMultifdPacketLimit},
           Case{"an idstr that is terminated",
                [](ChannelEncoder& e) {
                  return e.DeviceState({std::string(256, 'x'), 0}, 5);
                },
                ErrorCode::kMultifdIdstr},
           Case{"an idstr without NUL",
                [](ChannelEncoder& e) {
                  return e.DeviceState({std::string("a\0b", 3), 0}, 5);
                },
                ErrorCode::kMultifdIdstr},
           Case{"a tail that ends with NUL",
                [&](ChannelEncoder& e) {
                  return e.DeviceState({kIdstr, 0, AsBytes(tail)}, 5);
                },
                ErrorCode::kMultifdIdstr},
           Case{"one compression at the most",
                ram({.flags = kMultifdZlib | kMultifdZstd}),
                ErrorCode::kMultifdFlags},
           Case{"no RAM packet with DEVICE_STATE",
                ram({.flags = kMultifdDeviceState}), ErrorCode::kMultifdFlags},
           Case{"no unknown flag", ram({.flags = 0x80}),
                ErrorCode::kMultifdFlags},
           Case{"pages that fit", ram({.normal = 100, .zero = 29}),
                ErrorCode::kMultifdPages},
           Case{"a payload as long as its pages",
                ram({.normal = 1, .payload_bytes = 4095}),
                ErrorCode::kMultifdPayloadSize},
           Case{"an offset for each page",
                [](ChannelEncoder& e) {
                  return e.Ram(0, PacketOf({.zero = 2}, Be64Text(0)));
                },
                ErrorCode::kNotWritable},
           Case{"offsets that fit",
                [&](ChannelEncoder& e) {
                  return e.Ram(0, PacketOf({.zero = 2}, more_offsets));
                },
                ErrorCode::kNotWritable},
           Case{"a block's name that fits",
                [](ChannelEncoder& e) {
                  std::string name(257, 'x');
                  RamPacket packet;
                  packet.block = name;
                  return e.Ram(0, packet);
                },
                ErrorCode::kNotWritable},
       }) {
    SCOPED_TRACE(c.rule);
    Encoding encoding;
    encoding.Begin();
    EXPECT_EQ(c.put(*encoding.operator->()), Put::kError);
    Error error = encoding->error("channel 1");
    EXPECT_EQ(error.code, c.code) << ToString(error);
    EXPECT_EQ(error.section, "channel 1");
    EXPECT_NE(error.reason, "");
    encoding->Clear();
    EXPECT_EQ(encoding->Sync(0), Put::kError) << "sticky";
  }
}

TEST(ChannelEncoderTest, CallsBeforeTheInitGiveAnError) {
  const std::function<Put(ChannelEncoder&)> calls[] = {
      [](ChannelEncoder& e) { return e.Sync(0); },
      [](ChannelEncoder& e) { return e.Ram(0, {}); },
      [](ChannelEncoder& e) {
        return e.DeviceState({kIdstr, 0}, 1);
      },
      [](ChannelEncoder& e) {
        return e.VfioPacket({kIdstr, 0}, {}, {});
      },
      [](ChannelEncoder& e) { return e.Payload(AsBytes("x")); },
      [](ChannelEncoder& e) { return e.TakeOver(1); },
  };
  Encoding first;
  EXPECT_EQ(first->Sync(0), Put::kError);
  EXPECT_EQ(first->error("c").reason, "a packet before the init message");
  for (const auto& call : calls) {
    Encoding encoding;
    EXPECT_EQ(call(*encoding.operator->()), Put::kError);
    EXPECT_NE(encoding->error("c").reason, "");
    EXPECT_EQ(encoding->Init({}), Put::kError);
    EXPECT_TRUE(encoding->pieces().empty());
  }
}

}  // namespace
}  // namespace migstream
