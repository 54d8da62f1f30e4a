// Multifd channels through the C interface, over real captures: what the
// decoder gives, the encoder writes again.

#include <sys/uio.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "codec/c/migstream.h"
#include "codec/wire/bytes.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

// What an encoder writes.
class Channel {
 public:
  Channel() {
    EXPECT_EQ(migstream_channel_encoder_create(nullptr, &encoder_),
              MIGSTREAM_OK);
  }
  ~Channel() { migstream_destroy(encoder_); }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  migstream_channel_encoder* get() const { return encoder_; }
  const std::string& bytes() const { return bytes_; }

  void Write() {
    const iovec* pieces;
    int count;
    ASSERT_EQ(migstream_get_pieces(encoder_, &pieces, &count), MIGSTREAM_OK);
    for (int i = 0; i < count; ++i) {
      bytes_.append(static_cast<const char*>(pieces[i].iov_base),
                    pieces[i].iov_len);
    }
    ASSERT_EQ(migstream_clear_pieces(encoder_), MIGSTREAM_OK);
  }

  int32_t error_code() const {
    const migstream_error* error = nullptr;
    migstream_last_error(encoder_, &error);
    return error->code;
  }

 private:
  migstream_channel_encoder* encoder_ = nullptr;
  std::string bytes_;
};

// Has `use` see each event of a channel that comes in pieces of so many bytes
// at the most.
template <typename Use>
void Decode(const std::string& channel, size_t longest, Use use) {
  migstream_channel_decoder* decoder;
  ASSERT_EQ(migstream_channel_decoder_create(nullptr, &decoder), MIGSTREAM_OK);
  std::minstd_rand random(1);
  size_t taken = 0;
  for (size_t end = 0; end != channel.size();) {
    end = std::min(channel.size(), end + 1 + random() % longest);
    iovec input = {const_cast<char*>(&channel[taken]), end - taken};
    const migstream_channel_event* event;
    migstream_status status;
    while ((status = migstream_channel_decoder_next(decoder, &input, &event)) ==
           MIGSTREAM_EVENT) {
      use(*event);
    }
    ASSERT_EQ(status, MIGSTREAM_NEED_INPUT);
    taken = end - input.iov_len;
  }
  iovec none = {nullptr, 0};
  EXPECT_EQ(migstream_at_end_of_input(decoder, &none), MIGSTREAM_OK);
  migstream_destroy(decoder);
}

class ChannelTest : public testing::TestWithParam<testdata::Capture> {};

TEST_P(ChannelTest, IsWrittenAgainHoweverItIsCut) {
  for (const std::string& channel : ReadChannels(GetParam())) {
    for (size_t longest : {size_t{1} << 20, size_t{5000}}) {
      Channel again;
      Decode(channel, longest, [&](const migstream_channel_event& event) {
        EXPECT_EQ(migstream_channel_encoder_append(again.get(), &event),
                  MIGSTREAM_OK);
        again.Write();
      });
      EXPECT_TRUE(again.bytes() == channel);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, ChannelTest,
                         testing::ValuesIn(CapturesWithChannels()),
                         CaptureName());

// FORMAT.md section 13.2: what of a RAM packet the event does not have.
void PutRam(Channel& channel, const migstream_channel_event& event) {
  constexpr size_t kOffsets = 320;
  migstream_ram_packet packet = {};
  packet.struct_size = sizeof packet;
  packet.flags = event.flags;
  packet.allocated_pages = LoadBe32(event.bytes + 12);
  packet.normal_pages = event.normal_pages;
  packet.zero_pages = event.zero_pages;
  packet.payload_bytes = LoadBe32(event.bytes + 20);
  packet.packet_number = LoadBe64(event.bytes + 24);
  packet.block = event.name;
  packet.block_bytes = event.name_bytes;
  packet.offsets = event.bytes + kOffsets;
  packet.offsets_bytes = event.byte_count - kOffsets;
  EXPECT_EQ(migstream_channel_encoder_ram(channel.get(), &packet),
            MIGSTREAM_OK);
}

migstream_piece PieceOf(const migstream_channel_event& event) {
  constexpr size_t kHeader = 12;  // Version, index and flags.
  migstream_piece piece = {};
  piece.struct_size = sizeof piece;
  piece.idstr = event.name;
  piece.idstr_bytes = event.name_bytes;
  piece.instance_id = event.instance_id;
  piece.index = LoadBe32(event.packet + 4);
  piece.config = LoadBe32(event.packet + 8) != 0 ? 1 : 0;
  piece.data = event.packet + kHeader;
  piece.data_bytes = event.packet_bytes - kHeader;
  return piece;
}

TEST(ChannelEncoderTest, AChannelIsWrittenByItsParts) {
  int devices = 0, pages = 0, whole = 0;
  for (const std::string& channel :
       ReadChannels(GetCapture("s111-multifd-two"))) {
    Channel parts;
    bool ram = false;
    Decode(channel, size_t{1} << 20, [&](const migstream_channel_event& event) {
      switch (event.kind) {
        case MIGSTREAM_CHANNEL_INIT:
          EXPECT_EQ(migstream_channel_encoder_init(parts.get(), event.uuid,
                                                   event.channel_id),
                    MIGSTREAM_OK);
          break;
        case MIGSTREAM_CHANNEL_RAM_PACKET:
          ram = true;
          ++pages;
          PutRam(parts, event);
          break;
        case MIGSTREAM_CHANNEL_DEVICE_STATE:
          ram = false;
          ++devices;
          break;
        case MIGSTREAM_CHANNEL_PAYLOAD:
          if (ram) {
            EXPECT_EQ(migstream_channel_encoder_payload(
                          parts.get(), event.bytes, event.byte_count),
                      MIGSTREAM_OK);
          } else if (event.packet != nullptr) {
            const migstream_piece piece = PieceOf(event);
            // The one way and the other, in turn.
            if (++whole % 2 == 0) {
              EXPECT_EQ(migstream_channel_encoder_packet(parts.get(), &piece),
                        MIGSTREAM_OK);
              break;
            }
            EXPECT_EQ(
                migstream_channel_encoder_packet_header(parts.get(), &piece),
                MIGSTREAM_OK);
            EXPECT_EQ(migstream_channel_encoder_payload(parts.get(), piece.data,
                                                        piece.data_bytes),
                      MIGSTREAM_OK);
          }
          break;
      }
      parts.Write();
    });
    EXPECT_TRUE(parts.bytes() == channel);
  }
  EXPECT_GT(devices, 1);
  EXPECT_EQ(devices, whole);
  EXPECT_GT(pages, 1);
}

migstream_piece Piece() {
  migstream_piece piece = {};
  piece.struct_size = sizeof piece;
  piece.idstr = "0000:00:05.0/vfio";
  piece.idstr_bytes = std::strlen(piece.idstr);
  piece.data = reinterpret_cast<const uint8_t*>("abc");
  piece.data_bytes = 3;
  return piece;
}

TEST(ChannelEncoderTest, APacketBeforeTheInitIsAnErrorThatStays) {
  Channel channel;
  const migstream_piece piece = Piece();
  EXPECT_EQ(migstream_channel_encoder_packet(channel.get(), &piece),
            MIGSTREAM_ERROR);
  const int32_t code = channel.error_code();
  EXPECT_NE(code, 0);
  EXPECT_EQ(migstream_channel_encoder_init(channel.get(), nullptr, 0),
            MIGSTREAM_ERROR);
  EXPECT_EQ(channel.error_code(), code);
}

TEST(ChannelEncoderTest, WhatNoChannelCanHaveIsABadArgument) {
  Channel channel;
  EXPECT_EQ(migstream_channel_encoder_init(channel.get(), nullptr, 256),
            MIGSTREAM_BAD_ARGUMENT);
  ASSERT_EQ(migstream_channel_encoder_init(channel.get(), nullptr, 255),
            MIGSTREAM_OK);
  migstream_piece piece = Piece();
  piece.data = nullptr;
  EXPECT_EQ(migstream_channel_encoder_packet(channel.get(), &piece),
            MIGSTREAM_BAD_ARGUMENT);
  piece.data_bytes = size_t{1} << 32;
  EXPECT_EQ(migstream_channel_encoder_packet_header(channel.get(), &piece),
            MIGSTREAM_BAD_ARGUMENT);
  piece.idstr = nullptr;
  EXPECT_EQ(migstream_channel_encoder_packet_header(channel.get(), &piece),
            MIGSTREAM_BAD_ARGUMENT);
  // Nothing changed.
  piece = Piece();
  EXPECT_EQ(migstream_channel_encoder_packet(channel.get(), &piece),
            MIGSTREAM_OK);
}

TEST(ChannelEncoderTest, WhatDoesNotFitIsPutAfterTheRestWasWritten) {
  Channel channel;
  ASSERT_EQ(migstream_channel_encoder_init(channel.get(), nullptr, 0),
            MIGSTREAM_OK);
  constexpr uint64_t kPackets = 100;
  int full = 0;
  for (uint64_t i = 0; i < kPackets; ++i) {
    migstream_status status;
    while ((status = migstream_channel_encoder_sync(channel.get(), i)) ==
           MIGSTREAM_FULL) {
      ++full;
      channel.Write();
    }
    ASSERT_EQ(status, MIGSTREAM_OK);
  }
  channel.Write();
  EXPECT_GT(full, 1);
  uint64_t syncs = 0;
  Decode(channel.bytes(), size_t{1} << 20,
         [&](const migstream_channel_event& event) {
           if (event.kind != MIGSTREAM_CHANNEL_RAM_PACKET) return;
           EXPECT_EQ(event.flags, 1);
           EXPECT_EQ(LoadBe64(event.bytes + 24), syncs);
           ++syncs;
         });
  EXPECT_EQ(syncs, kPackets);
}

TEST(ChannelEncoderTest, TheCallerMayWriteThePayloadItselfAndNoMoreThanIsDue) {
  Channel channel;
  ASSERT_EQ(migstream_channel_encoder_init(channel.get(), nullptr, 0),
            MIGSTREAM_OK);
  const migstream_piece piece = Piece();
  ASSERT_EQ(migstream_channel_encoder_packet_header(channel.get(), &piece),
            MIGSTREAM_OK);
  EXPECT_EQ(migstream_channel_encoder_take_over(channel.get(), 3),
            MIGSTREAM_OK);
  ASSERT_EQ(migstream_channel_encoder_packet_header(channel.get(), &piece),
            MIGSTREAM_OK);
  // 3 in its low 32 bits.
  EXPECT_EQ(migstream_channel_encoder_take_over(channel.get(),
                                                (uint64_t{1} << 32) + 3),
            MIGSTREAM_ERROR);
}

}  // namespace
}  // namespace migstream
