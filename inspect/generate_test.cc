// The verb `generate`, run as a user runs it.

#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inspect/run_program.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kRecipe[] = "devices { end { bytes: 100 repeat: 2 } }";

std::vector<std::string> FilesIn(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST(GenerateTest, ARecipeMakesAStreamThatPassesCheck) {
  std::string recipe = WriteTestFile("recipe.textproto", kRecipe);
  std::string folder = TestFolder();
  std::string out = folder + "/vm.qvm";
  ProgramRun run = RunProgram({"generate", recipe, "-o", out, "--expect"});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_EQ(RunProgram({"check", out}).status, 0);
  EXPECT_THAT(ReadTestFile(folder + "/vm.expect"),
              HasSubstr("loader: \"qemu-11.1\"\nverdict: LOADS\n"));
  // It is there now.
  run = RunProgram({"generate", recipe, "-o", out});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("--force replaces it"));
}

TEST(GenerateTest, DamageIsDoneInOrderAndExpected) {
  std::string recipe = WriteTestFile("recipe.textproto",
                                     StrCat("switchover_start: NO ", kRecipe));
  std::string folder = TestFolder();
  std::string out = folder + "/bad.qvm";
  ProgramRun run =
      RunProgram({"generate", recipe, "-o", out, "--damage=drop-record,bad-tag",
                  "--expect=qemu-7.2"});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_THAT(ReadTestFile(folder + "/bad.expect"),
              HasSubstr("loader: \"qemu-7.2\"\nverdict: REFUSES\n"
                        "message: \"Unknown tag 0xffffffffef100009\"\n"));
  EXPECT_EQ(RunProgram({"check", out}).status, 1);
}

TEST(GenerateTest, AVendorsPayloadComesFromAFileOrIsDamagedByName) {
  std::string folder = TestFolder();
  std::string out = folder + "/vm.qvm";
  std::string payload = WriteTestFile("payload", std::string(500, 'p'));
  std::string carried = WriteTestFile(
      "carried.textproto",
      StrCat("devices { vendor { carried { file: '", payload,
             "' pre_copy_bytes: 90 pci_vendor: 0x10de pci_device: 1 } } }"));
  ProgramRun run = RunProgram({"generate", carried, "-o", out});
  EXPECT_EQ(run.status, 0) << run.errors;
  run = RunProgram({"extract", out, "-o", "-"});
  EXPECT_EQ(run.output, std::string(500, 'p'));

  std::string made = WriteTestFile(
      "made.textproto",
      "devices { end { bytes: 1 } } devices { vendor { mtty {} } }");
  run = RunProgram({"generate", made, "-o", out, "--force", "--expect",
                    "--damage=payload-version"});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_THAT(
      ReadTestFile(folder + "/vm.expect"),
      AllOf(HasSubstr("verdict: LOADS\n"), HasSubstr("driver: \"mtty\""),
            HasSubstr("findings: \"payload-version\""), HasSubstr("EFAULT")));
  run = RunProgram(
      {"generate", made, "-o", out, "--force", "--damage=payload-gap"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("damage payload-gap: the payload cannot "
                                    "have it"));
  run = RunProgram({"generate", WriteTestFile("none.textproto", "devices {}"),
                    "-o", out, "--force", "--damage=payload-cut"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("no device has a vendor's payload"));
}

TEST(GenerateTest, ChannelsStandBesideTheMainChannel) {
  std::string recipe = WriteTestFile(
      "recipe.textproto", "dialect: V111M devices { end { bytes: 9 } }");
  std::string folder = TestFolder() + "/channels";
  std::filesystem::create_directory(folder);
  ProgramRun run = RunProgram({"generate", recipe, "-o", folder + "/vm.qvm"});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_THAT(FilesIn(folder),
              ElementsAre("vm.ch1.qvm", "vm.ch2.qvm", "vm.qvm"));
  run = RunProgram({"check", folder + "/vm.qvm", folder + "/vm.ch1.qvm",
                    folder + "/vm.ch2.qvm"});
  EXPECT_THAT(run.output, HasSubstr(": verdict: sound; "));
  EXPECT_EQ(run.status, 0);
  // One stream goes to standard output, and these are three.
  EXPECT_EQ(RunProgram({"generate", recipe, "-o", "-"}).status, 2);
}

TEST(GenerateTest, ASeedIsARecipeThatMakesTheSameAgain) {
  std::string folder = TestFolder() + "/seeds";
  ProgramRun run =
      RunProgram({"generate", "--seed=7", "--count=2", "--damage=any",
                  "--dialect=V60", StrCat("--out-dir=", folder)});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_THAT(FilesIn(folder), ElementsAre("seed-7.qvm", "seed-7.textproto",
                                           "seed-8.qvm", "seed-8.textproto"));
  run = RunProgram({"generate", folder + "/seed-8.textproto", "-o", "-"});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_TRUE(run.output == ReadTestFile(folder + "/seed-8.qvm"));
}

TEST(GenerateTest, AFrameKeepsAllButTheDevices) {
  std::string recipe = WriteTestFile("recipe.textproto", kRecipe);
  std::string out = TestFolder() + "/framed.qvm";
  ProgramRun run = RunProgram(
      {"generate", recipe,
       StrCat("--frame=", CapturePath(GetCapture("s111-tiny"))), "-o", out});
  EXPECT_EQ(run.status, 0) << run.errors;
  run = RunProgram({"inspect", out});
  EXPECT_THAT(run.output, HasSubstr("pc-q35-11.1"));
  EXPECT_THAT(run.output, HasSubstr("0000:00:05.0/vfio  8086:1889"));
  EXPECT_THAT(run.output, HasSubstr(" 200 "));
}

TEST(GenerateTest, AnInterruptLeavesNothingUnfinished) {
  for (int signal : {SIGINT, SIGTERM}) {
    std::string folder = TestFolder() + "/seeds";
    ProgramRun run =
        RunProgram({"generate", "--seed=1", "--count=1000000", "--expect",
                    StrCat("--out-dir=", folder)},
                   {.feed =
                        [&](int) {
                          // Until it is at work.
                          while (!std::filesystem::exists(folder) ||
                                 FilesIn(folder).size() < 50) {
                            std::this_thread::yield();
                          }
                        },
                    .signal = signal});
    EXPECT_EQ(run.status, 128 + signal);
    // A seed has all of its files or none.
    std::map<std::string, std::set<std::string>> seeds;
    for (const std::string& name : FilesIn(folder)) {
      EXPECT_THAT(name, StartsWith("seed-"));
      seeds[name.substr(0, name.find('.'))].insert(
          name.substr(name.rfind('.')));
    }
    for (const auto& [seed, extensions] : seeds) {
      EXPECT_THAT(extensions, ElementsAre(".expect", ".qvm", ".textproto"))
          << seed;
    }
  }
}

TEST(GenerateTest, AStreamIsWrittenWithAllItsChannelsOrNotAtAll) {
  std::string recipe = WriteTestFile(
      "recipe.textproto", "dialect: V111M devices { end { bytes: 20000 } }");
  std::string folder = TestFolder();
  std::string errors = WriteTestFile("errors", "");
  // The main channel is shorter than that, and a channel longer.
  int status =
      std::system(StrCat("bash -c 'ulimit -f 8; inspect/migstream generate ",
                         recipe, " -o ", folder, "/vm.qvm' 2>", errors)
                      .c_str());
  EXPECT_EQ(WEXITSTATUS(status), 2);
  EXPECT_THAT(ReadTestFile(errors), HasSubstr(".qvm: File too large\n"));
  EXPECT_THAT(FilesIn(folder), ElementsAre());
  // Where one of them cannot be put, the others are not.
  std::filesystem::create_directory(folder + "/vm.ch2.qvm");
  ProgramRun run = RunProgram({"generate", recipe, "-o", folder + "/vm.qvm"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("vm.ch2.qvm: is a directory"));
  EXPECT_THAT(FilesIn(folder), ElementsAre("vm.ch2.qvm"));
}

TEST(GenerateTest, ChannelsOfAFormerRunDoNotStayBesideFewer) {
  std::string recipe = WriteTestFile(
      "recipe.textproto", "dialect: V111M devices { end { bytes: 9 } }");
  std::string folder = TestFolder();
  std::string out = folder + "/vm.qvm";
  EXPECT_EQ(RunProgram({"generate", recipe, "-o", out}).status, 0);
  recipe = WriteTestFile("recipe.textproto", kRecipe);
  ProgramRun run = RunProgram({"generate", recipe, "-o", out, "--force"});
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(
      run.errors,
      StrCat("migstream: removed, as they are no channels of the "
             "new ",
             out, ": ", folder, "/vm.ch1.qvm, ", folder, "/vm.ch2.qvm\n"));
  EXPECT_THAT(FilesIn(folder), ElementsAre("vm.qvm"));
}

TEST(GenerateTest, WhatIsWrongWithAFrameIsSaidOfTheFrame) {
  std::string recipe = WriteTestFile("recipe.textproto", kRecipe);
  std::string cut = CapturePath(GetCapture("s111-cancelled"));
  std::string empty = WriteTestFile("frame", "");
  for (const std::string& frame : {cut, empty, recipe}) {
    for (std::vector<std::string> words : std::vector<std::vector<std::string>>{
             {recipe, "-o", "-"},
             {"--seed=1", StrCat("--out-dir=", TestFolder())}}) {
      words.insert(words.begin(), {"generate", StrCat("--frame=", frame)});
      ProgramRun run = RunProgram(words);
      EXPECT_EQ(run.status, 2);
      EXPECT_THAT(run.errors, StartsWith(StrCat("migstream: ", frame, ":")));
      EXPECT_EQ(std::count(run.errors.begin(), run.errors.end(), '\n'), 1);
    }
  }
}

TEST(GenerateTest, WhatCannotBeMadeIsSaidInOneLine) {
  std::string recipe = WriteTestFile("recipe.textproto", kRecipe);
  std::string wrong =
      WriteTestFile("wrong.textproto", "devices {\n  ends {} }");
  std::string vectors = WriteTestFile(
      "vectors.textproto", "devices { config { msix_vectors: 2049 } }");
  const std::string out = TestFolder() + "/none.qvm";
  struct Case {
    std::vector<std::string> words;
    std::string error;
  };
  const Case kCases[] = {
      {{"generate", recipe}, "either RECIPE and -o OUT, or --seed"},
      {{"generate", "--seed=1"}, "either RECIPE and -o OUT, or --seed"},
      {{"generate", "--seed=x"},
       "--seed is a number from 0 to 18446744073709551615, not 'x'"},
      {{"generate", "--seed=18446744073709551615", "--count=2",
        "--out-dir=/nonexistent"},
       "--seed and --count go beyond the last seed, 18446744073709551615"},
      {{"generate", "--seed=1", "--count=0", "--out-dir=/nonexistent"},
       "--count is a number from 1 to 1000000, not '0'"},
      {{"generate", "--seed=1", "--count=1000001", "--out-dir=/nonexistent"},
       "--count is a number from 1 to 1000000, not '1000001'"},
      {{"generate", vectors, "-o", out},
       "vectors.textproto: device 0: config.msix_vectors is 2049, more than "
       "2048"},
      {{"generate", wrong, "-o", out}, "wrong.textproto:2:8: "},
      {{"generate", recipe, "-o", out, "--damage=wear"},
       "there is no damage 'wear', but any, bad-tag"},
      {{"generate", recipe, "-o", out, "--damage=drop-packet"},
       "damage drop-packet: no such packet"},
      {{"generate", recipe, "-o", out, "--expect=qemu-4.2"},
       "--expect is of qemu-5.2 to qemu-11.1"},
      {{"generate", recipe, "-o", out, "--dialect=V80", "--frame=/none"},
       "/none"},
  };
  for (const Case& c : kCases) {
    ProgramRun run = RunProgram(c.words);
    EXPECT_EQ(run.status, 2) << c.error;
    EXPECT_THAT(run.errors, HasSubstr(c.error));
    EXPECT_EQ(run.output, "");
  }
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST(GenerateTest, OneStreamOfASeedGoesWhereOneWantsIt) {
  const std::string folder = TestFolder();
  const std::string one = folder + "/one.qvm";
  EXPECT_EQ(RunProgram({"generate", "--seed=7", "-o", one}).status, 0);
  EXPECT_EQ(RunProgram({"generate", "--seed=7", "--out-dir", folder}).status,
            0);
  EXPECT_EQ(ReadTestFile(one), ReadTestFile(folder + "/seed-7.qvm"));
}

TEST(GenerateTest, EachDamageIsListedWithWhatItDoes) {
  ProgramRun run = RunProgram({"generate", "--list-damages"});
  EXPECT_EQ(run.status, 0);
  const std::string wrong =
      RunProgram(
          {"generate", "--seed=1", "--out-dir=/nonexistent", "--damage=none"})
          .errors;
  const size_t names = wrong.find("but any, ");
  ASSERT_NE(names, wrong.npos);
  const std::string_view list =
      std::string_view(wrong).substr(names + 9, wrong.find('\n') - names - 9);
  for (std::string_view name : Split(list, ',')) {
    if (name.starts_with(' ')) name.remove_prefix(1);
    EXPECT_THAT(run.output, HasSubstr(StrCat("\n", name, " "))) << name;
  }
}

}  // namespace
}  // namespace migstream
