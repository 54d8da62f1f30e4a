#include "codec/destination/dump_compare.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "codec/destination/vmstate_dump.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testdata/dumps.h"

namespace migstream {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

VmstateDump Parsed(std::string_view json) {
  VmstateDump dump;
  EXPECT_EQ(ParseDump(json, dump), "");
  return dump;
}

// A dump of one device, e1000e, whose description has these members.
std::string Dump(std::string_view members, int version = 2, int minimum = 1) {
  return StrCat(R"({"vmschkmachine": {"Name": "pc"}, "e1000e": {
      "Name": "e1000e", "version_id": )",
                version, R"(, "minimum_version_id": )", minimum, R"(,
      "Description": {"name": "e1000e", "version_id": )",
                version, R"(, "minimum_version_id": )", minimum, members,
                "}}}");
}

std::string Fields(std::string_view fields) {
  return StrCat(R"(, "Fields": [)", fields, "]");
}

std::string Field(std::string_view name, int bytes = 4, int version = 0) {
  return StrCat(R"({"field": ")", name, R"(", "version_id": )", version,
                R"(, "field_exists": false, "size": )", bytes, "}");
}

// A struct's field, with these inside.
std::string Struct(std::string_view name, std::string_view fields) {
  return StrCat(R"({"field": ")", name, R"(", "version_id": 0, "size": 99,
      "Description": {"name": "inner", "version_id": 0,
                      "minimum_version_id": 0)",
                Fields(fields), "}}");
}

std::string Subsection(std::string_view name) {
  return StrCat(R"({"name": ")", name,
                R"(", "version_id": 1, "minimum_version_id": 1})");
}

std::vector<std::string> Compared(const VmstateDump& source,
                                  const VmstateDump& destination) {
  std::vector<std::string> lines;
  for (const DumpDifference& difference : CompareDumps(source, destination)) {
    lines.push_back(ToString(difference));
  }
  return lines;
}

std::vector<std::string> Compared(std::string_view source,
                                  std::string_view destination) {
  return Compared(Parsed(source), Parsed(destination));
}

TEST(VmstateDumpTest, ARealOneIsRead) {
  const VmstateDump dump = Parsed(ReadDump("7.2"));
  EXPECT_EQ(dump.machine, "pc-i440fx-7.2");
  EXPECT_EQ(dump.devices.size(), 213u);
  const DumpedDevice* device = dump.Find("e1000e");
  ASSERT_NE(device, nullptr);
  const DumpedState& state = dump.states[*device->state];
  EXPECT_EQ(state.name, "e1000e");
  EXPECT_EQ(state.version_id, 1);
  EXPECT_EQ((*state.fields)[0].name, "parent_obj");
}

TEST(VmstateDumpTest, AFileIsTakenForOneByItsFirstMember) {
  EXPECT_TRUE(LooksLikeDump(ReadDump("11.1").substr(0, 100)));
  EXPECT_TRUE(LooksLikeDump("{\"vmschkmachine\""));
  EXPECT_FALSE(LooksLikeDump("{\"models\": {}}"));
  EXPECT_FALSE(LooksLikeDump("QEVM"));
  EXPECT_FALSE(LooksLikeDump(""));
}

TEST(VmstateDumpTest, WhatIsNoDumpIsRefused) {
  VmstateDump dump;
  EXPECT_EQ(ParseDump("[]", dump), "it is no object");
  EXPECT_EQ(ParseDump(R"({"a": 1})", dump), "a: is no object");
  EXPECT_EQ(ParseDump(R"({"a": {}})", dump), "a: has no number \"version_id\"");
  EXPECT_EQ(ParseDump(Dump(R"(, "Fields": 1)"), dump),
            "e1000e: Fields is no list");
  EXPECT_EQ(ParseDump(Dump(Fields("{}")), dump),
            "e1000e: has no text \"field\"");
  EXPECT_THAT(ParseDump(std::string(100, '['), dump),
              HasSubstr("100 levels deep"));
}

// What QEMU's own checker finds, less its punctuation.
TEST(DumpCompareTest, AgreesWithTheStaticCheckerOnRealDumps) {
  auto plain = [](std::string_view line) {
    std::string text;
    for (char c : line) {
      if (c != '"' && c != ',' && c != ':' && c != ' ') text += c;
    }
    return text;
  };
  std::map<std::string_view, VmstateDump> dumps;
  for (std::string_view release : {"7.2", "10.0", "11.1"}) {
    dumps[release] = Parsed(ReadDump(release));
  }
  size_t findings = 0;
  for (const auto& [from, source] : dumps) {
    for (const auto& [to, destination] : dumps) {
      if (from == to) continue;
      std::vector<std::string> expected = CheckerLines(from, to);
      std::vector<std::string> found = Compared(source, destination);
      for (std::string& line : expected) line = plain(line);
      for (std::string& line : found) line = plain(line);
      EXPECT_EQ(found, expected) << from << " to " << to;
      findings += found.size();
    }
  }
  EXPECT_EQ(findings, 228u);
  EXPECT_THAT(Compared(dumps["7.2"], dumps["7.2"]), IsEmpty());
  EXPECT_THAT(Compared(dumps["10.0"], dumps["10.0"]), IsEmpty());
  // An SD card of 11.1 has two subsections of one name, each of which is held
  // against both: by the checker too.
  EXPECT_EQ(Compared(dumps["11.1"], dumps["11.1"]).size(), 8u);
}

TEST(DumpCompareTest, VersionsMustBeTaken) {
  EXPECT_THAT(Compared(Dump("", 3, 1), Dump("", 2, 1)),
              ElementsAre("Section \"e1000e\" version error: 3 > 2",
                          "Section \"e1000e\" Description \"e1000e\": version "
                          "error: 3 > 2"));
  EXPECT_THAT(Compared(Dump("", 1, 1), Dump("", 3, 2)),
              ElementsAre("Section \"e1000e\" Description \"e1000e\": minimum "
                          "version error: 1 < 2"));
}

TEST(DumpCompareTest, FieldsComeInTheirOrder) {
  EXPECT_THAT(
      Compared(Dump(Fields(Field("a") + "," + Field("b"))),
               Dump(Fields(Field("b") + "," + Field("a")))),
      ElementsAre("Section \"e1000e\" Description \"e1000e\": expected field "
                  "\"a\", got \"b\"; skipping rest"));
  EXPECT_THAT(Compared(Dump(Fields(Field("a") + "," + Field("b"))),
                       Dump(Fields(Field("a")))),
              ElementsAre("Section \"e1000e\" Description \"e1000e\": expected "
                          "field \"b\", while dest has no further fields"));
  EXPECT_THAT(
      Compared(Dump(Fields(Field("a", 4))), Dump(Fields(Field("a", 8)))),
      ElementsAre("Section \"e1000e\" Description \"e1000e\": Field "
                  "\"a\" size mismatch: 4 , 8"));
}

TEST(DumpCompareTest, FieldsMayMoveIntoAStructAndOutOfOne) {
  const std::string flat =
      Dump(Fields(StrCat(Field("a"), ",", Field("b"), ",", Field("c"))));
  const std::string nested = Dump(Fields(StrCat(
      Struct("s", StrCat(Field("a"), ",", Field("b"))), ",", Field("c"))));
  EXPECT_THAT(Compared(flat, nested), IsEmpty());
  EXPECT_THAT(Compared(nested, flat), IsEmpty());
}

TEST(DumpCompareTest, SubsectionsMustBeKnown) {
  auto with = [](std::string_view name) {
    return Dump(StrCat(R"(, "Subsections": [)", Subsection(name), "]"));
  };
  EXPECT_THAT(Compared(with("e1000e/x"), with("e1000e/x")), IsEmpty());
  EXPECT_THAT(Compared(with("e1000e/x"), with("e1000e/y")),
              ElementsAre("Section \"e1000e\" Description \"e1000e\": "
                          "Subsection \"e1000e/x\" not found"));
  EXPECT_THAT(Compared(with("e1000e/x"), Dump("")),
              ElementsAre("Section \"e1000e\" Description \"e1000e\": Entry "
                          "\"Subsections\" missing"));
}

TEST(DumpCompareTest, HowMuchIsComparedIsBounded) {
  std::string many = Subsection("same");
  for (int i = 1; i < 3000; ++i) many += "," + Subsection("same");
  const VmstateDump dump =
      Parsed(Dump(StrCat(R"(, "Subsections": [)", many, "]")));
  EXPECT_THAT(Compared(dump, dump),
              ElementsAre(HasSubstr("too many subsections to compare all")));
}

TEST(DumpCompareTest, ADeviceMustBeThere) {
  EXPECT_THAT(Compared(Dump(""), R"({"vmschkmachine": {"Name": "pc"}})"),
              ElementsAre("Section \"e1000e\" does not exist in dest"));
}

}  // namespace
}  // namespace migstream
