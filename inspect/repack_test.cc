// What repack's options do, as a user sees it.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inspect/run_program.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::HasSubstr;

std::string Path(const std::string& name) {
  return CapturePath(GetCapture(name));
}

// A capture's files, the main channel first.
std::vector<std::string> Paths(const std::string& name) {
  std::vector<std::string> paths;
  for (const testdata::File& file : GetCapture(name).files()) {
    if (file.file().find(".return") != std::string::npos) continue;
    paths.push_back(absl::StrCat("testdata/captures/", file.file(), ".zst"));
  }
  return paths;
}

ProgramRun RunOn(std::vector<std::string> words,
                 const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return RunProgram(words);
}

std::string Payload(const std::vector<std::string>& files,
                    const std::string& device) {
  ProgramRun run = RunOn({"extract", "--device", device, "-o", "-"}, files);
  EXPECT_EQ(run.status, 0) << run.errors;
  return run.output;
}

TEST(RepackTest, A52StreamIsMadeOneThatLaterReleasesTake) {
  std::string out = TestFolder() + "/v60";
  ProgramRun run =
      RunProgram({"repack", Path("s52-two"), "--dialect=V60", "-o", out});
  EXPECT_EQ(run.status, 0) << run.errors;
  for (const testdata::Device& device : GetCapture("s52-two").devices()) {
    EXPECT_EQ(Sha256(Payload({out}, device.idstr())), device.payload_sha256());
  }
  run = RunProgram({"check", out});
  EXPECT_EQ(run.status, 0) << run.output;
}

TEST(RepackTest, ChannelsAreFoldedSpreadAndCompressed) {
  std::string folder = TestFolder();
  std::string one = folder + "/one";
  std::string four = folder + "/four";
  ProgramRun run = RunOn({"repack", "--single-channel", "--zstd", "-o", one},
                         Paths("s111-multifd-two"));
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_EQ(ReadTestFile(one).substr(0, 4), "\x28\xb5\x2f\xfd");
  run = RunProgram({"repack", one, "--channels=4", "-o", four});
  EXPECT_EQ(run.status, 0) << run.errors;
  std::vector<std::string> spread = {four + ".ch3", four, four + ".ch1",
                                     four + ".ch4", four + ".ch2"};
  run = RunOn({"check"}, spread);
  EXPECT_EQ(run.status, 0) << run.output;
  for (const testdata::Device& device :
       GetCapture("s111-multifd-two").devices()) {
    EXPECT_EQ(Sha256(Payload({one}, device.idstr())), device.payload_sha256());
    EXPECT_EQ(Sha256(Payload(spread, device.idstr())), device.payload_sha256());
  }
}

TEST(RepackTest, EveryChannelIsWrittenAgainBesideTheMainChannel) {
  std::string out = TestFolder() + "/out";
  std::vector<std::string> files = Paths("s111-multifd-two");
  ProgramRun run = RunOn({"repack", "-o", out}, files);
  EXPECT_EQ(run.status, 0) << run.errors;
  std::vector<std::string> channels =
      ReadChannels(GetCapture("s111-multifd-two"));
  for (size_t i = 0; i < channels.size(); ++i) {
    EXPECT_TRUE(ReadTestFile(absl::StrCat(out, ".ch", i + 1)) == channels[i]);
  }
}

TEST(RepackTest, ConfigAndPayloadComeFromFiles) {
  std::string folder = TestFolder();
  // It begins like a compressed file, and is none.
  std::string bytes = "\x28\xb5\x2f\xfd" + std::string(5000, 'p');
  std::string payload = WriteTestFile("payload", bytes);
  ProgramRun run = RunProgram({"extract", Path("s111-precopy"), "--what=config",
                               "-o", folder + "/config"});
  ASSERT_EQ(run.status, 0) << run.errors;
  std::string config = ReadTestFile(folder + "/config");
  config[4] = 6;
  std::string changed = WriteTestFile("changed", config);
  std::string out = folder + "/replaced";
  run = RunProgram({"repack", Path("s111-precopy"), "-o", out,
                    "--replace-config", changed, "--replace-payload", payload});
  EXPECT_EQ(run.status, 0) << run.errors;
  run = RunProgram({"extract", out, "-o", "-"});
  EXPECT_TRUE(run.output == bytes);
  run = RunProgram({"extract", out, "--what=config", "-o", "-"});
  EXPECT_TRUE(run.output == config);

  run = RunProgram({"repack", Path("s111-precopy"), "-o", folder + "/bad",
                    "--replace-config", payload});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("256 or 4096 bytes"));
}

TEST(RepackTest, ADeviceIsDroppedFromTheDescriptionAsWell) {
  std::string out = TestFolder() + "/dropped";
  ProgramRun run = RunProgram({"repack", Path("s111-two"), "-o", out,
                               "--drop-device=0000:00:05.0/vfio"});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_EQ(ReadTestFile(out).find("0000:00:05.0/vfio"), std::string::npos);
  run = RunProgram({"check", out});
  EXPECT_EQ(run.status, 0) << run.output;
}

TEST(RepackTest, WhatIsNotSafeIsRefusedWithTheReasonAndLeavesNoFile) {
  std::string out = TestFolder() + "/refused";
  ProgramRun run =
      RunProgram({"repack", Path("s72-two"), "--record-size=512", "-o", out});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.errors, HasSubstr("transaction of the device"));
  EXPECT_EQ(ReadTestFile(out), "");

  // Standard input is there once only.
  std::string bytes = ReadCapture(GetCapture("s52-precopy"));
  run = RunProgram(
      {"repack", "-", "--dialect=V52", "-o", out},
      {.feed = [&](int fd) { WriteAll(fd, bytes.data(), bytes.size()); }});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("read twice"));
}

TEST(RepackTest, APipeIsMadeV60) {
  std::string bytes = ReadCapture(GetCapture("s52-precopy"));
  ProgramRun run = RunProgram(
      {"repack", "-", "--dialect=V60", "-o", "-"},
      {.feed = [&](int fd) { WriteAll(fd, bytes.data(), bytes.size()); }});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_GT(run.output.size(), bytes.size());
}

}  // namespace
}  // namespace migstream
