#include "codec/diff/stream_diff.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "codec/qemu/stream_writer.h"
#include "codec/rewrite/rewrite.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

struct Streams {
  std::string main;
  std::vector<std::string> channels = {};
};

Streams Capture(const char* name) {
  const testdata::Capture& capture = GetCapture(name);
  return {ReadCapture(capture), ReadChannels(capture)};
}

void Read(const Streams& streams, StreamState& state) {
  MemorySource main(AsBytes(streams.main));
  std::vector<std::unique_ptr<ByteSource>> sources;
  std::vector<ChannelReader::Channel> channels;
  for (const std::string& channel : streams.channels) {
    sources.push_back(std::make_unique<MemorySource>(AsBytes(channel)));
    channels.push_back({"channel", sources.back().get()});
  }
  Error error = state.Read(main, channels, {});
  EXPECT_TRUE(error.ok()) << ToString(error);
}

// "DEVICE: WHAT: A | B"
std::vector<std::string> Diff(const Streams& a, const Streams& b,
                              bool ignore_cuts) {
  StreamState state_a, state_b;
  Read(a, state_a);
  Read(b, state_b);
  std::vector<Difference> differences;
  Error error = CompareStreams(state_a, state_b, {.ignore_cuts = ignore_cuts},
                               differences);
  EXPECT_TRUE(error.ok()) << ToString(error);
  std::vector<std::string> lines;
  for (const Difference& d : differences) {
    lines.push_back(
        absl::StrCat(d.device, ": ", d.what, ": ", d.a, " | ", d.b));
  }
  return lines;
}

Streams Rewritten(const Streams& from, const RewriteOptions& options) {
  RewriteInput input;
  input.main = [&] {
    return std::make_unique<MemorySource>(AsBytes(from.main));
  };
  for (const std::string& channel : from.channels) {
    input.channels.push_back(
        {"channel",
         [&] { return std::make_unique<MemorySource>(AsBytes(channel)); }});
  }
  StringSink sink;
  Error error = Rewrite(input, {&sink}, options);
  EXPECT_TRUE(error.ok()) << ToString(error);
  return {sink.bytes()};
}

TEST(StreamDiffTest, AStreamDiffersInNothingFromItself) {
  for (const testdata::Capture& capture : AllCaptures()) {
    if (!capture.completed()) continue;
    Streams streams = Capture(capture.name().c_str());
    EXPECT_THAT(Diff(streams, streams, false), IsEmpty()) << capture.name();
  }
}

TEST(StreamDiffTest, CutsOfV2MeanNothingToADestination) {
  Streams whole = Capture("s111-precopy");
  RewriteOptions options;
  options.reader.dialect = &GetDialect(DialectId::kV111);
  options.record_bytes = 4000;
  Streams cut = Rewritten(whole, options);
  EXPECT_THAT(Diff(whole, cut, true), IsEmpty());
  EXPECT_THAT(Diff(whole, cut, false),
              Contains(testing::StartsWith("0000:00:05.0/vfio: DATA records")));
}

TEST(StreamDiffTest, ChannelsMeanNothingToADestination) {
  Streams spread = Capture("s111-multifd-two");
  RewriteOptions options;
  options.single_channel = true;
  EXPECT_THAT(Diff(spread, Rewritten(spread, options), true), IsEmpty());
}

TEST(StreamDiffTest, PayloadIsComparedToTheByte) {
  Streams a = Capture("s111-stop3m");
  size_t size = GetCapture("s111-stop3m").devices(0).payload_bytes();
  std::string payload(size, 'p');
  auto replaced = [&] {
    MemorySource source(AsBytes(payload));
    RewriteOptions options;
    options.payload = &source;
    return Rewritten(a, options);
  };
  Streams b = replaced();
  payload[0x10000] ^= 1;  // Across two of the blocks in which it compares.
  payload[0xffff] ^= 1;
  payload[size - 1] ^= 1;
  EXPECT_THAT(
      Diff(b, replaced(), true),
      ElementsAre("0000:00:05.0/vfio: payload 0xffff-0x10000: 2 bytes | differ",
                  absl::StrCat("0000:00:05.0/vfio: payload ", Hex(size - 1),
                               "-", Hex(size - 1), ": 1 bytes | differ")));
  payload.pop_back();
  EXPECT_THAT(Diff(b, replaced(), true),
              Contains(absl::StrCat("0000:00:05.0/vfio: payload bytes: ", size,
                                    " | ", size - 1)));
}

TEST(StreamDiffTest, OnlySoManyRangesAreListed) {
  Streams a = Capture("s111-stop3m");
  size_t size = GetCapture("s111-stop3m").devices(0).payload_bytes();
  std::string payload(size, 'p');
  auto replaced = [&] {
    MemorySource source(AsBytes(payload));
    RewriteOptions options;
    options.payload = &source;
    return Rewritten(a, options);
  };
  Streams b = replaced();
  for (size_t i = 0; i < 100; ++i) payload[2 * i] ^= 1;
  std::vector<std::string> lines = Diff(b, replaced(), true);
  EXPECT_EQ(lines.size(), 11);
  EXPECT_EQ(lines.back(),
            "0000:00:05.0/vfio: payload: 90 more ranges | differ");
}

TEST(StreamDiffTest, RegistersAndVectorsHaveNames) {
  Streams masked = Capture("s72-msix-on");
  StreamState state;
  Read(masked, state);
  RewriteOptions options;
  options.config = state.vfio.begin()->second.pci_config;
  options.config[4] ^= 4;
  EXPECT_THAT(Diff(masked, Rewritten(masked, options), true),
              ElementsAre(testing::StartsWith(
                  "0000:00:05.0/vfio: config 0x4 command: 0x")));
}

TEST(StreamDiffTest, ADeviceOfOneStreamOnlyIsNamed) {
  Streams two = Capture("s111-two");
  RewriteOptions options;
  options.dropped_devices = {"0000:00:06.0/vfio"};
  Streams one = Rewritten(two, options);
  EXPECT_THAT(Diff(two, one, true),
              ElementsAre("0000:00:06.0/vfio: VFIO device: present | "));
  EXPECT_THAT(Diff(one, two, true),
              ElementsAre("0000:00:06.0/vfio: VFIO device:  | present"));
}

TEST(StreamDiffTest, FieldsOfOtherDevicesAreComparedByTheirPath) {
  std::vector<std::string> lines =
      Diff(Capture("s111-plain"), Capture("s72-plain"), true);
  EXPECT_THAT(lines, Contains(testing::HasSubstr("parent_obj.config")));
  for (const std::string& line : lines) EXPECT_LT(line.size(), 200) << line;
}

}  // namespace
}  // namespace migstream
