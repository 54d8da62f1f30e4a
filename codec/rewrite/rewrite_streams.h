// For tests: migrations, rewritten, and what a destination would get of them.
//
//   RewrittenStreams merged =
//       RewriteStreams(ReadStreams("s111-multifd-two"), 0, options);
//   EXPECT_TRUE(merged.error.ok());

#ifndef MIGSTREAM_CODEC_REWRITE_REWRITE_STREAMS_H_
#define MIGSTREAM_CODEC_REWRITE_REWRITE_STREAMS_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/channels/memory_channels.h"
#include "codec/extract/payload_extractor.h"
#include "codec/qemu/stream_writer.h"
#include "codec/report/report.pb.h"
#include "codec/report/report_builder.h"
#include "codec/rewrite/rewrite.h"
#include "codec/survey/stream_survey.h"
#include "codec/wire/text.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {

struct Rewritten {
  Error error;
  std::string bytes;
};

// A migration: its main channel, and its multifd channels if there are any.
struct Streams {
  std::string main;
  std::vector<std::string> channels = {};
};

inline Streams ReadStreams(std::string_view name) {
  const testdata::Capture& capture = GetCapture(name);
  return {ReadCapture(capture), ReadChannels(capture)};
}

struct RewrittenStreams {
  Error error;
  Streams streams;
};

inline RewrittenStreams RewriteStreams(const Streams& streams,
                                       size_t out_channels,
                                       const RewriteOptions& options) {
  RewriteInput input = {
      [&] { return std::make_unique<MemorySource>(AsBytes(streams.main)); }};
  for (const std::string& channel : streams.channels) {
    input.channels.push_back(
        {StrCat("channel ", input.channels.size()), [&channel] {
           return std::make_unique<MemorySource>(AsBytes(channel));
         }});
  }
  StringSink main;
  std::vector<StringSink> sinks(out_channels);
  RewriteOutput output = {&main};
  for (StringSink& sink : sinks) output.channels.push_back(&sink);
  RewrittenStreams result;
  result.error = Rewrite(input, output, options);
  result.streams.main = main.bytes();
  for (const StringSink& sink : sinks) {
    result.streams.channels.push_back(sink.bytes());
  }
  return result;
}

inline Rewritten RewriteBytes(const std::string& bytes,
                              const RewriteOptions& options) {
  RewrittenStreams result = RewriteStreams({bytes}, 0, options);
  return {result.error, result.streams.main};
}

inline std::string ExtractFrom(const Streams& streams,
                               const std::string& device,
                               PayloadExtractor::What what) {
  MemorySource source(AsBytes(streams.main));
  StringSink sink;
  PayloadExtractor extractor(sink, device, what);
  StreamSurvey survey({}, extractor);
  const MemoryChannels channels(streams.channels);
  Error error = survey.ReadAll(
      source, channels.given(),
      [&](const ReassembledPiece& piece) { extractor.OnPiece(piece); });
  if (error.ok()) error = extractor.Finish(survey.facts());
  EXPECT_TRUE(error.ok()) << ToString(error);
  return sink.bytes();
}

inline std::string Extract(
    const std::string& bytes, const std::string& device,
    PayloadExtractor::What what = PayloadExtractor::kPayload) {
  return ExtractFrom({bytes}, device, what);
}

// Its checks say that the description fits, too.
inline report::Report ReportOf(const std::string& bytes) {
  MemorySource source(AsBytes(bytes));
  ReportOptions options;
  options.records = true;
  report::Report report;
  Error error = BuildReport(source, options, report);
  EXPECT_TRUE(error.ok()) << ToString(error);
  for (const report::Finding& finding : report.findings()) {
    // No 5.2 has the machine types of 7.2.
    if (finding.id() == "dialect-release") continue;
    // All were empty, and are stripped.
    if (finding.id() == "part-missing") continue;
    EXPECT_EQ(finding.severity(), "note") << finding.DebugString();
  }
  return report;
}

// Every device's payload is what it was.
inline void ExpectSamePayloads(const testdata::Capture& capture,
                               const std::string& bytes) {
  for (const testdata::Device& device : capture.devices()) {
    EXPECT_EQ(Sha256(Extract(bytes, device.idstr())), device.payload_sha256());
  }
}

inline const Dialect* Row(DialectId id) { return &GetDialect(id); }

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REWRITE_REWRITE_STREAMS_H_
