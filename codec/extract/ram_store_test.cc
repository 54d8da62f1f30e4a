#include "codec/extract/ram_store.h"

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/qemu/limits.h"
#include "codec/wire/bytes.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

constexpr size_t kPage = RamStore::Block::kUnitBytes;

RamStore::Block& Add(RamStore& store, std::string_view name, uint64_t bytes) {
  RamBlock block;
  block.name = std::string(name);
  block.used_bytes = bytes;
  RamStore::Block& added = *store.Add(block);
  added.Resize(bytes);
  return added;
}

std::string All(RamStore::Block& block) {
  std::string all(block.bytes(), 'x');
  block.Read(0, std::span(reinterpret_cast<uint8_t*>(all.data()), all.size()));
  return all;
}

// The same, piece by piece.
std::string AllPieces(RamStore::Block& block, size_t buffer_bytes) {
  std::string all;
  std::vector<uint8_t> buffer(buffer_bytes);
  while (all.size() < block.bytes()) {
    const RamStore::Block::Piece piece = block.Next(all.size(), buffer);
    if (piece.bytes.empty()) break;
    const std::string bytes(AsText(piece.bytes));
    EXPECT_TRUE(!piece.zero || bytes == std::string(bytes.size(), '\0'));
    all += bytes;
  }
  return all;
}

// Numbers that look random, and are the same each time.
class Numbers {
 public:
  size_t Next(size_t below) {
    random_ = random_ * 1103515245 + 12345;
    return (random_ >> 8) % below;
  }

 private:
  uint32_t random_ = 1;
};

// What a block is given in pieces of any size reads like one buffer, wherever
// the pieces are kept.
TEST(RamStoreTest, PiecesAreKeptAsIfInMemory) {
  constexpr size_t kBytes = 40 * kPage + 100;
  Numbers numbers;
  std::string stream(1 << 20, '\0');
  for (char& c : stream) c = static_cast<char>('A' + numbers.Next(60));
  for (bool again : {true, false}) {
    RamStore store;
    if (again) {
      store.SetStream(std::make_unique<MemorySource>(AsBytes(stream)));
    }
    Add(store, "first", kPage + 1);
    RamStore::Block& block = Add(store, "a", kBytes);
    std::string truth(kBytes, '\0');
    for (int i = 0; i < 3000; ++i) {
      size_t offset = numbers.Next(kBytes);
      if (numbers.Next(4) != 0) offset -= offset % kPage;
      size_t bytes =
          std::min(numbers.Next(2) == 0 ? kPage : 1 + numbers.Next(3 * kPage),
                   kBytes - offset);
      const size_t at = numbers.Next(stream.size() - bytes);
      switch (numbers.Next(4)) {
        case 0:
          block.Zero(offset, bytes);
          truth.replace(offset, bytes, bytes, '\0');
          break;
        case 1:
          block.Write(offset, AsBytes(std::string(bytes, 'w')));
          truth.replace(offset, bytes, bytes, 'w');
          break;
        default:
          block.WriteFromStream(offset, AsBytes(stream).subspan(at, bytes), at);
          truth.replace(offset, bytes, stream, at, bytes);
      }
      if (i % 100 != 0) continue;
      ASSERT_EQ(All(block) == truth, true) << again << " " << i;
      EXPECT_TRUE(AllPieces(block, kPage) == truth);
      EXPECT_TRUE(AllPieces(block, 16 * kPage) == truth);
    }
    EXPECT_TRUE(store.error().ok()) << ToString(store.error());
  }
}

TEST(RamStoreTest, WhatStandsInTheStreamIsNotCopied) {
  const std::string stream(3 * kPage, 's');
  RamStore store;
  store.SetStream(std::make_unique<MemorySource>(AsBytes(stream)));
  RamStore::Block& block = Add(store, "a", 3 * kPage);
  block.WriteFromStream(0, AsBytes(stream).first(2 * kPage), kPage);
  std::vector<uint8_t> buffer(4 * kPage);
  const RamStore::Block::Piece piece = block.Next(0, buffer);
  EXPECT_EQ(piece.bytes.data(), AsBytes(stream).data() + kPage);
  EXPECT_EQ(piece.bytes.size(), 2 * kPage);
  EXPECT_FALSE(piece.zero);
  EXPECT_TRUE(block.Next(2 * kPage, buffer).zero);
}

TEST(RamStoreTest, AStreamThatHasBecomeShorterIsAnError) {
  const std::string stream(2 * kPage, 's');
  RamStore store;
  store.SetStream(std::make_unique<MemorySource>(AsBytes(stream).first(kPage)));
  RamStore::Block& block = Add(store, "a", 2 * kPage);
  block.WriteFromStream(0, AsBytes(stream), 0);
  std::vector<uint8_t> buffer(4 * kPage);
  EXPECT_TRUE(block.Next(0, buffer).bytes.empty());
  EXPECT_EQ(store.error().code, ErrorCode::kReadFailed);
}

// Memory for places is bounded: from there on pages are in the file.
TEST(RamStoreTest, PagesThatHaveNoPlaceAreInTheFile) {
  const std::string stream(2 * kPage, 's');
  StreamLimits limits;
  limits.bitmap_bytes = 64 << 20;
  RamStore store(limits);
  store.SetStream(std::make_unique<MemorySource>(AsBytes(stream)));
  constexpr uint64_t kFar = uint64_t{1} << 41;
  RamStore::Block& block = Add(store, "a", kFar);
  for (uint64_t offset : {uint64_t{0}, kFar - kPage}) {
    block.WriteFromStream(offset, AsBytes(stream).first(kPage), kPage);
  }
  std::vector<uint8_t> buffer(kPage);
  EXPECT_NE(block.Next(0, buffer).bytes.data(), buffer.data());
  EXPECT_EQ(block.Next(kFar - kPage, buffer).bytes.data(), buffer.data());
  EXPECT_EQ(AsText(buffer), stream.substr(0, kPage));
  // So is one that stands too far in the stream.
  block.WriteFromStream(kPage, AsBytes(stream).first(kPage), kFar);
  EXPECT_EQ(block.Next(kPage, buffer).bytes.data(), buffer.data());
  EXPECT_TRUE(store.error().ok()) << ToString(store.error());
}

TEST(RamStoreTest, BlocksShareOneLimitOfBitmaps) {
  StreamLimits limits;
  limits.bitmap_bytes = 3;  // 24 units.
  RamStore store(limits);
  auto image_of = store.ImageOf();
  RamBlock block;
  block.used_bytes = uint64_t{1} << 40;
  for (const char* name : {"a", "b"}) {
    block.name = name;
    RamImage* image = image_of(block);
    image->Resize(block.used_bytes);
    image->Write(15 * kPage, AsBytes("x"));  // Two bytes of bits.
  }
  EXPECT_EQ(store.error().code, ErrorCode::kBlockLimit);
}

TEST(RamStoreTest, BlocksBeyondWhatAFileHoldsAreRefused) {
  RamStore store;
  auto image_of = store.ImageOf();
  RamBlock block;
  block.name = "a";
  block.used_bytes = uint64_t{3} << 61;
  EXPECT_NE(image_of(block), nullptr);
  block.name = "b";
  EXPECT_EQ(image_of(block), nullptr);
  EXPECT_EQ(store.error().code, ErrorCode::kWriteFailed);
}

}  // namespace
}  // namespace migstream
