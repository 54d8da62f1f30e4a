// Runs a fuzz target once on each file of its corpus, as one test case a file,
// and once on nothing: what libFuzzer's own main does for one that is linked
// with it.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "gtest/gtest.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

// Only libFuzzer mutates.
extern "C" size_t LLVMFuzzerMutate(uint8_t*, size_t size, size_t) {
  return size;
}

namespace {

class Replay : public testing::Test {
 public:
  explicit Replay(std::string path) : path_(std::move(path)) {}

  void TestBody() override {
    std::ifstream file(path_, std::ios::binary);
    ASSERT_TRUE(path_.empty() || file.is_open());
    std::string input(std::istreambuf_iterator<char>(file), {});
    // In memory of just its size, so that a byte too many is seen.
    std::vector<uint8_t> bytes(input.begin(), input.end());
    EXPECT_EQ(LLVMFuzzerTestOneInput(bytes.data(), bytes.size()), 0);
  }

 private:
  const std::string path_;
};

void Register(const std::string& name, const std::string& path) {
  testing::RegisterTest(
      "Corpus", name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
      [path]() -> testing::Test* { return new Replay(path); });
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  Register("Nothing", "");
  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i) {
    if (argv[i][0] == '-') continue;  // Meant for libFuzzer.
    if (!std::filesystem::is_directory(argv[i])) continue;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(argv[i])) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  for (const std::string& file : files) {
    Register(std::filesystem::path(file).filename(), file);
  }
  return RUN_ALL_TESTS();
}
