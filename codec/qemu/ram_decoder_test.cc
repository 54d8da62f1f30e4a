#include "codec/qemu/ram_decoder.h"

#include <span>
#include <string>

#include "codec/io/byte_source.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/qemu/walk_content.h"
#include "codec/wire/text.h"
#include "flags/ram_flags.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

constexpr uint64_t kMiB = 1 << 20;

std::string RecordBytes(uint64_t flags, uint64_t address = 0) {
  return Be64Bytes(address | flags);
}
const std::string kRamEosBytes = RecordBytes(kRamEos);

std::string BlockBytes(const std::string& name, uint64_t used_bytes) {
  return Str8Bytes(name) + Be64Bytes(used_bytes);
}

std::string PageBytes(char fill, size_t bytes = 4096) {
  return std::string(bytes, fill);
}

struct RamWalked : Walked {
  RamStats stats;
};

void RunSection(ContentPull& content, RamDecoder& decoder,
                const RamTraits& traits) {
  decoder.Start();
  content.Run([&](ByteSpan& input, ContentWalk& walk, StreamEvent& event) {
    return decoder.Next(input, traits, walk, event);
  });
}

// The content of so many sections, one after the other.
RamWalked WalkRam(const std::string& bytes, const RamTraits& traits = {},
                  int sections = 1, const StreamLimits& limits = {}) {
  RamWalked result;
  Walked& walked = result;
  walked = WalkAllWays(bytes, [&](ContentPull& content) {
    RamDecoder decoder(limits);
    for (int i = 0; i < sections; ++i) RunSection(content, decoder, traits);
    result.stats = decoder.stats();
  });
  return result;
}

// A START's content: pc.ram of 1 MiB and vga.vram of 64 KiB.
std::string ListBytes() {
  return RecordBytes(kRamMemSize, kMiB + 0x10000) +  //
         BlockBytes("pc.ram", kMiB) +                //
         BlockBytes("vga.vram", 0x10000) +           //
         kRamEosBytes;
}

// ListBytes(), then a section with these records.
RamWalked WalkPart(const std::string& records, const RamTraits& traits = {}) {
  return WalkRam(ListBytes() + records + kRamEosBytes, traits, 2);
}
const uint64_t kPartAt = ListBytes().size();

TEST(RamDecoderTest, AContentEndsWithItsEosRecord) {
  RamWalked part = WalkRam(kRamEosBytes + "\x7e");
  EXPECT_TRUE(part.error.ok()) << ToString(part.error);
  EXPECT_EQ(part.end, 8);
}

TEST(RamDecoderTest, TheBlockListGoesOnUntilTheTotalIsReached) {
  RamWalked start = WalkRam(ListBytes() + "next");
  ASSERT_TRUE(start.error.ok()) << ToString(start.error);
  EXPECT_EQ(start.end, ListBytes().size());
  EXPECT_EQ(start.stats.total_bytes, kMiB + 0x10000);
  ASSERT_EQ(start.stats.blocks.size(), 2);
  EXPECT_EQ(start.stats.blocks[0].name, "pc.ram");
  EXPECT_EQ(start.stats.blocks[0].used_bytes, kMiB);
  EXPECT_EQ(start.stats.blocks[0].page_bytes, 0);
  EXPECT_FALSE(start.stats.blocks[0].has_address);
  EXPECT_EQ(start.stats.blocks[1].name, "vga.vram");
  EXPECT_EQ(start.stats.blocks[1].used_bytes, 0x10000);
}

TEST(RamDecoderTest, PagesAndZeroPagesNameTheirBlock) {
  RamWalked part = WalkPart(RecordBytes(kRamPage, 0x3000) +
                            Str8Bytes("pc.ram") + PageBytes('\x10') +  //
                            RecordBytes(kRamZero, 0xf000) +
                            Str8Bytes("vga.vram") + U8Bytes(0));
  ASSERT_TRUE(part.error.ok()) << ToString(part.error);
  EXPECT_EQ(part.stats.pages, 1);
  EXPECT_EQ(part.stats.zero_pages, 1);
}

TEST(RamDecoderTest, ContinueIsTheBlockNamedLastAcrossSections) {
  std::string bytes =
      ListBytes() +  //
      RecordBytes(kRamZero, 0x0000) + Str8Bytes("vga.vram") + U8Bytes(0) +
      RecordBytes(kRamPage | kRamContinue, 0x1000) + PageBytes('a') +
      kRamEosBytes +  //
      RecordBytes(kRamPage | kRamContinue, 0xf000) + PageBytes('b') +
      RecordBytes(kRamZero | kRamContinue, 0x2000) + U8Bytes(0) + kRamEosBytes;
  RamWalked walked = WalkRam(bytes, {}, 3);
  ASSERT_TRUE(walked.error.ok()) << ToString(walked.error);
  EXPECT_EQ(walked.end, bytes.size());
  EXPECT_EQ(walked.stats.pages, 2);
  EXPECT_EQ(walked.stats.zero_pages, 2);

  // The same record beyond vga.vram, though pc.ram would have it.
  std::string beyond = ListBytes() + RecordBytes(kRamZero) +
                       Str8Bytes("vga.vram") + U8Bytes(0) + kRamEosBytes;
  RamWalked outside =
      WalkRam(beyond + RecordBytes(kRamZero | kRamContinue, 0x10000) +
                  U8Bytes(0) + kRamEosBytes,
              {}, 3);
  EXPECT_EQ(outside.error.code, ErrorCode::kBadRam);
  EXPECT_EQ(outside.error.offset, beyond.size());
  EXPECT_NE(outside.error.reason.find("vga.vram"), std::string::npos);
}

TEST(RamDecoderTest, ContinueBeforeAnyNameIsRefused) {
  RamWalked part =
      WalkPart(RecordBytes(kRamPage | kRamContinue) + PageBytes('a'));
  EXPECT_EQ(part.error.code, ErrorCode::kBadRam);
  EXPECT_EQ(part.error.offset, kPartAt + 8);
  EXPECT_EQ(part.error.reason, "CONTINUE before any RAM block was named");
}

TEST(RamDecoderTest, AnXbzrlePageHasItsOwnLength) {
  std::string good = RecordBytes(kRamXbzrle, 0x1000) + Str8Bytes("pc.ram") +
                     U8Bytes(1) + Be16Bytes(5) + "delta";
  RamWalked part =
      WalkPart(good + RecordBytes(kRamXbzrle | kRamContinue, 0x2000) +
               U8Bytes(1) + Be16Bytes(4096) + PageBytes('x'));
  ASSERT_TRUE(part.error.ok()) << ToString(part.error);
  EXPECT_EQ(part.stats.xbzrle_pages, 2);

  RamWalked encoding = WalkPart(RecordBytes(kRamXbzrle) + Str8Bytes("pc.ram") +
                                U8Bytes(2) + Be16Bytes(5) + "delta");
  EXPECT_EQ(encoding.error.code, ErrorCode::kBadRam);
  EXPECT_EQ(encoding.error.offset, kPartAt + 8 + 7);

  RamWalked length =
      WalkPart(RecordBytes(kRamXbzrle) + Str8Bytes("pc.ram") + U8Bytes(1) +
               Be16Bytes(4097) + PageBytes('x') + "x");
  EXPECT_EQ(length.error.code, ErrorCode::kBadRam);
  EXPECT_EQ(length.error.offset, kPartAt + 8 + 7);
}

TEST(RamDecoderTest, ACompressedPageHasItsOwnLength) {
  RamWalked part =
      WalkPart(RecordBytes(kRamZero) + Str8Bytes("pc.ram") + U8Bytes(0) +
               RecordBytes(kRamCompressPage | kRamContinue, 0x1000) +
               Be32Bytes(4) + "zlib" + RecordBytes(kRamCompressPage, 0x2000) +
               Str8Bytes("vga.vram") + Be32Bytes(4109) + PageBytes('z', 4109));
  ASSERT_TRUE(part.error.ok()) << ToString(part.error);
  EXPECT_EQ(part.stats.compressed_pages, 2);
  EXPECT_EQ(part.stats.first_compressed_page, kPartAt + 8 + 7 + 1);

  RamWalked claim = WalkPart(RecordBytes(kRamCompressPage) +
                             Str8Bytes("pc.ram") + Be32Bytes(0xffffffff));
  EXPECT_EQ(claim.error.code, ErrorCode::kBadRam);
  EXPECT_EQ(claim.error.offset, kPartAt + 8 + 7);
  EXPECT_NE(claim.error.reason.find("4294967295"), std::string::npos);
}

TEST(RamDecoderTest, AMultifdFlushHasNoPayload) {
  RamWalked part =
      WalkPart(RecordBytes(kRamMultifdFlush) + RecordBytes(kRamMultifdFlush));
  ASSERT_TRUE(part.error.ok()) << ToString(part.error);
  EXPECT_EQ(part.stats.multifd_flushes, 2);
  EXPECT_EQ(part.stats.first_multifd_flush, kPartAt);
}

TEST(RamDecoderTest, WithIgnoreSharedEachBlockHasItsAddress) {
  std::string bytes = RecordBytes(kRamMemSize, 2 * kMiB) +         //
                      BlockBytes("pc.ram", kMiB) + Be64Bytes(0) +  //
                      BlockBytes("vga.vram", kMiB) + Be64Bytes(0xfd000000) +
                      kRamEosBytes;
  RamWalked start = WalkRam(bytes, {.ignore_shared = true});
  ASSERT_TRUE(start.error.ok()) << ToString(start.error);
  EXPECT_EQ(start.end, bytes.size());
  ASSERT_EQ(start.stats.blocks.size(), 2);
  EXPECT_TRUE(start.stats.blocks[0].has_address);
  EXPECT_EQ(start.stats.blocks[0].address, 0);
  EXPECT_EQ(start.stats.blocks[1].address, 0xfd000000);
}

TEST(RamDecoderTest, APostcopyPageSizeIsThereForOddBlocksOnly) {
  constexpr uint64_t kHugePage = 2 * kMiB;
  std::string bytes = RecordBytes(kRamMemSize, 6 * kMiB) +  //
                      BlockBytes("vga.vram", kMiB) +        //
                      BlockBytes("ram-node0", 4 * kMiB) +
                      Be64Bytes(kHugePage) +  //
                      BlockBytes("pc.bios", kMiB) + kRamEosBytes;
  RamWalked start = WalkRam(bytes, {.advised_page_sizes = kHugePage | 0x1000});
  ASSERT_TRUE(start.error.ok()) << ToString(start.error);
  EXPECT_EQ(start.end, bytes.size());
  ASSERT_EQ(start.stats.blocks.size(), 3);
  EXPECT_EQ(start.stats.blocks[0].page_bytes, 0);
  EXPECT_EQ(start.stats.blocks[1].page_bytes, kHugePage);
  EXPECT_EQ(start.stats.blocks[2].page_bytes, 0);
}

TEST(RamDecoderTest, APostcopyPageSizeOfTheLastBlockIsToldFromTheRecordsAfter) {
  constexpr uint64_t kHugePage = 2 * kMiB;
  std::string list =
      RecordBytes(kRamMemSize, 4 * kMiB) + BlockBytes("ram-node0", 4 * kMiB);
  RamTraits traits = {.advised_page_sizes = kHugePage | 0x1000};
  for (std::string size : {std::string(), Be64Bytes(kHugePage)}) {
    std::string bytes =
        list + size + RecordBytes(kRamMultifdFlush) + kRamEosBytes;
    RamWalked start = WalkRam(bytes, traits);
    ASSERT_TRUE(start.error.ok()) << ToString(start.error);
    EXPECT_EQ(start.end, bytes.size());
    EXPECT_EQ(start.stats.blocks[0].page_bytes, size.empty() ? 0 : kHugePage);
    EXPECT_EQ(start.stats.multifd_flushes, 1);
  }
}

TEST(RamDecoderTest, ThePageSizeStandsBeforeTheAddress) {
  // The writer's order; loaders 11.0 and 11.1 read it the other way.
  std::string bytes = RecordBytes(kRamMemSize, 4 * kMiB) +
                      BlockBytes("ram-node0", 4 * kMiB) +
                      Be64Bytes(2 * kMiB) +     // Page size.
                      Be64Bytes(0x100000000) +  // Address.
                      kRamEosBytes;
  RamWalked start = WalkRam(bytes, {.ignore_shared = true,
                                    .advised_page_sizes = (2 * kMiB) | 0x1000});
  ASSERT_TRUE(start.error.ok()) << ToString(start.error);
  EXPECT_EQ(start.stats.blocks[0].page_bytes, 2 * kMiB);
  EXPECT_EQ(start.stats.blocks[0].address, 0x100000000);
}

TEST(RamDecoderTest, NoBlockHasTheTargetsPageSizeWrittenOut) {
  // A page size is written where it differs from the larger of the host's and
  // the target's; so never the target's own. This is an address.
  std::string bytes = RecordBytes(kRamMemSize, 2 * kMiB) +         //
                      BlockBytes("rom", kMiB) + Be64Bytes(0x1000)  //
                      + BlockBytes("pc.ram", kMiB) + Be64Bytes(0) +
                      kRamEosBytes;
  RamWalked start =
      WalkRam(bytes, {.ignore_shared = true, .advised_page_sizes = 0x1000});
  ASSERT_TRUE(start.error.ok()) << ToString(start.error);
  ASSERT_EQ(start.stats.blocks.size(), 2);
  EXPECT_EQ(start.stats.blocks[0].page_bytes, 0);
  EXPECT_EQ(start.stats.blocks[0].address, 0x1000);
}

TEST(RamDecoderTest, FlagsAreTheBitsUnderTheTargetsPageSize) {
  for (uint64_t page_bytes : {1024, 4096, 16384, 65536}) {
    RamWalked part =
        WalkPart(RecordBytes(kRamPage, page_bytes == 65536 ? 0 : page_bytes) +
                     Str8Bytes("vga.vram") + PageBytes('p', page_bytes),
                 {.page_bytes = page_bytes});
    EXPECT_TRUE(part.error.ok()) << ToString(part.error);
    EXPECT_EQ(part.stats.pages, 1);
  }
  // Where pages are larger, the offset of a 4 KiB page is an unknown flag.
  RamWalked part = WalkPart(
      RecordBytes(kRamZero, 0x1000) + Str8Bytes("vga.vram") + U8Bytes(0),
      {.page_bytes = 65536});
  EXPECT_EQ(part.error.code, ErrorCode::kBadRam);
  EXPECT_EQ(part.error.offset, kPartAt);
  EXPECT_NE(part.error.reason.find("0x1002"), std::string::npos);
}

// mapped-ram.

std::string MappedBytes(uint64_t bitmap_offset, uint64_t pages_offset,
                        uint32_t version = 1, uint64_t page_bytes = 4096) {
  return Be32Bytes(version) +        //
         Be64Bytes(page_bytes) +     //
         Be64Bytes(bitmap_offset) +  //
         Be64Bytes(pages_offset);
}

constexpr RamTraits kMapped = {.mapped_ram = true};

// One block of two pages; its header ends at `header_end`, its pages at
// `pages_offset`.
constexpr uint64_t kHeaderEnd = 8 + 7 + 8 + 28;
std::string MappedList(const std::string& header, uint64_t pages_offset) {
  std::string bytes =
      RecordBytes(kRamMemSize, 0x2000) + BlockBytes("pc.ram", 0x2000) + header;
  bytes += std::string(pages_offset - bytes.size(), '\x5a');
  return bytes + PageBytes('a') + PageBytes('b') + kRamEosBytes;
}

TEST(RamDecoderTest, MappedRamGoesOnBehindEachBlocksPages) {
  // Between bitmap and pages is a hole, and behind the second block's header
  // another.
  std::string bytes = RecordBytes(kRamMemSize, 0x3000) +
                      BlockBytes("pc.ram", 0x2000) +
                      MappedBytes(kHeaderEnd, 0x1000);
  bytes.resize(0x1000, '\0');
  bytes += PageBytes('\x10', 0x2000);
  uint64_t second_header_end = 0x3000 + 4 + 8 + 28;
  bytes += BlockBytes("rom", 0x1000) + MappedBytes(second_header_end, 0x4000);
  bytes.resize(0x4000, '\0');
  bytes += PageBytes('\x10', 0x1000) + kRamEosBytes;
  uint64_t end = bytes.size();
  bytes += kRamEosBytes;  // A PART, where nothing but EOS may stand.
  RamWalked walked = WalkRam(bytes, kMapped, 2);
  ASSERT_TRUE(walked.error.ok()) << ToString(walked.error);
  EXPECT_EQ(walked.end, end + 8);
  ASSERT_EQ(walked.stats.blocks.size(), 2);
  EXPECT_EQ(walked.stats.blocks[0].page_bytes, 4096);
  EXPECT_EQ(walked.stats.blocks[0].bitmap_offset, kHeaderEnd);
  EXPECT_EQ(walked.stats.blocks[0].pages_offset, 0x1000);
  EXPECT_EQ(walked.stats.blocks[1].name, "rom");
  EXPECT_EQ(walked.stats.blocks[1].pages_offset, 0x4000);
}

TEST(RamDecoderTest, AnIgnoredSharedBlockTakesNoSpace) {
  std::string bytes = RecordBytes(kRamMemSize, 5 * kMiB) +
                      BlockBytes("shared", 4 * kMiB) + Be64Bytes(0) +  // gpa
                      MappedBytes(0, 0) +                              //
                      BlockBytes("pc.bios", kMiB) + Be64Bytes(0xfff00000);
  uint64_t header_end = bytes.size() + 28;
  bytes += MappedBytes(header_end, 0x1000);
  bytes.resize(0x1000 + kMiB, '\0');
  bytes += kRamEosBytes;
  RamWalked start = WalkRam(bytes, {.ignore_shared = true, .mapped_ram = true});
  ASSERT_TRUE(start.error.ok()) << ToString(start.error);
  EXPECT_EQ(start.end, bytes.size());
  EXPECT_EQ(start.stats.blocks[0].pages_offset, 0);
  EXPECT_EQ(start.stats.blocks[1].address, 0xfff00000);
}

TEST(RamDecoderTest, OnlyBothOffsetsZeroMeanThatABlockIsNotInTheFile) {
  RamWalked start = WalkRam(MappedList(MappedBytes(kHeaderEnd, 0), 0x1000),
                            {.mapped_ram = true});
  EXPECT_EQ(start.error.code, ErrorCode::kBadRam) << ToString(start.error);
  EXPECT_EQ(start.error.offset, kHeaderEnd - 28);
}

TEST(RamDecoderTest, MappedPagesDoNotGoBackwards) {
  for (uint64_t pages_offset : {uint64_t{1}, kHeaderEnd - 1}) {
    RamWalked start = WalkRam(
        MappedList(MappedBytes(kHeaderEnd, pages_offset), 0x1000), kMapped);
    EXPECT_EQ(start.error.code, ErrorCode::kBadRam) << ToString(start.error);
    EXPECT_EQ(start.error.offset, kHeaderEnd - 28);
  }
}

TEST(RamDecoderTest, AMappedBitmapStandsBetweenHeaderAndPages) {
  for (uint64_t bitmap_offset :
       {uint64_t{0}, kHeaderEnd - 1, uint64_t{0x1000}, ~uint64_t{0}}) {
    RamWalked start = WalkRam(
        MappedList(MappedBytes(bitmap_offset, 0x1000), 0x1000), kMapped);
    EXPECT_EQ(start.error.code, ErrorCode::kBadRam) << bitmap_offset;
    EXPECT_EQ(start.error.offset, kHeaderEnd - 28);
  }
}

TEST(RamDecoderTest, AMappedBitmapEndsBeforeThePages) {
  // Two pages have a word of 8 bytes.
  for (uint64_t bytes : {7, 8}) {
    RamWalked start = WalkRam(
        MappedList(MappedBytes(0x1000 - bytes, 0x1000), 0x1000), kMapped);
    EXPECT_EQ(start.error.ok(), bytes == 8) << ToString(start.error);
    if (bytes == 8) continue;
    EXPECT_EQ(start.error.code, ErrorCode::kBadRam);
    EXPECT_EQ(start.error.offset, kHeaderEnd - 28);
  }
}

TEST(RamDecoderTest, MappedPagesThatWrapAroundAreRefused) {
  RamWalked start =
      WalkRam(MappedList(MappedBytes(kHeaderEnd, ~uint64_t{0} - 0xfff), 0x1000),
              kMapped);
  EXPECT_EQ(start.error.code, ErrorCode::kBadRam) << ToString(start.error);
}

TEST(RamDecoderTest, MappedPagesBeyondTheInputAreMissing) {
  std::string bytes =
      MappedList(MappedBytes(kHeaderEnd, uint64_t{1} << 62), 0x1000);
  RamWalked start = WalkRam(bytes, kMapped);
  EXPECT_EQ(start.error.code, ErrorCode::kTruncated);
  EXPECT_EQ(start.error.offset, bytes.size());
}

TEST(RamDecoderTest, AMappedHeaderHasVersion1) {
  for (uint32_t version : {0, 2}) {
    RamWalked start = WalkRam(
        MappedList(MappedBytes(kHeaderEnd, 0x1000, version), 0x1000), kMapped);
    EXPECT_EQ(start.error.code, ErrorCode::kBadRam);
    EXPECT_EQ(start.error.offset, kHeaderEnd - 28);
  }
}

TEST(RamDecoderTest, AMappedPageSizeIsAPowerOfTwo) {
  for (uint64_t page_bytes : {uint64_t{0}, uint64_t{4095}, ~uint64_t{0}}) {
    RamWalked start = WalkRam(
        MappedList(MappedBytes(kHeaderEnd, 0x1000, 1, page_bytes), 0x1000),
        kMapped);
    EXPECT_EQ(start.error.code, ErrorCode::kBadRam) << page_bytes;
    EXPECT_EQ(start.error.offset, kHeaderEnd - 28);
  }
}

TEST(RamDecoderTest, WithMappedRamNoPageIsARecord) {
  std::string list = MappedList(MappedBytes(kHeaderEnd, 0x1000), 0x1000);
  for (const std::string& record :
       {RecordBytes(kRamPage) + Str8Bytes("pc.ram") + PageBytes('a'),
        RecordBytes(kRamZero) + Str8Bytes("pc.ram") + U8Bytes(0),
        RecordBytes(kRamXbzrle) + Str8Bytes("pc.ram") + U8Bytes(1) +
            Be16Bytes(0),
        RecordBytes(kRamHook), RecordBytes(kRamMultifdFlush)}) {
    RamWalked part = WalkRam(list + record + kRamEosBytes, kMapped, 2);
    EXPECT_EQ(part.error.code, ErrorCode::kBadRam)
        << LoadBe64(AsBytes(record).data());
    EXPECT_EQ(part.error.offset, list.size());
  }
}

// Claims, and what the grammar does not have.

TEST(RamDecoderTest, ABlockThatIsNotListedIsRefused) {
  RamWalked part =
      WalkPart(RecordBytes(kRamPage) + Str8Bytes("other") + PageBytes('a'));
  EXPECT_EQ(part.error.code, ErrorCode::kBadRam);
  EXPECT_EQ(part.error.offset, kPartAt + 8);
  EXPECT_EQ(part.error.reason, "RAM block 'other' is not in the list");
}

TEST(RamDecoderTest, GuestMemoryTakenForABlocksNameIsNotShown) {
  RamWalked part = WalkPart(RecordBytes(kRamPage) +
                            Str8Bytes("GUEST-SECRET-ABC and all the rest"));
  EXPECT_EQ(part.error.reason,
            "RAM block 'GUEST-SECRET-ABC...' is not in the list");
}

TEST(RamDecoderTest, APageOutsideItsBlockIsRefused) {
  for (uint64_t address : {uint64_t{0x10000}, uint64_t{0x11000},
                           ~uint64_t{0} & ~uint64_t{0xfff}}) {
    for (uint64_t flag : {kRamPage, kRamZero, kRamXbzrle, kRamCompressPage}) {
      RamWalked part = WalkPart(RecordBytes(flag, address) +
                                Str8Bytes("vga.vram") + PageBytes('a', 5000));
      EXPECT_EQ(part.error.code, ErrorCode::kBadRam);
      EXPECT_EQ(part.error.offset, kPartAt);
    }
  }
}

TEST(RamDecoderTest, APageThatIsPartlyOutsideItsBlockIsRefused) {
  std::string list = RecordBytes(kRamMemSize, 0x2000) +
                     BlockBytes("odd", 0x1800) + BlockBytes("rest", 0x800) +
                     kRamEosBytes;
  RamWalked part = WalkRam(list + RecordBytes(kRamZero, 0x1000) +
                               Str8Bytes("odd") + U8Bytes(0) + kRamEosBytes,
                           {}, 2);
  EXPECT_EQ(part.error.code, ErrorCode::kBadRam);
  EXPECT_EQ(part.error.offset, list.size());
}

TEST(RamDecoderTest, ABlockLargerThanWhatIsLeftOfTheTotalIsRefused) {
  std::string list =
      RecordBytes(kRamMemSize, kMiB) + BlockBytes("pc.ram", 0x1000);
  RamWalked start = WalkRam(list + BlockBytes("vga.vram", kMiB) + kRamEosBytes);
  EXPECT_EQ(start.error.code, ErrorCode::kBadRam);
  EXPECT_EQ(start.error.offset, list.size());
  EXPECT_NE(start.error.reason.find("vga.vram"), std::string::npos);
}

TEST(RamDecoderTest, ABlockIsListedOnceAndHasAName) {
  std::string list =
      RecordBytes(kRamMemSize, kMiB) + BlockBytes("pc.ram", 0x1000);
  RamWalked twice = WalkRam(list + BlockBytes("pc.ram", kMiB - 0x1000));
  EXPECT_EQ(twice.error.code, ErrorCode::kBadRam);
  EXPECT_EQ(twice.error.offset, list.size());
  // Its name and its length are enough for that.
  RamTraits traits;
  traits.ignore_shared = true;
  const std::string first = list + Be64Bytes(0x1000);
  twice = WalkRam(first + BlockBytes("pc.ram", kMiB - 0x1000), traits);
  EXPECT_EQ(twice.error.code, ErrorCode::kBadRam);
  EXPECT_EQ(twice.error.offset, first.size());
  RamWalked nameless = WalkRam(list + BlockBytes("", kMiB - 0x1000));
  EXPECT_EQ(nameless.error.code, ErrorCode::kBadRam);
  EXPECT_EQ(nameless.error.offset, list.size());
}

TEST(RamDecoderTest, TheNumberOfBlocksHasALimit) {
  StreamLimits limits;
  limits.ram_blocks = 3;
  std::string bytes = RecordBytes(kRamMemSize, kMiB);
  for (int i = 0; i < 3; ++i) bytes += BlockBytes(std::string(1, 'a' + i), 0);
  RamWalked start = WalkRam(bytes + BlockBytes("d", 0), {}, 1, limits);
  EXPECT_EQ(start.error.code, ErrorCode::kBlockLimit);
  EXPECT_EQ(start.error.offset, bytes.size());
  EXPECT_EQ(start.error.reason, "more than 3 RAM blocks");
}

TEST(RamDecoderTest, ATotalWithoutItsBlocksIsCutShort) {
  std::string bytes = RecordBytes(kRamMemSize, ~uint64_t{0} & ~uint64_t{0xfff});
  RamWalked start = WalkRam(bytes);
  EXPECT_EQ(start.error.code, ErrorCode::kTruncated);
  EXPECT_EQ(start.error.offset, bytes.size());
}

TEST(RamDecoderTest, AnRdmaHookIsRefused) {
  RamWalked part = WalkPart(RecordBytes(kRamHook));
  EXPECT_EQ(part.error.code, ErrorCode::kBadRam);
  EXPECT_EQ(part.error.offset, kPartAt);
  EXPECT_NE(part.error.reason.find("RDMA"), std::string::npos);
}

TEST(RamDecoderTest, UnknownAndMixedFlagsAreRefused) {
  for (uint64_t flags : {uint64_t{0}, uint64_t{kRamFull}, uint64_t{0x400},
                         uint64_t{kRamPage | kRamZero}, uint64_t{kRamContinue},
                         uint64_t{kRamEos | kRamFull}}) {
    RamWalked part = WalkPart(RecordBytes(flags));
    EXPECT_EQ(part.error.code, ErrorCode::kBadRam) << flags;
    EXPECT_EQ(part.error.offset, kPartAt);
  }
}

TEST(RamDecoderTest, EveryTruncationSaysWhere) {
  std::string bytes = ListBytes() +  //
                      RecordBytes(kRamXbzrle) + Str8Bytes("pc.ram") +
                      U8Bytes(1) + Be16Bytes(5) + "delta" +  //
                      RecordBytes(kRamCompressPage | kRamContinue) +
                      Be32Bytes(4) + "zlib" + RecordBytes(kRamZero) +
                      Str8Bytes("vga.vram") + U8Bytes(0) +
                      RecordBytes(kRamPage | kRamContinue, 1024) +
                      PageBytes('\x10', 1024) + kRamEosBytes;
  RamTraits traits = {.page_bytes = 1024};
  for (size_t length = 0; length < bytes.size(); ++length) {
    std::string cut = bytes.substr(0, length);
    MemorySource source(AsBytes(cut));
    StreamLimits limits;
    RamDecoder decoder(limits);
    Walked walked = WalkFrom(source, true, [&](ContentPull& content) {
      RunSection(content, decoder, traits);
      RunSection(content, decoder, traits);
    });
    EXPECT_EQ(walked.error.code, ErrorCode::kTruncated)
        << length << ": " << ToString(walked.error);
    EXPECT_EQ(walked.error.offset, length);
  }
}

TEST(RamDecoderTest, AMissingPageIsCounted) {
  std::string bytes = ListBytes() + RecordBytes(kRamPage) +
                      Str8Bytes("pc.ram") + PageBytes('a', 4000);
  RamWalked part = WalkRam(bytes, {}, 2);
  EXPECT_EQ(part.error.reason,
            "input ends in a page of 4096 bytes, 96 of them missing");
}

// What a visitor gets of each record, and how much content had come by then.
class RecordTeller : public StreamVisitor {
 public:
  bool wants_content() const override { return true; }
  void OnContent(ByteSpan bytes) override { content_ += bytes.size(); }
  void OnRamRecord(const RamRecordView& record) override {
    StrAppend(&told, record.flags, " at ", record.offset);
    if (record.block != nullptr) {
      StrAppend(&told, " ", record.block->name, "+", record.page_offset);
    }
    StrAppend(&told, ", payload ", content_, "+", record.payload_bytes, "\n");
  }
  void OnRamBlocks(std::span<const RamBlock> blocks) override {
    StrAppend(&told, blocks.size(), " blocks before ", content_, "\n");
  }

  std::string told;

 private:
  uint64_t content_ = 0;
};

TEST(RamDecoderTest, EachRecordIsToldBeforeItsPayload) {
  std::string records =
      RecordBytes(kRamMemSize, kMiB) + BlockBytes("ram", kMiB) +  // 0
      RecordBytes(kRamZero, 0x1000) + Str8Bytes("ram") + '\0' +   // 20
      RecordBytes(kRamPage | kRamContinue, 0x2000) +              // 33
      PageBytes('p') +                                            //
      RecordBytes(kRamMultifdFlush) +                             // 4137
      kRamEosBytes;                                               // 4145
  MemorySource source(AsBytes(records));
  RecordTeller teller;
  ContentPull content(source, teller);
  RamDecoder decoder(StreamLimits{});
  decoder.Start();
  content.Run([&](ByteSpan& input, ContentWalk& walk, StreamEvent& event) {
    Step step = decoder.Next(input, {}, walk, event);
    if (step == Step::kEvent && event.kind == StreamEvent::kRamBlocks) {
      teller.OnRamBlocks(decoder.stats().blocks);
    }
    return step;
  });
  EXPECT_EQ(teller.told,
            "4 at 0, payload 8+0\n"
            "1 blocks before 20\n"
            "2 at 20 ram+4096, payload 32+1\n"
            "40 at 33 ram+8192, payload 41+4096\n"
            "512 at 4137, payload 4145+0\n"
            "16 at 4145, payload 4153+0\n");
}

}  // namespace
}  // namespace migstream
