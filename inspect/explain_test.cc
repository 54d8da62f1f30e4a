// `migstream explain`, as it is called; and that it knows what `check --for`
// foretells.

#include <string>
#include <vector>

#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inspect/run_program.h"

namespace migstream {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

ProgramInput Log(const std::string& text) {
  return {.feed = [text](int fd) { WriteAll(fd, text.data(), text.size()); }};
}

TEST(ExplainProgramTest, AWordIsExplained) {
  ProgramRun run = RunProgram({"explain", "V100M", "DATA", "truncated"});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.output,
              AllOf(HasSubstr("V100M: dialect\n  means        how a VFIO"),
                    HasSubstr("DATA: tag\n"), HasSubstr("truncated: finding\n"),
                    HasSubstr("\n  what to do   ")));
}

TEST(ExplainProgramTest, WhatNobodyKnowsIsSaidToBeUnknown) {
  ProgramRun run = RunProgram({"explain", "no\x1bsuch thing"});
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(run.output,
            "no\\x1bsuch thing: unknown to migstream, and no file\n");
}

TEST(ExplainProgramTest, ALogIsReadFromStandardInputOrAFile) {
  const std::string log =
      "char device redirected to /dev/pts/1\n"
      "qemu: Unknown savevm section or instance 'cpu_common' 1. Make sure\n"
      "qemu: error while loading state for instance 0x0 of device 'a'\n"
      "qemu: error while loading state for instance 0x1 of device 'a'\n"
      "qemu: load of migration failed: Invalid argument\n";
  ProgramRun run = RunProgram({"explain"}, Log(log));
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.output,
              AllOf(HasSubstr("line 2: qemu: Unknown savevm section"),
                    HasSubstr("line 3: says the same as 1 more\n"),
                    Not(HasSubstr("char device")),
                    EndsWith("4 of 5 lines are known; the first one is the "
                             "cause, as a rule\n")));
  EXPECT_EQ(RunProgram({"explain", "-"}, Log(log)).output, run.output);
  EXPECT_EQ(RunProgram({"explain", WriteTestFile("log", log)}).output,
            run.output);
  EXPECT_EQ(RunProgram({"explain", "/dev/stdin"}, Log(log)).output, run.output);
  EXPECT_EQ(RunProgram({"explain", TestFolder()}).status, 2);
  run = RunProgram({"explain"}, Log("nothing\nof note\n"));
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(run.output, "0 of 2 lines are known\n");
}

TEST(ExplainProgramTest, AHostileLogCostsNothing) {
  std::string log;
  for (int i = 0; i < 200000; ++i) {
    log += "Missing section footer for \x1b[2J";
    log += static_cast<char>(i);
  }
  ProgramRun run = RunProgram({"explain"}, Log(log));
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(run.output.find('\x1b'), std::string::npos);
  EXPECT_LT(run.output.size(), 2000);
}

// Whatever damage: what a loader is foretold to say, `explain` knows.
TEST(ExplainProgramTest, KnowsWhatLoadersAreForetoldToSay) {
  const std::string folder = TestFolder();
  ProgramRun made =
      RunProgram({"generate", "--seed=1", "--count=60", "--damage=any",
                  "--expect", "--format=jsonl", "--out-dir", folder});
  ASSERT_EQ(made.status, 0) << made.errors;
  size_t asked = 0;
  for (std::string_view line : Split(made.output, '\n')) {
    constexpr std::string_view kMessage =
        "\"verdict\":\"REFUSES\",\"message\":\"";
    const size_t at = line.find(kMessage);
    if (at == line.npos) continue;
    std::string message(line.substr(at + kMessage.size()));
    message.resize(message.rfind("\"}}"));
    // What is the system's own, or this library's.
    if (message == "Input/output error" || message == "Invalid argument" ||
        message == "No such file or directory") {
      continue;
    }
    ++asked;
    EXPECT_EQ(RunProgram({"explain", message}).status, 0) << message;
  }
  EXPECT_GT(asked, 10);
}

}  // namespace
}  // namespace migstream
