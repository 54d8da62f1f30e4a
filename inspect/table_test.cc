#include "inspect/table.h"

#include "gtest/gtest.h"
#include "inspect/text_report.h"

namespace migstream {
namespace {

TEST(TableTest, ColumnsAreAsWideAsTheirWidestCell) {
  Table table("lrl");
  table.Row({"NAME", "BYTES", "X"});
  table.Row({"a", "12345678", "-"});
  EXPECT_EQ(table.Text(),
            "NAME     BYTES  X\n"
            "a     12345678  -\n");
}

TEST(TableTest, NoLineEndsInSpaces) {
  Table table("ll");
  table.Row({"a", ""});
  table.Row({"long", "b"});
  EXPECT_EQ(table.Text(), "a\nlong  b\n");
}

TEST(TableTest, ALongCellMovesTheRestOfItsLineAlone) {
  const std::string cell(61, 'x');
  Table table("ll");
  table.Row({cell, "b"});
  table.Row({"long", "b"});
  EXPECT_EQ(table.Text(), cell + "  b\nlong  b\n");
}

TEST(FindingLineTest, OnlyWhatIsNoErrorNamesItsSeverity) {
  report::Finding finding;
  finding.set_id("refused");
  finding.set_severity("error");
  finding.set_offset(0x2e41);
  finding.set_section("0000:00:05.0/vfio END");
  finding.set_message("unknown tag 0xffffffffef100009, expected DATA");
  EXPECT_EQ(FindingLine("vm.qvm", finding),
            "vm.qvm:0x2e41: 0000:00:05.0/vfio END: unknown tag "
            "0xffffffffef100009, expected DATA [refused]");
  finding.set_severity("note");
  EXPECT_EQ(FindingLine("vm.qvm", finding),
            "vm.qvm:0x2e41: 0000:00:05.0/vfio END: note: unknown tag "
            "0xffffffffef100009, expected DATA [refused]");
}

}  // namespace
}  // namespace migstream
