// check --destination and diff of two dumps, as a user runs them.

#include <string>

#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inspect/run_program.h"
#include "testdata/captures.h"
#include "testdata/dumps.h"

namespace migstream {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(DestinationTest, AReleaseTakesItsOwnStream) {
  const std::string stream = CapturePath(GetCapture("s111-plain"));
  ProgramRun run =
      RunProgram({"check", stream, StrCat("--destination=", DumpPath("11.1"))});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_THAT(run.output, StartsWith(stream + ": "));
  EXPECT_THAT(run.output, HasSubstr(" sections compared with pc-i440fx-11.1; "
                                    "its dump says nothing of "));
  EXPECT_THAT(run.output, HasSubstr(" timer, "));
}

TEST(DestinationTest, AVersionThatItDoesNotKnowIsRefusedInQemusWords) {
  // It has one device of the stream, of an older version.
  constexpr char kEmpty[] = R"({"vmschkmachine": {"Name": "pc"},
      "ICH9-LPC": {"version_id": 0, "Description": {"name": "ICH9LPC",
      "version_id": 0, "minimum_version_id": 0}}})";
  ProgramRun run = RunProgram(
      {"check", CapturePath(GetCapture("s111-plain")),
       StrCat("--destination=", WriteTestFile("dump.json", kEmpty))});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output,
              HasSubstr("/ICH9LPC: the destination would refuse it: savevm: "
                        "unsupported version 1 for '0000:00:1f.0/ICH9LPC' v0"));
}

TEST(DestinationTest, WhatDescribesNoDestinationIsSaid) {
  ProgramRun run =
      RunProgram({"check", CapturePath(GetCapture("s111-plain")),
                  StrCat("--destination=", WriteTestFile("x.json", "{}"))});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("x.json:0x0: header: not a migration "
                                    "stream"));
}

TEST(DestinationTest, DiffOfTwoDumpsIsTheStaticChecker) {
  ProgramRun run = RunProgram({"diff", DumpPath("7.2"), DumpPath("10.0")});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output,
              HasSubstr("Section \"e1000e\" Description \"e1000e\": expected "
                        "field \"core.itr_intr_pending\", got \"unused\"; "
                        "skipping rest\n"));
  run = RunProgram({"diff", DumpPath("7.2"), DumpPath("7.2")});
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(run.output, "");
}

}  // namespace
}  // namespace migstream
