// `inspect --map`: each format has every byte.

#include <string>
#include <vector>

#include "codec/wire/json_document.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inspect/run_program.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::HasSubstr;

constexpr char kStream[] = "testdata/captures/s111-switchover-ack.qvm.zst";
constexpr uint64_t kStreamBytes = 302706;

std::vector<std::string> MultifdFiles() {
  std::vector<std::string> files = {
      "testdata/captures/s111-multifd-cfg-after-iter.qvm.zst"};
  for (int i = 1; i <= 4; ++i) {
    files.push_back(StrCat("testdata/captures/s111-multifd-cfg-after-iter.ch",
                           i, ".qvm.zst"));
  }
  return files;
}

TEST(MapTest, TextHasARowForEachOwnerAndTheSum) {
  ProgramRun run = RunProgram({"inspect", "--map", kStream});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_THAT(run.output, HasSubstr(": 302706 bytes\n"));
  EXPECT_THAT(
      run.output,
      HasSubstr("0x0                   8  stream                  header\n"));
  EXPECT_THAT(run.output, HasSubstr("VMDESCRIPTION\n"));
  EXPECT_THAT(run.output, HasSubstr("-- the guest is stopped\n"));
  EXPECT_THAT(run.output, HasSubstr("x PART, empty\n"));
  EXPECT_LT(run.output.size(), 8000U);
}

TEST(MapTest, CsvAddsUpToTheFile) {
  ProgramRun run = RunProgram({"inspect", "--map", "--format=csv", kStream});
  EXPECT_EQ(run.status, 0) << run.errors;
  uint64_t sum = 0;
  const std::vector<std::string_view> lines = Split(run.output, '\n');
  for (size_t i = 1; i + 1 < lines.size(); ++i) {
    sum += std::stoull(std::string(Split(lines[i], ',')[2]));
  }
  EXPECT_EQ(sum, kStreamBytes);
}

TEST(MapTest, JsonHasAllChannels) {
  std::vector<std::string> words = {"inspect", "--map", "--format=json"};
  for (const std::string& file : MultifdFiles()) words.push_back(file);
  ProgramRun run = RunProgram(words);
  EXPECT_EQ(run.status, 0) << run.errors;
  rapidjson::Document json;
  ASSERT_EQ(ParseJson(run.output, 1 << 20, 8, json), "");
  ASSERT_EQ(json["files"].Size(), 5U);
  int configs = 0;
  for (size_t i = 0; i < 5; ++i) {
    const auto& file = json["files"][static_cast<rapidjson::SizeType>(i)];
    EXPECT_EQ(file["bytes"].GetUint64(),
              ReadDecompressed(MultifdFiles()[i]).size());
    uint64_t sum = 0;
    for (const auto& range : file["ranges"].GetArray()) {
      EXPECT_EQ(range["offset"].GetUint64(), sum);
      sum += range["bytes"].GetUint64();
      configs += std::string(range["what"].GetString()) == "packet CONFIG";
    }
    EXPECT_EQ(sum, file["bytes"].GetUint64());
  }
  EXPECT_EQ(configs, 1);
}

TEST(MapTest, ADamagedStreamIsMappedAllTheSame) {
  ProgramRun run =
      RunProgram({"inspect", "--map", "testdata/inputs/midflip.qvm.zst"});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("unread"));
  EXPECT_THAT(run.errors, HasSubstr(":0x17862: "));
}

TEST(MapTest, AReturnPathIsMappedByItself) {
  ProgramRun run = RunProgram(
      {"inspect", "--map", "testdata/captures/s100-multifd.ch0.return.zst"});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_THAT(run.output, HasSubstr("PONG"));
}

TEST(MapTest, CsvIsForTheMapAlone) {
  EXPECT_EQ(RunProgram({"inspect", "--format=csv", kStream}).status, 2);
}

}  // namespace
}  // namespace migstream
