// What every verb prints of every capture fits into 80 columns, but for paths.

#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "codec/wire/text.h"
#include "gtest/gtest.h"
#include "inspect/run_program.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using Words = std::vector<std::string>;

// The words of lines that are too long and have more than one word.
void ExpectNarrow(const Words& words, const std::string& path) {
  ProgramRun run = RunProgram(words);
  for (const std::string& text : {run.output, run.errors}) {
    for (std::string_view line : Split(text, '\n')) {
      EXPECT_FALSE(line.ends_with(' ')) << StrJoin(words, " ") << ":\n" << line;
      // A path alone may be as long as it is, and what follows it wraps.
      if (line.size() <= 80 || line.find(path) != line.npos) continue;
      ADD_FAILURE() << StrJoin(words, " ") << ":\n" << line;
    }
  }
}

class WidthTest : public testing::TestWithParam<testdata::Capture> {
 protected:
  void SetUp() override { setenv("COLUMNS", "80", 1); }
  void TearDown() override { unsetenv("COLUMNS"); }
};

TEST_P(WidthTest, EveryVerbFits) {
  const std::string path = CapturePath(GetParam());
  ExpectNarrow({"inspect", path}, path);
  ExpectNarrow({"check", "--all", path}, path);
  ExpectNarrow({"check", "--for=qemu-11.1", path}, path);
  ExpectNarrow({"check", "--for=linux-6.12", path}, path);
  ExpectNarrow({"stats", path}, path);
  ExpectNarrow({"inspect", "--at=0x8", path}, path);
}

INSTANTIATE_TEST_SUITE_P(Captures, WidthTest, testing::ValuesIn(AllCaptures()),
                         CaptureName());

TEST(WidthOfListsTest, SoDoListsHelpAndExplanations) {
  setenv("COLUMNS", "80", 1);
  const std::string capture = CapturePath(GetCapture("s111-two"));
  ExpectNarrow({"inspect", "--records", capture}, capture);
  ExpectNarrow({"diff", capture, CapturePath(GetCapture("s72-two"))}, capture);
  ExpectNarrow({"check", "--list"}, "\n");
  ExpectNarrow({"check", "--list", "--for=all"}, "\n");
  ExpectNarrow({"check", "--for=all", capture}, capture);
  ExpectNarrow({"--help"}, "\n");
  for (const char* verb :
       {"inspect", "check", "stats", "extract", "repack", "diff", "generate",
        "model", "describe", "explain", "schema", "capture"}) {
    ExpectNarrow({verb, "--help"}, "\n");
  }
  ExpectNarrow({"schema"}, "\n");
  ExpectNarrow({"explain", "truncated", "V111M", "0xffffffffef100005",
                "Missing section footer for timer"},
               "\n");
  // A short path is no excuse.
  WriteTestFile("vm", ReadTestFile(capture));
  ASSERT_EQ(chdir(TestFolder().c_str()), 0);
  for (const Words& words :
       {Words{"check", "vm"}, Words{"check", "--for=qemu-7.2", "vm"},
        Words{"check", "--for=qemu-11.1", "vm"},
        Words{"check", "--for=qemu-11.1", "--destination=vm", "vm"},
        Words{"inspect", "--map", "vm"}}) {
    ExpectNarrow(words, "\n");
  }
  unsetenv("COLUMNS");
}

}  // namespace
}  // namespace migstream
