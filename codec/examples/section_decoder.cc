// The example of codec/device/section_decoder.h.

#include "codec/device/section_decoder.h"

#include <string>

#include "gtest/gtest.h"

namespace migstream {
namespace {

constexpr char kDevice[] = "0000:00:05.0/vfio";

// A record of four bytes, then the end of the section.
constexpr std::string_view kContent(
    "\xff\xff\xff\xff\xef\x10\x00\x04"
    "\x00\x00\x00\x00\x00\x00\x00\x04"
    "abcd"
    "\xff\xff\xff\xff\xef\x10\x00\x01",
    28);

struct Loaded {
  Error error;
  std::string payload;
};

Loaded Load(std::string_view content) {
  const Dialect& dialect = GetDialect(DialectId::kV111);
  Loaded loaded;
  auto Use = [&](const Event& event) {
    loaded.payload.append(AsText(event.payload));
  };
  size_t shown = 0;
  ByteSpan input;
  auto load = [&]() -> Error {
    uint64_t offset = 0x100;
    // [example]
    SectionDecoder decoder(SectionType::kPart, dialect, {.offset = offset});
    for (Event event;;) {
      switch (decoder.Next(input, event)) {  // Takes from input's front.
        case Step::kEvent:
          Use(event);
          break;
        case Step::kNeedInput:  // Put more bytes behind what is left.
          // [pause]
          if (shown == content.size()) return decoder.Truncated(kDevice, input);
          ++shown;
          input = AsBytes(content.substr(0, shown)).last(input.size() + 1);
          // [resume]
          break;
        case Step::kDone:  // input begins with what follows.
          return {};
        case Step::kError:
          return decoder.error("0000:00:05.0/vfio");
      }
    }
    // [end]
  };
  loaded.error = load();
  return loaded;
}

TEST(SectionDecoderExample, GivesThePayload) {
  Loaded loaded = Load(kContent);
  EXPECT_TRUE(loaded.error.ok());
  EXPECT_EQ(loaded.payload, "abcd");
}

TEST(SectionDecoderExample, NamesWhatIsDamaged) {
  std::string damaged(kContent);
  damaged.back() = '\x07';
  Loaded loaded = Load(damaged);
  EXPECT_EQ(loaded.error.code, ErrorCode::kUnknownTag);
  EXPECT_EQ(loaded.error.offset, 0x114);
  EXPECT_EQ(Load(kContent.substr(0, 20)).error.code, ErrorCode::kTruncated);
}

}  // namespace
}  // namespace migstream
