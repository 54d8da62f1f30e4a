// What `check` prints: the cause first, the verdict last.

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inspect/check_text.h"
#include "inspect/run_program.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string Input(std::string_view name) {
  return StrCat("testdata/inputs/", name);
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  for (std::string_view line : Split(text, '\n')) lines.emplace_back(line);
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

std::string Path(const std::string& name) {
  return CapturePath(GetCapture(name));
}

TEST(CheckTest, TheCauseIsTheFirstLineAndTheVerdictTheLast) {
  ProgramRun run = RunProgram({"check", Input("cut.qvm.zst")});
  EXPECT_EQ(run.status, 1);
  const std::vector<std::string> lines = Lines(run.output);
  EXPECT_THAT(lines[0], AllOf(HasSubstr(":0x493e0: vmmouse FULL: error: "),
                              EndsWith(" [truncated]")));
  EXPECT_THAT(lines[1], StartsWith("    what to do: "));
  EXPECT_THAT(lines.back(),
              AllOf(HasSubstr(": verdict: cut in stop-copy, with the guest "
                              "stopped since 0x41d8b; data whole, config "
                              "missing: 0000:00:05.0/vfio, 0000:00:06.0/vfio"),
                    HasSubstr(". Next: "), EndsWith(" (1 error, 23 notes)")));
}

TEST(CheckTest, NotesOfAKindAreFoldedUnlessAllAreAskedFor) {
  const std::string file = Input("cut.qvm.zst");
  ProgramRun run = RunProgram({"check", file});
  EXPECT_EQ(Lines(run.output).size(), 6);
  EXPECT_THAT(run.output, HasSubstr(StrCat("\n", file,
                                           ": note: 21 more [guessed-end]; "
                                           "--all lists them\n")));
  run = RunProgram({"check", "--all", file});
  EXPECT_EQ(Lines(run.output).size(), 26);
  EXPECT_THAT(run.output, Not(HasSubstr(" more [")));
}

TEST(CheckTest, EachFileIsCheckedAsIfItWereAloneAndInTheirOrder) {
  const std::vector<std::string> files = {Input("cut.qvm.zst"), "no-such-file",
                                          Path("s111-two"),
                                          Input("cut.qvm.zst")};
  std::string output, errors;
  for (const std::string& file : files) {
    ProgramRun alone = RunProgram({"check", file});
    StrAppend(&output, &file == &files[0] ? "" : "\n", alone.output);
    errors += alone.errors;
  }
  for (const char* threads : {"1", "3", "8"}) {
    std::vector<std::string> words = {"check", "--each", "--threads", threads};
    words.insert(words.end(), files.begin(), files.end());
    ProgramRun run = RunProgram(words);
    EXPECT_EQ(run.output, output) << threads;
    EXPECT_EQ(run.errors, errors) << threads;
    EXPECT_EQ(run.status, 2);  // The worst of them.
  }
  ProgramRun run = RunProgram({"check", "--each", files[0], files[2]});
  EXPECT_EQ(run.status, 1);
}

// The first that the kernel names; 0 if there is none.
pid_t ChildOf(pid_t process) {
  pid_t child = 0;
  std::ifstream(StrCat("/proc/", process, "/task/", process, "/children")) >>
      child;
  return child;
}

TEST(CheckTest, AFileWhoseProcessIsKilledFailsAloneAndAsJsonToo) {
  const std::string fifo = StrCat(TestFolder(), "/fifo");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  if (access(StrCat("/proc/self/task/", getpid(), "/children").c_str(), R_OK)) {
    GTEST_SKIP() << "the kernel names no children";
  }
  // It waits for a writer.
  const auto kill_reader = [](int) {
    pid_t reader = 0;
    while (reader == 0) {
      usleep(1000);
      if (const pid_t program = ChildOf(getpid()); program != 0) {
        reader = ChildOf(program);
      }
    }
    kill(reader, SIGKILL);
  };
  const ProgramRun run = RunProgram({"check", "--each", "--format=json",
                                     "--threads=1", fifo, Path("s111-two")},
                                    {.feed = kill_reader});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("the process that read it ended: Killed"));
  const std::string failed = run.output.substr(0, run.output.find("\n}") + 2);
  EXPECT_THAT(failed, HasSubstr("migstream.error/1"));
  EXPECT_THAT(failed, HasSubstr(fifo));
  EXPECT_THAT(failed, HasSubstr("the process that read it ended: Killed"));
  EXPECT_THAT(run.output.substr(failed.size()), HasSubstr("migstream.check/"));
}

TEST(CheckTest, WhatIsFoldedStandsInTheOrderOfSeverities) {
  report::Check check;
  for (const char* severity : {"note", "warning", "error"}) {
    report::OmittedFindings& more = *check.add_omitted_findings();
    more.set_severity(severity);
    more.set_id("truncated");
    more.set_count(2);
  }
  const std::vector<std::string> lines = Lines(CheckText(check, {}));
  ASSERT_GE(lines.size(), 3);
  EXPECT_THAT(lines[0], HasSubstr(": error: 2 more"));
  EXPECT_THAT(lines[1], HasSubstr(": warning: 2 more"));
  EXPECT_THAT(lines[2], HasSubstr(": note: 2 more"));
}

TEST(CheckTest, WhatIsLessThanTheSeverityAskedForIsCountedAlone) {
  ProgramRun run =
      RunProgram({"check", "--min-severity=error", Input("cut.qvm.zst")});
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(Lines(run.output).size(), 3);
  EXPECT_THAT(run.output, EndsWith("(1 error, 23 notes)\n"));
  run =
      RunProgram({"check", "--min-severity=error", Input("drop-cpu.qvm.zst")});
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(Lines(run.output).size(), 1);
  EXPECT_EQ(RunProgram({"check", "--min-severity=bad", "x"}).status, 2);
}

TEST(CheckTest, ColoursAreForTerminalsUnlessAskedFor) {
  const std::string file = Input("cut.qvm.zst");
  const std::string plain = RunProgram({"check", file}).output;
  EXPECT_EQ(plain.find('\x1b'), std::string::npos);
  std::string colored = RunProgram({"check", "--color=always", file}).output;
  EXPECT_THAT(colored, HasSubstr("\x1b[1;31merror:\x1b[0m "));
  EXPECT_THAT(colored, HasSubstr("\x1b[1mverdict:\x1b[0m "));
  for (size_t at; (at = colored.find('\x1b')) != colored.npos;) {
    colored.erase(at, colored.find('m', at) + 1 - at);
  }
  EXPECT_EQ(colored, plain);
}

TEST(CheckTest, ASoundStreamHasAVerdictAlone) {
  const std::string file = Path("s111-two");
  ProgramRun run = RunProgram({"check", file});
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(run.output, StrCat(file,
                               ": verdict: sound; data and config whole: "
                               "0000:00:05.0/vfio, 0000:00:06.0/vfio (no "
                               "findings)\n"));
}

}  // namespace
}  // namespace migstream
