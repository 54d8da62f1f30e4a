#include "inspect/sigbus.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "gtest/gtest.h"
#include "inspect/unfinished_files.h"

namespace migstream {
namespace {

TEST(SigbusTest, EndsTheProgramInOneLine) {
  EXPECT_EXIT(
      {
        HandleSigbus();
        std::raise(SIGBUS);
      },
      testing::ExitedWithCode(2),
      "^migstream: an input has become shorter while it was read, or its disk "
      "fails\n$");
}

TEST(SigbusTest, LeavesNoUnfinishedOutput) {
  std::string folder = std::string(std::getenv("TEST_TMPDIR")) + "/lost";
  std::filesystem::create_directory(folder);
  EXPECT_EXIT(
      {
        HandleSigbus();
        if (CreateUnfinished(folder + "/out", 0600) < 0) std::_Exit(3);
        std::raise(SIGBUS);
      },
      testing::ExitedWithCode(2), "");
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

}  // namespace
}  // namespace migstream
