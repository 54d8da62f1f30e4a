// The table, and what FORMAT.md makes of it.

#include "codec/report/finding_ids.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>

#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

TEST(FindingIdsTest, TheTableIsInOrderAndComplete) {
  EXPECT_TRUE(std::is_sorted(
      AllFindings().begin(), AllFindings().end(),
      [](const FindingKind& a, const FindingKind& b) { return a.id < b.id; }));
  for (const FindingKind& kind : AllFindings()) {
    EXPECT_EQ(FindFinding(kind.id), &kind);
    EXPECT_NE(kind.meaning, "");
    EXPECT_NE(kind.advice, "");
  }
  EXPECT_EQ(FindFinding("no-such"), nullptr);
  EXPECT_EQ(FindFinding(""), nullptr);
}

TEST(FindingIdsTest, TheSpecificationHasTheSameTable) {
  std::ifstream file("codec/FORMAT.md");
  std::string text((std::istreambuf_iterator<char>(file)),
                   std::istreambuf_iterator<char>());
  std::string rows;
  for (const FindingKind& kind : AllFindings()) {
    StrAppend(&rows, "| `", kind.id, "` | ", ToString(kind.severity), " | ",
              kind.meaning, " | ", kind.advice, " |\n");
  }
  EXPECT_THAT(text, testing::HasSubstr("|---|---|---|---|\n" + rows + "\n"));
}

}  // namespace
}  // namespace migstream
