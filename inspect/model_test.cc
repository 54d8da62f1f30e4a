// The verb model, as a user runs it.

#include <string>

#include "codec/model/seed_models.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inspect/run_program.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// Has files in a folder of its own.
class ModelTest : public testing::Test {
 protected:
  const std::string old_card_ = WriteTestFile("old.json", kOldCard);
  const std::string new_card_ = WriteTestFile("new.json", kNewCard);
  const std::string nic_ = WriteTestFile("nic.json", kMyNic);
};

TEST_F(ModelTest, CheckSaysWhatToSetThere) {
  ProgramRun run =
      RunProgram({"model", "check",
                  StrCat(kE1000e, ",version=2,rx-filter-size=64"), new_card_});
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(run.output,
            StrCat(new_card_, ": takes it; there, set rx-filter-size=64\n"));
  EXPECT_EQ(run.errors, "");
}

TEST_F(ModelTest, CheckSaysTheFirstReasonWhyNot) {
  ProgramRun run =
      RunProgram({"model", "check", StrCat(kE1000e, ",rx-filter-size=32"),
                  old_card_, nic_});
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(run.output,
            StrCat(old_card_,
                   ": rx-filter-size is 32, the destination has no such "
                   "parameter [name]\n",
                   nic_, ": the destination does not offer ", kE1000e,
                   ", but vendor-a.com/my-nic [model]\n"));
}

TEST_F(ModelTest, OneDestinationIsEnough) {
  ProgramRun run = RunProgram(
      {"model", "check", StrCat(kE1000e, ",version=2"), old_card_, new_card_});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.output, HasSubstr("[version]\n"));
  EXPECT_THAT(run.output, HasSubstr("new.json: takes it"));
}

// The old one knows no version 2 and no filter; the new one says that none is
// what its version 1 is.
TEST_F(ModelTest, TheSourcesHostSaysWhatItsTextMeans) {
  const std::string source = StrCat(kE1000e, ",rx-filter-size=0");
  EXPECT_EQ(RunProgram({"model", "check", source, old_card_}).status, 1);
  ProgramRun run = RunProgram(
      {"model", "check", source, old_card_, StrCat("--source=", new_card_)});
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(run.output, StrCat(old_card_, ": takes it; there, set nothing\n"));
}

TEST_F(ModelTest, WhatIsNoConfigurationIsSaidWithItsColumn) {
  ProgramRun run =
      RunProgram({"model", "check", StrCat(kE1000e, ",version=x"), new_card_});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("column 41: a version is a number"));
  run = RunProgram({"model", "check", "version=1", new_card_});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("column 1: which model?"));
}

TEST_F(ModelTest, CanonicalIsWithoutVersionsAndWhatIsOff) {
  auto canonical = [&](const std::string& config) {
    return RunProgram({"model", "canonical", new_card_, config}).output;
  };
  EXPECT_EQ(canonical("version=2"), StrCat(kE1000e, ",rx-filter-size=32\n"));
  EXPECT_EQ(canonical("rx-filter-size=0"), StrCat(kE1000e, "\n"));
  // Without a configuration it is that of a new device.
  EXPECT_EQ(RunProgram({"model", "canonical", nic_}).output,
            "vendor-a.com/my-nic,new-feature=on,num-resources=64\n");
  ProgramRun run = RunProgram({"model", "canonical", new_card_, "version=3"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("column 1: there is no version 3"));
}

TEST_F(ModelTest, ShowIsForPeopleAndJsonForPrograms) {
  ProgramRun run = RunProgram({"model", "show", new_card_});
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(run.output,
            "https://qemu.org/devices/e1000e\n"
            "  versions    1: -\n"
            "              2: rx-filter-size=32 (latest)\n"
            "  new device  rx-filter-size=32\n"
            "  PARAMETER       TYPE  INIT  OFF  ALLOWED  DESCRIPTION\n"
            "  rx-filter-size  int   32    0    0-255    Addresses that the "
            "filter holds\n");
  ProgramRun json = RunProgram({"model", "show", "--json", new_card_});
  ProgramRun again = RunProgram(
      {"model", "show", "--json", WriteTestFile("again.json", json.output)});
  EXPECT_EQ(again.output, json.output);
}

TEST_F(ModelTest, LintComparesWithAnOlderOne) {
  EXPECT_EQ(RunProgram({"model", "lint", new_card_, old_card_}).output, "");
  ProgramRun run = RunProgram({"model", "lint", old_card_, new_card_});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output,
              HasSubstr("rx-filter-size: it was there before: devices that "
                        "have it can no longer be migrated here "
                        "[parameter-gone]\n"));
  // A note alone is no finding.
  run = RunProgram({"model", "lint", nic_});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.output, HasSubstr("num-resources: note: it has no off_value: "
                                    "no implementation that lacks"));
}

TEST_F(ModelTest, WhatIsNoDescriptionIsSaid) {
  ProgramRun run = RunProgram(
      {"model", "show", WriteTestFile("bad.json", R"({"models": {"x": {}}})")});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("'x' is no name of a model"));
  EXPECT_EQ(RunProgram({"model", "show", "/nonexistent"}).status, 2);
}

TEST_F(ModelTest, WrongUsageIsSaid) {
  EXPECT_THAT(RunProgram({"model"}).errors,
              HasSubstr("model is followed by one of check, show, canonical, "
                        "lint, describe"));
  EXPECT_THAT(RunProgram({"model", "check", "x"}).errors,
              HasSubstr("model check of what?"));
  EXPECT_THAT(RunProgram({"model", "show", "a", "b"}).errors,
              HasSubstr("model show does not take 'b' as well"));
  EXPECT_THAT(RunProgram({"model", "lint", "a", "--json"}).errors,
              HasSubstr("--json is for model show"));
  EXPECT_THAT(RunProgram({"model", "describe", "a", "--kernel=six"}).errors,
              HasSubstr("--kernel is a release like 6.12, not 'six'"));
}

// A stream of the source and one of the destination are enough to compare them.
TEST_F(ModelTest, ADeviceIsDescribedByItsStream) {
  const std::string stream = CapturePath(GetCapture("s111-switchover-ack"));
  ProgramRun run = RunProgram({"model", "describe", stream});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_THAT(run.output, HasSubstr("\"pci://8086.1889.8086.0001\""));
  const std::string json = WriteTestFile("described.json", run.output);
  run = RunProgram({"model", "canonical", json});
  EXPECT_EQ(run.output,
            "pci://8086.1889.8086.0001,config-bytes=4096,msix-vectors=5,"
            "revision=2\n");
  run.output.pop_back();
  EXPECT_EQ(RunProgram({"model", "check", run.output, json}).status, 0);
  EXPECT_EQ(RunProgram({"model", "describe", "-"}).status, 2);
}

}  // namespace
}  // namespace migstream
