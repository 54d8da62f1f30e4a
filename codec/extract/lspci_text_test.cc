#include "codec/extract/lspci_text.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "codec/extract/payload_extractor.h"
#include "codec/io/byte_source.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string ConfigOf(std::string_view capture) {
  const std::string stream = ReadCapture(GetCapture(capture));
  StringSink sink;
  PayloadExtractor extractor(sink, "", PayloadExtractor::kConfig);
  StreamSurvey survey({}, extractor);
  MemorySource source(AsBytes(stream));
  EXPECT_TRUE(survey.Read(source).ok());
  EXPECT_TRUE(extractor.Finish(survey.facts()).ok());
  return sink.bytes();
}

TEST(LspciTextTest, IsALineOfTheDeviceAndLinesOfSixteenBytes) {
  std::string config(256, '\0');
  config.replace(0, 4, "\x86\x80\x89\x18", 4);
  config[8] = 2;
  const std::string text = LspciText("0000:00:05.0/vfio", AsBytes(config));
  EXPECT_THAT(text, StartsWith("0000:00:05.0 "));
  EXPECT_THAT(text,
              HasSubstr(": Device 8086:1889 (rev 02)\n"
                        "00: 86 80 89 18 00 00 00 00 02 00 00 00 00 00 00 00\n"
                        "10: 00 "));
  EXPECT_THAT(text, testing::EndsWith("\nf0:" + std::string("") + [] {
                std::string zeros;
                for (int i = 0; i < 16; ++i) zeros += " 00";
                return zeros;
              }() + "\n"));
}

TEST(LspciTextTest, CountsOnInThreeDigitsBehindTheFirst256Bytes) {
  const std::string text =
      LspciText("0000:00:05.0/vfio", AsBytes(std::string(4096, '\0')));
  EXPECT_THAT(text, HasSubstr("\nf0: 00"));
  EXPECT_THAT(text, HasSubstr("\n100: 00"));
  EXPECT_THAT(text, HasSubstr("\nff0: 00"));
}

TEST(LspciTextTest, TakesTheSlotOutOfEveryName) {
  const std::string config(256, '\0');
  EXPECT_THAT(LspciText("0000:00:01.0:00.0/vfio", AsBytes(config)),
              StartsWith("00:00.0 "));
  EXPECT_THAT(LspciText("vfio", AsBytes(config)), StartsWith("00:00.0 "));
  EXPECT_THAT(LspciText("a\nb/vfio", AsBytes(config)), StartsWith("00:00.0 "));
}

// Debian's pciutils, where they are installed.
TEST(LspciTextTest, IsReadByLspci) {
  if (std::system("lspci --version >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "there is no lspci";
  }
  for (const char* capture : {"s111-msix-64", "s72-pc256"}) {
    const std::string config = ConfigOf(capture);
    const std::string path = testing::TempDir() + "/config.lspci";
    std::ofstream(path) << LspciText("0000:00:05.0/vfio", AsBytes(config));
    const std::string out = path + ".out";
    ASSERT_EQ(
        std::system(
            StrCat("lspci -vvv -n -F ", path, " >", out, " 2>&1").c_str()),
        0);
    std::ifstream file(out);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    EXPECT_THAT(text, HasSubstr("00:05.0 ")) << capture;
    EXPECT_THAT(text, HasSubstr("Capabilities: [")) << text;
    EXPECT_THAT(text, HasSubstr("MSI-X: Enable")) << text;
  }
}

}  // namespace
}  // namespace migstream
