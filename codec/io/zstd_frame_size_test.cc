#include "codec/io/zstd_frame_size.h"

#include <zstd.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "codec/io/byte_source.h"
#include "codec/io/compress_bytes.h"
#include "codec/wire/bytes.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

constexpr uint64_t kMost = 8 << 20;

std::optional<ZstdFrameSize> SizeOf(const std::string& file,
                                    uint64_t offset = 0,
                                    uint64_t most = kMost) {
  return ZstdFrameSizeAt(MemorySource(AsBytes(file)), offset, most);
}

// Noise and zeros in turn: raw, RLE and compressed blocks.
std::string SomeBytes(size_t size) {
  std::mt19937 random(static_cast<unsigned>(size));
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) {
    if (i / 300000 % 2 == 0) bytes[i] = static_cast<char>(random());
    if (i / 300000 % 4 == 3) bytes[i] = static_cast<char>(random() % 4);
  }
  return bytes;
}

// One frame; its size is stated or not, and it has a checksum or none.
std::string Frame(const std::string& bytes, bool stated, bool checksum) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, stated ? 1 : 0);
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, checksum ? 1 : 0);
  std::string frame(ZSTD_compressBound(bytes.size()), '\0');
  frame.resize(ZSTD_compress2(context, frame.data(), frame.size(), bytes.data(),
                              bytes.size()));
  ZSTD_freeCCtx(context);
  return frame;
}

TEST(ZstdFrameSizeTest, IsWhatZstdSaysOfAWholeFrame) {
  for (size_t size :
       {0, 1, 255, 256, 257, 65791, 65792, 131072, 131073, 999999, 3000000}) {
    const std::string bytes = SomeBytes(size);
    for (bool stated : {true, false}) {
      for (bool checksum : {true, false}) {
        const std::string frame = Frame(bytes, stated, checksum);
        const std::optional<ZstdFrameSize> found =
            SizeOf("front" + frame + "behind", 5);
        ASSERT_TRUE(found) << size;
        EXPECT_EQ(found->packed,
                  ZSTD_findFrameCompressedSize(frame.data(), frame.size()));
        EXPECT_EQ(found->stated, stated);
        if (stated) {
          EXPECT_EQ(found->most, size);
        } else {
          EXPECT_GE(found->most, size);
          EXPECT_LT(found->most, size + (128 << 10));
        }
      }
    }
  }
}

TEST(ZstdFrameSizeTest, OfASkippableFrameHasNothingInIt) {
  const std::string frame("\x5f\x2a\x4d\x18\x04\0\0\0size", 12);
  EXPECT_EQ(SizeOf(frame + "behind"),
            (ZstdFrameSize{.packed = 12, .most = 0, .stated = true}));
  EXPECT_FALSE(SizeOf(frame.substr(0, 11)));
  EXPECT_FALSE(SizeOf(frame.substr(0, 7)));
}

TEST(ZstdFrameSizeTest, IsOfAWholeFrameOrOfNone) {
  const std::string frame = Frame(SomeBytes(700000), true, true);
  for (size_t size = 0; size < frame.size();
       size += size < 100 ? 1 : frame.size() / 37) {
    EXPECT_FALSE(SizeOf(frame.substr(0, size))) << size;
  }
  EXPECT_FALSE(SizeOf(frame.substr(0, frame.size() - 1)));
  EXPECT_TRUE(SizeOf(frame));
  EXPECT_FALSE(SizeOf(frame, 0, frame.size() - 1));
  EXPECT_TRUE(SizeOf(frame, 0, frame.size()));
  EXPECT_FALSE(SizeOf(frame, frame.size()));
  EXPECT_FALSE(SizeOf(frame, ~uint64_t{0}));
}

TEST(ZstdFrameSizeTest, WhatIsNoFrameHasNone) {
  EXPECT_FALSE(SizeOf("QEVM" + std::string(100, '\0')));
  // A block of the reserved type.
  EXPECT_FALSE(SizeOf(std::string("\x28\xb5\x2f\xfd\x20\x00\x07\0\0", 9)));
}

// As many blocks as a frame can have: each is empty, and none is the last.
TEST(ZstdFrameSizeTest, BlocksOfNothingEndAtTheLimit) {
  EXPECT_FALSE(SizeOf(std::string("\x28\xb5\x2f\xfd\x20\x00", 6) +
                      std::string(kMost + 100, '\0')));
}

TEST(ZstdFrameSizeTest, AnyByteMayBeDamaged) {
  const std::string frame = Frame(SomeBytes(300), false, true);
  for (size_t at = 0; at < frame.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = frame;
      damaged[at] = static_cast<char>(damaged[at] ^ 1 << bit);
      const std::optional<ZstdFrameSize> size = SizeOf(damaged);
      EXPECT_TRUE(!size || size->packed <= damaged.size());
    }
  }
}

}  // namespace
}  // namespace migstream
