#include "codec/channels/channel_reader.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "codec/channels/channel_source.h"
#include "codec/channels/memory_channels.h"
#include "codec/qemu/stream_recording.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::HasSubstr;

// Some channels of a capture, as files of a migration.
class Channels {
 public:
  explicit Channels(std::vector<std::string> bytes) : bytes_(std::move(bytes)) {
    for (const std::string& channel : bytes_) {
      // As a pipe gives them.
      sources_.push_back(
          std::make_unique<ShortReadSource>(AsBytes(channel), 3000));
    }
  }

  Error Read(const ChannelReaderOptions& options = {}) {
    std::vector<ChannelReader::Channel> channels;
    for (size_t i = 0; i < sources_.size(); ++i) {
      channels.push_back({StrCat("file", i), sources_[i].get()});
    }
    ChannelReader reader(std::move(channels), options);
    Error error = reader.Read([this](const ReassembledPiece& piece) {
      if (piece.config) {
        config_ = DecodeConfigPiece(piece, [this](const Event& event) {
          events_.push_back(event.kind);
        });
      } else {
        payload_ += std::string(AsText(piece.data));
      }
    });
    stats_ = reader.stats();
    return error;
  }

  std::vector<std::string> bytes_;
  std::vector<std::unique_ptr<ByteSource>> sources_;
  std::string payload_;
  Error config_;
  std::vector<EventKind> events_;
  std::vector<ChannelStats> stats_;
};

TEST(ChannelReaderTest, AnyOrderOfChannelsGivesThePayloadAndTheConfig) {
  const testdata::Capture& capture = GetCapture("s100-multifd");
  std::vector<std::string> bytes = ReadChannels(capture);
  std::vector<int> order = {0, 1, 2, 3};
  do {
    std::vector<std::string> dealt;
    for (int i : order) dealt.push_back(bytes[i]);
    Channels channels(dealt);
    Error error = channels.Read();
    EXPECT_TRUE(error.ok()) << ToString(error);
    EXPECT_EQ(Sha256(channels.payload_), capture.devices(0).payload_sha256());
    EXPECT_TRUE(channels.config_.ok()) << ToString(channels.config_);
    EXPECT_THAT(channels.events_, testing::ElementsAre(EventKind::kConfig,
                                                       EventKind::kConfigEnd));
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(ChannelReaderTest, ChannelsAreCounted) {
  const testdata::Capture& capture = GetCapture("s100-multifd");
  Channels channels(ReadChannels(capture));
  EXPECT_TRUE(channels.Read().ok());
  uint64_t packets = 0;
  std::vector<int> ids;
  for (size_t i = 0; i < channels.stats_.size(); ++i) {
    packets += channels.stats_[i].device_packets;
    ids.push_back(channels.stats_[i].id);
    EXPECT_EQ(channels.stats_[i].bytes, channels.bytes_[i].size());
  }
  EXPECT_EQ(packets, capture.devices(0).record_sizes_size() + 1);
  EXPECT_THAT(ids, testing::UnorderedElementsAre(0, 1, 2, 3));
}

// As of many channels together, which would be read by the byte otherwise.
TEST(ChannelReaderTest, WithoutReadingAheadAPayloadComesInPieces) {
  const std::string bytes = ReadChannels(GetCapture("s100-multifd"))[1];
  ShortReadSource source(AsBytes(bytes), 3000);
  source.SetReadAhead(false);
  ChannelSource channel("file", source, {});
  size_t pieces = 0;
  size_t packets = 0;
  for (MultifdEvent event; channel.Next(event) == Step::kEvent;) {
    ++(event.kind == MultifdEventKind::kPayload ? pieces : packets);
  }
  EXPECT_TRUE(channel.error().ok()) << ToString(channel.error());
  EXPECT_EQ(channel.decoder().offset(), bytes.size());
  EXPECT_LE(pieces, packets + bytes.size() / 30'000);
}

TEST(ChannelReaderTest, AMissingChannelIsToldByItsPacketsAndItsId) {
  std::vector<std::string> bytes = ReadChannels(GetCapture("s100-multifd"));
  for (size_t missing = 0; missing < bytes.size(); ++missing) {
    std::vector<std::string> left = bytes;
    left.erase(left.begin() + missing);
    Error error = Channels(left).Read();
    EXPECT_EQ(error.code, ErrorCode::kMultifdGap) << ToString(error);
    int id = static_cast<uint8_t>(bytes[missing][24]);
    if (id != 3) {  // Nothing tells that there were four.
      EXPECT_THAT(error.reason, HasSubstr(StrCat("channels not given: ", id)));
    }
  }
}

TEST(ChannelReaderTest, AChannelGivenTwiceIsNamed) {
  std::vector<std::string> bytes = ReadChannels(GetCapture("s100-multifd"));
  bytes.push_back(bytes[1]);
  Error error = Channels(bytes).Read();
  EXPECT_EQ(error.code, ErrorCode::kMultifdChannelId);
  EXPECT_EQ(error.offset, 24);
  EXPECT_EQ(error.file, "file4");
  EXPECT_THAT(error.reason, HasSubstr("file1"));
}

TEST(ChannelReaderTest, ChannelsOfTwoMigrationsAreNotMixed) {
  std::vector<std::string> bytes = ReadChannels(GetCapture("s100-multifd"));
  bytes[2][8] ^= 1;  // The VM's uuid.
  Channels channels(bytes);
  Error error = channels.Read();
  EXPECT_EQ(error.code, ErrorCode::kMultifdOtherVm);
  EXPECT_EQ(error.offset, 8);
  EXPECT_EQ(error.file, "file2");
  EXPECT_THAT(error.reason, HasSubstr("than file0: the uuids differ"));
  EXPECT_EQ(channels.payload_, "");
}

TEST(ChannelReaderTest, ChannelsOfAnotherMainChannelAreRefused) {
  std::vector<std::string> bytes = ReadChannels(GetCapture("s100-multifd"));
  ChannelReaderOptions options;
  options.uuid.emplace();  // Zero, as in the capture.
  EXPECT_TRUE(Channels(bytes).Read(options).ok());
  options.uuid->back() = 1;
  Error error = Channels(bytes).Read(options);
  EXPECT_EQ(error.code, ErrorCode::kMultifdOtherVm);
  EXPECT_EQ(error.file, "file0");
  EXPECT_THAT(error.reason, HasSubstr("than the main channel"));
}

TEST(ChannelReaderTest, ACutChannelIsTheErrorAndNotWhatItLacks) {
  std::vector<std::string> bytes = ReadChannels(GetCapture("s100-multifd"));
  bytes[2].resize(bytes[2].size() - 1);
  Error error = Channels(bytes).Read();
  EXPECT_EQ(error.code, ErrorCode::kTruncated) << ToString(error);
  EXPECT_EQ(error.file, "file2");
  EXPECT_EQ(error.offset, bytes[2].size());
}

TEST(ChannelReaderTest, AnEmptyChannelIsCut) {
  std::vector<std::string> bytes = ReadChannels(GetCapture("s100-multifd"));
  bytes.push_back("");
  Error error = Channels(bytes).Read();
  EXPECT_EQ(error.code, ErrorCode::kTruncated);
  EXPECT_EQ(error.file, "file4");
}

TEST(ChannelReaderTest, OnlyDevicesOfTheMainChannelMayHavePackets) {
  ChannelReaderOptions options;
  options.devices = {{"0000:00:09.0/vfio", 0}};
  Error error =
      Channels(ReadChannels(GetCapture("s100-multifd"))).Read(options);
  EXPECT_EQ(error.code, ErrorCode::kMultifdUnknownDevice);
}

TEST(ChannelReaderTest, WhatIsWrongWithAPacketIsInItsFile) {
  std::vector<std::string> bytes = ReadChannels(GetCapture("s100-multifd"));
  for (size_t i = 0; i < bytes.size(); ++i) {
    size_t idstr = bytes[i].find("0000:00:05.0/vfio");
    if (idstr == std::string::npos) continue;
    size_t packet = idstr - 12;  // Magic, version, flags.
    bytes[i][packet + 276 + 3] = 9;
    Error error = Channels(bytes).Read();
    EXPECT_EQ(ToString(error),
              StrCat("file", i, ":", Hex(packet),
                     ": 0000:00:05.0/vfio: packet has unknown version "
                     "9"));
    return;
  }
  FAIL() << "no channel has a packet of the device";
}

TEST(DecodeConfigPieceTest, AnErrorIsWhereThePieceWasRead) {
  ReassembledPiece piece;
  piece.idstr = "device";
  piece.config = true;
  piece.place = {"ch1", 0x1000};
  const std::string bytes = "nonsense";
  piece.data = AsBytes(bytes);
  Error error = DecodeConfigPiece(piece, [](const Event&) {});
  EXPECT_EQ(error.file, "ch1");
  EXPECT_EQ(error.offset, 0x1000 + 276 + 12);
}

TEST(DecodeConfigPieceTest, BytesAroundTheConfigAreRefused) {
  ReassembledPiece piece;
  piece.idstr = "device";
  piece.config = true;
  std::string bytes = "\xff\xff\xff\xff\xef\x10\x02";
  piece.data = AsBytes(bytes);
  EXPECT_EQ(DecodeConfigPiece(piece, [](const Event&) {}).code,
            ErrorCode::kTruncated);
  bytes = "nonsense";
  piece.data = AsBytes(bytes);
  EXPECT_EQ(DecodeConfigPiece(piece, [](const Event&) {}).code,
            ErrorCode::kUnknownTag);
}

}  // namespace
}  // namespace migstream
