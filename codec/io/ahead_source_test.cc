#include "codec/io/ahead_source.h"

#include <memory>
#include <string>

#include "codec/io/compress_bytes.h"
#include "codec/io/decompressing_source.h"
#include "codec/wire/bytes.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

// Several pieces, of which none ends where a read does.
std::string Numbers() {
  std::string bytes;
  for (uint32_t i = 0; bytes.size() < 6 * AheadSource::kPieceBytes; ++i) {
    bytes += std::to_string(i) + ",";
  }
  return bytes;
}

// `bytes` must outlive it.
std::unique_ptr<ByteSource> Unpacked(const std::string& bytes) {
  return std::make_unique<DecompressingSource>(
      std::make_unique<MemorySource>(AsBytes(bytes)), Compression::kZstd);
}

// Takes all of it, so many bytes at a time.
std::string All(ByteSource& source, size_t step) {
  std::string all;
  while (true) {
    ByteSpan bytes = source.Peek(step);
    EXPECT_EQ(source.offset(), all.size());
    if (bytes.size() < step) return all += AsText(bytes);
    all += AsText(bytes.first(step));
    source.Consume(step);
  }
}

TEST(AheadSourceTest, GivesTheBytesOfItsSourceInAnySteps) {
  const std::string bytes = Numbers();
  const std::string packed = CompressBytes(Compression::kZstd, bytes);
  for (size_t step : {1000, 4099, 300000, 700001}) {
    AheadSource source(Unpacked(packed));
    EXPECT_TRUE(All(source, step) == bytes) << step;
    EXPECT_EQ(source.failure(), "");
    EXPECT_EQ(source.raw_size(), packed.size());
    EXPECT_EQ(source.raw_offset(), packed.size());
  }
}

TEST(AheadSourceTest, GoesOnWhereItsSourceStands) {
  const std::string packed = CompressBytes(Compression::kZstd, Numbers());
  std::unique_ptr<ByteSource> inner = Unpacked(packed);
  ASSERT_EQ(inner->Skip(12345), 12345);
  const std::string next(AsText(inner->Peek(10)).substr(0, 10));
  AheadSource source(std::move(inner));
  EXPECT_EQ(source.offset(), 12345);
  EXPECT_EQ(AsText(source.Peek(10)).substr(0, 10), next);
  EXPECT_EQ(source.Skip(1 << 20), 1 << 20);
  EXPECT_EQ(source.offset(), 12345 + (1 << 20));
}

TEST(AheadSourceTest, AFailureComesBehindTheBytesBeforeIt) {
  const std::string bytes = Numbers();
  std::string packed = CompressBytes(Compression::kZstd, bytes);
  packed.resize(packed.size() / 2);
  std::unique_ptr<ByteSource> plain = Unpacked(packed);
  const std::string there = All(*plain, 4096);
  AheadSource source(Unpacked(packed));
  EXPECT_FALSE(source.Peek(1).empty());
  EXPECT_EQ(source.failure(), "");
  EXPECT_TRUE(All(source, 4096) == there);
  EXPECT_EQ(source.failure(), plain->failure());
  EXPECT_NE(source.failure(), "");
}

TEST(AheadSourceTest, PaddingBehindTheFrameIsCounted) {
  const std::string packed =
      CompressBytes(Compression::kZstd, Numbers()) + std::string(512, '\0');
  AheadSource source(Unpacked(packed));
  source.Skip(UINT64_MAX);
  EXPECT_EQ(source.padding_bytes(), 512);
}

TEST(AheadSourceTest, ItMayBeDroppedAtAnyTime) {
  const std::string packed = CompressBytes(Compression::kZstd, Numbers());
  for (uint64_t taken : {0, 1, 300000}) {
    AheadSource source(Unpacked(packed));
    EXPECT_EQ(source.Skip(taken), taken);
  }
}

}  // namespace
}  // namespace migstream
