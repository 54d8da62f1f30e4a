// The table, and the page that is made from it.

#include "codec/report/finding_ids.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>

#include "codec/report/findings_doc.h"
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

TEST(FindingIdsTest, ThePageIsMadeFromTheTable) {
  std::ifstream file("codec/FINDINGS.md");
  std::string text((std::istreambuf_iterator<char>(file)),
                   std::istreambuf_iterator<char>());
  EXPECT_EQ(text, FindingsDoc())
      << "make it again:\n"
         "  bazel run //codec/report:findings_doc > codec/FINDINGS.md";
}

}  // namespace
}  // namespace migstream
