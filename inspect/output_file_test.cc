#include "inspect/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "codec/io/zero_bytes.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inspect/run_program.h"
#include "inspect/unfinished_files.h"

namespace migstream {
namespace {

namespace fs = std::filesystem;

constexpr int kNobody = 65534;

struct stat InfoOf(const std::string& path) {
  struct stat info = {};
  EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
  return info;
}

absl::Status WriteFile(const std::string& path, bool force,
                       const std::string& bytes, mode_t mode = 0666) {
  OutputFile output;
  absl::Status status = output.Open(path, force, mode);
  if (!status.ok()) return status;
  output.Write(AsBytes(bytes));
  return output.Commit();
}

// Whether files without a name can be made where tests write.
bool CanBeWithoutName(const std::string& folder) {
  int fd = open(folder.c_str(), O_TMPFILE | O_RDWR, 0600);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

TEST(OutputFileTest, HasNoNameUntilItIsCommitted) {
  std::string folder = TestFolder();
  if (!CanBeWithoutName(folder)) GTEST_SKIP() << "no O_TMPFILE here";
  {
    OutputFile output;
    ASSERT_TRUE(output.Open(folder + "/out", false).ok());
    output.Write(AsBytes("bytes"));
    EXPECT_TRUE(fs::is_empty(folder));
    EXPECT_TRUE(output.Commit().ok());
  }
  EXPECT_EQ(ReadTestFile(folder + "/out"), "bytes");
  OutputFile never;
  ASSERT_TRUE(never.Open(folder + "/never", false).ok());
  EXPECT_FALSE(fs::exists(folder + "/never"));
}

TEST(OutputFileTest, WhatSomebodyPutThereMeanwhileStays) {
  std::string out = TestFolder() + "/out";
  OutputFile output;
  ASSERT_TRUE(output.Open(out, false).ok());
  ASSERT_TRUE(WriteFile(out, false, "theirs").ok());
  EXPECT_FALSE(output.Commit().ok());
  EXPECT_EQ(ReadTestFile(out), "theirs");
  EXPECT_FALSE(WriteFile(out, false, "x").ok());
}

TEST(OutputFileTest, ANewOneHasTheModeLessTheUmask) {
  std::string folder = TestFolder();
  mode_t before = umask(022);
  EXPECT_TRUE(WriteFile(folder + "/a", false, "x").ok());
  EXPECT_TRUE(WriteFile(folder + "/b", false, "x", 0660).ok());
  umask(before);
  EXPECT_EQ(InfoOf(folder + "/a").st_mode & 0777, 0644);
  EXPECT_EQ(InfoOf(folder + "/b").st_mode & 0777, 0640);
}

TEST(OutputFileTest, ForceKeepsModeAndOwner) {
  std::string out = WriteTestFile("out", "old");
  ASSERT_EQ(chmod(out.c_str(), 0640), 0);
  const bool root = chown(out.c_str(), kNobody, kNobody) == 0;
  ASSERT_TRUE(WriteFile(out, true, "new").ok());
  EXPECT_EQ(ReadTestFile(out), "new");
  EXPECT_EQ(InfoOf(out).st_mode & 0777, 0640);
  if (!root) return;
  EXPECT_EQ(InfoOf(out).st_uid, kNobody);
  EXPECT_EQ(InfoOf(out).st_gid, kNobody);
}

TEST(OutputFileTest, ForceKeepsAFilesOtherNames) {
  std::string folder = TestFolder();
  std::string out = folder + "/out";
  std::string other = folder + "/other";
  ASSERT_TRUE(WriteFile(out, false, std::string(1 << 20, 'o')).ok());
  fs::create_hard_link(out, other);
  fs::create_symlink("out", folder + "/symbolic");
  const ino_t before = InfoOf(out).st_ino;
  OutputFile output;
  ASSERT_TRUE(output.Open(folder + "/symbolic", true).ok());
  // Something, a hole, something.
  ASSERT_EQ(pwrite(output.image(), "new", 3, 0), 3);
  ASSERT_EQ(pwrite(output.image(), "end", 3, 300000), 3);
  ASSERT_EQ(ftruncate(output.image(), 400000), 0);
  EXPECT_EQ(ReadTestFile(out).size(), 1 << 20);
  ASSERT_TRUE(output.Commit().ok());
  std::string expected(400000, '\0');
  expected.replace(0, 3, "new").replace(300000, 3, "end");
  EXPECT_TRUE(ReadTestFile(other) == expected);
  EXPECT_TRUE(ReadTestFile(out) == expected);
  EXPECT_EQ(InfoOf(out).st_ino, before);
  EXPECT_TRUE(fs::is_symlink(folder + "/symbolic"));
}

TEST(OutputFileTest, ZerosBecomeHoles) {
  std::string folder = TestFolder();
  const std::string zeros(1 << 20, '\0');
  const std::string bytes = StrCat("begin", zeros, "middle", zeros);
  ASSERT_TRUE(WriteFile(folder + "/out", false, bytes).ok());
  EXPECT_TRUE(ReadTestFile(folder + "/out") == bytes);
  // Nothing but zeros, and little behind a hole.
  for (const std::string& more : {zeros, StrCat(zeros, "end")}) {
    ASSERT_TRUE(WriteFile(folder + "/more", true, more).ok());
    EXPECT_TRUE(ReadTestFile(folder + "/more") == more);
  }
  int fd = open((folder + "/out").c_str(), O_RDONLY | O_CLOEXEC);
  if (lseek(fd, 0, SEEK_HOLE) < static_cast<off_t>(bytes.size())) {
    EXPECT_LT(InfoOf(folder + "/out").st_blocks * 512, 300 << 10);
  }
  close(fd);
}

TEST(OutputFileTest, AHoleThatWasNotReadIsOneAgain) {
  const std::string folder = TestFolder();
  OutputFile output;
  ASSERT_TRUE(output.Open(folder + "/out", false).ok());
  output.Write(AsBytes("begin"));
  output.Write(ZeroBytes());
  output.Write(AsBytes("end"));
  output.Write(ZeroBytes().first(5000));
  ASSERT_TRUE(output.Commit().ok());
  std::string expected = "begin";
  expected.resize(5 + ZeroBytes().size());
  expected += "end";
  expected.resize(expected.size() + 5000);
  EXPECT_TRUE(ReadTestFile(folder + "/out") == expected);
  EXPECT_LT(InfoOf(folder + "/out").st_blocks * 512, 1 << 20);
}

TEST(OutputFileTest, OneOfSeveralThatCannotBePlacedTakesTheOthersBack) {
  std::string folder = TestFolder();
  OutputFile first;
  OutputFile second;
  ASSERT_TRUE(first.Open(folder + "/first", false).ok());
  ASSERT_TRUE(second.Open(folder + "/second", false).ok());
  ASSERT_TRUE(WriteFile(folder + "/second", false, "theirs").ok());
  OutputFile* const files[] = {&first, &second};
  EXPECT_FALSE(CommitAll(files).ok());
  EXPECT_FALSE(fs::exists(folder + "/first"));
  EXPECT_EQ(ReadTestFile(folder + "/second"), "theirs");
}

TEST(OutputFileTest, ItsModeIsThatOfTheMostPrivateInput) {
  std::string a = WriteTestFile("a", "");
  std::string b = WriteTestFile("b", "");
  ASSERT_EQ(chmod(a.c_str(), 0750), 0);
  ASSERT_EQ(chmod(b.c_str(), 0606), 0);
  EXPECT_EQ(ModeOf(std::vector{a}), 0640);
  EXPECT_EQ(ModeOf(std::vector{a, b}), 0600);
  // A pipe's or a device's own mode says nothing.
  EXPECT_EQ(ModeOf(std::vector<std::string>{"/dev/null"}), 0666);
}

TEST(OutputFileTest, DevicesAndPipesAreWrittenDirectly) {
  std::string folder = TestFolder();
  ASSERT_EQ(mkfifo((folder + "/fifo").c_str(), 0600), 0);
  EXPECT_TRUE(IsWrittenDirectly("-"));
  EXPECT_TRUE(IsWrittenDirectly("/dev/null"));
  EXPECT_TRUE(IsWrittenDirectly(folder + "/fifo"));
  EXPECT_FALSE(IsWrittenDirectly(folder));
  EXPECT_FALSE(IsWrittenDirectly(folder + "/new"));
  EXPECT_FALSE(IsWrittenDirectly(WriteTestFile("old", "")));
}

TEST(UnfinishedFilesTest, NoSignalThatCanBeCaughtLeavesOne) {
  std::string folder = TestFolder();
  for (int signal :
       {SIGHUP, SIGINT, SIGQUIT, SIGABRT, SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM,
        SIGTERM, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGRTMIN, SIGRTMAX}) {
    EXPECT_EXIT(
        {
          std::signal(signal, SIG_DFL);
          if (CreateUnfinished(folder + "/out", 0600) < 0) std::_Exit(3);
          if (fs::is_empty(folder)) std::_Exit(4);
          std::raise(signal);
        },
        testing::KilledBySignal(signal), "");
    EXPECT_TRUE(fs::is_empty(folder)) << signal;
  }
}

TEST(UnfinishedFilesTest, AFolderGoesWithItsFilesUnlessAnythingIsInIt) {
  const fs::path folder = fs::path(TestFolder()) / "made";
  for (const bool kept : {false, true}) {
    EXPECT_EXIT(
        {
          std::signal(SIGTERM, SIG_DFL);
          if (!CreateUnfinishedFolder(folder)) std::_Exit(1);
          if (CreateUnfinished(folder / "unfinished", 0600) < 0) std::_Exit(1);
          if (kept) std::ofstream(folder / "finished") << "bytes";
          std::raise(SIGTERM);
        },
        testing::KilledBySignal(SIGTERM), "");
    EXPECT_EQ(fs::exists(folder), kept);
    EXPECT_FALSE(fs::exists(folder / "unfinished"));
  }
  EXPECT_FALSE(CreateUnfinishedFolder(folder));  // It is there.
}

TEST(UnfinishedFilesTest, ASignalThatIsIgnoredStaysSo) {
  std::string folder = TestFolder();
  EXPECT_EXIT(
      {
        std::signal(SIGHUP, SIG_IGN);
        if (CreateUnfinished(folder + "/out", 0600) < 0) std::_Exit(3);
        std::raise(SIGHUP);
        RemoveUnfinishedFiles();
        std::_Exit(5);
      },
      testing::ExitedWithCode(5), "");
}

}  // namespace
}  // namespace migstream
