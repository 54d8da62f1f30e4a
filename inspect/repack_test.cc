// What repack's options do, as a user sees it.

#include <filesystem>
#include <string>
#include <vector>

#include "codec/io/compress_bytes.h"
#include "codec/io/libvirt_bytes.h"
#include "codec/wire/text.h"
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
    paths.push_back(StrCat("testdata/captures/", file.file(), ".zst"));
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

TEST(RepackTest, ChannelsAreMergedSpreadAndCompressed) {
  std::string folder = TestFolder();
  std::string one = folder + "/one";
  std::string four = folder + "/four";
  ProgramRun run = RunOn({"repack", "--single-channel", "--zstd", "-o", one},
                         Paths("s111-multifd-two"));
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_EQ(ReadTestFile(one).substr(0, 4), "\x28\xb5\x2f\xfd");
  run = RunProgram({"repack", one, "--channels=4", "-o", four});
  EXPECT_EQ(run.status, 0) << run.errors;
  std::vector<std::string> split = {four + ".ch3", four, four + ".ch1",
                                    four + ".ch4", four + ".ch2"};
  run = RunOn({"check"}, split);
  EXPECT_EQ(run.status, 0) << run.output;
  for (const testdata::Device& device :
       GetCapture("s111-multifd-two").devices()) {
    EXPECT_EQ(Sha256(Payload({one}, device.idstr())), device.payload_sha256());
    EXPECT_EQ(Sha256(Payload(split, device.idstr())), device.payload_sha256());
  }
}

// Several frames, of 2 MiB.
TEST(RepackTest, WhatIsCompressedDoesNotDependOnThreads) {
  const std::string folder = TestFolder();
  const std::string in = Path("s111-stop3m");
  std::string bytes;
  for (const char* threads : {"1", "2", "5"}) {
    const std::string out = StrCat(folder, "/", threads);
    ProgramRun run = RunProgram(
        {"repack", in, "--zstd=1", StrCat("--threads=", threads), "-o", out});
    ASSERT_EQ(run.status, 0) << run.errors;
    EXPECT_TRUE(bytes.empty() || ReadTestFile(out) == bytes) << threads;
    bytes = ReadTestFile(out);
    run = RunProgram({"repack", out, "-o", StrCat(out, ".plain")});
    EXPECT_EQ(run.status, 0) << run.errors;
    EXPECT_TRUE(ReadTestFile(StrCat(out, ".plain")) ==
                ReadCapture(GetCapture("s111-stop3m")));
  }
  ProgramRun run = RunProgram(
      {"repack", in, "--zstd", "--threads=0", "-o", folder + "/none"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("--threads is a number from 1 to 64"));
}

TEST(RepackTest, PagesOfSeveralChannelsDoNotDependOnThreads) {
  for (const char* capture : {"s72-multifd-ram", "s72-multifd-zstd"}) {
    const std::string folder = TestFolder();
    std::string bytes;
    for (const char* threads : {"1", "2", "4"}) {
      const std::string out = StrCat(folder, "/", threads);
      const ProgramRun run =
          RunOn({"repack", "--single-channel", "--threads", threads, "-o", out},
                Paths(capture));
      ASSERT_EQ(run.status, 0) << run.errors;
      EXPECT_TRUE(bytes.empty() || ReadTestFile(out) == bytes) << threads;
      bytes = ReadTestFile(out);
    }
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
    EXPECT_TRUE(ReadTestFile(StrCat(out, ".ch", i + 1)) == channels[i]);
  }
}

TEST(RepackTest, ConfigAndPayloadComeFromFiles) {
  std::string folder = TestFolder();
  // It begins like a compressed file, and is not.
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

TEST(RepackTest, APayloadsPhasesAreThoseOfTheSplit) {
  std::string out = TestFolder() + "/split";
  std::string payload = WriteTestFile("payload", std::string(5000, 'p'));
  ProgramRun run = RunProgram({"repack", Path("s111-precopy"), "-o", out,
                               "--replace-payload", payload, "--split=90"});
  EXPECT_EQ(run.status, 0) << run.errors;
  run = RunProgram({"extract", out, "-o", "-"});
  EXPECT_TRUE(run.output == std::string(5000, 'p'));
  run = RunProgram({"repack", Path("s111-precopy"), "-o", out, "--force",
                    "--replace-payload", payload, "--split=5001"});
  EXPECT_EQ(run.status, 2);
  EXPECT_EQ(run.errors,
            "migstream: the new payload has 5000 bytes, and is to "
            "be split after 5001\n");
  run = RunProgram({"repack", Path("s111-precopy"), "-o", out, "--split=90"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("--split"));
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

TEST(RepackTest, ADeviceThatIsDroppedTwiceIsDropped) {
  std::string out = TestFolder() + "/dropped";
  const std::string drop = "--drop-device=0000:00:05.0/vfio";
  ProgramRun run =
      RunProgram({"repack", Path("s111-two"), "-o", out, drop, drop});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_EQ(ReadTestFile(out).find("0000:00:05.0/vfio"), std::string::npos);
}

TEST(RepackTest, WhatOnlyTheOptionsRuleOutIsWrongUsage) {
  std::string out = TestFolder() + "/none";
  struct Case {
    std::vector<std::string> options;
    std::string error;
  };
  const std::string device = "0000:00:05.0/vfio";
  for (const Case& c :
       {Case{{"--dialect=E4"},
             "E4 was never released; no QEMU would read the result"},
        Case{{"--dialect=V111M"},
             "device state of V111M is on multifd channels; split it over "
             "some instead"},
        Case{{"--drop-device=" + device, "--device=" + device,
              "--replace-payload=" + WriteTestFile("payload", "x")},
             device + " cannot be left out and be given something"}}) {
    ProgramRun run = RunOn({"repack", Path("s111-two"), "-o", out}, c.options);
    EXPECT_EQ(run.status, 2);
    EXPECT_EQ(run.errors, StrCat("migstream: ", c.error, "\n"));
  }
  EXPECT_EQ(ReadTestFile(out), "");
}

TEST(RepackTest, NoChannelStandsBesideADevice) {
  ProgramRun run =
      RunOn({"repack", "-o", "/dev/null"}, Paths("s111-multifd-two"));
  EXPECT_EQ(run.status, 2);
  EXPECT_EQ(run.errors, "migstream: several channels do not go to /dev/null\n");
  EXPECT_FALSE(std::filesystem::exists("/dev/null.ch1"));
  run = RunOn({"repack", "--single-channel", "-o", "/dev/null"},
              Paths("s111-multifd-two"));
  EXPECT_EQ(run.status, 0) << run.errors;
}

TEST(RepackTest, ChannelsOfAFormerRunDoNotStayBesideFewer) {
  std::string out = TestFolder() + "/vm";
  auto split = [&](const std::string& count, bool force) {
    std::vector<std::string> words = {"repack", Path("s111-two"), "-o",
                                      out,      "--channels",     count};
    if (force) words.push_back("--force");
    return RunProgram(words);
  };
  EXPECT_EQ(split("4", false).status, 0);
  std::filesystem::remove(out);
  std::filesystem::remove(out + ".ch1");
  std::filesystem::remove(out + ".ch2");
  ProgramRun run = split("2", false);
  EXPECT_EQ(run.status, 2);
  EXPECT_EQ(run.errors,
            StrCat("migstream: ", out,
                   ".ch3: exists, and would be taken for a channel of ", out,
                   "; --force removes it\n"));
  EXPECT_FALSE(std::filesystem::exists(out));
  // What is no channel is somebody else's.
  std::filesystem::rename(out + ".ch4", out + ".ch5");
  std::filesystem::copy_file(Path("s111-two"), out + ".ch6");
  run = split("2", true);
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(run.errors,
            StrCat("migstream: removed, as they are no channels of the "
                   "new ",
                   out, ": ", out, ".ch3, ", out, ".ch5\n"));
  EXPECT_FALSE(std::filesystem::exists(out + ".ch3"));
  EXPECT_TRUE(std::filesystem::exists(out + ".ch6"));
  run = RunProgram({"check", out, out + ".ch1", out + ".ch2"});
  EXPECT_EQ(run.status, 0) << run.output;
}

TEST(RepackTest, NorBesideAStreamThatHasNone) {
  std::string out = TestFolder() + "/vm";
  EXPECT_EQ(RunProgram({"repack", Path("s111-two"), "--channels=1", "-o", out})
                .status,
            0);
  std::filesystem::remove(out);
  ProgramRun run = RunProgram({"repack", Path("s72-two"), "-o", out});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr(".ch1: exists, and would be taken"));
  // Not even by force if it is an input.
  const std::string channel = out + ".ch1";
  std::string in = TestFolder() + "/in";
  EXPECT_EQ(
      RunProgram({"repack", Path("s111-two"), "--channels=1", "-o", in}).status,
      0);
  run = RunProgram(
      {"repack", in, channel, "--single-channel", "-o", out, "--force"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr(".ch1: is an input, and would be taken"));
  EXPECT_TRUE(std::filesystem::exists(channel));
  run = RunProgram({"repack", Path("s72-two"), "-o", out, "--force"});
  EXPECT_EQ(run.status, 0);
  EXPECT_FALSE(std::filesystem::exists(channel));
}

TEST(RepackTest, AChannelThatWasForgottenIsNotRemoved) {
  std::string out = TestFolder() + "/vm";
  EXPECT_EQ(RunProgram({"repack", Path("s111-two"), "--channels=3", "-o", out})
                .status,
            0);
  // In place, and the third was not given.
  ProgramRun run = RunProgram(
      {"repack", out, out + ".ch1", out + ".ch2", "-o", out, "--force"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr(".ch3: stands beside "));
  EXPECT_TRUE(std::filesystem::exists(out + ".ch3"));
  // All of them are merged, and gone.
  run = RunProgram({"repack", out, out + ".ch1", out + ".ch2", out + ".ch3",
                    "-o", out, "--force", "--single-channel"});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_FALSE(std::filesystem::exists(out + ".ch1"));
  EXPECT_EQ(RunProgram({"check", out}).status, 0);
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

TEST(RepackTest, LibvirtsHeaderIsLeftOutAloudOrKept) {
  const std::string stream = ReadCapture(GetCapture("s72-precopy"));
  const std::string out = TestFolder() + "/out";
  const std::string left_out =
      ": libvirt's header and XML are left out; --keep-header keeps them\n";
  for (bool big_endian : {false, true}) {
    const LibvirtBytes save = {.format = 5, .big_endian = big_endian};
    const std::string path = WriteTestFile(
        "vm.save", save.File(CompressBytes(Compression::kZstd, stream)));
    ProgramRun run = RunProgram({"repack", path, "-o", out, "--force"});
    EXPECT_EQ(run.status, 0);
    EXPECT_EQ(run.errors, StrCat("migstream: ", path, left_out));
    EXPECT_TRUE(ReadTestFile(out) == stream);

    run = RunProgram({"repack", path, "-o", out, "--force", "--keep-header"});
    EXPECT_EQ(run.status, 0);
    EXPECT_EQ(run.errors, "");
    LibvirtBytes raw = save;
    raw.format = 0;
    EXPECT_TRUE(ReadTestFile(out) == raw.File(stream));

    // As libvirt's own: what is compressed is the stream alone.
    run = RunProgram(
        {"repack", out, "-o", out, "--force", "--keep-header", "--zstd"});
    EXPECT_EQ(run.status, 0) << run.errors;
    EXPECT_TRUE(ReadTestFile(out).starts_with(save.File("")));
    EXPECT_EQ(RunProgram({"check", out}).status, 0);
  }
  ProgramRun run =
      RunProgram({"repack", Path("s72-two"), "--keep-header", "-o", out});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("is not a libvirt save file"));
  run = RunProgram({"repack", "-", "--keep-header", "-o", out},
                   {.feed = [&](int fd) {
                     const std::string save = LibvirtBytes().File(stream);
                     WriteAll(fd, save.data(), save.size());
                   }});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("would be read twice, and cannot be"));
}

// Its pages stand at offsets that count from the file's first byte.
TEST(RepackTest, WhatStandsBeforeMappedRamIsKept) {
  const std::string out = TestFolder() + "/out";
  constexpr size_t kStart = 0x10734;  // In the file that libvirt wrote.
  LibvirtBytes header = {.format = 6};
  header.padding = static_cast<uint32_t>(kStart - header.File("").size());
  const std::string save = header.File(
      ReadDecompressed(StrCat(kMoreCaptures, "u111-libvirt-sparse.img.zst")));
  const std::string file = WriteTestFile("vm.save", save);
  ProgramRun run = RunProgram({"repack", file, "-o", out});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_THAT(run.errors, HasSubstr("what stands before the stream is kept"));
  EXPECT_TRUE(ReadTestFile(out) == save);
  run = RunProgram({"repack", file, "--keep-header", "-o", out, "--force"});
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(run.errors, "");
  EXPECT_TRUE(ReadTestFile(out) == save);
  // As QEMU's file:NAME,offset=N; whatever stands there.
  std::string bytes = save;
  bytes.replace(0, 7, "another");
  const std::string another = WriteTestFile("another", bytes);
  run = RunProgram({"repack", another, StrCat("--offset=", kStart), "-o", out,
                    "--force", "--strip-empty-parts"});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_TRUE(ReadTestFile(out).starts_with(bytes.substr(0, kStart)));
  EXPECT_EQ(RunProgram({"check", out, StrCat("--offset=", kStart)}).status, 0);
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
