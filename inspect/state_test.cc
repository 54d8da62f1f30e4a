// inspect --state and --vmdesc, and extract --ram, as a user runs them.

#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <utility>

#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inspect/run_program.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string Path(const std::string& name) {
  return CapturePath(GetCapture(name));
}

ProgramInput Feed(const std::string& bytes) {
  return {
      .feed = [bytes](int fd) { WriteAll(fd, bytes.data(), bytes.size()); }};
}

TEST(StateTest, StateFromAPipeIsThatOfTheFile) {
  ProgramRun file = RunProgram({"inspect", "--state", Path("s72-precopy")});
  EXPECT_EQ(file.status, 0);
  EXPECT_EQ(file.errors, "");
  EXPECT_THAT(file.output, StartsWith("{\n    \"ram ("));
  ProgramRun pipe = RunProgram({"inspect", "--state", "-"},
                               Feed(ReadCapture(GetCapture("s72-precopy"))));
  EXPECT_EQ(pipe.status, 0);
  EXPECT_TRUE(pipe.output == file.output);
}

// E4 has CONFIG before any data, and a CONFIG of E3 may hold nothing.
TEST(StateTest, WhatAProposalSendsAfterItsConfigIsCounted) {
  for (const char* dialect : {"E3", "E4"}) {
    std::string recipe = WriteTestFile(
        "recipe.textproto", StrCat("dialect: ", dialect,
                                   " devices { parts { records { bytes: 7 } } "
                                   "end { bytes: 300 } }"));
    std::string file = TestFolder() + "/" + dialect;
    ASSERT_EQ(RunProgram({"generate", recipe, "-o", file}).status, 0);
    ProgramRun run =
        RunProgram({"inspect", "--state", "--dialect", dialect, file});
    EXPECT_THAT(run.output,
                HasSubstr("\"pre_copy_bytes\": \"0x0000000000000007\""));
    EXPECT_THAT(run.output,
                HasSubstr("\"stop_copy_bytes\": \"0x000000000000012c\""));
  }
}

// U+009B and U+202E, a letter, and DEL.
TEST(StateTest, ADescriptionIsShownInAscii) {
  std::string bytes = ReadCapture(GetCapture("s111-plain"));
  const std::string odd = "\xc2\x9b\xe2\x80\xae\xc3\xa9\x7f";
  const size_t at = bytes.rfind("globalstate");
  ASSERT_NE(at, std::string::npos);
  bytes.replace(at, odd.size(), odd);
  ProgramRun run =
      RunProgram({"inspect", "--vmdesc", WriteTestFile("odd.qvm", bytes)});
  EXPECT_THAT(run.output, HasSubstr("\\u009B\\u202E\\u00E9\\u007fate"));
  for (unsigned char c : run.output) {
    EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f)) << static_cast<int>(c);
  }
}

TEST(StateTest, AStreamWithoutADescriptionSaysSo) {
  ProgramRun run = RunProgram({"inspect", "--state", Path("s111-no-vmdesc")});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.errors, HasSubstr("nothing describes the state of 29"));
  run = RunProgram({"inspect", "--vmdesc", Path("s111-no-vmdesc")});
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(run.output, "");
  EXPECT_THAT(run.errors, HasSubstr("the stream has no description"));
}

TEST(StateTest, ACutStreamGivesWhatIsThereAndAnError) {
  ProgramRun run = RunProgram({"inspect", "--state", Path("s72-cancelled")});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, testing::EndsWith("\n}\n"));
  EXPECT_THAT(run.errors, HasSubstr("input ends"));
}

TEST(StateTest, WhatIsNoStreamHasNoState) {
  ProgramRun run = RunProgram(
      {"inspect", "--state", WriteTestFile("x", "no stream at all")});
  EXPECT_EQ(run.status, 2);
  EXPECT_EQ(run.output, "");
}

TEST(StateTest, VmdescIsTheDescriptionIndented) {
  ProgramRun run = RunProgram({"inspect", "--vmdesc", Path("s72-plain")});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.output, StartsWith("{\n    \"page_size\": 4096,\n"
                                     "    \"devices\": [\n        {\n"));
  EXPECT_THAT(run.output, HasSubstr("\"type\": \"int64\",\n"));
}

TEST(StateTest, RamIsWrittenWithHoles) {
  std::string out = TestFolder() + "/ram";
  ProgramRun run =
      RunProgram({"extract", Path("s72-plain"), "--ram=pc.ram", "-o", out});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_EQ(ReadTestFile(out), std::string(4 << 20, '\0'));
  struct stat info;
  ASSERT_EQ(stat(out.c_str(), &info), 0);
  EXPECT_LT(info.st_blocks * 512, 1 << 20);
}

TEST(StateTest, RamGoesToAPipeAndComesFromOne) {
  ProgramRun run = RunProgram({"extract", "-", "--ram=pc.bios", "-o", "-"},
                              Feed(ReadCapture(GetCapture("s111-xbzrle"))));
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_TRUE(run.output == std::string(64 << 10, '\xf4'));
}

// From a file, where pages are read a second time, and from a pipe.
TEST(StateTest, RamGoesToAPipeAsItGoesToAFile) {
  for (const auto& [name, block] :
       {std::pair("s111-plain", "pc.bios"), {"s111-xbzrle", "pc.bios"}}) {
    const std::string bytes = ReadCapture(GetCapture(name));
    const std::string out = StrCat(TestFolder(), "/ram.", name);
    std::vector<std::string> words = {"extract", WriteTestFile(name, bytes),
                                      StrCat("--ram=", block), "-o", out};
    ASSERT_EQ(RunProgram(words).status, 0) << name;
    const std::string memory = ReadTestFile(out);
    EXPECT_EQ(memory.size(), 64 << 10);
    words.back() = "-";
    EXPECT_TRUE(RunProgram(words).output == memory) << name;
    words[1] = "-";
    EXPECT_TRUE(RunProgram(words, Feed(bytes)).output == memory) << name;
  }
}

TEST(StateTest, AnUnknownBlockLeavesNothingAndListsTheOthers) {
  std::string folder = TestFolder();
  ProgramRun run = RunProgram(
      {"extract", Path("s72-plain"), "--ram=vga.vram", "-o", folder + "/ram"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("there are: pc.ram, "));
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST(StateTest, MemoryIsWholeInAStreamThatIsCutBehindIt) {
  const std::string bytes = ReadCapture(GetCapture("s72-plain"));
  const std::string folder = TestFolder();
  const std::string whole = folder + "/whole";
  ASSERT_EQ(
      RunProgram({"extract", Path("s72-plain"), "--ram=pc.ram", "-o", whole})
          .status,
      0);
  // The description alone is gone; and then part of RAM as well.
  for (size_t left : {bytes.size() - 1000, size_t{20000}}) {
    const std::string cut = WriteTestFile("cut.qvm", bytes.substr(0, left));
    const std::string out = StrCat(folder, "/", left);
    ProgramRun run = RunProgram({"extract", cut, "--ram=pc.ram", "-o", out});
    EXPECT_EQ(run.status, 1);
    EXPECT_THAT(run.errors, HasSubstr(cut + ":"));
    EXPECT_EQ(std::filesystem::exists(out), left != 20000);
    if (left == 20000) continue;
    EXPECT_EQ(ReadTestFile(out), ReadTestFile(whole));
  }
}

TEST(StateTest, AChannelWhosePagesCameBeforeIsMissedAllTheSame) {
  // What it holds of pc.ram are zero pages, as memory is without it.
  const std::string out = TestFolder() + "/ram";
  ProgramRun run = RunProgram({"extract", Path("s72-multifd-ram"),
                               "testdata/captures/s72-multifd-ram.ch1.qvm.zst",
                               "--ram=pc.ram", "-o", out});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.errors, HasSubstr("RAM packet number 9, but there are only "
                                    "4 RAM packets in the channels given"));
  EXPECT_TRUE(std::filesystem::exists(out));
}

TEST(StateTest, PagesThatAreNotThereAreSaid) {
  std::string out = TestFolder() + "/ram";
  ProgramRun run = RunProgram(
      {"extract", Path("s72-multifd-zlib"), "--ram=pc.ram", "-o", out});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.errors, HasSubstr("300 pages of pc.ram never came"));
  EXPECT_TRUE(std::filesystem::exists(out));
}

}  // namespace
}  // namespace migstream
