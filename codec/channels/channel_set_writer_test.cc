#include "codec/channels/channel_set_writer.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "codec/channels/channel_reader.h"
#include "codec/channels/channel_source.h"
#include "codec/channels/memory_channels.h"
#include "codec/qemu/stream_recording.h"
#include "codec/wire/text.h"
#include "flags/multifd_flags.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using Offsets = std::vector<uint64_t>;

constexpr char kIdstr[] = "0000:00:05.0/vfio";

std::string RandomBytes(size_t size) {
  std::mt19937 random(7);
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

// A writer, the channels that it writes, and what a reader finds in them.
class ChannelSet {
 public:
  explicit ChannelSet(size_t channels, const ChannelSetOptions& options = {})
      : sinks_(channels) {
    std::vector<ByteSink*> sinks;
    for (StringSink& sink : sinks_) sinks.push_back(&sink);
    writer_ = std::make_unique<ChannelSetWriter>(sinks, options);
  }

  ChannelSetWriter* operator->() { return writer_.get(); }
  const std::string& channel(size_t i) const { return sinks_[i].bytes(); }

  struct Device {
    std::string data;
    std::vector<size_t> packets;
    std::string config;
  };
  struct Found {
    Error error;
    std::map<std::string, Device> devices;
    std::vector<ChannelStats> stats;
  };
  Found Read(bool host_endian = false) const {
    std::vector<std::unique_ptr<MemorySource>> sources;
    std::vector<ChannelReader::Channel> channels;
    for (const StringSink& sink : sinks_) {
      sources.push_back(std::make_unique<MemorySource>(AsBytes(sink.bytes())));
      channels.push_back({StrCat("ch", channels.size()), sources.back().get()});
    }
    std::reverse(channels.begin(), channels.end());
    ChannelReaderOptions options;
    options.host_endian = host_endian;
    ChannelReader reader(channels, options);
    Found found;
    found.error = reader.Read([&](const ReassembledPiece& piece) {
      Device& device = found.devices[std::string(piece.idstr)];
      std::string data(AsText(piece.data));
      if (piece.config) {
        EXPECT_EQ(device.config, "");
        device.config = data;
      } else {
        device.data += data;
        device.packets.push_back(data.size());
      }
    });
    found.stats = reader.stats();
    std::reverse(found.stats.begin(), found.stats.end());
    return found;
  }

 private:
  std::vector<StringSink> sinks_;
  std::unique_ptr<ChannelSetWriter> writer_;
};

TEST(ChannelSetWriterTest, ChannelsBeginWithTheirIdsAndTheUuid) {
  ChannelSetOptions options;
  options.uuid.fill(0x7a);
  ChannelSet set(3, options);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(set.channel(i), std::string("\x11\x22\x33\x44"
                                          "\0\0\0\1",
                                          8) +
                                  std::string(16, '\x7a') +
                                  static_cast<char>(i) + std::string(39, '\0'));
  }
}

TEST(ChannelSetWriterTest, DataIsCutIntoPacketsThatTheChannelsTakeInTurn) {
  for (size_t channels = 1; channels <= 5; ++channels) {
    ChannelSetOptions options;
    options.packet_data_bytes = 1000;
    ChannelSet set(channels, options);
    std::string data = RandomBytes(6500);
    EXPECT_TRUE(set->Data(kIdstr, 0, AsBytes(data)).ok());
    EXPECT_TRUE(set->Data("b/vfio", 1, AsBytes("b")).ok());
    EXPECT_TRUE(set->Config(kIdstr, 0, AsBytes("config")).ok());
    EXPECT_TRUE(set->Config("b/vfio", 1, AsBytes("config b")).ok());
    EXPECT_TRUE(set->Finish().ok());

    ChannelSet::Found found = set.Read();
    EXPECT_TRUE(found.error.ok()) << ToString(found.error);
    EXPECT_TRUE(found.devices[kIdstr].data == data);
    EXPECT_EQ(found.devices[kIdstr].packets,
              (std::vector<size_t>{1000, 1000, 1000, 1000, 1000, 1000, 500}));
    EXPECT_EQ(found.devices[kIdstr].config, "config");
    EXPECT_EQ(found.devices["b/vfio"].data, "b");
    EXPECT_EQ(found.devices["b/vfio"].config, "config b");
    // Ten packets.
    for (size_t i = 0; i < channels; ++i) {
      EXPECT_EQ(found.stats[i].device_packets,
                (10 + channels - 1 - i) / channels);
    }
  }
}

TEST(ChannelSetWriterTest, AnyCutOfTheDataGivesTheSameChannels) {
  ChannelSetOptions options;
  options.packet_data_bytes = 100;
  std::string data = RandomBytes(999);
  ChannelSet whole(2, options);
  whole->Data(kIdstr, 0, AsBytes(data));
  for (size_t longest : {1, 7, 300}) {
    std::mt19937 random(1);
    ChannelSet cut(2, options);
    cut->DataStart(kIdstr, 0, data.size());
    for (ByteSpan left = AsBytes(data); !left.empty();) {
      size_t size = std::min(left.size(), 1 + random() % longest);
      EXPECT_TRUE(cut->Payload(left.first(size)).ok());
      left = left.subspan(size);
    }
    EXPECT_TRUE(cut.channel(0) == whole.channel(0));
    EXPECT_TRUE(cut.channel(1) == whole.channel(1));
  }
}

TEST(ChannelSetWriterTest, NoDataGivesNoPacket) {
  ChannelSet set(1);
  EXPECT_TRUE(set->Data(kIdstr, 0, {}).ok());
  EXPECT_TRUE(set->DataStart(kIdstr, 0, 0).ok());
  EXPECT_EQ(set.channel(0).size(), kMultifdInitBytes);
}

TEST(ChannelSetWriterTest, PacketsFitTheLimitWithTheirHeader) {
  ChannelSetOptions options;
  options.limits.packet_bytes = 100;
  ChannelSet set(1, options);
  std::string data = RandomBytes(200);
  set->Data(kIdstr, 0, AsBytes(data));
  EXPECT_TRUE(set->Config(kIdstr, 0, AsBytes(data).first(88)).ok());
  EXPECT_EQ(set.Read().devices[kIdstr].packets,
            (std::vector<size_t>{88, 88, 24}));
  EXPECT_EQ(set->Config("b/vfio", 0, AsBytes(data).first(89)).code,
            ErrorCode::kMultifdPacketLimit);
}

TEST(ChannelSetWriterTest, TheCallerMayChooseTheChannel) {
  ChannelSetOptions options;
  options.packet_data_bytes = 1;
  options.choice = [](std::string_view, uint32_t, uint32_t index) {
    return index < 3 ? 1u : 0u;
  };
  ChannelSet set(2, options);
  set->Data(kIdstr, 0, AsBytes("abcd"));
  set->Config(kIdstr, 0, AsBytes("c"));
  ChannelSet::Found found = set.Read();
  EXPECT_EQ(found.stats[0].device_packets, 2);
  EXPECT_EQ(found.stats[1].device_packets, 3);
  EXPECT_EQ(found.devices[kIdstr].data, "abcd");

  options.choice = [](std::string_view, uint32_t, uint32_t) { return 2u; };
  ChannelSet wrong(2, options);
  EXPECT_EQ(wrong->Data(kIdstr, 0, AsBytes("a")).code, ErrorCode::kNotWritable);
}

TEST(ChannelSetWriterTest, HostEndianHeadersAreThoseOfE6AndE7) {
  ChannelSetOptions options;
  options.packet_data_bytes = 1;
  options.host_endian = true;
  ChannelSet set(2, options);
  set->Data(kIdstr, 0, AsBytes("ab"));
  set->Config(kIdstr, 0, AsBytes("c"));
  EXPECT_EQ(set.channel(1).substr(64 + 276),
            std::string("\0\0\0\0"  // version
                        "\1\0\0\0"  // index
                        "\0\0\0\0"  // flags
                        "b",
                        13));
  EXPECT_EQ(set.Read(true).devices[kIdstr].data, "ab");
}

TEST(ChannelSetWriterTest, SyncGoesToEveryChannelAndRamPacketsInTurn) {
  ChannelSet set(2);
  std::string pages = RandomBytes(2 * 4096);
  EXPECT_TRUE(set->Ram("pc.ram", Offsets{0x1000, 0x3000}, Offsets{0x8000},
                       AsBytes(pages))
                  .ok());
  EXPECT_TRUE(set->Ram("pc.ram", {}, Offsets{0x9000, 0xa000}, {}).ok());
  EXPECT_TRUE(set->Sync().ok());
  EXPECT_TRUE(set->Finish().ok());

  MemorySource source(AsBytes(set.channel(0)));
  ChannelSource channel("ch0", source, {});
  MultifdEvent event;
  ASSERT_EQ(channel.Next(event), Step::kEvent);
  ASSERT_EQ(channel.Next(event), Step::kEvent);
  EXPECT_EQ(event.flags, 0);
  EXPECT_EQ(event.ram.block, "pc.ram");
  EXPECT_EQ(event.ram.allocated_pages, 128);
  EXPECT_EQ(event.ram.normal_pages, 2);
  EXPECT_EQ(event.ram.zero_pages, 1);
  EXPECT_EQ(event.ram.offset(0), 0x1000);
  EXPECT_EQ(event.ram.offset(1), 0x3000);
  EXPECT_EQ(event.ram.offset(2), 0x8000);
  EXPECT_EQ(event.ram.packet_number, 0);
  ASSERT_EQ(channel.Next(event), Step::kEvent);
  EXPECT_TRUE(AsText(event.bytes) == pages);
  ASSERT_EQ(channel.Next(event), Step::kEvent);
  EXPECT_EQ(event.flags, kMultifdSync);
  EXPECT_EQ(event.ram.normal_pages, 0);
  EXPECT_EQ(event.ram.packet_number, 2);
  EXPECT_EQ(channel.Next(event), Step::kDone);

  ChannelSet::Found found = set.Read();
  EXPECT_EQ(found.stats[1].sync_packets, 1);
  EXPECT_EQ(found.stats[1].zero_pages, 2);
}

TEST(ChannelSetWriterTest, WhatNoReaderWouldTakeIsRefused) {
  std::string big(129 * 4096, '\0');
  std::vector<uint64_t> many(129);
  struct Case {
    std::function<Error(ChannelSet&)> act;
    ErrorCode code;
  };
  for (const Case& c : {
           Case{[](ChannelSet& s) {
                  s->DataStart(kIdstr, 0, 2);
                  return s->Payload(AsBytes("abc"));
                },
                ErrorCode::kRecordOverrun},
           Case{[](ChannelSet& s) {
                  s->DataStart(kIdstr, 0, 2);
                  s->Payload(AsBytes("a"));
                  return s->Config(kIdstr, 0, AsBytes("c"));
                },
                ErrorCode::kMissingPayload},
           Case{[](ChannelSet& s) {
                  s->DataStart(kIdstr, 0, 2);
                  return s->Finish();
                },
                ErrorCode::kMissingPayload},
           Case{[](ChannelSet& s) {
                  s->Config(kIdstr, 0, AsBytes("c"));
                  return s->Data(kIdstr, 0, AsBytes("a"));
                },
                ErrorCode::kMultifdConfigNotLast},
           Case{[](ChannelSet& s) {
                  s->Config(kIdstr, 0, AsBytes("c"));
                  return s->Config(kIdstr, 0, AsBytes("c"));
                },
                ErrorCode::kMultifdConfigNotLast},
           Case{[](ChannelSet& s) {
                  s->Data(kIdstr, 0, AsBytes("a"));
                  return s->Finish();
                },
                ErrorCode::kMultifdGap},
           Case{[](ChannelSet& s) {
                  return s->Data(std::string(256, 'x'), 0, AsBytes("a"));
                },
                ErrorCode::kMultifdIdstr},
           Case{[&](ChannelSet& s) {
                  return s->Ram("pc.ram", many, {}, AsBytes(big));
                },
                ErrorCode::kMultifdPages},
           Case{[&](ChannelSet& s) {
                  return s->Ram("pc.ram", Offsets{0}, {}, AsBytes("short"));
                },
                ErrorCode::kMultifdPages},
       }) {
    ChannelSet set(2);
    Error error = c.act(set);
    EXPECT_EQ(error.code, c.code) << ToString(error);
  }
  EXPECT_EQ(ChannelSet(0)->Sync().code, ErrorCode::kNotWritable);
  EXPECT_EQ(ChannelSet(257)->Sync().code, ErrorCode::kNotWritable);
}

TEST(ChannelSetWriterTest, ErrorsAreSticky) {
  ChannelSet set(1);
  set->Payload(AsBytes("a"));
  size_t before = set.channel(0).size();
  EXPECT_EQ(set->Data(kIdstr, 0, AsBytes("a")).code, ErrorCode::kRecordOverrun);
  EXPECT_EQ(set->Sync().code, ErrorCode::kRecordOverrun);
  EXPECT_EQ(set->Finish().code, ErrorCode::kRecordOverrun);
  EXPECT_EQ(set.channel(0).size(), before);
}

// The channels of real migrations.
class ChannelSetCaptureTest : public testing::TestWithParam<testdata::Capture> {
};

TEST_P(ChannelSetCaptureTest, EveryChannelIsWrittenAgainToTheLastByte) {
  for (const std::string& bytes : ReadChannels(GetParam())) {
    for (size_t longest : {size_t{1}, size_t{97}, size_t{5000}, bytes.size()}) {
      ShortReadSource source(AsBytes(bytes), longest);
      StringSink sink;
      Error error = RepackChannel("channel", source, sink, {});
      EXPECT_TRUE(error.ok()) << ToString(error);
      EXPECT_TRUE(sink.bytes() == bytes) << longest;
    }
  }
}

TEST_P(ChannelSetCaptureTest, AChannelCutShortIsWrittenUpToTheCut) {
  std::mt19937 random(1);
  for (const std::string& bytes : ReadChannels(GetParam())) {
    for (int i = 0; i < 20; ++i) {
      std::string cut = bytes.substr(0, random() % bytes.size());
      ShortReadSource source(AsBytes(cut), 300);
      StringSink sink;
      Error error = RepackChannel("channel", source, sink, {});
      EXPECT_TRUE(error.ok() || error.code == ErrorCode::kTruncated);
      EXPECT_TRUE(sink.bytes() == cut);
    }
  }
}

TEST_P(ChannelSetCaptureTest, DeviceStateDealtAnewIsTheSame) {
  std::vector<std::string> channels = ReadChannels(GetParam());
  for (size_t count : {1, 3, 8}) {
    ChannelSetOptions options;
    options.packet_data_bytes = 1000;
    ChannelSet set(count, options);
    std::map<std::string, ChannelSet::Device> truth;
    const MemoryChannels given(channels);
    ChannelReader reader(given.given(), {});
    Error error = reader.Read([&](const ReassembledPiece& piece) {
      std::string data(AsText(piece.data));
      ChannelSet::Device& device = truth[std::string(piece.idstr)];
      if (piece.config) {
        device.config = data;
        set->Config(piece.idstr, piece.instance_id, piece.data);
      } else {
        device.data += data;
        set->Data(piece.idstr, piece.instance_id, piece.data);
      }
    });
    ASSERT_TRUE(error.ok()) << ToString(error);
    EXPECT_TRUE(set->Finish().ok());
    ChannelSet::Found found = set.Read();
    EXPECT_TRUE(found.error.ok()) << ToString(found.error);
    ASSERT_EQ(found.devices.size(), truth.size());
    for (const auto& [idstr, device] : truth) {
      EXPECT_TRUE(found.devices[idstr].data == device.data);
      EXPECT_TRUE(found.devices[idstr].config == device.config);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, ChannelSetCaptureTest,
                         testing::ValuesIn(CapturesWithChannels()),
                         CaptureName());

}  // namespace
}  // namespace migstream
