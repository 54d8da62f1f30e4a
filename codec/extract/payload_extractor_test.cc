// A device's payload and config space, from the main channel and the others.

#include "codec/extract/payload_extractor.h"

#include <string>
#include <vector>

#include "codec/channels/memory_channels.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/survey/stream_survey.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::HasSubstr;

Error Extract(const testdata::Capture& capture, bool with_channels,
              PayloadExtractor& extractor) {
  std::string main = ReadCapture(capture);
  MemorySource source(AsBytes(main));
  std::vector<std::string> bytes;
  if (with_channels) bytes = ReadChannels(capture);
  const MemoryChannels channels(bytes);
  StreamSurvey survey({}, extractor);
  Error error = survey.ReadAll(
      source, channels.given(),
      [&](const ReassembledPiece& piece) { extractor.OnPiece(piece); });
  return error.ok() ? extractor.Finish(survey.facts()) : error;
}

TEST(PayloadExtractorTest, PreCopyOfTheMainChannelComesBeforeThePackets) {
  const testdata::Capture& capture = GetCapture("s111-multifd-precopy-ack");
  StringSink sink;
  PayloadExtractor extractor(sink, "", PayloadExtractor::kPayload);
  Error error = Extract(capture, true, extractor);
  EXPECT_TRUE(error.ok()) << ToString(error);
  EXPECT_EQ(Sha256(sink.bytes()), capture.devices(0).payload_sha256());
}

TEST(PayloadExtractorTest, WithoutTheChannelsItSaysSo) {
  StringSink sink;
  PayloadExtractor extractor(sink, "", PayloadExtractor::kPayload);
  Error error = Extract(GetCapture("s100-multifd"), false, extractor);
  EXPECT_EQ(error.code, ErrorCode::kUnwalkable);
  EXPECT_THAT(error.reason, HasSubstr("multifd channels"));
}

TEST(PayloadExtractorTest, TheConfigMayComeFromEither) {
  for (const char* name : {"s72-pc256", "s100-multifd", "s52-two"}) {
    const testdata::Capture& capture = GetCapture(name);
    StringSink sink;
    PayloadExtractor extractor(sink, capture.devices(0).idstr(),
                               PayloadExtractor::kConfig);
    Error error = Extract(capture, capture.files_size() > 1, extractor);
    EXPECT_TRUE(error.ok()) << ToString(error);
    EXPECT_EQ(sink.bytes().size(), capture.devices(0).pci_config_bytes());
    EXPECT_EQ(sink.bytes().substr(0, 2), "\x86\x80");
  }
}

TEST(PayloadExtractorTest, TheDeviceHasToBeThereAndNamed) {
  StringSink sink;
  PayloadExtractor unnamed(sink, "", PayloadExtractor::kPayload);
  EXPECT_EQ(Extract(GetCapture("s72-two"), false, unnamed).code,
            ErrorCode::kUnknownSection);
  PayloadExtractor other(sink, "vfio", PayloadExtractor::kPayload);
  EXPECT_EQ(
      Extract(GetCapture("s72-two"), false, other).reason,
      "no such device: vfio; there is 0000:00:05.0/vfio, 0000:00:06.0/vfio");
  PayloadExtractor none(sink, "", PayloadExtractor::kPayload);
  EXPECT_EQ(Extract(GetCapture("s72-plain"), false, none).reason,
            "there is no VFIO device in this stream");
}

TEST(PayloadExtractorTest, TwoInstancesOfOneNameAreNotTakenForOne) {
  const HandlerBytes one = {.id = 1, .idstr = "vfio"};
  const HandlerBytes two = {.id = 2, .idstr = "vfio", .instance = 1};
  const std::string bytes = HeaderBytes() + one.Start(kSetupTag + kEos) +
                            two.Start(kSetupTag + kEos) +
                            one.End(DataBytes("x") + kEos) +
                            two.End(DataBytes("y") + kEos) + EofBytes();
  MemorySource source(AsBytes(bytes));
  StringSink sink;
  PayloadExtractor extractor(sink, "", PayloadExtractor::kPayload);
  StreamSurvey survey({}, extractor);
  EXPECT_TRUE(survey.Read(source).ok());
  EXPECT_THAT(extractor.Finish(survey.facts()).reason,
              HasSubstr("not certain"));
}

}  // namespace
}  // namespace migstream
