#include "codec/io/decompressing_source.h"

#include <random>
#include <string>
#include <string_view>

#include "codec/io/compress_bytes.h"
#include "codec/qemu/stream_recording.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string NoiseBytes(size_t size) {
  std::mt19937 random(1);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

std::string ReadAll(ByteSource& source) {
  std::string bytes;
  for (ByteSpan here = source.Peek(1); !here.empty(); here = source.Peek(1)) {
    bytes.append(AsText(here).data(), here.size());
    source.Consume(here.size());
  }
  return bytes;
}

class EveryFormatTest : public testing::TestWithParam<Compression> {
 protected:
  std::string Packed(const std::string& bytes) {
    return CompressBytes(GetParam(), bytes);
  }
  // "xz: …"
  std::string Said(std::string_view why) {
    return StrCat(ToString(GetParam()), ": ", why);
  }
  DecompressingSource Source(const std::string& packed) {
    return DecompressingSource(std::make_unique<MemorySource>(AsBytes(packed)),
                               GetParam());
  }
};

TEST_P(EveryFormatTest, IsKnownByItsMagic) {
  std::string packed = Packed("QEVM");
  EXPECT_EQ(CompressionOf(AsBytes(packed)), GetParam());
  EXPECT_EQ(CompressionOf(AsBytes(packed).first(2)), Compression::kNone);
}

TEST_P(EveryFormatTest, GivesWhatWasCompressedHoweverItIsCut) {
  std::string bytes = NoiseBytes(300'000) + std::string(300'000, 'x');
  std::string packed = Packed(bytes);
  for (size_t longest : {size_t{1}, size_t{999}, packed.size()}) {
    DecompressingSource source(
        std::make_unique<ShortReadSource>(AsBytes(packed), longest),
        GetParam());
    EXPECT_TRUE(ReadAll(source) == bytes) << longest;
    EXPECT_EQ(source.failure(), "");
    EXPECT_EQ(source.raw_offset(), packed.size());
  }
}

TEST_P(EveryFormatTest, FramesFollowEachOther) {
  std::string one = NoiseBytes(300'000);
  std::string packed = Packed(one) + Packed("") + Packed("two") + Packed(one);
  DecompressingSource source = Source(packed);
  EXPECT_TRUE(ReadAll(source) == one + "two" + one);
  EXPECT_EQ(source.failure(), "");
  EXPECT_EQ(source.raw_size(), packed.size());
  EXPECT_EQ(source.size(), std::nullopt);
}

TEST_P(EveryFormatTest, ACutFrameGivesWhatIsThereAndFails) {
  std::string bytes = NoiseBytes(1000) + std::string(1000, 'x');
  std::string first = Packed("first");
  std::string packed = first + Packed(bytes);
  for (size_t length = 1; length < packed.size(); ++length) {
    std::string cut = packed.substr(0, length);
    DecompressingSource source = Source(cut);
    std::string seen = ReadAll(source);
    EXPECT_EQ(seen, ("first" + bytes).substr(0, seen.size()));
    if (length >= first.size()) {
      EXPECT_GE(seen.size(), 5) << length;
    }
    EXPECT_EQ(source.failure(), length == first.size()
                                    ? ""
                                    : Said("the compressed file is cut short"))
        << length;
  }
}

TEST_P(EveryFormatTest, WhatComesBehindTheLastFrameIsPadding) {
  for (const std::string& padding :
       {std::string("garbage"), std::string("\n"), std::string(3000, '\0'),
        std::string(1 << 20, '\0')}) {
    std::string packed = Packed("good") + padding;
    DecompressingSource source = Source(packed);
    EXPECT_EQ(ReadAll(source), "good");
    EXPECT_EQ(source.failure(), "");
    EXPECT_EQ(source.padding_bytes(), padding.size());
  }
}

TEST_P(EveryFormatTest, ZerosMayStandBetweenFrames) {
  std::string packed = Packed("one") + std::string(512, '\0') + Packed("two");
  DecompressingSource source = Source(packed);
  EXPECT_EQ(ReadAll(source), "onetwo");
  EXPECT_EQ(source.failure(), "");
  EXPECT_EQ(source.padding_bytes(), 0);
}

// Gives what has come, and then has nothing yet.
class LiveSource : public ByteSource {
 public:
  explicit LiveSource(ByteSpan bytes) : rest_(bytes) {}

 protected:
  size_t Read(uint8_t* to, size_t count) override {
    if (rest_.empty()) return kNothingYet;
    count = std::min(count, rest_.size());
    std::copy_n(rest_.begin(), count, to);
    rest_ = rest_.subspan(count);
    return count;
  }

 private:
  ByteSpan rest_;
};

TEST_P(EveryFormatTest, AFrameThatHasComeDoesNotWaitForWhatFollowsIt) {
  for (const std::string& between : {std::string(), std::string(512, '\0')}) {
    std::string packed = Packed("one") + between + Packed("two");
    DecompressingSource source(std::make_unique<LiveSource>(AsBytes(packed)),
                               GetParam());
    EXPECT_EQ(ReadAll(source), "onetwo");
    EXPECT_TRUE(source.nothing_yet());
    EXPECT_EQ(source.failure(), "");
  }
}

TEST_P(EveryFormatTest, ADamagedFrameFails) {
  std::string packed = Packed(NoiseBytes(1000) + std::string(1000, 'x'));
  for (size_t at = 1; at < packed.size(); at += 7) {
    std::string damaged = packed;
    damaged[at] ^= 0xff;
    DecompressingSource source = Source(damaged);
    ReadAll(source);  // Comes to an end, whatever it gives.
  }
  // A checksum stands at the end of what is compressed.
  std::string damaged = packed;
  damaged[packed.size() / 2] ^= 0xff;
  DecompressingSource source = Source(damaged);
  ReadAll(source);
  EXPECT_THAT(source.failure(), StartsWith(Said("")));
}

TEST_P(EveryFormatTest, AFailureOfWhatItReadsIsItsOwn) {
  std::string packed = Packed(NoiseBytes(1000));
  DecompressingSource source(
      std::make_unique<FailingSource>(packed.substr(0, 500)), GetParam());
  ReadAll(source);
  EXPECT_EQ(source.failure(), "out of luck");
}

TEST_P(EveryFormatTest, ABombIsReadPieceByPiece) {
  std::string packed = Packed(std::string(16 << 20, '\0'));
  ASSERT_LT(packed.size(), 64 << 10);
  DecompressingSource source = Source(packed);
  EXPECT_LT(source.Peek(1).size(), 1 << 20);
  EXPECT_FALSE(source.ReachEnd(1 << 20));
  EXPECT_EQ(source.Skip(~uint64_t{0}), 16 << 20);
}

INSTANTIATE_TEST_SUITE_P(All, EveryFormatTest,
                         testing::Values(Compression::kGzip,
                                         Compression::kBzip2, Compression::kXz,
                                         Compression::kZstd),
                         [](const auto& info) {
                           return std::string(ToString(info.param));
                         });

// Windows

std::string FailureOf(Compression compression, const std::string& packed,
                      const CompressionLimits& limits = {}) {
  DecompressingSource source(std::make_unique<MemorySource>(AsBytes(packed)),
                             compression, limits);
  ReadAll(source);
  return source.failure();
}

TEST(WindowTest, AWindowBeyondTheLimitIsRefused) {
  constexpr char kSaid[] =
      "zstd: needs a window of more than the limit of 8388608 bytes; "
      "--window=128 is what zstd --long needs";
  EXPECT_EQ(FailureOf(Compression::kZstd, ZstdBytes("x", 23)), "");
  EXPECT_EQ(FailureOf(Compression::kZstd, ZstdBytes("x", 24)), kSaid);
  EXPECT_EQ(FailureOf(Compression::kZstd, ZstdBytes("x", 24),
                      {.window_bytes = 16 << 20}),
            "");
  constexpr char kTwoGiB[] = {
      0x28,
      '\xb5',
      0x2f,
      '\xfd',                             // Magic.
      0x00,                               // No content size, no checksum.
      static_cast<char>((31 - 10) << 3),  // A window of 2 GiB.
      0x01,
      0x00,
      0x00,  // The last block, of 0 bytes.
  };
  EXPECT_EQ(FailureOf(Compression::kZstd, std::string(kTwoGiB, sizeof kTwoGiB)),
            kSaid);
}

TEST(WindowTest, WhatXzNeedsIsBoundedAsWell) {
  EXPECT_EQ(FailureOf(Compression::kXz, XzBytes("x", 6)), "");  // 8 MiB.
  EXPECT_THAT(FailureOf(Compression::kXz, XzBytes("x", 7)),     // 16 MiB.
              HasSubstr("bytes of memory, the limit is 9437184; --window="));
  EXPECT_EQ(
      FailureOf(Compression::kXz, XzBytes("x", 7), {.window_bytes = 16 << 20}),
      "");
}

TEST(WindowTest, AnyLimitIsTaken) {
  for (uint64_t bytes : {uint64_t{0}, uint64_t{1}, ~uint64_t{0}}) {
    std::string failure = FailureOf(Compression::kZstd, ZstdBytes("x", 11),
                                    {.window_bytes = bytes});
    EXPECT_EQ(failure.empty(), bytes == ~uint64_t{0}) << bytes;
    failure =
        FailureOf(Compression::kXz, XzBytes("x", 2), {.window_bytes = bytes});
    EXPECT_EQ(failure.empty(), bytes == ~uint64_t{0}) << bytes;
  }
}

TEST(ZstdTest, AFileMayBeginWithASkippableFrame) {
  const std::string packed =
      std::string("\x5f\x2a\x4d\x18\x02\0\0\0ab", 10) + ZstdBytes("x", 3);
  ASSERT_EQ(CompressionOf(AsBytes(packed)), Compression::kZstd);
  DecompressingSource source(std::make_unique<MemorySource>(AsBytes(packed)),
                             Compression::kZstd);
  EXPECT_EQ(ReadAll(source), "x");
  EXPECT_EQ(CompressionOf(AsBytes("QEVM")), Compression::kNone);
}

TEST(ZstdTest, AFileAndAPipeAreJudgedAlike) {
  // A frame without content that has a block of one byte repeated 0 times.
  const std::string packed("\x28\xb5\x2f\xfd\x20\0\x03\0\0\xb5", 10);
  for (size_t bytes_a_read : {1, 4, 100}) {
    DecompressingSource source(
        std::make_unique<ShortReadSource>(AsBytes(packed), bytes_a_read),
        Compression::kZstd);
    EXPECT_TRUE(source.Peek(1).empty());
    EXPECT_EQ(source.failure(), "zstd: Data corruption detected");
  }
}

TEST(LzopTest, IsKnownAndRefused) {
  std::string packed("\x89LZO\0\r\n\x1a\n", 9);
  EXPECT_EQ(CompressionOf(AsBytes(packed)), Compression::kLzop);
  EXPECT_EQ(FailureOf(Compression::kLzop, packed),
            "lzop: is not supported; decompress it beforehand");
}

}  // namespace
}  // namespace migstream
