// What is rewritten, what is refused, and with which reason.

#include "codec/rewrite/rewrite.h"

#include <string>
#include <utility>

#include "codec/device/config_bytes.h"
#include "codec/multifd/packet.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/rewrite/rewrite_streams.h"
#include "codec/wire/text.h"
#include "flags/multifd_flags.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::HasSubstr;

Error Refusal(const std::string& capture, const RewriteOptions& options) {
  Rewritten result = RewriteBytes(ReadCapture(GetCapture(capture)), options);
  EXPECT_FALSE(result.error.ok());
  return result.error;
}

TEST(RewriteTest, WhatADialectsWritersNeverWriteIsRefused) {
  RewriteOptions options;
  options.to = Row(DialectId::kV60);
  EXPECT_THAT(Refusal("s111-precopy", options).reason,
              HasSubstr("QEMU 6.0 to 7.2 writes no PART without DATA"));
  options.strip_empty_parts = true;
  EXPECT_THAT(Refusal("s111-switchover-ack", options).reason,
              HasSubstr("no INIT_DATA_SENT"));
  options = {};
  options.to = Row(DialectId::kV80);
  EXPECT_THAT(Refusal("s72-precopy", options).reason,
              HasSubstr("dialect V80 has no PART section"));
  options.to = Row(DialectId::kV81);
  EXPECT_THAT(Refusal("s52-precopy", options).reason,
              HasSubstr("has no CONFIG"));
}

TEST(RewriteTest, ADialectThatNoQemuReadsIsRefused) {
  RewriteOptions options;
  options.to = Row(DialectId::kE2);
  EXPECT_THAT(Refusal("s52-precopy", options).reason,
              HasSubstr("never released"));
  options.to = Row(DialectId::kV111M);
  EXPECT_THAT(Refusal("s111-precopy", options).reason,
              HasSubstr("multifd channels"));
}

TEST(RewriteTest, ADeviceMustBeMeantWithoutDoubt) {
  MemorySource payload(AsBytes("x"));
  RewriteOptions options;
  options.payload = &payload;
  options.reader.dialect = Row(DialectId::kV111);
  EXPECT_THAT(Refusal("s111-two", options).reason,
              HasSubstr("several devices"));
  options.device = "0000:00:09.0/vfio";
  MemorySource again(AsBytes("x"));
  options.payload = &again;
  EXPECT_THAT(Refusal("s111-two", options).reason,
              HasSubstr("no device 0000:00:09.0/vfio"));
}

TEST(RewriteTest, AConfigWithOtherVectorsIsRefused) {
  RewriteOptions options;
  options.config = std::string(4096, '\0');
  EXPECT_THAT(Refusal("s111-precopy", options).reason,
              HasSubstr("0 MSI-X vectors, and the table in the stream 5"));
}

TEST(RewriteTest, RecordsOfAStreamThatMayBeOfV1AreNotCut) {
  RewriteOptions options;
  options.record_bytes = 512;
  EXPECT_THAT(Refusal("s72-stop3m", options).reason,
              HasSubstr("may be of V60"));
}

TEST(RewriteTest, WhatIsCutShortIsNotRewritten) {
  RewriteOptions options;
  options.strip_empty_parts = true;
  EXPECT_EQ(Refusal("s111-cancelled", options).code, ErrorCode::kTruncated);
}

TEST(RewriteTest, MappedRamPagesStayWhereTheirOffsetsSay) {
  std::string bytes = ReadCapture(GetCapture("s111-file-mapped-ram"));
  RewriteOptions options;
  options.strip_empty_parts = true;  // All of them come after the pages.
  EXPECT_TRUE(RewriteBytes(bytes, options).error.ok());
}

TEST(RewriteTest, AConfigIsExchangedWhereItMovesToEndAsWell) {
  std::string bytes = ReadCapture(GetCapture("s72-precopy"));
  RewriteOptions options;
  options.config = Extract(bytes, "", PayloadExtractor::kConfig);
  options.config[4] ^= 4;
  options.to = Row(DialectId::kV52);
  Rewritten moved = RewriteBytes(bytes, options);
  ASSERT_TRUE(moved.error.ok()) << ToString(moved.error);
  EXPECT_TRUE(Extract(moved.bytes, "", PayloadExtractor::kConfig) ==
              options.config);
}

TEST(RewriteTest, WhatIsCutShortIsCopiedUpToTheCutWithItsChannels) {
  Streams streams = ReadStreams("s111-multifd-two");
  streams.main.resize(streams.main.size() - 100);
  streams.channels[1].resize(streams.channels[1].size() - 10);
  RewrittenStreams cut =
      RewriteStreams(streams, streams.channels.size(), RewriteOptions());
  EXPECT_EQ(cut.error.code, ErrorCode::kTruncated);
  EXPECT_TRUE(cut.streams.main == streams.main);
  EXPECT_TRUE(cut.streams.channels == streams.channels);
}

TEST(RewriteTest, PacketsOfADeviceThatTheMainChannelLacksAreNotLost) {
  const testdata::Capture& capture = GetCapture("s111-multifd-two");
  RewriteOptions drop;
  drop.dropped_devices = {"0000:00:06.0/vfio"};
  RewrittenStreams one = RewriteStreams({ReadCapture(capture)}, 0, drop);
  ASSERT_TRUE(one.error.ok()) << ToString(one.error);
  Streams streams = {one.streams.main, ReadChannels(capture)};
  RewriteOptions options;
  options.single_channel = true;
  Error error = RewriteStreams(streams, 0, options).error;
  EXPECT_EQ(error.code, ErrorCode::kMultifdUnknownDevice);
  EXPECT_EQ(error.section, "0000:00:06.0/vfio");
  options.dropped_devices = {"0000:00:06.0/vfio"};
  streams.main = ReadCapture(capture);
  error = RewriteStreams(streams, 0, options).error;
  EXPECT_TRUE(error.ok()) << ToString(error);
}

// Two devices in a package, in the description too.
TEST(RewriteTest, APackageSaysHowLongItIs) {
  const HandlerBytes kept = {.id = 1, .idstr = "0000:00:05.0/vfio"};
  const HandlerBytes dropped = {.id = 2, .idstr = "0000:00:06.0/vfio"};
  auto sections = [](const HandlerBytes& device, bool empty_part) {
    return device.Start(kSetupTag + kEos) +
           (empty_part ? device.Part(kEos) : "") +
           device.End(DataBytes("payload") + kEos);
  };
  const std::string listen = CommandBytes(4);
  auto stream = [&](const std::string& packaged) {
    return HeaderBytes() + PackagedBytes(packaged + listen) + listen +
           EofBytes();
  };
  const std::string whole =
      stream(sections(kept, true) + sections(dropped, true));
  RewriteOptions options;
  EXPECT_EQ(RewriteBytes(whole, options).bytes, whole);
  options.strip_empty_parts = true;
  EXPECT_EQ(RewriteBytes(whole, options).bytes,
            stream(sections(kept, false) + sections(dropped, false)));
  options.dropped_devices = {dropped.idstr};
  EXPECT_EQ(RewriteBytes(whole, options).bytes, stream(sections(kept, false)));
  options.dropped_devices = {kept.idstr};
  EXPECT_EQ(RewriteBytes(whole, options).bytes,
            stream(sections(dropped, false)));
}

// It is not held, and its length is written before its end.
TEST(RewriteTest, APackageThatIsTooLongToBeHeldKeepsItsLength) {
  const HandlerBytes vfio = {.id = 1, .idstr = "0000:00:05.0/vfio"};
  auto stream = [&](size_t bytes) {
    return HeaderBytes() +
           PackagedBytes(vfio.Start(kSetupTag + kEos) + vfio.Part(kEos) +
                         vfio.End(DataBytes(std::string(bytes, 'x')) + kEos)) +
           EofBytes();
  };
  RewriteOptions options;
  EXPECT_EQ(RewriteBytes(stream(9 << 20), options).bytes, stream(9 << 20));
  options.strip_empty_parts = true;
  const Rewritten stripped = RewriteBytes(stream(9 << 20), options);
  EXPECT_EQ(stripped.error.code, ErrorCode::kNotWritable);
  EXPECT_THAT(stripped.error.reason, HasSubstr("the package"));
  EXPECT_TRUE(RewriteBytes(stream(7 << 20), options).error.ok());
}

const HandlerBytes kVfio = {.id = 5, .idstr = "0000:00:05.0/vfio"};

std::string ConfigElement() {
  return TagBytes(2) + ConfigBytes().Payload() + kEos;
}

TEST(RewriteTest, ASecondEndIsNotWrittenInADialectThatHasOne) {
  std::string start = kVfio.Start(kSetupTag + kEos);
  std::string end = kVfio.End(DataBytes("payload") + kEos);
  std::string v60 = HeaderBytes() + start + end + end +
                    kVfio.Full(ConfigElement()) + EofBytes();
  EXPECT_EQ(RewriteBytes(v60, {}).bytes, v60);
  RewriteOptions options;
  options.to = Row(DialectId::kV52);
  Rewritten v52 = RewriteBytes(v60, options);
  EXPECT_EQ(v52.error.code, ErrorCode::kNotWritable);
  EXPECT_EQ(v52.error.reason, "QEMU 5.2 writes no further END of a device");
  EXPECT_EQ(v52.error.offset, 8 + start.size() + end.size());
}

TEST(RewriteTest, ASecondConfigIsNotWrittenInADialectThatHasOne) {
  std::string start = kVfio.Start(kSetupTag + kEos);
  std::string full = kVfio.Full(ConfigElement());
  std::string v60 =
      HeaderBytes() + start + kVfio.End(kEos) + full + full + EofBytes();
  RewriteOptions options;
  options.to = Row(DialectId::kV81);
  EXPECT_EQ(RewriteBytes(v60, options).error.reason,
            "QEMU 8.1 to 9.2 writes no further CONFIG of a device");
  options.to = Row(DialectId::kV52);
  EXPECT_EQ(RewriteBytes(v60, options).error.reason, "CONFIG twice");
}

TEST(RewriteTest, WhatIsOfTheDialectAlreadyStaysAsItIs) {
  for (const char* name : {"s52-two", "s72-two", "s111-two"}) {
    std::string bytes = ReadCapture(GetCapture(name));
    RewriteOptions options;
    options.to = Row(name[1] == '5'   ? DialectId::kV52
                     : name[1] == '7' ? DialectId::kV60
                                      : DialectId::kV111);
    Rewritten same = RewriteBytes(bytes, options);
    EXPECT_TRUE(same.error.ok()) << ToString(same.error);
    EXPECT_TRUE(same.bytes == bytes) << name;
  }
}

// The configs are in the channels, and go to END from there.
TEST(RewriteTest, WhatIsMergedMovesToEnd) {
  const testdata::Capture& capture = GetCapture("s111-multifd-two");
  Streams streams = ReadStreams("s111-multifd-two");
  RewriteOptions options;
  options.single_channel = true;
  options.strip_empty_parts = true;
  RewrittenStreams merged = RewriteStreams(streams, 0, options);
  ASSERT_TRUE(merged.error.ok()) << ToString(merged.error);
  options.to = Row(DialectId::kV52);
  RewrittenStreams moved = RewriteStreams(streams, 0, options);
  ASSERT_TRUE(moved.error.ok()) << ToString(moved.error);
  ExpectSamePayloads(capture, moved.streams.main);
  for (const testdata::Device& device : capture.devices()) {
    EXPECT_EQ(
        Extract(moved.streams.main, device.idstr(), PayloadExtractor::kConfig),
        Extract(merged.streams.main, device.idstr(),
                PayloadExtractor::kConfig));
  }
  // Only what 5.2 never writes is in the way.
  options.strip_empty_parts = false;
  streams = ReadStreams("s111-multifd-precopy-ack");
  EXPECT_THAT(RewriteStreams(streams, 0, options).error.reason,
              HasSubstr("QEMU 5.2 writes no PART without DATA"));
}

TEST(RewriteTest, ADescriptionThatCannotBeKeptTrueIsNotWritten) {
  // Two fields: which of them has become smaller?
  std::string full = kVfio.Full(ConfigElement());
  std::string json =
      R"({"devices":[{"name":"0000:00:05.0/vfio","instance_id":0,"fields":[)"
      R"({"name":"a","size":4197,"type":"buffer"},)"
      R"({"name":"b","size":16,"type":"buffer"}]}]})";
  std::string bytes = HeaderBytes() + kVfio.Start(kSetupTag + kEos) +
                      kVfio.End(kEos) + full + EofBytes() +
                      DescriptionBytes(json);
  EXPECT_EQ(RewriteBytes(bytes, {}).bytes, bytes);
  RewriteOptions options;
  options.config = ConfigBytes().PciConfig().substr(0, 256);
  Rewritten smaller = RewriteBytes(bytes, options);
  EXPECT_EQ(smaller.error.code, ErrorCode::kNotWritable);
  EXPECT_EQ(smaller.error.section, "VMDESCRIPTION");
  EXPECT_THAT(smaller.error.reason, HasSubstr("has several fields"));
}

TEST(RewriteTest, ADescriptionThatQemuDoesNotWriteIsCopiedAndNotEdited) {
  const std::string state = HeaderBytes() + kVfio.Start(kSetupTag + kEos) +
                            kVfio.End(kEos) + kVfio.Full(ConfigElement()) +
                            EofBytes();
  for (const char* json :
       {R"({"page_size":"4096","devices":[]})", R"({"devices":[)", "no JSON"}) {
    const std::string bytes = state + DescriptionBytes(json);
    const Rewritten copied = RewriteBytes(bytes, {});
    EXPECT_TRUE(copied.error.ok()) << ToString(copied.error);
    EXPECT_EQ(copied.bytes, bytes);
    RewriteOptions options;
    options.dropped_devices = {kVfio.idstr};
    EXPECT_EQ(RewriteBytes(bytes, options).error.code,
              ErrorCode::kBadDescription)
        << json;
  }
}

TEST(RewriteTest, ConfigLoadReadyStaysWhereChannelsAreSplitAnew) {
  RewriteOptions options;
  options.single_channel = true;
  options.split_channels = true;
  for (const char* name : {"s111-multifd-cfg-after-iter", "s111-multifd-two"}) {
    const Streams streams = ReadStreams(name);
    RewrittenStreams split = RewriteStreams(streams, 2, options);
    ASSERT_TRUE(split.error.ok()) << ToString(split.error);
    const report::Report before = ReportOf(streams.main);
    const report::Report after = ReportOf(split.streams.main);
    for (int i = 0; i < before.devices_size(); ++i) {
      EXPECT_EQ(after.devices(i).config_load_ready(),
                before.devices(i).config_load_ready())
          << name;
    }
  }
}

TEST(RewriteTest, ADeviceIsDroppedBesideChannelsOfGuestMemoryAlone) {
  const std::string device = "0000:00:05.0/vfio";
  RewriteOptions options;
  options.dropped_devices = {device};
  const Streams streams = ReadStreams("s72-multifd-ram");
  ASSERT_NE(streams.main.find(device), std::string::npos);
  RewrittenStreams dropped =
      RewriteStreams(streams, streams.channels.size(), options);
  ASSERT_TRUE(dropped.error.ok()) << ToString(dropped.error);
  EXPECT_EQ(dropped.streams.main.find(device), std::string::npos);
  EXPECT_TRUE(dropped.streams.channels == streams.channels);

  const Streams state = ReadStreams("s111-multifd-two");
  dropped = RewriteStreams(state, state.channels.size(), options);
  EXPECT_EQ(dropped.error.code, ErrorCode::kBadOptions);
}

TEST(RewriteTest, AMissingChannelIsNoticed) {
  for (const char* name :
       {"s111-multifd-two", "s100-multifd-zero", "s72-multifd-ram"}) {
    const Streams all = ReadStreams(name);
    for (size_t i = 0; i < all.channels.size(); ++i) {
      Streams streams = all;
      streams.channels.erase(streams.channels.begin() +
                             static_cast<ptrdiff_t>(i));
      RewriteOptions options;
      options.single_channel = true;
      Error error = RewriteStreams(streams, 0, options).error;
      EXPECT_EQ(error.code, ErrorCode::kMultifdGap) << name << " without " << i;
    }
  }
}

TEST(RewriteTest, ChannelsAreMergedInTheDialectThatWasNamed) {
  RewriteOptions options;
  options.single_channel = true;
  options.reader.dialect = Row(DialectId::kV111M);
  RewrittenStreams merged =
      RewriteStreams(ReadStreams("s111-multifd-two"), 0, options);
  EXPECT_TRUE(merged.error.ok()) << ToString(merged.error);
  options.reader.dialect = Row(DialectId::kAuto);
  EXPECT_TRUE(
      merged.streams.main ==
      RewriteStreams(ReadStreams("s111-multifd-two"), 0, options).streams.main);
}

TEST(RewriteTest, WhatIsOnChannelsThatAreNotGivenIsNotMergedNorSplit) {
  const Streams main = {ReadCapture(GetCapture("s100-multifd"))};
  RewriteOptions merge;
  merge.single_channel = true;
  RewriteOptions split;
  split.split_channels = true;
  for (RewriteOptions* options : {&merge, &split}) {
    const size_t channels = options->split_channels ? 2 : 0;
    Error error = RewriteStreams(main, channels, *options).error;
    EXPECT_EQ(error.section, "0000:00:05.0/vfio");
    EXPECT_THAT(error.reason, HasSubstr("which were not given"));
    EXPECT_GT(error.offset, 0);
    options->dropped_devices = {"0000:00:05.0/vfio"};
    error = RewriteStreams(main, channels, *options).error;
    EXPECT_EQ(error.section, "ram") << ToString(error);
  }
}

TEST(RewriteTest, ChannelsThatEndBeforeASyncPointAreRefused) {
  Streams streams = ReadStreams("s72-multifd-ram");
  for (std::string& channel : streams.channels) {
    channel.resize(channel.size() - 320 - 8 * 128);  // A SYNC packet.
  }
  RewriteOptions options;
  options.single_channel = true;
  Error error = RewriteStreams(streams, 0, options).error;
  EXPECT_EQ(error.code, ErrorCode::kOutOfStep);
  EXPECT_THAT(error.reason, HasSubstr("before a sync point"));
}

TEST(RewriteTest, DeviceStateIsNotSplitWithoutSwitchoverStart) {
  RewriteOptions options;
  options.split_channels = true;
  Error error =
      RewriteStreams({ReadCapture(GetCapture("s72-precopy"))}, 2, options)
          .error;
  EXPECT_EQ(error.code, ErrorCode::kNotWritable);
  EXPECT_THAT(error.reason, HasSubstr("SWITCHOVER_START"));
}

// A SYNC packet has room for as many pages as any.
const size_t kSyncBytes = kRamPacketFixedBytes + 8 * RamPacketSlots(4096);

// Otherwise one that is sent fast gives a device its state before the device is
// set up, which a destination refuses.
TEST(RewriteTest, ChannelsThatAreSplitWaitWhereQemusDo) {
  RewriteOptions options;
  options.split_channels = true;
  const std::string main = ReadCapture(GetCapture("s111-two"));
  RewrittenStreams split = RewriteStreams({main}, 2, options);
  ASSERT_TRUE(split.error.ok()) << ToString(split.error);
  const report::Report report = ReportOf(split.streams.main);
  EXPECT_EQ(report.ram().multifd_flushes(), 2);
  for (const std::string& channel : split.streams.channels) {
    // All of them come before the first device's state.
    ByteSpan rest = AsBytes(channel).subspan(kMultifdInitBytes);
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(LoadBe32(&rest[8]), uint32_t{kMultifdSync});
      rest = rest.subspan(kSyncBytes);
    }
    EXPECT_EQ(LoadBe32(&rest[8]), uint32_t{kMultifdDeviceState});
  }
}

// A loader reads as many bytes of a packet as its own pages ask for.
TEST(RewriteTest, SyncPointsAreOfTheTargetsPageSize) {
  const HandlerBytes ram = {.id = 2, .idstr = "ram", .version = 4};
  const std::string eos = Be64Bytes(0x10);
  const std::string start = ram.Start(
      Be64Bytes(0x10000 | 4) + Str8Bytes("ram") + Be64Bytes(0x10000) + eos);
  auto split = [&](const std::string& subsections) {
    RewriteOptions options;
    options.split_channels = true;
    RewrittenStreams streams = RewriteStreams(
        {HeaderBytes() + ConfigurationBytes("virt-11.1", subsections) + start +
         CommandBytes(11) + ram.End(eos) + EofBytes()},
        1, options);
    EXPECT_TRUE(streams.error.ok()) << ToString(streams.error);
    return streams.streams.channels[0].size();
  };
  EXPECT_EQ(split(""), kMultifdInitBytes + 2 * kSyncBytes);
  EXPECT_EQ(
      split(ConfigurationSubsectionBytes("target-page-bits", Be32Bytes(16))),
      kMultifdInitBytes +
          2 * (kRamPacketFixedBytes + 8 * RamPacketSlots(1 << 16)));
}

TEST(RewriteTest, AFileOfMappedRamIsNotSplit) {
  RewriteOptions options;
  options.split_channels = true;
  Error error =
      RewriteStreams({ReadCapture(GetCapture("s111-file-mapped-ram"))}, 2,
                     options)
          .error;
  EXPECT_EQ(error.code, ErrorCode::kNotWritable);
  EXPECT_EQ(error.reason, "mapped-ram is for files, and channels are not");
}

// A destination with a uuid refuses channels that do not say it.
TEST(RewriteTest, ChannelsSayTheUuidOfTheConfiguration) {
  const std::string uuid = "0123456789abcdef";
  std::string start = kVfio.Start(kSetupTag + kEos);
  std::string rest = start + CommandBytes(11) +
                     kVfio.End(DataBytes("payload") + kEos) +
                     kVfio.Full(ConfigElement()) + EofBytes();
  auto stream = [&](const std::string& subsections) {
    return HeaderBytes() + ConfigurationBytes("pc-q35-11.1", subsections) +
           rest;
  };
  Streams with = {stream(ConfigurationSubsectionBytes("uuid", uuid))};
  RewriteOptions options;
  options.split_channels = true;
  RewrittenStreams split = RewriteStreams(with, 2, options);
  ASSERT_TRUE(split.error.ok()) << ToString(split.error);
  for (const std::string& channel : split.streams.channels) {
    EXPECT_EQ(channel.substr(8, 16), uuid);
  }
  // Anew, from the channels; and they must be this VM's.
  options.single_channel = true;
  RewrittenStreams again = RewriteStreams(split.streams, 3, options);
  ASSERT_TRUE(again.error.ok()) << ToString(again.error);
  EXPECT_EQ(again.streams.channels[2].substr(8, 16), uuid);
  split.streams.main =
      stream(ConfigurationSubsectionBytes("uuid", "fedcba9876543210"));
  EXPECT_EQ(RewriteStreams(split.streams, 3, options).error.code,
            ErrorCode::kMultifdOtherVm);
  // None is said: zero.
  options.single_channel = false;
  split = RewriteStreams({stream("")}, 1, options);
  ASSERT_TRUE(split.error.ok()) << ToString(split.error);
  EXPECT_EQ(split.streams.channels[0].substr(8, 16), std::string(16, '\0'));
}

TEST(RewriteTest, ChannelsAreBegunWhateverTheStreamHolds) {
  RewriteOptions options;
  options.split_channels = true;
  RewrittenStreams split =
      RewriteStreams({HeaderBytes() + EofBytes()}, 2, options);
  ASSERT_TRUE(split.error.ok()) << ToString(split.error);
  EXPECT_EQ(split.streams.channels[1].size(), kMultifdInitBytes);
  EXPECT_EQ(split.streams.channels[1][24], 1);
}

// E7 is V100M but for the byte order of the packets' own headers.
TEST(RewriteTest, PacketsOfAHostEndianDialectStaySo) {
  Streams streams = ReadStreams("s100-multifd");
  RewriteOptions options;
  options.single_channel = true;
  RewrittenStreams merged = RewriteStreams(streams, 0, options);
  ASSERT_TRUE(merged.error.ok()) << ToString(merged.error);
  options = {};
  options.split_channels = true;
  options.reader.dialect = Row(DialectId::kE6);
  RewrittenStreams split = RewriteStreams(merged.streams, 1, options);
  ASSERT_TRUE(split.error.ok()) << ToString(split.error);
  // The second packet's index: init, sync points, then a packet and its data
  // before it.
  const std::string& channel = split.streams.channels[0];
  const size_t begin = kMultifdInitBytes + 2 * kSyncBytes;
  const uint8_t* first = AsBytes(channel).data() + begin;
  size_t second = begin + kDeviceStatePacketBytes +
                  LoadBe32(first + kDeviceStatePacketBytes - 4);
  EXPECT_EQ(channel.substr(second + kDeviceStatePacketBytes + 4, 4),
            std::string("\1\0\0\0", 4));
}

TEST(RewriteTest, AnInputThatCannotBeReadTwiceIsRefusedWhereItMustBe) {
  std::string bytes = ReadCapture(GetCapture("s72-plain"));
  int opened = 0;
  RewriteOptions options;
  options.to = Row(DialectId::kV52);
  StringSink sink;
  RewriteInput input;
  input.main = [&]() -> std::unique_ptr<ByteSource> {
    if (opened++ > 0) return nullptr;
    return std::make_unique<MemorySource>(AsBytes(bytes));
  };
  Error error = Rewrite(input, {&sink}, options);
  EXPECT_EQ(error.code, ErrorCode::kReadFailed);
  EXPECT_THAT(error.reason, HasSubstr("read twice"));
}

}  // namespace
}  // namespace migstream
