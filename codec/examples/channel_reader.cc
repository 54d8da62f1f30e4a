// The example of codec/channels/channel_reader.h.

#include "codec/channels/channel_reader.h"

#include <string>

#include "codec/channels/memory_channels.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

TEST(ChannelReaderExample, GivesEachDevicesPackets) {
  const auto streams = ReadChannels(GetCapture("s111-multifd-two"));
  MemoryChannels channels(streams);
  const std::vector<ChannelReader::Channel>& sources = channels.given();
  const ChannelReaderOptions options;
  size_t pieces = 0;
  auto Use = [&](const ReassembledPiece&) { ++pieces; };
  // [example]
  ChannelReader reader(sources, options);
  auto on_piece = [&](const ReassembledPiece& piece) { Use(piece); };
  Error error = reader.Read(on_piece);
  // [end]
  EXPECT_TRUE(error.ok()) << ToString(error);
  EXPECT_GT(pieces, 2);
}

}  // namespace
}  // namespace migstream
