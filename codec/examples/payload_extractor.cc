// The example of codec/extract/payload_extractor.h.

#include "codec/extract/payload_extractor.h"

#include "codec/io/byte_sink.h"
#include "codec/io/byte_source.h"
#include "codec/survey/stream_survey.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

Error Extract(const std::string& stream, StringSink& sink) {
  MemorySource source(AsBytes(stream));
  const ReaderOptions options;
  const std::string idstr = "0000:00:05.0/vfio";
  // [example]
  PayloadExtractor extractor(sink, idstr, PayloadExtractor::kPayload);
  StreamSurvey survey(options, extractor);
  Error error = survey.Read(source);
  // If extractor.NeedsChannels(survey.facts()): survey.ReadChannels(…) with
  // extractor.OnPiece(piece).
  if (error.ok()) error = extractor.Finish(survey.facts());
  // [end]
  return error;
}

TEST(PayloadExtractorExample, GivesTheDevicesBytes) {
  std::string stream = ReadCapture(GetCapture("s111-switchover-ack"));
  StringSink sink;
  Error error = Extract(stream, sink);
  EXPECT_TRUE(error.ok()) << ToString(error);
  EXPECT_GT(sink.bytes().size(), 1000);
  StringSink cut;
  EXPECT_FALSE(Extract(stream.substr(0, stream.size() / 2), cut).ok());
}

}  // namespace
}  // namespace migstream
