// The example of codec/multifd/channel_decoder.h.

#include "codec/multifd/channel_decoder.h"

#include <string>

#include "codec/multifd/packet_bytes.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

Error Read(ByteSpan input, std::string& payload) {
  auto Use = [&](const MultifdEvent& event) {
    if (event.kind == MultifdEventKind::kPayload) {
      payload.append(AsText(event.bytes));
    }
  };
  // [example]
  ChannelDecoder decoder({.page_bytes = 4096});
  for (MultifdEvent event;;) {
    switch (decoder.Next(input, event)) {  // As SectionDecoder's.
      case Step::kEvent:
        Use(event);
        break;
      case Step::kNeedInput:
      case Step::kDone:
        return decoder.AtEndOfInput("channel 1", input);
      case Step::kError:
        return decoder.error("channel 1");
    }
  }
  // [end]
}

TEST(ChannelDecoderExample, GivesThePayload) {
  std::string channel = Init(1) + Device("packet");
  std::string payload;
  EXPECT_TRUE(Read(AsBytes(channel), payload).ok());
  EXPECT_EQ(payload, "packet");
  channel.pop_back();
  EXPECT_EQ(Read(AsBytes(channel), payload).code, ErrorCode::kTruncated);
}

}  // namespace
}  // namespace migstream
