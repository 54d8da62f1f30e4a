// The example of codec/qemu/stream_decoder.h.

#include "codec/qemu/stream_decoder.h"

#include <string>

#include "codec/qemu/decode_stream.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

TEST(StreamDecoderExample, DecodesWhatASocketGives) {
  const std::string stream = ReadCapture(GetCapture("s111-plain"));
  const StreamDecoderOptions options = {.content_length =
                                            KnownLengths::Of(stream)};
  int sections = 0;
  auto Use = [&](const StreamEvent& event) {
    sections += event.kind == StreamEvent::kSectionEnd;
  };
  size_t shown = 0;
  ByteSpan input;
  auto load = [&]() -> Error {
    // [example]
    StreamDecoder decoder(options);
    for (StreamEvent event;;) {
      switch (decoder.Next(input, event)) {  // Takes from input's front.
        case Step::kEvent:
          Use(event);
          break;
        case Step::kNeedInput:  // Put more bytes behind what is left.
          // [pause]
          if (shown == stream.size()) {
            return *decoder.AtEndOfInput(input);
          }
          {
            const size_t left = input.size();
            const size_t more = std::min<size_t>(1000, stream.size() - shown);
            input = AsBytes(stream).subspan(shown - left, left + more);
            shown += more;
          }
          // [resume]
          break;
        case Step::kDone:  // input begins with what follows.
          return {};
        case Step::kError:
          return decoder.error();
      }
    }
    // [end]
  };
  Error error = load();
  EXPECT_TRUE(error.ok()) << ToString(error);
  EXPECT_GT(sections, 30);
}

}  // namespace
}  // namespace migstream
