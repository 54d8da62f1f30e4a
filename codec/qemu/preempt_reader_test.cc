#include "codec/qemu/preempt_reader.h"

#include <string>
#include <vector>

#include "codec/wire/text.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

constexpr uint64_t kPageBytes = 256;

std::string Be64(uint64_t number) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) {
    bytes += static_cast<char>(number >> shift);
  }
  return bytes;
}

const std::string kPage(kPageBytes, 'p');
const std::string kChannel = StrCat(
    // PAGE: a block, and a page of it.
    Be64(0x300 | 0x08), "\x06pc.ram", kPage,
    // ZERO | CONTINUE: the same block, a byte.
    Be64(0x500 | 0x22), std::string(1, '\0'),
    // EOS
    Be64(0x10));

struct Read {
  std::vector<PreemptRecord> records;
  Error error;
  std::string content;
  uint64_t bytes = 0;
};

Read ReadAll(const std::string& bytes) {
  Read read;
  MemorySource source(AsBytes(bytes));
  read.error =
      ReadPreemptChannel(source, kPageBytes, [&](const PreemptRecord& record) {
        read.records.push_back(record);
        read.content += AsText(record.content);
      });
  read.bytes = source.offset();
  return read;
}

TEST(PreemptReaderTest, PagesHaveTheirBlockAndPlace) {
  const Read read = ReadAll(kChannel);
  EXPECT_TRUE(read.error.ok()) << read.error.reason;
  EXPECT_EQ(read.bytes, kChannel.size());
  ASSERT_EQ(read.records.size(), 3);
  EXPECT_EQ(read.records[0].block, "pc.ram");
  EXPECT_EQ(read.records[0].start, 0x300);
  EXPECT_FALSE(read.records[0].zero);
  EXPECT_EQ(read.records[1].block, "pc.ram");
  EXPECT_EQ(read.records[1].start, 0x500);
  EXPECT_TRUE(read.records[1].zero);
  EXPECT_EQ(read.content, kPage + std::string(1, '\0'));
  EXPECT_TRUE(read.records[2].end);
  EXPECT_EQ(read.records[2].offset, kChannel.size() - 8);
}

TEST(PreemptReaderTest, NoPageNeedsToHaveBeenWaitedFor) {
  EXPECT_EQ(ReadAll(Be64(0x10)).records.size(), 1);
  EXPECT_TRUE(ReadAll(Be64(0x10)).error.ok());
}

TEST(PreemptReaderTest, WhatStandsBehindTheEosIsNotRead) {
  EXPECT_EQ(ReadAll(kChannel + "more").bytes, kChannel.size());
}

TEST(PreemptReaderTest, EachCutIsTold) {
  for (size_t cut = 0; cut < kChannel.size(); ++cut) {
    const Read read = ReadAll(kChannel.substr(0, cut));
    EXPECT_EQ(read.error.code, ErrorCode::kTruncated) << cut;
    EXPECT_LE(read.error.offset, cut);
  }
}

TEST(PreemptReaderTest, WhatIsNoRecordIsAnErrorAtItsPlace) {
  // Flags of a COMPRESS_PAGE have no place in pages of 256 bytes; MEM_SIZE is
  // the main channel's.
  EXPECT_EQ(ReadAll(Be64(0x04)).error.code, ErrorCode::kBadRam);
  EXPECT_EQ(ReadAll(Be64(0x0a)).error.code, ErrorCode::kBadRam);
  EXPECT_EQ(ReadAll(Be64(0x28)).error.code, ErrorCode::kBadRam);
  EXPECT_EQ(ReadAll(Be64(0x08) + std::string(1, '\0')).error.code,
            ErrorCode::kBadRam);
  std::string second = kChannel;
  second.insert(kChannel.size() - 8, Be64(0x40));
  const Read read = ReadAll(second);
  EXPECT_EQ(read.error.code, ErrorCode::kBadRam);
  EXPECT_EQ(read.error.offset, kChannel.size() - 8);
  EXPECT_EQ(read.records.size(), 2);
}

}  // namespace
}  // namespace migstream
