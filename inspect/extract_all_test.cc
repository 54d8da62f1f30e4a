// extract --all: the files of a folder.

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inspect/run_program.h"
#include "inspect/safe_file_name.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::set<std::string> FilesIn(const std::string& folder) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.insert(entry.path().filename());
  }
  return names;
}

std::vector<std::string> AllOf(const testdata::Capture& capture) {
  std::vector<std::string> words = {"extract", "--all"};
  for (const testdata::File& file : capture.files()) {
    words.push_back(StrCat("testdata/captures/", file.file(), ".zst"));
  }
  return words;
}

ProgramRun ExtractTo(std::vector<std::string> words, const std::string& dir) {
  words.insert(words.end(), {"-o", dir});
  return RunProgram(words);
}

// A capture's devices have other names, as long as the former ones.
std::string Renamed(const std::string& capture, const std::string& first,
                    const std::string& second) {
  std::string stream = ReadCapture(GetCapture(capture));
  for (const auto& [from, to] :
       {std::pair{"0000:00:05.0/vfio", first}, {"0000:00:06.0/vfio", second}}) {
    EXPECT_EQ(to.size(), std::string_view(from).size());
    for (size_t at; (at = stream.find(from)) != stream.npos;) {
      stream.replace(at, to.size(), to);
    }
  }
  return stream;
}

class ExtractAllTest : public testing::TestWithParam<const char*> {};

TEST_P(ExtractAllTest, GivesWhatEachDeviceGave) {
  const testdata::Capture& capture = GetCapture(GetParam());
  const std::string dir = TestFolder() + "/all";
  ProgramRun run = ExtractTo(AllOf(capture), dir);
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_EQ(run.output, "");
  for (const testdata::Device& device : capture.devices()) {
    const std::string file =
        StrCat(dir, "/", SafeFileName(device.idstr()), ".");
    EXPECT_EQ(Sha256(ReadTestFile(file + "payload")), device.payload_sha256());
    EXPECT_EQ(ReadTestFile(file + "config").size(), device.pci_config_bytes());
    EXPECT_THAT(ReadTestFile(file + "lspci"), HasSubstr("\n00: "));
  }
  for (const testdata::Memory& memory : capture.memory()) {
    const std::string block =
        ReadTestFile(StrCat(dir, "/", SafeFileName(memory.block()), ".ram"));
    EXPECT_EQ(Sha256(block.substr(memory.offset(), memory.bytes())),
              memory.sha256());
  }
  const std::string& main = CapturePath(capture);
  EXPECT_EQ(ReadTestFile(dir + "/state.json"),
            RunProgram([&] {
              std::vector<std::string> words = AllOf(capture);
              words[0] = "inspect";
              words[1] = "--state";
              return words;
            }())
                .output);
  // The description as it came, and not as it is shown.
  auto packed = [](std::string json) {
    std::erase_if(json, [](char c) { return c == ' ' || c == '\n'; });
    return json;
  };
  EXPECT_EQ(packed(ReadTestFile(dir + "/description.json")),
            packed(RunProgram({"inspect", "--vmdesc", main}).output));
}

INSTANTIATE_TEST_SUITE_P(Captures, ExtractAllTest,
                         testing::Values("s52-two", "s72-two", "s100-mixed",
                                         "s111-two", "s111-markers",
                                         "s100-multifd"));

// No name of a device leads out of the folder, nor to another's file.
TEST(ExtractAllNamesTest, NoNameLeadsAwayOrToAnothersFile) {
  const std::string folder = TestFolder();
  const std::string path = WriteTestFile(
      "hostile.qvm",
      Renamed("s111-two", "../../../evi/vfio", "../../.._evi/vfio"));
  ProgramRun run = ExtractTo({"extract", "--all", path}, folder + "/a/b/../c");
  EXPECT_EQ(run.status, 2) << "a folder of a folder that is not there";
  std::filesystem::create_directories(folder + "/a/b/c");
  run = ExtractTo({"extract", "--all", path}, folder + "/a/b/c/all");
  EXPECT_EQ(run.status, 0) << run.errors;
  for (const char* above : {"/a", "/a/b", "/a/b/c"}) {
    EXPECT_EQ(FilesIn(folder + above).size(), 1) << above;
  }
  const std::string file = folder + "/a/b/c/all/_.._.._.._evi_vfio";
  const testdata::Capture& capture = GetCapture("s111-two");
  EXPECT_EQ(Sha256(ReadTestFile(file + ".payload")),
            capture.devices(0).payload_sha256());
  EXPECT_EQ(Sha256(ReadTestFile(file + "-2.payload")),
            capture.devices(1).payload_sha256());
  for (const auto& name : FilesIn(folder + "/a/b/c/all")) {
    EXPECT_EQ(name.find('/'), name.npos);
  }
}

TEST(ExtractAllNamesTest, AFilesNameIsSafe) {
  for (const auto& [name, file] :
       {std::pair<std::string, std::string>{"0000:00:05.0/vfio",
                                            "0000:00:05.0_vfio"},
        {"", "_"},
        {".", "_."},
        {"..", "_.."},
        {"-rf", "_-rf"},
        {"/etc/passwd", "_etc_passwd"},
        {std::string("a\0b\n\x1b\xff", 6), "a_b___"},
        {std::string(255, 'x'), std::string(200, 'x')}}) {
    EXPECT_EQ(SafeFileName(name), file);
  }
}

TEST(ExtractAllTest, OfWhatIsCutItGivesWhatCameAndSaysWhatIsMissing) {
  const testdata::Capture& capture = GetCapture("s111-two");
  const std::string stream = ReadCapture(capture);
  // The second device's FULL is cut off.
  const std::string name = "0000:00:06.0/vfio";
  const size_t end = stream.find(name, stream.find(name) + 1);
  ASSERT_NE(end, stream.npos);
  const std::string path = WriteTestFile("cut.qvm", stream.substr(0, end));
  const std::string dir = TestFolder() + "/all";
  ProgramRun run = ExtractTo({"extract", "--all", path}, dir);
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.errors, HasSubstr("input ends"));
  EXPECT_THAT(run.errors, HasSubstr("0000:00:06.0/vfio: "));
  EXPECT_THAT(run.errors, Not(HasSubstr("0000:00:05.0/vfio: ")));
  for (const testdata::Device& device : capture.devices()) {
    const std::string file = StrCat(dir, "/", SafeFileName(device.idstr()));
    EXPECT_EQ(Sha256(ReadTestFile(file + ".payload")), device.payload_sha256());
  }
  EXPECT_TRUE(FilesIn(dir).contains("0000:00:05.0_vfio.config"));
  EXPECT_FALSE(FilesIn(dir).contains("0000:00:06.0_vfio.config"));
}

TEST(ExtractAllTest, BehindDamageItGoesOnWithRecover) {
  const testdata::Capture& capture = GetCapture("s111-two");
  std::string stream = ReadCapture(capture);
  const size_t tag =
      stream.find(std::string("\xff\xff\xff\xff\xef\x10\x00\x04", 8));
  ASSERT_NE(tag, stream.npos);
  stream[tag] ^= 4;
  const std::string path = WriteTestFile("flipped.qvm", stream);
  const std::string dir = TestFolder() + "/all";
  ProgramRun run = ExtractTo({"extract", "--all", "--recover", path}, dir);
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.errors, HasSubstr("gap of "));
  int whole = 0;
  for (const testdata::Device& device : capture.devices()) {
    const std::string file = SafeFileName(device.idstr()) + ".payload";
    ASSERT_TRUE(FilesIn(dir).contains(file));
    whole +=
        Sha256(ReadTestFile(StrCat(dir, "/", file))) == device.payload_sha256();
  }
  EXPECT_EQ(whole, capture.devices_size() - 1);
  EXPECT_TRUE(FilesIn(dir).contains("description.json"));
}

TEST(ExtractAllTest, WithoutTheChannelsItSaysSo) {
  const testdata::Capture& capture = GetCapture("s100-multifd");
  const std::string dir = TestFolder() + "/all";
  ProgramRun run = ExtractTo({"extract", "--all", CapturePath(capture)}, dir);
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.errors, HasSubstr("multifd channels; give their files"));
}

TEST(ExtractAllTest, NothingIsReplacedUnlessForced) {
  const std::string dir = TestFolder() + "/all";
  const std::vector<std::string> words = AllOf(GetCapture("s72-two"));
  std::filesystem::create_directory(dir);
  std::ofstream(dir + "/0000:00:06.0_vfio.payload") << "mine";
  ProgramRun run = ExtractTo(words, dir);
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("--force"));
  EXPECT_THAT(FilesIn(dir), ElementsAre("0000:00:06.0_vfio.payload"));
  EXPECT_EQ(ReadTestFile(dir + "/0000:00:06.0_vfio.payload"), "mine");
  std::vector<std::string> forced = words;
  forced.push_back("--force");
  EXPECT_EQ(ExtractTo(forced, dir).status, 0);
  EXPECT_EQ(Sha256(ReadTestFile(dir + "/0000:00:06.0_vfio.payload")),
            GetCapture("s72-two").devices(1).payload_sha256());
}

TEST(ExtractAllTest, WhatIsNoStreamLeavesNothing) {
  const std::string text = WriteTestFile("text", "hello, world");
  const std::string dir = TestFolder() + "/all";
  for (const std::string& file : {text, std::string("/nonexistent")}) {
    EXPECT_EQ(ExtractTo({"extract", "--all", file}, dir).status, 2);
    EXPECT_FALSE(std::filesystem::exists(dir));
  }
  const std::string stream = ReadCapture(GetCapture("s72-two"));
  ProgramRun run =
      RunProgram({"extract", "--all", "-", "-o", dir},
                 {[&](int fd) { WriteAll(fd, stream.data(), stream.size()); }});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("it can be read only once"));
  EXPECT_FALSE(std::filesystem::exists(dir));
  for (const char* out : {"-", "/dev/null"}) {
    run = ExtractTo({"extract", "--all", CapturePath(GetCapture("s72-two"))},
                    out);
    EXPECT_EQ(run.status, 2);
    EXPECT_THAT(run.errors, HasSubstr("a folder"));
  }
  EXPECT_EQ(ExtractTo({"extract", "--all", "--device=05.0",
                       CapturePath(GetCapture("s72-two"))},
                      dir)
                .status,
            2);
}

// All files are open until the end.
TEST(ExtractAllTest, ThereIsAnEndToTheFiles) {
  std::string recipe = "dialect: V111\n";
  for (int i = 0; i < 600; ++i) {
    StrAppend(&recipe, "devices { idstr: \"", i,
              "/vfio\" end { bytes: 9 } }\n");
  }
  const std::string path = TestFolder() + "/many.qvm";
  const std::string dir = TestFolder() + "/all";
  ASSERT_EQ(RunProgram({"generate", WriteTestFile("many.textproto", recipe),
                        "-o", path})
                .status,
            0);
  ProgramRun run = ExtractTo({"extract", "--all", path}, dir);
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.errors, HasSubstr("more than 500 files"));
  EXPECT_THAT(run.errors, Not(HasSubstr("Too many open files")));
  EXPECT_EQ(FilesIn(dir).size(), 500);
  EXPECT_EQ(ReadTestFile(dir + "/0_vfio.payload").size(), 9);
}

}  // namespace
}  // namespace migstream
