// A whole stream as (device, path, value).

#include "codec/state/field_reader.h"

#include <string>
#include <vector>

#include "codec/channels/channel_reader.h"
#include "codec/channels/memory_channels.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/qemu/stream_reader.h"
#include "codec/state/field_paths.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

struct Told {
  std::vector<std::string> values;  // "device path = text"
  std::vector<Finding> findings;
  uint64_t undescribed = 0;
  Error error;
};

Told Tell(const std::string& stream,
          const std::vector<std::string>& channels = {}) {
  Told told;
  FieldPaths paths([&told](const PathValue& value) {
    told.values.push_back(
        StrCat(value.device, " ", value.path, " = ", value.text));
  });
  FieldReader fields(paths);
  MemorySource source(AsBytes(stream));
  told.error = StreamReader(source, fields).Read();
  const MemoryChannels sources(channels);
  if (!channels.empty()) {
    told.error = ChannelReader(sources.given(), {})
                     .Read([&](const ReassembledPiece& piece) {
                       fields.OnPiece(piece);
                     });
  }
  fields.Finish(told.error);
  told.findings = fields.findings();
  told.undescribed = fields.undescribed();
  return told;
}

TEST(FieldReaderTest, TheConfigurationIsADeviceOfThatName) {
  Told told =
      Tell(HeaderBytes() +
           ConfigurationBytes(
               "pc",
               ConfigurationSubsectionBytes("target-page-bits", Be32Bytes(12)) +
                   CapabilitiesBytes({"x-ignore-shared", "mapped-ram"}) +
                   ConfigurationSubsectionBytes("uuid", "0123456789abcdef")) +
           EofBytes());
  EXPECT_THAT(
      told.values,
      ElementsAre(
          "configuration len = 0x00000002", "configuration name = 70 63",
          "configuration configuration/target-page-bits.target_page_bits = "
          "0x0000000c",
          "configuration configuration/capabilities.caps_count = 0x00000002",
          "configuration configuration/capabilities.capabilities[0] = "
          "x-ignore-shared",
          "configuration configuration/capabilities.capabilities[1] = "
          "mapped-ram",
          "configuration configuration/uuid.data = 30 31 32 33 34 35 36 37 38 "
          "39 61 62 63 64 65 66"));
}

TEST(FieldReaderTest, DevicesComeInTheStreamsOrder) {
  const HandlerBytes ram = {.id = 2, .idstr = "ram", .version = 4};
  const HandlerBytes b = {.id = 8, .idstr = "b"};
  const HandlerBytes a = {.id = 9, .idstr = "a"};
  Told told =
      Tell(HeaderBytes() +
           ram.Start(BeBytes(0x2000 | 4, 8) + Str8Bytes("pc.ram") +
                     BeBytes(0x2000, 8) + BeBytes(0x10, 8)) +
           ram.End(BeBytes(0x10, 8)) + b.Full("xy") + a.Full("z") + EofBytes() +
           DescriptionBytes(DescriptionJson({b.Json(2), a.Json(1)})));
  EXPECT_TRUE(told.error.ok()) << ToString(told.error);
  EXPECT_THAT(told.values,
              ElementsAre("ram section sizes.pc.ram = 0x0000000000002000",
                          "b data = 78 79", "a data = 7a"));
}

TEST(FieldReaderTest, AStateThatIsNotAsDescribedIsAFinding) {
  const HandlerBytes dev = {.id = 8, .idstr = "dev"};
  std::string head = "\x05\x03v/z" + Be32Bytes(1);
  Told told = Tell(HeaderBytes() + dev.Full(head) + EofBytes() +
                   DescriptionBytes(DescriptionJson(
                       {R"({"name":"dev","instance_id":0,"fields":[],
                            "subsections":[{"vmsd_name":"v/x",
                                            "fields":[]}]})"})));
  ASSERT_EQ(told.findings.size(), 1);
  EXPECT_EQ(told.findings[0].offset, 8);
  EXPECT_THAT(told.values,
              ElementsAre("dev undecoded = 05 03 76 2f 7a 00 00 00 01"));
}

class FieldReaderCaptureTest
    : public testing::TestWithParam<testdata::Capture> {};

TEST_P(FieldReaderCaptureTest, EveryDeviceIsAsDescribed) {
  Told told = Tell(ReadCapture(GetParam()));
  EXPECT_THAT(told.findings, IsEmpty());
  for (const std::string& value : told.values) {
    EXPECT_FALSE((value.find("undecoded") != std::string_view::npos)) << value;
    EXPECT_EQ(value.find('\0'), value.npos);
  }
  if (!GetParam().completed() || told.undescribed != 0) return;
  EXPECT_THAT(told.values, Contains(testing::HasSubstr("globalstate size = ")));
}

INSTANTIATE_TEST_SUITE_P(AllCaptures, FieldReaderCaptureTest,
                         testing::ValuesIn(AllCaptures()), CaptureName());

TEST(FieldReaderTest, ARecordThatTheInputsEndCutsCountsAsFarAsItGoes) {
  const HandlerBytes vfio = {.id = 1, .idstr = "vfio"};
  const std::string begin = HeaderBytes() + vfio.Start(kSetupTag + kEos);
  std::string bytes = begin + vfio.Part(DataBytes(std::string(100, 'x')));
  bytes.resize(begin.size() + 5 + 16 + 10);  // Section, tag and size, payload.
  Told told = Tell(bytes);
  EXPECT_EQ(told.error.code, ErrorCode::kTruncated);
  EXPECT_THAT(told.values,
              Contains("vfio data.pre_copy_bytes = 0x000000000000000a"));
}

TEST(FieldReaderTest, ADeviceWhoseFooterIsDamagedIsToldWithoutItsReader) {
  const HandlerBytes sound = {.id = 7, .idstr = "sound"};
  const HandlerBytes dev = {.id = 8, .idstr = "dev"};
  const std::string begin = HeaderBytes() + sound.Full("w") + dev.Full("xyz");
  std::string bytes =
      begin + EofBytes() +
      DescriptionBytes(DescriptionJson({sound.Json(1), dev.Json(3)}));
  bytes[begin.size() - 5] = '\x55';  // In place of the footer's type.
  Told told = Tell(bytes);
  EXPECT_EQ(told.error.code, ErrorCode::kMissingFooter);
  EXPECT_THAT(told.values,
              ElementsAre("sound data = 77", "dev data = 78 79 7a"));
}

TEST(FieldReaderTest, AConfigOnAMultifdChannelIsTheDevices) {
  const testdata::Capture& capture = GetCapture("s100-multifd");
  const std::string device = capture.devices(0).idstr();
  auto version = Contains(device + " config.version_id = 0x00000002");
  std::string main = ReadCapture(capture);
  EXPECT_THAT(Tell(main).values, testing::Not(version));
  Told told = Tell(main, ReadChannels(capture));
  EXPECT_TRUE(told.error.ok()) << ToString(told.error);
  EXPECT_THAT(told.values, version);
}

}  // namespace
}  // namespace migstream
