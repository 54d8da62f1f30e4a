#include "inspect/table.h"

#include <string>
#include <string_view>

#include "codec/report/report.pb.h"
#include "codec/wire/text.h"
#include "gtest/gtest.h"
#include "inspect/terminal.h"
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

TEST(TableTest, WhatDoesNotFitStandsBelowBesideTheFirstColumn) {
  Table table("lrr");
  table.Row({"NAME", "FIRST", "SECOND"});
  table.Row({"a", "1", "2"});
  EXPECT_EQ(table.Text(14),
            "NAME  FIRST\n"
            "a         1\n"
            "\n"
            "NAME  SECOND\n"
            "a          2\n");
}

TEST(TableTest, TextsShareTheRoomAndGoOnInFurtherLines) {
  Table table("lww");
  table.Row({"x", "seven little words that do not fit", "short"});
  table.Row({"y", "b", "and as many of them in the other"});
  EXPECT_EQ(table.Text(40),
            "x  seven little       short\n"
            "   words that do not\n"
            "   fit\n"
            "y  b                  and as many of\n"
            "                      them in the other\n");
  for (std::string_view line : Split(table.Text(41), '\n')) {
    EXPECT_LE(line.size(), 41);
  }
}

TEST(TableTest, AWordThatIsTooLongIsCut) {
  Table table("lw");
  table.Row({"x", std::string(50, 'y')});
  EXPECT_EQ(table.Text(40), StrCat("x  ", std::string(37, 'y'), "\n   ",
                                   std::string(13, 'y'), "\n"));
}

TEST(TableTest, APathIsNeverCut) {
  const std::string path(100, 'p');
  Table table("lp");
  table.Row({"x", path});
  EXPECT_EQ(table.Text(40), StrCat("x  ", path, "\n"));
}

TEST(WrappedLinesTest, LinesBreakAtSpacesAndAreSetIn) {
  EXPECT_EQ(WrappedLines("  one two three\nfour", 10, 2),
            "  one two\n    three\nfour");
  EXPECT_EQ(WrappedLines("one two three", 0), "one two three");
  EXPECT_EQ(WrappedLines("path/that/is/long and more", 10, 2),
            "path/that/is/long\n  and more");
}

TEST(FindingLineTest, ALineNamesPlaceAndSeverity) {
  report::Finding finding;
  finding.set_id("refused");
  finding.set_severity("error");
  finding.set_offset(0x2e41);
  finding.set_section("0000:00:05.0/vfio END");
  finding.set_message("unknown tag 0xffffffffef100009, expected DATA");
  EXPECT_EQ(FindingLine("vm.qvm", finding),
            "vm.qvm:0x2e41: 0000:00:05.0/vfio END: error: unknown tag "
            "0xffffffffef100009, expected DATA [refused]");
  finding.set_severity("note");
  finding.clear_section();
  EXPECT_EQ(FindingLine("vm.qvm", finding),
            "vm.qvm: note: unknown tag 0xffffffffef100009, expected DATA "
            "[refused]");
}

}  // namespace
}  // namespace migstream
