// Guesses at what became of a file.

#include "codec/place/damage_kind.h"

#include <random>
#include <string>

#include "codec/wire/bytes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string Noise(size_t bytes) {
  std::mt19937 random(1);
  std::string text(bytes, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

std::string KindOf(const std::string& text, size_t at, uint64_t start = 0) {
  return DamageKind(AsBytes(text), start, start + at);
}

std::string Replaced(std::string text, char from, const std::string& to) {
  std::string replaced;
  for (char c : text) {
    if (c == from) {
      replaced += to;
    } else {
      replaced += c;
    }
  }
  return replaced;
}

TEST(DamageKindTest, NothingIsSaidOfNoise) {
  const std::string noise = Noise(200000);
  for (size_t at : {0, 1, 100000, 199999}) EXPECT_EQ(KindOf(noise, at), "");
  EXPECT_EQ(KindOf(noise, noise.size()), "");
  EXPECT_EQ(KindOf("", 0), "");
  EXPECT_EQ(DamageKind(AsBytes(noise), 100, 99), "");
}

TEST(DamageKindTest, NorOfPagesOfOneByte) {
  EXPECT_EQ(KindOf(Noise(5000) + std::string(20000, 'x') + Noise(100), 25000),
            "");
}

TEST(DamageKindTest, ATagOfWhichOneBitIsWrongIsNamed) {
  EXPECT_EQ(KindOf(Noise(40) + "\xfb\xff\xff\xff\xef\x10" + std::string(1, 0) +
                       "\x04",
                   40),
            "1 bit from DATA");
  EXPECT_THAT(KindOf(std::string("PEVM\0\0\0\3", 8), 0),
              HasSubstr("1 bit from QEVM"));
}

TEST(DamageKindTest, AHoleIsMeasured) {
  std::string text = Noise(3000) + std::string(4096, '\0') + Noise(3000);
  text[2999] = text[7096] = 'x';
  for (size_t at : {3000, 5000, 7000}) {
    EXPECT_EQ(KindOf(text, at, 0x1000),
              "a hole of zeros: 4096 bytes from 0x1bb8 on");
  }
}

TEST(DamageKindTest, AConversionOfTextIsSeenByWhatEveryLineFeedHas) {
  EXPECT_THAT(KindOf(Replaced(Noise(50000), '\n', "\r\n"), 100),
              StartsWith("CR LF inserted: each of the "));
}

TEST(DamageKindTest, SoIsUtf8) {
  std::string text;
  for (char c : Noise(50000)) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte >= 0x80) text += static_cast<char>(0xc0 | byte >> 6);
    text += static_cast<char>(byte < 0x80 ? byte : 0x80 | (byte & 0x3f));
  }
  EXPECT_THAT(KindOf(text, 100), StartsWith("recoded as UTF-8"));
  EXPECT_THAT(KindOf(text.substr(1), 100), StartsWith("recoded as UTF-8"));
}

TEST(DamageKindTest, ABlockThatCameTwiceIsFound) {
  const std::string noise = Noise(20000);
  EXPECT_EQ(KindOf(noise.substr(0, 9000) + noise.substr(9000 - 4096), 9100),
            "a block twice: 4096 bytes from 0x1328 on, and again behind them");
}

TEST(DamageKindTest, NoBlockOfAPatternIsOneThatCameTwice) {
  std::string pattern;
  for (int i = 0; i < 20000; ++i) pattern += static_cast<char>(i % 256);
  const std::string noise = Noise(5000);
  for (size_t bytes : {8192, 9000, 20000}) {
    EXPECT_EQ(KindOf(noise + pattern.substr(0, bytes) + noise, 5000 + bytes),
              "")
        << bytes;
  }
}

}  // namespace
}  // namespace migstream
