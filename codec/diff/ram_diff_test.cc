// Guest memory, compared by block.

#include <string>
#include <vector>

#include "codec/diff/diff_lines.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/wire/text.h"
#include "flags/ram_flags.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr size_t kPage = 4096;

StateOptions WithRam() {
  StateOptions options;
  options.ram = true;
  return options;
}

// For any number of threads the same.
std::vector<std::string> RamDiff(const Streams& a, const Streams& b) {
  std::vector<std::string> lines = Diff(a, b, true, WithRam());
  for (int threads : {2, 5}) {
    EXPECT_EQ(Diff(a, b, true, WithRam(), threads), lines) << threads;
  }
  return lines;
}

std::string Page(uint64_t offset, const std::string& block, char fill) {
  return BeBytes(offset | kRamPage, 8) + Str8Bytes(block) +
         std::string(kPage, fill);
}
std::string ZeroPage(uint64_t offset, const std::string& block) {
  return BeBytes(offset | kRamZero, 8) + Str8Bytes(block) + U8Bytes(0);
}

// Block "a" of four pages, or more, and "b" of one.
Streams Stream(const std::string& records, uint64_t pages = 4) {
  const HandlerBytes ram = {.id = 2, .idstr = "ram", .version = 4};
  std::string end = BeBytes(kRamEos, 8);
  return {HeaderBytes() +
          ram.Start(BeBytes((pages + 1) * kPage | kRamMemSize, 8) +
                    Str8Bytes("a") + BeBytes(pages * kPage, 8) +
                    Str8Bytes("b") + BeBytes(kPage, 8) + end) +
          ram.Part(records + end) + ram.End(end) + EofBytes()};
}

TEST(RamDiffTest, PagesThatDifferAreCountedByBlock) {
  std::string rest = Page(0, "b", 'b') + ZeroPage(0, "a");
  Streams a = Stream(Page(kPage, "a", 'x') + Page(2 * kPage, "a", 'y') +
                     Page(3 * kPage, "a", 'z') + rest);
  Streams b = Stream(Page(kPage, "a", 'x') + Page(2 * kPage, "a", 'Y') +
                     ZeroPage(3 * kPage, "a") + rest);
  EXPECT_THAT(RamDiff(a, b),
              ElementsAre("ram: pages of a: 2 of 4, the first at 0x2000 | "
                          "differ"));
  EXPECT_THAT(Diff(a, b, true), IsEmpty());  // Nobody asked.
}

TEST(RamDiffTest, OnlyWhatIsThereInTheEndCounts) {
  std::string rest = Page(0, "b", 'b') + ZeroPage(0, "a") +
                     ZeroPage(2 * kPage, "a") + ZeroPage(3 * kPage, "a");
  EXPECT_THAT(
      RamDiff(Stream(rest + Page(kPage, "a", 'x')),
              Stream(Page(kPage, "a", 'w') + rest + Page(2 * kPage, "a", 'w') +
                     Page(kPage, "a", 'x') + ZeroPage(2 * kPage, "a"))),
      IsEmpty());
}

// What one thread compares ends at 16, 32 and 48 MiB.
constexpr uint64_t kLargePages = (56 << 20) / kPage;

TEST(RamDiffTest, LargeBlocksAreComparedInParts) {
  std::string pages, others;
  size_t changed = 0;
  for (uint64_t at = 0; at < kLargePages; at += 5) {
    pages += Page(at * kPage, "a", 'x');
    const bool same = at % 3 != 0;
    others += same ? Page(at * kPage, "a", 'x') : ZeroPage(at * kPage, "a");
    changed += same ? 0 : 1;
  }
  EXPECT_THAT(RamDiff(Stream(pages, kLargePages), Stream(pages, kLargePages)),
              IsEmpty());
  EXPECT_THAT(RamDiff(Stream(pages, kLargePages), Stream(others, kLargePages)),
              ElementsAre(StrCat("ram: pages of a: ", changed, " of ",
                                 kLargePages, ", the first at 0x0 | differ")));
}

TEST(RamDiffTest, TheFirstPageThatDiffersMayBeInAnyPart) {
  for (uint64_t page : {uint64_t{0}, uint64_t{4095}, uint64_t{4096},
                        uint64_t{8191}, kLargePages - 1}) {
    const std::string rest = Page(page * kPage, "a", 'x') +
                             Page((kLargePages - 1) * kPage, "a", 'x');
    EXPECT_THAT(
        RamDiff(Stream(rest, kLargePages),
                Stream(rest + Page(page * kPage, "a", 'y'), kLargePages)),
        ElementsAre(StrCat("ram: pages of a: 1 of ", kLargePages,
                           ", the first at ", Hex(page * kPage), " | differ")));
  }
}

TEST(RamDiffTest, AStreamThatBecomesShorterIsAnErrorForAnyNumberOfThreads) {
  const Streams stream =
      Stream(Page(0, "a", 'x') + Page(4883 * kPage, "a", 'x') +
                 Page((kLargePages - 1) * kPage, "a", 'y'),
             kLargePages);
  for (int threads : {1, 2, 5}) {
    StreamState a, b;
    StateOptions options = WithRam();
    options.open_again = [&stream] {
      return std::make_unique<MemorySource>(
          AsBytes(stream.main).first(stream.main.size() - 3 * kPage));
    };
    ASSERT_TRUE(Read(stream, a, options).ok());
    ASSERT_TRUE(Read(stream, b, WithRam()).ok());
    std::vector<Difference> differences;
    EXPECT_EQ(CompareStreams(a, b, {.threads = threads}, differences).code,
              ErrorCode::kReadFailed)
        << threads;
  }
}

TEST(RamDiffTest, PagesThatNeverCameAreCounted) {
  Streams a = Stream(Page(0, "b", 'b') + ZeroPage(0, "a"));
  Streams b = Stream(Page(0, "b", 'b'));
  EXPECT_THAT(RamDiff(a, b),
              ElementsAre("ram: pages of a that never came: 3 | 4"));
}

// The same memory: on the main channel, and on channels of its own.
TEST(RamDiffTest, MemoryOnChannelsIsTheSameMemory) {
  for (const char* name :
       {"s72-multifd-ram", "s72-multifd-zstd", "s111-multifd-two"}) {
    Streams split = ReadStreams(name);
    RewriteOptions options;
    options.single_channel = true;
    Streams merged = Reshaped(split, options);
    EXPECT_THAT(RamDiff(split, merged), IsEmpty()) << name;
    StreamState state;
    ASSERT_TRUE(Read(merged, state, WithRam()).ok());
    EXPECT_FALSE(state.ram_store.blocks().empty());
  }
}

TEST(RamDiffTest, EveryKindOfPageIsCompared) {
  for (const char* name :
       {"s111-plain", "s111-xbzrle", "s72-compress", "s111-file-mapped-ram"}) {
    StreamState state;
    ASSERT_TRUE(Read(ReadStreams(name), state, WithRam()).ok()) << name;
    EXPECT_GE(state.ram_store.blocks().size(), 2);
    bool written = false;
    for (const auto& [block, memory] : state.ram_store.blocks()) {
      written |= memory->units() > 0;
    }
    EXPECT_TRUE(written) << name;
  }
  EXPECT_THAT(RamDiff(ReadStreams("s111-plain"), ReadStreams("s72-plain")),
              Contains(HasSubstr("ram: pages of /rom@etc/acpi/tables: ")));
}

// One stream's pages are read again where they stand, the other's are kept.
TEST(RamDiffTest, PagesAreTheSameWhereverTheyAreKept) {
  for (const char* name :
       {"s111-plain", "s72-compress", "s111-file-mapped-ram"}) {
    const Streams streams = ReadStreams(name);
    EXPECT_THAT(RamDiff(streams, streams), IsEmpty()) << name;
  }
}

TEST(RamDiffTest, MemoryThatCannotBeIsAnError) {
  StreamState state;
  std::string delta = std::string("\x01\x00\x02", 3);
  Error error =
      Read(Stream(BeBytes(kRamXbzrle, 8) + Str8Bytes("a") + delta + "\x7f\x7f"),
           state, WithRam());
  EXPECT_EQ(error.code, ErrorCode::kBadRam) << ToString(error);
}

}  // namespace
}  // namespace migstream
