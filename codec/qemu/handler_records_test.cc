#include "codec/qemu/handler_records.h"

#include <string>

#include "codec/qemu/stream_bytes.h"
#include "codec/qemu/walk_content.h"
#include "flags/other_flags.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

using enum SectionType;

Walk Walking(HandlerParser parser, SectionType type) {
  return [=](ContentPull& content) {
    HandlerDecoder decoder(parser, type);
    content.Run([&](ByteSpan& input, ContentWalk& walk, StreamEvent& event) {
      return decoder.Next(input, walk, event);
    });
  };
}

Walked WalkHandler(const std::string& idstr, SectionType type,
                   const std::string& bytes) {
  HandlerParser parser = FindHandlerParser(idstr, type);
  if (parser == nullptr) {
    ADD_FAILURE() << "no parser for " << idstr;
    return {};
  }
  return WalkAllWays(bytes, Walking(parser, type));
}

// Walks `bytes` to their end, and no further; and each of their beginnings to
// where it is cut.
void ExpectContent(const std::string& idstr, SectionType type,
                   const std::string& bytes) {
  Walked walked = WalkHandler(idstr, type, bytes + "\x7enext");
  EXPECT_TRUE(walked.error.ok()) << ToString(walked.error);
  EXPECT_EQ(walked.end, bytes.size());
  HandlerParser parser = FindHandlerParser(idstr, type);
  size_t step = bytes.size() > 5000 ? 4099 : 1;
  for (size_t length = 0; length < bytes.size(); length += step) {
    std::string cut = bytes.substr(0, length);
    MemorySource source(AsBytes(cut));
    Walked walked = WalkFrom(source, false, Walking(parser, type));
    EXPECT_EQ(walked.error.code, ErrorCode::kTruncated)
        << length << ": " << ToString(walked.error);
    EXPECT_EQ(walked.error.offset, length);
  }
}

void ExpectRefused(const std::string& idstr, SectionType type,
                   const std::string& before, const std::string& bytes) {
  Walked walked = WalkHandler(idstr, type, before + bytes);
  EXPECT_EQ(walked.error.code, ErrorCode::kBadHandler)
      << ToString(walked.error);
  EXPECT_EQ(walked.error.offset, before.size());
}

// A count that no input backs: the end of the input is what is wrong.
void ExpectClaimIsTruncation(const std::string& idstr, SectionType type,
                             const std::string& bytes) {
  Walked walked = WalkHandler(idstr, type, bytes);
  EXPECT_EQ(walked.error.code, ErrorCode::kTruncated) << ToString(walked.error);
  EXPECT_EQ(walked.error.offset, bytes.size());
}

TEST(FindHandlerParserTest, KnowsEachHandlersOwnSectionsOnly) {
  for (const char* idstr :
       {"dirty-bitmap", "block", "s390-storage_attributes", "spapr/htab"}) {
    EXPECT_NE(FindHandlerParser(idstr, kStart), nullptr) << idstr;
    EXPECT_NE(FindHandlerParser(idstr, kPart), nullptr) << idstr;
    EXPECT_NE(FindHandlerParser(idstr, kEnd), nullptr) << idstr;
    // A loader makes no difference between a START and a FULL.
    EXPECT_EQ(FindHandlerParser(idstr, kFull), FindHandlerParser(idstr, kStart))
        << idstr;
  }
  for (const char* idstr : {"s390-skeys", "todclock"}) {
    EXPECT_NE(FindHandlerParser(idstr, kFull), nullptr) << idstr;
    EXPECT_EQ(FindHandlerParser(idstr, kStart), nullptr) << idstr;
  }
  for (const char* idstr : {"slirp", "timer", "blocks", "", "0000:block"}) {
    EXPECT_EQ(FindHandlerParser(idstr, kFull), nullptr) << idstr;
    EXPECT_EQ(FindHandlerParser(idstr, kStart), nullptr) << idstr;
  }
}

// dirty-bitmap

const std::string kBitmapEos = U8Bytes(kDirtyBitmapEos);

TEST(DirtyBitmapTest, IsChunksUntilEos) {
  ExpectContent(
      "dirty-bitmap", kStart,
      U8Bytes(kDirtyBitmapStart | kDirtyBitmapDeviceName | kDirtyBitmapName) +
          Str8Bytes("node0") + Str8Bytes("bitmap0") +
          Be32Bytes(0x10000) +  // Granularity.
          U8Bytes(5) +          // Enabled, autoload.
          U8Bytes(kDirtyBitmapStart | kDirtyBitmapName) + Str8Bytes("bitmap1") +
          Be32Bytes(0x10000) + U8Bytes(0) + kBitmapEos);
}

TEST(DirtyBitmapTest, BitsHaveASizeUnlessAllAreZero) {
  std::string bits =
      U8Bytes(kDirtyBitmapBits | kDirtyBitmapDeviceName | kDirtyBitmapName) +
      Str8Bytes("node0") + Str8Bytes("bitmap0") +
      Be64Bytes(0) +    // First sector.
      Be32Bytes(512) +  // Sectors.
      Be64Bytes(8) + std::string(8, '\x01');
  std::string zeroes = U8Bytes(kDirtyBitmapBits | kDirtyBitmapZeroes) +
                       Be64Bytes(512) + Be32Bytes(512);
  ExpectContent("dirty-bitmap", kPart, bits + zeroes + kBitmapEos);
  ExpectContent("dirty-bitmap", kEnd,
                zeroes + bits + U8Bytes(kDirtyBitmapComplete) + kBitmapEos);
}

TEST(DirtyBitmapTest, EosAloneIsAContent) {
  ExpectContent("dirty-bitmap", kPart, kBitmapEos);
}

TEST(DirtyBitmapTest, FlagsOfTheSecondByteOnAreUnknown) {
  // Bit 7 says that the flags are longer; none of the further ones means
  // anything.
  ExpectRefused("dirty-bitmap", kPart, U8Bytes(kDirtyBitmapComplete),
                Be32Bytes(0x80020001) + kBitmapEos);
  ExpectRefused("dirty-bitmap", kPart, "", U8Bytes(kDirtyBitmapExtraFlags));
}

TEST(DirtyBitmapTest, FlagsWithoutABodyAreRefusedBeforeTheirNames) {
  ExpectRefused("dirty-bitmap", kPart, "",
                U8Bytes(kDirtyBitmapDeviceName) + U8Bytes(255));
}

TEST(DirtyBitmapTest, AClaimIsCheckedAgainstTheInput) {
  for (uint64_t size : {uint64_t{9}, uint64_t{1} << 63, ~uint64_t{0}}) {
    ExpectClaimIsTruncation("dirty-bitmap", kPart,
                            U8Bytes(kDirtyBitmapBits) + Be64Bytes(0) +
                                Be32Bytes(1) + Be64Bytes(size) + "12345678");
  }
}

// block

std::string BlockRecord(uint64_t sector, uint64_t flags) {
  return Be64Bytes(sector << 9 | flags);
}

TEST(BlockTest, IsChunksOf1MiBAndZeroChunksUntilEos) {
  ExpectContent("block", kPart,
                BlockRecord(0, kBlockDevice) + Str8Bytes("drive0") +
                    std::string(1 << 20, '\x02') +
                    BlockRecord(2048, kBlockDevice | kBlockZero) +
                    Str8Bytes("drive0") + BlockRecord(0, kBlockEos));
}

TEST(BlockTest, ProgressIsAPercentage) {
  ExpectContent("block", kEnd,
                BlockRecord(100, kBlockProgress) + BlockRecord(0, kBlockEos));
}

TEST(BlockTest, UnknownFlagsAreRefused) {
  std::string before = BlockRecord(50, kBlockProgress);
  ExpectRefused("block", kPart, before, BlockRecord(0, 0));
  ExpectRefused("block", kPart, before, BlockRecord(0, 0x10));
}

TEST(BlockTest, ARecordIsOfOneKind) {
  for (uint64_t flags : {kBlockEos | kBlockDevice, kBlockEos | kBlockProgress,
                         kBlockDevice | kBlockProgress, kBlockEos | kBlockZero,
                         kBlockDevice | 0x10}) {
    ExpectRefused("block", kPart, "", BlockRecord(0, flags));
  }
}

// s390-storage_attributes and s390-skeys

TEST(S390Test, StorageAttributesAreCountedUntilEos) {
  ExpectContent("s390-storage_attributes", kStart, Be64Bytes(kS390Eos));
  ExpectContent("s390-storage_attributes", kPart,
                Be64Bytes(0x1000 | kS390More) + Be64Bytes(3) + "\1\1\1" +
                    Be64Bytes(0x9000 | kS390More) + Be64Bytes(0) +
                    Be64Bytes(kS390Eos));
  ExpectContent("s390-storage_attributes", kEnd,
                Be64Bytes(0x1000 | kS390More) + Be64Bytes(3) + "\1\1\1" +
                    Be64Bytes(kS390Done) + Be64Bytes(kS390Eos));
}

TEST(S390Test, KeysAreAFullSection) {
  ExpectContent("s390-skeys", kFull,
                Be64Bytes(0 | kS390More) + Be64Bytes(4) + "\1\1\1\1" +
                    Be64Bytes(kS390Eos));
}

TEST(S390Test, KeysAreNeverDone) {
  ExpectRefused("s390-skeys", kFull, "",
                Be64Bytes(kS390Done) + Be64Bytes(kS390Eos));
}

TEST(S390Test, AnErrorOfTheSourceIsAnError) {
  ExpectRefused("s390-storage_attributes", kPart,
                Be64Bytes(0x1000 | kS390More) + Be64Bytes(1) + "\1",
                Be64Bytes(kS390Error));
  ExpectRefused("s390-skeys", kFull, "", Be64Bytes(kS390Error));
}

TEST(S390Test, UnknownFlagsAreRefused) {
  ExpectRefused("s390-storage_attributes", kPart, "", Be64Bytes(0x1010));
  ExpectRefused("s390-skeys", kFull, "", Be64Bytes(0));
}

TEST(S390Test, AClaimIsCheckedAgainstTheInput) {
  for (uint64_t count : {uint64_t{4}, uint64_t{1} << 63, ~uint64_t{0}}) {
    std::string bytes = Be64Bytes(kS390More) + Be64Bytes(count) + "\1\1\1";
    ExpectClaimIsTruncation("s390-storage_attributes", kPart, bytes);
    ExpectClaimIsTruncation("s390-skeys", kFull, bytes);
  }
}

// todclock

TEST(TodClockTest, IsNineBytesOrMissing) {
  ExpectContent("todclock", kFull, U8Bytes(0));
  ExpectContent("todclock", kFull,
                U8Bytes(1) + U8Bytes(0) + Be64Bytes(0x123456789abcdef0));
  ExpectRefused("todclock", kFull, "", U8Bytes(2));
}

// spapr/htab

TEST(HtabTest, StartAndFullAreTheShift) {
  ExpectContent("spapr/htab", kStart, Be32Bytes(24));
  ExpectContent("spapr/htab", kStart, Be32Bytes(kHtabNone));
  ExpectContent("spapr/htab", kFull, Be32Bytes(24));
}

TEST(HtabTest, PartAndEndAreChunksUntilEightZeroBytes) {
  for (SectionType type : {kPart, kEnd}) {
    ExpectContent("spapr/htab", type,
                  Be32Bytes(0) +                                     //
                      Be32Bytes(0) + Be16Bytes(2) + Be16Bytes(3) +   //
                      std::string(2 * 16, '\x01') +                  //
                      Be32Bytes(80) + Be16Bytes(0) + Be16Bytes(1) +  //
                      Be32Bytes(0) + Be16Bytes(0) + Be16Bytes(0));
  }
}

TEST(HtabTest, PartAndEndMaySayThatThereIsNoTable) {
  ExpectContent("spapr/htab", kPart, Be32Bytes(kHtabNone));
  ExpectContent("spapr/htab", kEnd, Be32Bytes(kHtabNone));
}

TEST(HtabTest, PartAndEndBeginWithZero) {
  // A shift there is START's; a loader reads nothing after it.
  ExpectRefused("spapr/htab", kPart, "", Be32Bytes(24) + std::string(8, '\0'));
}

TEST(HtabTest, AClaimIsCheckedAgainstTheInput) {
  ExpectClaimIsTruncation(
      "spapr/htab", kPart,
      Be32Bytes(0) + Be32Bytes(0) + Be16Bytes(0xffff) + Be16Bytes(0) + "abc");
}

}  // namespace
}  // namespace migstream
