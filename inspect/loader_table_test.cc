// check --for=all, as a user runs it.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "codec/wire/text.h"
#include "flags/qemu_version.h"
#include "flags/release.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inspect/run_program.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

std::vector<std::string> FilesOf(const testdata::Capture& capture) {
  std::vector<std::string> files = {CapturePath(capture)};
  for (const std::string& channel : ReadChannels(capture)) {
    files.push_back(WriteTestFile(StrCat("channel", files.size()), channel));
  }
  return files;
}

ProgramRun Check(std::vector<std::string> files, const std::string& option) {
  files.insert(files.begin(), "check");
  files.push_back(option);
  return RunProgram(files);
}

// The words of a line.
std::vector<std::string> Words(std::string_view line) {
  std::vector<std::string> words;
  for (std::string_view word : Split(line, ' ')) {
    if (!word.empty()) words.emplace_back(word);
  }
  return words;
}

// A release's line of the table, and the notes on one line each.
struct Answer {
  std::map<std::string, std::vector<std::string>> releases;
  std::map<std::string, std::string> notes;
};

Answer Parse(const std::string& output) {
  Answer answer;
  std::string* note = nullptr;
  for (std::string_view line : Split(output, '\n')) {
    if (line.starts_with("qemu-")) {
      std::vector<std::string> words = Words(line);
      answer.releases[words[0]] = words;
    } else if (line.starts_with("[")) {
      note = &answer.notes[std::string(line.substr(0, line.find(' ')))];
      *note = std::string(line.substr(5));
    } else if (line.starts_with("     ") && note != nullptr) {
      StrAppend(note, " ", line.substr(5));
    }
  }
  return answer;
}

class EveryReleaseTest : public testing::TestWithParam<testdata::Capture> {};

// Each release is asked alone for some captures: all of them for each would
// take too long.
TEST_P(EveryReleaseTest, AllAtOnceSayWhatEachSaysAlone) {
  const std::vector<std::string> files = FilesOf(GetParam());
  const ProgramRun all = Check(files, "--for=all");
  EXPECT_EQ(all.errors, "");
  const Answer answer = Parse(all.output);
  ASSERT_EQ(answer.releases.size(), std::size(kReleases) + 1);
  for (std::string_view line : Split(all.output, '\n')) {
    if (line.find(files[0]) != line.npos) continue;
    EXPECT_LE(line.size(), 80) << line;
  }
  static size_t turn = 0;
  for (int i = 0; i < 2; ++i) {
    const std::string name =
        ReleaseName(kReleases[(turn += 7) % std::size(kReleases)].release);
    const ProgramRun one = Check(files, StrCat("--for=", name));
    const std::vector<std::string>& line = answer.releases.at(name);
    if (one.status == 0) {
      EXPECT_EQ(line[1], "loads") << name;
      continue;
    }
    EXPECT_EQ(line[1], one.output.find("would refuse it") != one.output.npos
                           ? "refuses"
                           : "waits")
        << name;
    const std::string text = one.output.substr(0, one.output.find('\n'));
    const std::string& offset = line[line.size() - 2];
    EXPECT_THAT(text, HasSubstr(StrCat(offset, ": "))) << name;
    const std::string& note = answer.notes.at(line.back());
    const std::string message = note.substr(note.find(": ") + 2);
    // Which release it is stands in some of them.
    EXPECT_THAT(text, HasSubstr(message.substr(0, message.find("the release"))))
        << name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, EveryReleaseTest,
                         testing::ValuesIn(AllCaptures()), CaptureName());

TEST(AllLoadersTest, SayWhichReleasesLoadAStreamAndWhyOthersDoNot) {
  const std::string file = CapturePath(GetCapture("s72-precopy"));
  const ProgramRun run = Check({file}, "--for=all");
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.output,
              StartsWith(StrCat(file, ": 13 of 19 releases would load it\n")));
  const Answer answer = Parse(run.output);
  EXPECT_EQ(answer.releases.at("qemu-7.1")[1], "refuses");
  EXPECT_EQ(answer.releases.at("qemu-7.2")[1], "loads");
  EXPECT_THAT(answer.notes.at("[1]"),
              HasSubstr("Machine type received is 'pc-q35-7.2' and local is "
                        "'...', since the release has no such"));
}

TEST(AllLoadersTest, AnswerAsDataToo) {
  const std::string file = CapturePath(GetCapture("s72-precopy"));
  const ProgramRun run =
      RunProgram({"check", file, "--for=all", "--format=textproto"});
  EXPECT_EQ(run.status, 0);
  const Answer answer = Parse(Check({file}, "--for=all").output);
  for (const auto& [release, line] : answer.releases) {
    EXPECT_THAT(run.output,
                HasSubstr(StrCat("release: \"", release, "\"\n  outcome: \"",
                                 line[1], "\"")));
  }
}

TEST(AllLoadersTest, GoOnPastTheMachineTypeIfAsked) {
  const std::string file = CapturePath(GetCapture("s111-tiny"));
  EXPECT_EQ(Parse(Check({file}, "--for=all").output).releases.at("qemu-8.2")[2],
            "0xd");
  const ProgramRun run =
      RunProgram({"check", file, "--for=all", "--past-machine-type"});
  const Answer answer = Parse(run.output);
  const std::vector<std::string>& line = answer.releases.at("qemu-8.2");
  EXPECT_EQ(line[1], "refuses");
  EXPECT_THAT(answer.notes.at(line.back()),
              HasSubstr("MIG_CMD 0xb unknown (len 0x0)"));
}

TEST(AllLoadersTest, AStreamThatNoneLoadsIsAFinding) {
  const ProgramRun run = Check({WriteTestFile("x", "QEVM")}, "--for=all");
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr(": 0 of 19 releases would load it\n"));
}

TEST(AllLoadersTest, APipeIsReadOnlyOnce) {
  const std::string bytes = ReadCapture(GetCapture("s111-tiny"));
  const ProgramRun run = RunProgram(
      {"check", "-", "--for=all"},
      {.feed = [&](int fd) { WriteAll(fd, bytes.data(), bytes.size()); }});
  EXPECT_EQ(run.status, 2);
  EXPECT_EQ(run.output, "");
  EXPECT_THAT(run.errors, HasSubstr("-: it can be read only once"));
}

TEST(AllLoadersTest, AreListedWithWhatIsNewAndWhatIsGone) {
  const ProgramRun run = RunProgram({"check", "--for=all", "--list"});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.output,
              AllOf(HasSubstr("qemu-9.0"), HasSubstr("capability mapped-ram"),
                    HasSubstr("qemu-11.2 is in development.\n")));
  for (std::string_view line : Split(run.output, '\n')) {
    EXPECT_LE(line.size(), 80) << line;
  }
}

TEST(StableReleaseTest, IsTakenAndNamed) {
  const std::string file = CapturePath(GetCapture("s111-tiny"));
  EXPECT_EQ(Check({file}, "--for=qemu-11.1.3")
                .output.find(StrCat(file, ": qemu-11.1.3 would load it\n")),
            0);
  EXPECT_EQ(Check({file}, "--for=11.1.x").status, 2);
}

TEST(StableReleaseTest, SomeHaveLearntToCheckAPacketsSize) {
  constexpr char kStem[] = "testdata/inputs/multifd-size-zlib-ram";
  std::vector<std::string> files;
  for (const char* part : {"", ".ch1", ".ch2"}) {
    files.push_back(StrCat(kStem, part, ".qvm.zst"));
  }
  files.push_back("--past-machine-type");
  EXPECT_THAT(Check(files, "--for=11.1.0").output, HasSubstr("would load it"));
  for (const char* version : {"11.1.3", "10.0.13", "11.1", "11.2"}) {
    EXPECT_THAT(Check(files, StrCat("--for=", version)).output,
                HasSubstr(": next_packet_size 1048577 exceeds allocated "
                          "1048576\n"))
        << version;
  }
}

}  // namespace
}  // namespace migstream
