// Completion as somebody meets it who types into a shell.

#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inspect/run_program.h"

namespace migstream {
namespace {

using testing::HasSubstr;

// A shell on a terminal of its own.
class Shell {
 public:
  explicit Shell(const std::vector<std::string>& words) {
    const std::string path = StrCat(Folder(), "/inspect:", std::getenv("PATH"));
    pid_ = forkpty(&terminal_, nullptr, nullptr, nullptr);
    if (pid_ == 0) {
      setenv("PATH", path.c_str(), 1);
      setenv("TERM", "dumb", 1);
      setenv("PS1", "", 1);
      setenv("HISTFILE", "/dev/null", 1);
      std::vector<char*> argv;
      for (const std::string& word : words) {
        argv.push_back(const_cast<char*>(word.c_str()));
      }
      argv.push_back(nullptr);
      execvp(argv[0], argv.data());
      _exit(127);
    }
  }
  ~Shell() {
    close(terminal_);
    waitpid(pid_, nullptr, 0);
  }

  void Type(const std::string& keys) {
    ASSERT_TRUE(WriteAll(terminal_, keys.data(), keys.size()));
  }

  // All that the shell shows up to `end`, with that; or all that there is.
  std::string ShownUpTo(const std::string& end) {
    std::string shown;
    char c;
    while (!shown.ends_with(end) && read(terminal_, &c, 1) == 1) shown += c;
    return shown;
  }

  // The line that `keys` make: it is not run, but shown. Without the space
  // behind it, which zsh takes away again.
  std::string Line(const std::string& keys) {
    // The marks are not what is typed, which a terminal shows, too.
    Type("printf '<%s|%s' begin ''\n");
    ShownUpTo("<begin|");
    Type(StrCat(keys, "\x01printf '(%s)' '\x05'; printf '<%s|' end\n"));
    const std::string shown = ShownUpTo("<end|");
    const size_t begin = shown.rfind("\n(") + 2;
    std::string line = shown.substr(begin, shown.rfind(")<end|") - begin);
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
  }

  static std::string Folder() {
    char folder[4096];
    return getcwd(folder, sizeof folder) != nullptr ? folder : "";
  }

 private:
  int terminal_ = -1;
  pid_t pid_ = -1;
};

void ExpectCompletion(Shell& shell) {
  // zsh completes nothing behind "//".
  const std::string file =
      std::filesystem::path(WriteTestFile("stream one.qvm", ""))
          .lexically_normal();
  const std::string start = file.substr(0, file.size() - 8);
  EXPECT_EQ(shell.Line("migstream ins\t"), "migstream inspect");
  // Values complete behind "=", however it came there.
  EXPECT_EQ(shell.Line("migstream check --reg\t"),
            "migstream check --region-size=");
  EXPECT_EQ(shell.Line("migstream inspect --form\tjs\t"),
            "migstream inspect --format=json");
  EXPECT_EQ(shell.Line("migstream inspect --format=textp\t"),
            "migstream inspect --format=textproto");
  EXPECT_THAT(shell.Line(StrCat("migstream inspect ", start, "\t")),
              HasSubstr("one.qvm"));
  EXPECT_EQ(shell.Line("migstream help st\t"), "migstream help stats");
  // What is new is there by itself: the program lists it.
  EXPECT_EQ(shell.Line("migstream cap\t--lis\t"),
            "migstream capture --listen=");
  EXPECT_EQ(shell.Line("migstream inspect --snap\t"),
            "migstream inspect --snapshot=");
  EXPECT_EQ(shell.Line("migstream repack --format=js\t"),
            "migstream repack --format=json");
  EXPECT_EQ(shell.Line("migstream schema --format=jsons\t"),
            "migstream schema --format=jsonschema");
}

TEST(CompletionTest, WorksInBash) {
  Shell shell({"bash", "--norc", "--noprofile", "-i"});
  shell.Type(StrCat("source ", Shell::Folder(), "/inspect/completion.bash\n"));
  ExpectCompletion(shell);
}

TEST(CompletionTest, WorksInZsh) {
  if (std::system("zsh --version >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "there is no zsh";
  }
  Shell shell({"zsh", "-f", "-i"});
  const std::string folder = TestFolder();
  ASSERT_EQ(symlink(StrCat(Shell::Folder(), "/inspect/completion.zsh").c_str(),
                    StrCat(folder, "/_migstream").c_str()),
            0);
  // A terminal that is not asked for colours or for what it can.
  shell.Type(
      StrCat("unsetopt PROMPT_SP ZLE_BRACKETED_PASTE; bindkey -e; fpath=(",
             folder, " $fpath); autoload -Uz compinit; compinit -u -D\n"));
  ExpectCompletion(shell);
}

}  // namespace
}  // namespace migstream
