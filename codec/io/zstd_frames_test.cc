#include "codec/io/zstd_frames.h"

#include <fcntl.h>
#include <zstd.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "codec/io/compress_bytes.h"
#include "codec/io/decompressing_source.h"
#include "codec/io/zstd_sink.h"
#include "codec/wire/text.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

// Noise and zeros in turn, so that frames have different lengths.
std::string SomeBytes(size_t size) {
  std::mt19937 random(static_cast<unsigned>(size));
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) {
    if (i / 1000 % 3 == 0) bytes[i] = static_cast<char>(random());
  }
  return bytes;
}

// As pzstd puts one before each frame.
std::string SkippableFrame() {
  return std::string("\x50\x2a\x4d\x18\x04\0\0\0size", 12);
}

// What a source gave, and how it ended.
struct Taken {
  std::string bytes;
  std::string failure;
  uint64_t padding = 0;
  bool operator==(const Taken&) const = default;
};

// Reads on in pieces, of which every other is passed over if `skips`.
Taken Take(const std::string& packed, int threads, size_t peeked, bool mapped,
           bool skips = false) {
  const std::string path = StrCat(testing::TempDir(), "/", threads, ".zst");
  std::ofstream(path, std::ios::binary) << packed;
  DecompressingSource source(std::make_unique<FileSource>(
                                 open(path.c_str(), O_RDONLY | O_CLOEXEC),
                                 mapped ? FileAccess::kMap : FileAccess::kRead),
                             Compression::kZstd, {.threads = threads});
  Taken taken;
  for (bool skip = false;; skip = skips && !skip) {
    if (skip) {
      taken.bytes += StrCat("skipped ", source.Skip(peeked));
      continue;
    }
    const ByteSpan bytes = source.Peek(peeked);
    if (bytes.empty()) break;
    const ByteSpan first = bytes.first(std::min(bytes.size(), peeked));
    taken.bytes.append(AsText(first).data(), first.size());
    source.Consume(first.size());
  }
  taken.failure = source.failure();
  taken.padding = source.padding_bytes();
  return taken;
}

// What any number of threads gives of a file, as one alone does.
Taken TakeAllWays(const std::string& packed) {
  Taken one = Take(packed, 1, 4096, true);
  for (int threads : {2, 3, 8}) {
    for (size_t peeked : {4096, 70001, 5000000}) {
      EXPECT_TRUE(Take(packed, threads, peeked, threads != 3) == one)
          << threads << " threads, " << peeked;
    }
  }
  EXPECT_TRUE(Take(packed, 2, 70001, true, true) ==
              Take(packed, 1, 70001, true, true));
  return one;
}

// By two threads; how often some were given.
size_t TakeSideBySide(ByteSource& file, std::string& all) {
  ZstdFrames frames(file, {.threads = 2});
  size_t given = 0;
  while (std::optional<ByteSpan> bytes = frames.Next()) {
    all += AsText(*bytes);
    ++given;
  }
  return given;
}

class ZstdFramesTest : public testing::Test {
 protected:
  // Each a frame.
  void Add(size_t size) {
    bytes_ += SomeBytes(size);
    packed_ += ZstdBytes(SomeBytes(size));
  }

  std::string bytes_;
  std::string packed_;
};

TEST_F(ZstdFramesTest, GiveTheSameForEveryNumberOfThreads) {
  for (size_t size : {100000, 1, 0, 2000000, 300000, 70000}) Add(size);
  const Taken taken = TakeAllWays(packed_);
  EXPECT_TRUE(taken.bytes == bytes_);
  EXPECT_EQ(taken.failure, "");
}

TEST_F(ZstdFramesTest, OneAloneIsLookedAtAndGiven) {
  Add(3000000);
  EXPECT_TRUE(TakeAllWays(packed_).bytes == bytes_);
  EXPECT_TRUE(TakeAllWays(packed_ + "behind").bytes == bytes_);
}

TEST_F(ZstdFramesTest, AreDecodedSideBySide) {
  for (size_t size : {1000, 2000, 3000}) Add(size);
  packed_ += "behind";
  MemorySource file(AsBytes(packed_));
  std::string all;
  TakeSideBySide(file, all);
  EXPECT_TRUE(all == bytes_);
  EXPECT_EQ(AsText(file.Peek(6)), "behind");
}

// pzstd tells the size of each frame in one before it that is skipped.
TEST_F(ZstdFramesTest, OneThatIsSkippedGoesWithTheLargeOneBehindIt) {
  packed_ += SkippableFrame();
  Add(400000);
  MemorySource one(AsBytes(packed_));
  EXPECT_FALSE(ZstdFrames::AreSeveral(one));
  for (size_t size : {500000, 300000, 600000}) {
    packed_ += SkippableFrame();
    Add(size);
  }
  EXPECT_TRUE(TakeAllWays(packed_).bytes == bytes_);
  MemorySource file(AsBytes(packed_));
  EXPECT_TRUE(ZstdFrames::AreSeveral(file));
  std::string all;
  const size_t given = TakeSideBySide(file, all);
  EXPECT_TRUE(all == bytes_);
  EXPECT_EQ(given, 4) << "no job is only what is skipped";
}

TEST_F(ZstdFramesTest, SmallOnesAreDecodedTogether) {
  for (size_t i = 0; i < 800; ++i) {
    Add(i % 700);
    if (i % 400 == 200) Add(400000);
  }
  EXPECT_TRUE(TakeAllWays(packed_).bytes == bytes_);
  MemorySource file(AsBytes(packed_));
  std::string all;
  const size_t given = TakeSideBySide(file, all);
  EXPECT_TRUE(all == bytes_);
  EXPECT_LT(given, 20);
}

TEST_F(ZstdFramesTest, MayHaveSkippableOnesBetween) {
  for (size_t size : {100000, 200000, 300000}) {
    packed_ += SkippableFrame();
    Add(size);
  }
  EXPECT_TRUE(TakeAllWays(packed_).bytes == bytes_);
}

TEST_F(ZstdFramesTest, OneThatIsTooLargeIsDecodedInPieces) {
  Add(1000);
  Add(3000);
  Add(ZstdFrames::kMaxFrameBytes + 1);
  Add(2000);
  EXPECT_TRUE(TakeAllWays(packed_).bytes == bytes_);
  MemorySource file(AsBytes(packed_));
  ZstdFrames frames(file, {.threads = 2});
  EXPECT_TRUE(frames.Next());  // Both of the small ones.
  EXPECT_FALSE(frames.Next());
}

// How much of the damaged frame itself is given depends on how it is read.
TEST_F(ZstdFramesTest, WhatComesBeforeDamageIsGiven) {
  Add(100000);
  Add(200000);
  const size_t second = packed_.size();
  Add(300000);
  Add(100000);
  for (size_t at : {second - 2, second + 20000, second + 20}) {
    std::string damaged = packed_;
    damaged[at] ^= 0x5a;
    const Taken one = Take(damaged, 1, 4096, true);
    EXPECT_TRUE(one.failure.starts_with("zstd: ")) << one.failure;
    for (int threads : {2, 3, 8}) {
      const Taken taken = Take(damaged, threads, 4096, threads != 3);
      EXPECT_EQ(taken.failure, one.failure) << threads << " threads, " << at;
      const size_t frames = at < second ? 100000 : 300000;
      const size_t both = std::min(taken.bytes.size(), one.bytes.size());
      EXPECT_GE(both, frames);
      EXPECT_TRUE(taken.bytes.substr(0, both) == one.bytes.substr(0, both));
    }
  }
}

TEST_F(ZstdFramesTest, WhatComesBeforeACutIsGiven) {
  Add(100000);
  Add(200000);
  const size_t second = packed_.size();
  Add(300000);
  for (size_t size : {second + 3, second + 20000, packed_.size() - 1}) {
    const Taken taken = TakeAllWays(packed_.substr(0, size));
    EXPECT_TRUE(taken.bytes.starts_with(bytes_.substr(0, 300000)));
    EXPECT_EQ(taken.failure, "zstd: the compressed file is cut short");
  }
}

TEST_F(ZstdFramesTest, WhatFollowsThemIsPadding) {
  Add(100000);
  Add(200000);
  Add(300000);
  EXPECT_EQ(TakeAllWays(packed_ + std::string(5000, '\0')).padding, 5000);
  EXPECT_EQ(TakeAllWays(packed_ + "something else").padding, 14);
  // Zeros between two are not.
  const std::string twice = packed_ + std::string(100, '\0') + packed_;
  EXPECT_TRUE(TakeAllWays(twice).bytes == bytes_ + bytes_);
}

TEST(ZstdSinkTest, WritesTheSameFramesForEveryNumberOfThreads) {
  const std::string bytes = SomeBytes(2 * ZstdSink::FrameBytes(1) + 100);
  std::string first;
  for (int threads : {0, 1, 2, 5}) {
    StringSink sink;
    ZstdSink zstd(sink, 1, threads);
    for (size_t at = 0; at < bytes.size(); at += 100001) {
      zstd.Write(AsBytes(bytes).subspan(at).first(
          std::min<size_t>(100001, bytes.size() - at)));
    }
    zstd.Finish();
    EXPECT_TRUE(zstd.ok());
    if (first.empty()) first = sink.bytes();
    EXPECT_TRUE(sink.bytes() == first) << threads;
  }
  EXPECT_TRUE(TakeAllWays(first).bytes == bytes);
  EXPECT_LT(ZSTD_findFrameCompressedSize(first.data(), first.size()),
            first.size());
}

TEST(ZstdSinkTest, TheHigherTheLevelTheFewerThreadsAreWithinALimit) {
  int before = 100;
  for (int level = ZstdSink::kMinLevel; level <= ZstdSink::kMaxLevel; ++level) {
    const int threads = ZstdSink::ThreadsWithin(43, level);
    EXPECT_LE(threads, before) << level;
    before = threads;
  }
  EXPECT_EQ(ZstdSink::ThreadsWithin(43, 3), 6);
  EXPECT_EQ(ZstdSink::ThreadsWithin(43, 9), 2);
  EXPECT_EQ(ZstdSink::ThreadsWithin(43, ZstdSink::kMaxLevel), 1);
  EXPECT_EQ(ZstdSink::ThreadsWithin(0, 3), 1);
}

TEST(ZstdSinkTest, AnEmptyStreamIsAFrame) {
  StringSink sink;
  ZstdSink zstd(sink, 3, 2);
  zstd.Finish();
  EXPECT_EQ(ZSTD_getFrameContentSize(sink.bytes().data(), sink.bytes().size()),
            0);
}

}  // namespace
}  // namespace migstream
