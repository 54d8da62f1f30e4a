// Known lines: that each is found, quickly, in whatever stands around it.

#include "codec/explain/line_matcher.h"

#include <set>
#include <string>

#include "codec/explain/explain.h"
#include "codec/explain/log_lines.h"
#include "codec/io/byte_source.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

using testing::HasSubstr;

// A line as somebody logs it: with something for each *.
std::string LineOf(std::string_view pattern) {
  return StrCat("2026-01-02 qemu-system-x86_64: ",
                StrJoin(Split(pattern, '*'), "17"), " and more");
}

TEST(LineMatcherTest, FindsEachLineThatItKnows) {
  const LineMatcher matcher;
  EXPECT_GT(matcher.lines().size(), 100);
  for (const KnownLine* line : matcher.lines()) {
    const KnownLine* found = matcher.Find(LineOf(line->pattern));
    ASSERT_NE(found, nullptr) << line->pattern;
    // Or one that says more of it.
    EXPECT_GE(found->pattern.size(), line->pattern.size())
        << line->pattern << " is taken for " << found->pattern;
  }
}

TEST(LineMatcherTest, RowsAreWholeAndDiffer) {
  std::set<std::string_view> patterns;
  const LineMatcher matcher;
  for (const KnownLine* line : matcher.lines()) {
    EXPECT_TRUE(patterns.insert(line->pattern).second) << line->pattern;
    EXPECT_NE(line->meaning, "") << line->pattern;
    EXPECT_NE(line->who, "") << line->pattern;
    EXPECT_NE(line->advice, "") << line->pattern;
    EXPECT_FALSE(line->pattern.starts_with("*")) << line->pattern;
  }
}

TEST(LineMatcherTest, DoesNotFindWhatItDoesNotKnow) {
  const LineMatcher matcher;
  for (std::string_view line :
       {std::string_view(""), std::string_view("*"),
        std::string_view("Missing section foo"),
        std::string_view("machine type received"),
        std::string_view("qemu-system-x86_64: terminating on signal 15"),
        std::string_view("\0\xff\x1b[2J\n", 8)}) {
    EXPECT_EQ(matcher.Find(line), nullptr) << line;
  }
}

TEST(LineMatcherTest, TakesAnyBytesAroundAKnownLine) {
  std::string noise;
  for (int byte = 0; byte < 256; ++byte) noise += static_cast<char>(byte);
  EXPECT_NE(
      LineMatcher().Find(StrCat(noise, "Ack, bad migration stream!", noise)),
      nullptr);
}

TEST(LineMatcherTest, AStarStandsForAnything) {
  EXPECT_TRUE(Matches("a*b", "xaxbx"));
  EXPECT_TRUE(Matches("a*b", "ab"));
  EXPECT_FALSE(Matches("a*b", "ba"));
  EXPECT_FALSE(Matches("a*a", "a"));
}

TEST(LineMatcherTest, OfSeveralTheOneThatSaysMoreIsMeant) {
  const KnownLine* known =
      LineMatcher().Find("load of migration failed: Input/output error");
  EXPECT_EQ(known->pattern, "load of migration failed: Input/output error");
}

TEST(LogLinesTest, AreCutWhereNobodyReadsOn) {
  const std::string log =
      StrCat("one\r\n\n", std::string(100000, 'x'), "\nlast without an end");
  MemorySource source(AsBytes(log));
  std::vector<std::string> lines;
  EXPECT_EQ(ForEachLine(source,
                        [&](uint64_t number, std::string_view line) {
                          lines.emplace_back(line);
                          EXPECT_EQ(number, lines.size());
                        }),
            4);
  ASSERT_EQ(lines.size(), 4);
  EXPECT_EQ(lines[0], "one");
  EXPECT_EQ(lines[1], "");
  EXPECT_EQ(lines[2].size(), kMaxLineBytes);
  EXPECT_EQ(lines[3], "last without an end");
}

TEST(ExplainTest, KnowsFindingsDialectsAndTags) {
  EXPECT_EQ(Explain("truncated")->kind, "finding");
  EXPECT_EQ(Explain("[truncated]")->kind, "finding");
  EXPECT_EQ(Explain("V100M")->kind, "dialect");
  EXPECT_THAT(Explain("V60")->who, HasSubstr("7.2"));
  for (const char* tag :
       {"DATA", "DEV_DATA_STATE", "VFIO_MIG_FLAG_DEV_DATA_STATE",
        "0xffffffffef100004"}) {
    ASSERT_TRUE(Explain(tag)) << tag;
    EXPECT_EQ(Explain(tag)->kind, "tag");
    EXPECT_THAT(Explain(tag)->meaning, HasSubstr("a record"));
  }
  // Number 5 has two meanings.
  EXPECT_THAT(Explain("0xffffffffef100005")->meaning, HasSubstr("; or "));
  EXPECT_FALSE(Explain("0xffffffffef100009"));
  EXPECT_FALSE(Explain("0x"));
  EXPECT_FALSE(Explain(""));
  EXPECT_FALSE(Explain("nonsense"));
}

TEST(ExplainTest, NamesTheRegisterThatDiffers) {
  EXPECT_THAT(Explain("get_pci_config_device: Bad config data: i=0x2 read: 89 "
                      "device: 76 cmask: ff wmask: 0 w1cmask:0")
                  ->meaning,
              HasSubstr("; 0x2 is the device id"));
}

struct Report {
  const char* line;
  const char* meaning;
};

// What 15 public reports quote.
TEST(ExplainTest, KnowsWhatPublicReportsQuote) {
  for (const Report& report : {
           Report{"qemu-system-x86_64: Unknown savevm section or instance "
                  "'cpu_common' 1. Make sure that your current VM setup",
                  "no such device"},
           Report{"Length mismatch: pc.ram: 0x10000000 in != 0x8000000: "
                  "Invalid argument",
                  "another size"},
           Report{"Size mismatch: 0000:00:03.0/virtio-net-pci.rom: 0x40000 != "
                  "0x80000: Invalid argument",
                  "another size"},
           Report{"Size too large: /rom@etc/acpi/tables: 0x40000 > 0x20000: "
                  "Invalid argument",
                  "longer than"},
           Report{"Missing section footer for sd-card", "did not end where"},
           Report{"Unknown ramblock \"0000:00:03.0/virtio-net-pci.rom\", "
                  "cannot accept migration",
                  "no such piece of memory"},
           Report{"Machine type received is 'virt-6.2' and local is "
                  "'virt-7.2'",
                  "different machine types"},
           Report{"error while loading state for instance 0x0 of device "
                  "'0000:00:02.0/virtio-net'",
                  "refused its state"},
           Report{"Features 0x1c0010130afffaf unsupported. Allowed features: "
                  "0x10179bfffe7",
                  "features that the destination"},
           Report{"Failed to load virtio-net:virtio", "virtio device"},
           Report{"get_pci_config_device: Bad config data: i=0x9a read: 4 "
                  "device: 1 cmask: ff wmask: 0 w1cmask:0",
                  "one byte of PCI config space"},
           Report{"load of migration failed: Invalid argument", "gave up"},
           Report{"Not a migration stream", "QEVM"},
           Report{"State blocked by non-migratable device '0000:00:05.0/vfio'",
                  "cannot be migrated"},
           Report{"operation failed: migration out job: unexpectedly failed",
                  "was not told why"},
       }) {
    std::optional<Explanation> about = Explain(report.line);
    ASSERT_TRUE(about) << report.line;
    EXPECT_THAT(about->meaning, HasSubstr(report.meaning)) << report.line;
  }
}

}  // namespace
}  // namespace migstream
