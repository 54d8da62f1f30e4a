// The program, run as a user runs it.

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/str_split.h"
#include "codec/report/report.pb.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "inspect/run_program.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

// The files in a test's folder, so that nothing is left behind unnoticed.
std::vector<std::string> FilesIn(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename());
  }
  return names;
}

std::string Path(const std::string& name) {
  return CapturePath(GetCapture(name));
}

class ProgramCaptureTest : public testing::TestWithParam<testdata::Capture> {};

TEST_P(ProgramCaptureTest, CheckExitsWithZeroUnlessTheStreamIsCut) {
  ProgramRun run = RunProgram({"check", CapturePath(GetParam())});
  EXPECT_EQ(run.status, GetParam().completed() ? 0 : 1);
  EXPECT_EQ(run.errors, "");
  if (!GetParam().completed()) {
    EXPECT_THAT(
        run.output,
        StartsWith(StrCat(CapturePath(GetParam()), ":0x",
                          Hex(GetParam().files(0).size()).substr(2), ": ")));
  }
}

TEST_P(ProgramCaptureTest, ExtractGivesWhatTheDeviceGave) {
  std::string folder = TestFolder();
  for (const testdata::Device& device : GetParam().devices()) {
    std::string out = folder + "/payload";
    ProgramRun run = RunProgram({"extract", CapturePath(GetParam()), "--device",
                                 device.idstr(), "-o", out, "--force"});
    if (!GetParam().completed() || HasDeviceStateChannels(GetParam())) {
      EXPECT_EQ(run.status, 1);
      EXPECT_THAT(FilesIn(folder), IsEmpty());
      continue;
    }
    EXPECT_EQ(run.status, 0) << run.errors;
    EXPECT_EQ(Sha256(ReadTestFile(out)), device.payload_sha256());
  }
}

TEST_P(ProgramCaptureTest, RepackIsTheIdentity) {
  std::string out = TestFolder() + "/out.qvm";
  ProgramRun run = RunProgram({"repack", CapturePath(GetParam()), "-o", out});
  EXPECT_EQ(run.status, GetParam().completed() ? 0 : 1) << run.errors;
  EXPECT_EQ(Sha256(ReadTestFile(out)), GetParam().files(0).sha256());
}

TEST_P(ProgramCaptureTest, InspectPrintsJsonThatNamesTheDevices) {
  ProgramRun run =
      RunProgram({"inspect", CapturePath(GetParam()), "--format=json"});
  EXPECT_EQ(run.status, GetParam().completed() ? 0 : 1);
  report::Report report;
  ASSERT_TRUE(
      google::protobuf::util::JsonStringToMessage(run.output, &report).ok());
  ASSERT_EQ(report.devices_size(), GetParam().devices_size());
  for (int i = 0; i < report.devices_size(); ++i) {
    EXPECT_EQ(report.devices(i).idstr(), GetParam().devices(i).idstr());
  }
}

// The main channel and the others, by their paths in the tree.
std::vector<std::string> AllFiles(const testdata::Capture& capture) {
  std::vector<std::string> files;
  for (const testdata::File& file : capture.files()) {
    files.push_back(StrCat("testdata/captures/", file.file(), ".zst"));
  }
  return files;
}

TEST_P(ProgramCaptureTest, ChannelsInAnyOrderGiveTheWholePayload) {
  if (!GetParam().completed() || GetParam().files_size() == 1) return;
  std::vector<std::string> files = AllFiles(GetParam());
  std::string folder = TestFolder();
  for (int way = 0; way < 3; ++way) {
    std::rotate(files.begin(), files.begin() + 1, files.end());
    std::vector<std::string> words = {"check"};
    words.insert(words.end(), files.begin(), files.end());
    ProgramRun run = RunProgram(words);
    EXPECT_EQ(run.status, 0) << run.output << run.errors;
    EXPECT_THAT(run.output, testing::Not(HasSubstr("[multifd")));
    for (const testdata::Device& device : GetParam().devices()) {
      std::string out = folder + "/payload";
      words = {"extract", "--device", device.idstr(), "-o", out, "--force"};
      words.insert(words.end(), files.begin(), files.end());
      run = RunProgram(words);
      EXPECT_EQ(run.status, 0) << run.errors;
      EXPECT_EQ(Sha256(ReadTestFile(out)), device.payload_sha256());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, ProgramCaptureTest,
                         testing::ValuesIn(AllCaptures()), CaptureName());

TEST(InspectTest, JsonHasTheNamesThatScriptsRelyOn) {
  ProgramRun run =
      RunProgram({"inspect", Path("s111-precopy"), "--format=json"});
  for (const char* name :
       {"\"dialect\": \"V111\"", "\"machineType\": \"pc-q35-11.1\"",
        "\"idstr\": \"0000:00:05.0/vfio\"", "\"payloadBytes\": 105000",
        "\"dataRecords\": 10", "\"pciConfigBytes\": 4096", "\"msixVectors\": 5",
        "\"recordSizes\"", "\"complete\": true"}) {
    EXPECT_THAT(run.output, HasSubstr(name));
  }
}

TEST(InspectTest, TextprotoIsTheSameReport) {
  ProgramRun json = RunProgram({"inspect", Path("s52-two"), "--format=json"});
  ProgramRun text =
      RunProgram({"inspect", Path("s52-two"), "--format", "textproto"});
  report::Report a, b;
  ASSERT_TRUE(
      google::protobuf::util::JsonStringToMessage(json.output, &a).ok());
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(text.output, &b));
  EXPECT_EQ(a.SerializeAsString(), b.SerializeAsString());
}

TEST(InspectTest, TextIsATableOfTheDevices) {
  ProgramRun run = RunProgram({"inspect", Path("s111-switchover-ack")});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.output, HasSubstr("QEMU migration stream, complete"));
  EXPECT_THAT(run.output, HasSubstr("V111 (QEMU 11.1 and later)"));
  EXPECT_THAT(run.output, HasSubstr("0000:00:05.0/vfio  8086:1889"));
}

TEST(InspectTest, PagesOfMappedRamAreNotCounted) {
  ProgramRun run =
      RunProgram({"inspect", "testdata/captures/s111-file-mapped-ram.qvm.zst"});
  EXPECT_THAT(run.output,
              HasSubstr("16.3 MiB in 6 blocks, each page in its place "));
}

TEST(InspectTest, TheReadmeOpensWithARealOutput) {
  ProgramRun run = RunProgram({"inspect", Path("s111-switchover-ack")});
  EXPECT_THAT(ReadTestFile("README.md"), HasSubstr(run.output));
}

TEST(InspectTest, RecordsListsEachElementWithItsOffset) {
  ProgramRun run = RunProgram({"inspect", Path("s111-tiny"), "--records"});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.output, StartsWith("OFFSET"));
  EXPECT_THAT(run.output, HasSubstr("END     DATA                        13  "
                                    "0000:00:05.0/vfio"));
}

TEST(InspectTest, ACutStreamIsShownAsFarAsItGoes) {
  ProgramRun run = RunProgram({"inspect", Path("s111-cancelled")});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("not complete"));
  EXPECT_THAT(run.output, HasSubstr("0000:00:05.0/vfio"));
  EXPECT_THAT(run.errors, HasSubstr(":0x9675e: ram PART: input ends"));
}

TEST(InputTest, StandardInputIsADash) {
  std::string bytes = ReadCapture(GetCapture("s72-two"));
  ProgramRun file = RunProgram({"inspect", Path("s72-two"), "--format=json"});
  ProgramRun pipe = RunProgram(
      {"inspect", "-", "--format=json"},
      {.feed = [&](int fd) { WriteAll(fd, bytes.data(), bytes.size()); }});
  EXPECT_EQ(pipe.status, 0);
  EXPECT_EQ(pipe.output.substr(pipe.output.find("\"complete\"")),
            file.output.substr(file.output.find("\"complete\"")));
}

TEST(InputTest, ZstdIsSeenByItsMagicFromAPipeToo) {
  std::string bytes = ReadTestFile(Path("s72-two"));
  ProgramRun run = RunProgram({"check", "-"}, {.feed = [&](int fd) {
                                WriteAll(fd, bytes.data(), bytes.size());
                              }});
  EXPECT_EQ(run.status, 0) << run.output << run.errors;
}

struct BadInput {
  std::string name;
  std::string bytes;
  std::string complaint;
};

TEST(InputTest, WhatIsNoStreamGetsOneClearLineAndExitStatus2) {
  std::string zst = ReadTestFile(Path("s72-two"));
  for (const BadInput& bad :
       {BadInput{"empty", "", "header: empty input"},
        BadInput{"text", "hello, world\n",
                 "not a migration stream: begins with"},
        BadInput{"short", "QEV", "not a migration stream: too short"},
        BadInput{"libvirt", "LibvirtQemudSave",
                 "libvirt header: input ends in libvirt"},
        BadInput{"multifd", std::string("\x11\x22\x33\x44\0\0\0\1", 8),
                 "a multifd channel"},
        BadInput{"cut.zst", zst.substr(0, zst.size() / 2),
                 "zstd: the compressed file is cut short"},
        BadInput{"bad.zst", zst.substr(0, 100) + std::string(100, 'x'),
                 "zstd: "}}) {
    std::string path = WriteTestFile(bad.name, bad.bytes);
    for (const char* verb : {"inspect", "check"}) {
      ProgramRun run = RunProgram({verb, path});
      EXPECT_EQ(run.status, 2) << bad.name << run.output;
      EXPECT_THAT(run.errors, HasSubstr(bad.complaint)) << bad.name;
      EXPECT_EQ(std::count(run.errors.begin(), run.errors.end(), '\n'), 1);
    }
    std::string folder = TestFolder();
    for (const char* verb : {"extract", "repack"}) {
      ProgramRun run = RunProgram({verb, path, "-o", folder + "/out"});
      EXPECT_EQ(run.status, 2) << bad.name;
      EXPECT_THAT(FilesIn(folder), IsEmpty());
    }
  }
}

TEST(InputTest, ADamagedHeaderIsAFindingAndNotAnotherKindOfFile) {
  for (const auto& [bytes, complaint] :
       std::vector<std::pair<std::string, std::string>>{
           {std::string("QEVM\0\0\0\2", 8),
            ":0x4: header: error: stream version 2, which is obsolete"},
           {std::string("PEVM\0\0\0\3", 8),
            ":0x0: header: error: not a migration stream: begins with "
            "0x5045564d, expected 0x5145564d (QEVM)"}}) {
    const std::string file = WriteTestFile("header", bytes);
    ProgramRun run = RunProgram({"check", file});
    EXPECT_EQ(run.status, 1);
    EXPECT_EQ(run.errors, "");
    EXPECT_THAT(run.output, StartsWith(StrCat(file, complaint)));
    EXPECT_EQ(RunProgram({"inspect", file}).status, 2);
  }
}

TEST(InputTest, WhatCannotBeOpenedGetsOneClearLineAndExitStatus2) {
  ProgramRun run = RunProgram({"check", "/nonexistent/file"});
  EXPECT_EQ(run.status, 2);
  EXPECT_EQ(run.errors,
            "migstream: /nonexistent/file: No such file or directory\n");
  run = RunProgram({"check", "testdata"});
  EXPECT_EQ(run.status, 2);
  EXPECT_EQ(run.errors, "migstream: testdata: is a directory\n");
}

TEST(InputTest, WhateverANameIsItGetsOneClearLineAndExitStatus2) {
  const std::string loop = TestFolder() + "/loop";
  ASSERT_EQ(symlink(loop.c_str(), loop.c_str()), 0);
  const std::string good = Path("s72-two");
  const std::string idle =
      StrCat("--destination=testdata/idle/7.2-base.qvm.zst");
  for (const auto& [name, why] :
       {std::pair{loop, "Too many levels of symbolic links"},
        {std::string(300, 'a'), "File name too long"},
        {std::string("/nonexistent/file"), "No such file or directory"},
        {good + "/file", "Not a directory"}}) {
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"inspect", name},
          {"check", name, "--for=all"},
          {"check", name, idle},
          {"check", good, StrCat("--destination=", name)},
          {"check", good, StrCat("--destination-config=", name)},
          {"describe", name},
          {"diff", name, name},
          {"diff", "--loadable", name, good},
          {"model", "lint", name},
          {"generate", name, "-o", "-"}}) {
      ProgramRun run = RunProgram(words);
      EXPECT_EQ(run.status, 2) << words[0];
      EXPECT_EQ(run.errors, StrCat("migstream: ", name, ": ", why, "\n"))
          << words[0];
    }
  }
}

TEST(UsageTest, WrongWordsGetAnExplanationAndExitStatus2) {
  struct Case {
    std::vector<std::string> words;
    std::string complaint;
  };
  std::string file = Path("s72-two");
  for (const Case& c :
       {Case{{}, "which verb?"},
        Case{{"frob"}, "there is no verb 'frob'"},
        Case{{"check"}, "which FILE?"},
        Case{{"check", ""}, "which FILE?"},
        Case{{"repack", file, file, "-o", "x"}, "is a second main channel"},
        Case{{"repack", file, "-o", "x", "--record-size=0"},
             "--record-size is a number of bytes from 1 to 1048576, not '0'"},
        Case{{"repack", file, "-o", "x", "--zstd=20"},
             "--zstd is a number from 1 to 19"},
        Case{{"repack", file, "-o", "-", "--channels=2"},
             "do not go to standard output"},
        Case{{"check", file, file}, "is a second main channel"},
        Case{{"check", file, "--records"}, "check has no option --records"},
        Case{{"inspect", file, "--format=xml"}, "--format is one of"},
        Case{{"inspect", file, "--format"}, "--format needs a value"},
        Case{{"inspect", file, "--records=yes"}, "--records takes no value"},
        Case{{"inspect", file, "--dialect=V53"}, "no dialect 'V53'"},
        Case{{"extract", file}, "-o OUT is missing"},
        Case{{"repack", file, "-o"}, "-o needs a value"},
        Case{{"extract", file, "-o", "x", "--what=ram"}, "--what is one of"},
        Case{{"check", file, "--region-size=0"},
             "--region-size is a number of bytes from 1 to "},
        Case{{"inspect", file, "--offset=18446744073709551616"},
             "--offset is a number of bytes from 0 to 18446744073709551615"},
        Case{{"stats", file, "--link=0Gb"}, "from 1kb to 1000Tb, not '0Gb'"},
        Case{{"stats", file, "--link=nan"}, "from 1kb to 1000Tb, not 'nan'"},
        Case{{"stats", file, "--link=1e400b"}, "not '1e400b'"},
        Case{{"check", "--list", file}, "--list takes no FILE"},
        Case{{"generate"},
             "either RECIPE and -o OUT, or --seed and -o OUT or --out-dir"},
        Case{{"generate", "--quiet"}, "generate has no option --quiet"},
        Case{{"generate", "--seed=1", "--out-dir=x", "--offset=1"},
             "generate has no option --offset=1"}}) {
    ProgramRun run = RunProgram(c.words);
    EXPECT_EQ(run.status, 2) << c.complaint;
    EXPECT_THAT(run.errors, HasSubstr(c.complaint));
    EXPECT_EQ(run.output, "");
  }
}

TEST(UsageTest, EveryVerbSaysHowItIsCalled) {
  for (const char* verb :
       {"inspect", "check", "stats", "extract", "repack", "diff", "generate"}) {
    ProgramRun run = RunProgram({verb});
    EXPECT_EQ(run.status, 2);
    EXPECT_THAT(run.errors,
                HasSubstr(StrCat("\nusage: migstream ", verb, " ")));
    // The help begins with the same.
    ProgramRun help = RunProgram({verb, "--help"});
    std::string usage = run.errors.substr(run.errors.find('\n') + 1);
    EXPECT_THAT(help.output,
                StartsWith(usage.substr(0, usage.find("; --help"))));
  }
}

TEST(UsageTest, OptionsThatMeanNothingTogetherAreRefused) {
  struct Case {
    std::vector<std::string> words;
    std::string complaint;
  };
  std::string file = Path("s72-two");
  for (const Case& c :
       {Case{{"inspect", file, "--state", "--vmdesc"},
             "--state does not go together with --vmdesc"},
        Case{{"inspect", file, "--records", "--state"},
             "--state does not go together with --records"},
        Case{{"inspect", file, "--vmdesc", "--format=textproto"},
             "--vmdesc does not go together with --format=textproto"},
        Case{{"inspect", file, "--state", "--json-strings"},
             "--state does not go together with --json-strings"},
        Case{{"inspect", file, "--vmdesc", "--json-strings"},
             "--vmdesc does not go together with --json-strings"},
        Case{{"check", file, "--explain", "--for=7.2"},
             "--explain does not go together with --for"},
        Case{{"extract", file, "-o", "x", "--ram=b", "--format=lspci"},
             "--ram does not go together with --format=lspci"},
        Case{{"repack", file, "-o", "-", "--format=json"},
             "standard output takes OUT, or what was written of it"},
        Case{{"model", "show", file, "--format=textproto"},
             "model show has no --format=textproto, but json"},
        Case{{"inspect", file, "--format=json", "--format=text"},
             "--format is given twice"},
        Case{{"check", file, "--device=0000:00:05.0/vfio"},
             "--device needs --destination-config or --destination"},
        Case{{"check", file, "--machine=pc"}, "--machine needs --for"},
        Case{{"check", file, "--for=7.2", "--region-size=1"},
             "--for does not go together with --region-size"},
        Case{{"check", file, "--for=7.2", "--dialect=V60"},
             "--for does not go together with --dialect"},
        Case{{"check", "--list", "--for=7.2"},
             "--list goes with --for=all, or without --for"},
        Case{{"extract", file, "-o", "x", "--ram=pc.ram", "--device=d"},
             "--device does not go together with --ram"},
        Case{{"extract", file, "-o", "x", "--what=config", "--ram=pc.ram"},
             "--what does not go together with --ram"},
        Case{{"extract", file, "-o", "x", "--what=libvirt-xml", "--device=d"},
             "--device does not go together with --what=libvirt-xml"},
        Case{{"extract", file, "-o", "x", "-o", "y"}, "-o is given twice"},
        Case{{"diff", "-", "-"}, "standard input, -, can be read only once"},
        Case{{"repack", file, "-o", "x", "--single-channel", "--channels=2"},
             "--channels does not go together with --single-channel"},
        Case{{"repack", file, "-o", "x", "--channels=2", "--dialect=V80"},
             "--channels does not go together with --dialect"},
        Case{{"repack", file, "-o", "x", "--device=d"},
             "--device needs --replace-config or --replace-payload"},
        Case{{"generate", file, "-o", "x", "--count=2"},
             "--count needs --out-dir"},
        Case{{"generate", "--seed=1", "-o", "x", "--out-dir=y"},
             "--out-dir does not go together with -o"}}) {
    ProgramRun run = RunProgram(c.words);
    EXPECT_EQ(run.status, 2) << c.complaint;
    EXPECT_THAT(run.errors,
                StartsWith(StrCat("migstream: ", c.complaint, "\n")));
    // Whoever asks for JSON gets the complaint so, too.
    if (!run.output.empty()) {
      EXPECT_THAT(run.output, HasSubstr(c.complaint));
    }
  }
}

TEST(UsageTest, HelpAndVersionGoToStandardOutput) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{
           {"--help"}, {"--version"}, {"check", "--help"}, {"repack", "-h"}}) {
    ProgramRun run = RunProgram(words);
    EXPECT_EQ(run.status, 0);
    EXPECT_NE(run.output, "");
    EXPECT_EQ(run.errors, "");
  }
}

TEST(UsageTest, AFileMayBeginWithADash) {
  ProgramRun run = RunProgram({"check", "--", "-no-such-file"});
  EXPECT_EQ(run.errors,
            "migstream: -no-such-file: No such file or directory\n");
}

TEST(ExtractTest, ConfigIsThePciConfigSpace) {
  std::string out = TestFolder() + "/config";
  ProgramRun run =
      RunProgram({"extract", Path("s72-pc256"), "--what=config", "-o", out});
  EXPECT_EQ(run.status, 0) << run.errors;
  std::string config = ReadTestFile(out);
  EXPECT_EQ(config.size(), 256);
  EXPECT_EQ(config.substr(0, 2), "\x86\x80");

  run = RunProgram({"check", Path("s72-pc256"), "--destination-config=" + out});
  EXPECT_EQ(run.status, 0) << run.output;
  config[0] = 0x10;
  run = RunProgram({"check", Path("s72-pc256"),
                    "--destination-config=" + WriteTestFile("other", config)});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("config byte 0x0 is 86"));
  EXPECT_THAT(run.output, HasSubstr(": vendor id ["));
  config.resize(4096);
  config[0] = '\x86';
  run = RunProgram({"check", Path("s72-pc256"),
                    "--destination-config=" + WriteTestFile("long", config)});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("the stream has 256 bytes of config space, "
                                    "the destination 4096"));
  run = RunProgram({"check", Path("s72-pc256"),
                    "--destination-config=" + WriteTestFile("short", "abc")});
  EXPECT_EQ(run.status, 2);
}

TEST(ExtractTest, ADeviceMustBeNamedWhereThereAreSeveral) {
  std::string folder = TestFolder();
  ProgramRun run =
      RunProgram({"extract", Path("s72-two"), "-o", folder + "/out"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("0000:00:05.0/vfio, 0000:00:06.0/vfio"));
  run = RunProgram({"extract", Path("s72-two"), "--device=0000:00:07.0/vfio",
                    "-o", folder + "/out"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("no such device"));
  run = RunProgram({"extract", Path("s72-plain"), "-o", folder + "/out"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("no VFIO device"));
  EXPECT_THAT(FilesIn(folder), IsEmpty());
}

TEST(ChannelTest, AMissingChannelIsNamed) {
  std::vector<std::string> files = AllFiles(GetCapture("s100-multifd"));
  files.erase(files.begin() + 3);
  files.insert(files.begin(), "check");
  ProgramRun run = RunProgram(files);
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("is missing"));
  std::string folder = TestFolder();
  files[0] = "extract";
  files.insert(files.end(), {"-o", folder + "/out"});
  run = RunProgram(files);
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.errors, HasSubstr("is missing"));
  EXPECT_THAT(FilesIn(folder), IsEmpty());
}

TEST(ChannelTest, WhatIsWrongWithAPacketIsSaidOfItsFile) {
  std::vector<std::string> files = AllFiles(GetCapture("s100-multifd"));
  std::vector<std::string> channels = ReadChannels(GetCapture("s100-multifd"));
  std::string expected;
  files.resize(1);
  for (size_t i = 0; i < channels.size(); ++i) {
    size_t idstr = channels[i].find("0000:00:05.0/vfio");
    if (idstr != std::string::npos && expected.empty()) {
      size_t packet = idstr - 12;
      channels[i][packet + 276 + 3] = 9;  // The version.
      expected = StrCat("ch", i, ":0x", Hex(packet).substr(2),
                        ": 0000:00:05.0/vfio: ");
    }
    files.push_back(WriteTestFile(StrCat("ch", i), channels[i]));
  }
  for (std::vector<std::string> words : std::vector<std::vector<std::string>>{
           {"check"},
           {"check", "--for=10.0"},
           {"extract", "-o", "/dev/null"},
           {"inspect", "--state"},
           {"repack", "--single-channel", "-o", "/dev/null"}}) {
    words.insert(words.end(), files.begin(), files.end());
    ProgramRun run = RunProgram(words);
    EXPECT_EQ(run.status, 1);
    EXPECT_THAT(run.output + run.errors, HasSubstr(expected)) << words[0];
  }
}

TEST(ChannelTest, AChannelGivenTwiceIsNamed) {
  std::vector<std::string> files = AllFiles(GetCapture("s100-multifd"));
  files.push_back(files.back());
  files.insert(files.begin(), "check");
  ProgramRun run = RunProgram(files);
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("channel id"));
}

TEST(ChannelTest, NothingIsTakenFromAnotherVmsChannels) {
  std::string folder = TestFolder();
  std::string recipe = WriteTestFile(
      "recipe.textproto",
      "dialect: V111M configuration { uuid: '0123456789abcdef' } "
      "devices { end { bytes: 9 } } "
      "ram { blocks { name: 'pc.ram' bytes: 8192 pages: 2 } parts: 1 }");
  std::string main = folder + "/vm.qvm";
  ASSERT_EQ(RunProgram({"generate", recipe, "-o", main}).status, 0);
  // The uuid stands behind the channel's magic and version.
  std::ifstream channel(folder + "/vm.ch1.qvm", std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(channel), {}};
  ASSERT_EQ(bytes.substr(8, 16), "0123456789abcdef");
  bytes[8] = '9';
  std::string other = WriteTestFile("other", bytes);
  for (std::vector<std::string> words : std::vector<std::vector<std::string>>{
           {"check"},
           {"extract", "-o", folder + "/out"},
           {"extract", "--ram=pc.ram", "-o", folder + "/out"},
           {"inspect", "--state"},
           {"repack", "--single-channel", "-o", folder + "/out"}}) {
    words.insert(words.end(), {main, other});
    ProgramRun run = RunProgram(words);
    EXPECT_EQ(run.status, 1) << words[0];
    EXPECT_THAT(run.output + run.errors, HasSubstr(other + ":0x8: "))
        << words[0];
  }
  EXPECT_FALSE(std::filesystem::exists(folder + "/out"));
}

TEST(ChannelTest, ThereIsOneMainChannel) {
  ProgramRun run = RunProgram({"check", Path("s72-two"), Path("s52-two")});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("is a second main channel"));
}

TEST(ChannelTest, InspectShowsWhatTheChannelsHold) {
  std::vector<std::string> files = AllFiles(GetCapture("s111-multifd-two"));
  files.insert(files.begin(), {"inspect", "--format=json"});
  ProgramRun run = RunProgram(files);
  EXPECT_EQ(run.status, 0) << run.errors;
  report::Report report;
  ASSERT_TRUE(
      google::protobuf::util::JsonStringToMessage(run.output, &report).ok());
  ASSERT_EQ(report.channels_size(), 4);
  EXPECT_EQ(report.devices(0).payload_bytes(), 78643);
  EXPECT_EQ(report.devices(0).config().msix_vectors(), 5);
  EXPECT_TRUE(report.devices(1).multifd_read());
}

TEST(OutputTest, AFileIsReplacedOnlyByForce) {
  std::string out = WriteTestFile("out", "precious");
  ProgramRun run = RunProgram({"repack", Path("s72-two"), "-o", out});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("exists; --force replaces it"));
  EXPECT_EQ(ReadTestFile(out), "precious");
  run = RunProgram({"repack", Path("s72-two"), "-o", out, "--force"});
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(Sha256(ReadTestFile(out)), GetCapture("s72-two").files(0).sha256());
}

TEST(OutputTest, ADashIsStandardOutput) {
  ProgramRun run = RunProgram({"repack", Path("s72-two"), "-o", "-"});
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(Sha256(run.output), GetCapture("s72-two").files(0).sha256());
}

TEST(OutputTest, AFullDiskIsSaidAndLeavesNothing) {
  ProgramRun run = RunProgram({"repack", Path("s72-two"), "-o", "/dev/full"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("No space left on device"));
  // Nor is it said twice to whoever asked for JSON.
  const std::string errors = TestFolder() + "/errors";
  const std::string other = Path("s111-two");
  for (const std::string& words :
       {std::string("inspect"), std::string("inspect --format=json"),
        std::string("check --format=jsonl"),
        std::string("stats --json-strings"),
        StrCat("check --each --threads=2 ", other, " ", other, " ", other)}) {
    const int status =
        std::system(StrCat("inspect/migstream ", words, " ", Path("s72-two"),
                           " >/dev/full 2>", errors)
                        .c_str());
    EXPECT_EQ(WEXITSTATUS(status), 2) << words;
    EXPECT_EQ(ReadTestFile(errors),
              "migstream: standard output: No space left on device\n")
        << words;
  }
}

TEST(OutputTest, ASymbolicLinkStandsForItsTarget) {
  std::string folder = TestFolder();
  std::filesystem::create_symlink(folder + "/target", folder + "/link");
  ProgramRun run =
      RunProgram({"repack", Path("s72-two"), "-o", folder + "/link"});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_TRUE(std::filesystem::is_symlink(folder + "/link"));
  EXPECT_EQ(Sha256(ReadTestFile(folder + "/target")),
            GetCapture("s72-two").files(0).sha256());
}

TEST(InputTest, AZstdFileWhoseChecksumIsWrongIsNotExtracted) {
  std::string bytes = ReadTestFile(Path("s72-two"));
  // The frame's last four bytes, if its header says that there is a checksum.
  if ((bytes[4] & 4) != 0)
    bytes.back() ^= 1;
  else
    bytes += "junk";
  std::string path = WriteTestFile("bad.zst", bytes);
  std::string folder = TestFolder();
  ProgramRun run = RunProgram({"repack", path, "-o", folder + "/out"});
  EXPECT_EQ(run.status, 2) << run.errors;
  EXPECT_THAT(run.errors, HasSubstr("zstd: "));
  EXPECT_THAT(FilesIn(folder), IsEmpty());
}

TEST(CheckTest, ADestinationConfigThatIsComparedWithNothingIsAnError) {
  std::string config(4096, 'x');
  ProgramRun run =
      RunProgram({"check", Path("s72-two"), "--device=0000:00:09.0/vfio",
                  "--destination-config=" + WriteTestFile("config", config)});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("no config space of 0000:00:09.0/vfio"));
}

TEST(CheckTest, ForARelease) {
  ProgramRun run = RunProgram({"check", Path("s72-two"), "--for=qemu-7.2"});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_THAT(run.output, StartsWith(StrCat(Path("s72-two"),
                                            ": qemu-7.2 would load it\n")));
  EXPECT_THAT(run.output, HasSubstr("given machine type pc-q35-7.2\n"));
  run = RunProgram({"check", Path("s111-two"), "--for=qemu-7.2"});
  EXPECT_THAT(run.output, AllOf(HasSubstr("Machine type received is"),
                                Not(HasSubstr("given machine type"))));
  run = RunProgram({"check", Path("s52-two"), "--for=11.1"});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output,
              HasSubstr("0000:00:05.0/vfio END: qemu-11.1 would refuse it: "
                        "Missing section footer for 0000:00:05.0/vfio\n"));
  run = RunProgram(
      {"check", Path("s72-two"), "--for=7.2", "--machine=pc-q35-6.2"});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("and local is 'pc-q35-6.2'"));
  run = RunProgram({"check", Path("s72-two"), "--for=qemu-12.0"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("of qemu-5.2 to qemu-11.2"));
}

TEST(CheckTest, TheListOfFindingsNeedsNoFile) {
  ProgramRun run = RunProgram({"check", "--list"});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.output, HasSubstr("\np2p-order"));
}

TEST(CheckTest, AFindingEndsWithItsId) {
  ProgramRun run = RunProgram({"check", Path("s72-two"), "--region-size=100"});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr(" [record-exceeds-region]\n"));
  EXPECT_EQ(RunProgram({"check", Path("s72-two"), "--region-size=x"}).status,
            2);
}

TEST(StatsTest, TextIsTables) {
  ProgramRun run = RunProgram({"stats", Path("s111-precopy")});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_THAT(run.output, HasSubstr("0000:00:05.0/vfio"));
  EXPECT_THAT(run.output, HasSubstr("AT 100 Gb/s"));
  run = RunProgram({"stats", Path("s111-precopy"), "--link=fast"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("a rate like 100Gb"));
}

TEST(StatsTest, WhatIsOnChannelsThatWereNotGivenIsNotCountedAsNothing) {
  std::vector<std::string> files = AllFiles(GetCapture("s111-multifd-two"));
  ProgramRun run = RunProgram({"stats", files[0]});
  EXPECT_THAT(run.output, testing::ContainsRegex("VFIO data +\\? +\\?\n"));
  EXPECT_THAT(run.output, testing::ContainsRegex("total +\\? +\\?\n"));
  files.pop_back();
  files.insert(files.begin(), "stats");
  run = RunProgram(files);
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.errors, HasSubstr("[multifd"));
}

TEST(StatsTest, JsonAndTextprotoAreOneMessage) {
  std::vector<std::string> words = AllFiles(GetCapture("s111-multifd-two"));
  words.insert(words.begin(), {"stats", "--format=json", "--link=10GB/s"});
  ProgramRun json = RunProgram(words);
  words[1] = "--format=textproto";
  ProgramRun text = RunProgram(words);
  report::Stats a, b;
  ASSERT_TRUE(
      google::protobuf::util::JsonStringToMessage(json.output, &a).ok());
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(text.output, &b));
  EXPECT_EQ(a.SerializeAsString(), b.SerializeAsString());
  EXPECT_EQ(a.stopped().link_bits_per_second(), 80e9);
  EXPECT_EQ(a.devices(0).stop_copy().bytes(), 78643);
}

TEST(StatsTest, ACutStreamIsCountedAsFarAsItGoes) {
  ProgramRun run = RunProgram({"stats", Path("s111-cancelled")});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("0000:00:05.0/vfio"));
  EXPECT_THAT(run.errors, HasSubstr("input ends"));
}

TEST(OutputTest, AFolderThatIsNotThereIsSaid) {
  ProgramRun run =
      RunProgram({"repack", Path("s72-two"), "-o", "/nonexistent/folder/out"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("No such file or directory"));
  run = RunProgram({"repack", Path("s72-two"), "-o", "testdata"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("is a directory"));
}

TEST(OutputTest, NoSignalLeavesAnythingBehind) {
  std::string folder = TestFolder();
  std::string bytes = ReadCapture(GetCapture("s72-two"));
  for (int signal : {SIGHUP, SIGINT, SIGQUIT, SIGKILL, SIGUSR1, SIGUSR2,
                     SIGALRM, SIGTERM, SIGXCPU, SIGVTALRM}) {
    ProgramRun run = RunProgram(
        {"repack", "-", "-o", folder + "/out"},
        {.feed =
             [&](int fd) { WriteAll(fd, bytes.data(), bytes.size() - 1000); },
         .signal = signal});
    EXPECT_EQ(run.status, 128 + signal);
    EXPECT_THAT(FilesIn(folder), IsEmpty());
  }
}

TEST(OutputTest, WhatComesOutOfAPrivateCaptureIsAsPrivate) {
  std::string folder = TestFolder();
  std::string in = folder + "/in";
  std::filesystem::copy_file(Path("s111-precopy"), in);
  for (mode_t mode : {0600, 0640}) {
    ASSERT_EQ(chmod(in.c_str(), mode), 0);
    for (std::vector<std::string> words :
         {std::vector<std::string>{"extract", in, "-o", folder + "/payload"},
          {"extract", in, "--ram=pc.ram", "-o", folder + "/ram"},
          {"repack", in, "-o", folder + "/again"},
          {"repack", in, "--channels=1", "-o", folder + "/split"}}) {
      ProgramRun run = RunProgram(words);
      EXPECT_EQ(run.status, 0) << run.errors;
    }
    for (const char* out : {"payload", "ram", "again", "split", "split.ch1"}) {
      std::string path = StrCat(folder, "/", out);
      struct stat info;
      ASSERT_EQ(stat(path.c_str(), &info), 0) << path;
      EXPECT_EQ(info.st_mode & 0777, mode) << path;
      unlink(path.c_str());
    }
  }
}

TEST(OutputTest, ALimitOnTheSizeOfFilesIsSaidOfTheFileItself) {
  std::string folder = TestFolder();
  auto run_limited = [&](const std::string& out) {
    std::string errors = folder + "/errors";
    int status = std::system(StrCat("bash -c 'ulimit -f 32; TMPDIR=", folder,
                                    " inspect/migstream extract ",
                                    Path("s111-xbzrle"), " --ram=pc.bios -o ",
                                    out, "' >", folder, "/output 2>", errors)
                                 .c_str());
    EXPECT_EQ(WEXITSTATUS(status), 2);
    return ReadTestFile(errors);
  };
  EXPECT_EQ(run_limited(folder + "/ram"),
            StrCat("migstream: ", folder, "/ram: File too large\n"));
  // What cannot be written anywhere, nor read again, is kept in a temporary
  // file first.
  EXPECT_EQ(run_limited("-"), StrCat("migstream: a temporary file in ", folder,
                                     ": File too large\n"));
  EXPECT_THAT(FilesIn(folder),
              testing::UnorderedElementsAre("errors", "output"));
}

TEST(OutputTest, AClosedStandardFileIsNotTakenForAnOutput) {
  std::string folder = TestFolder();
  std::string out = folder + "/out";
  // Nothing is left to say it with.
  int status =
      std::system(StrCat("inspect/migstream repack ", Path("s111-cancelled"),
                         " -o ", out, " <&- >&- 2>&-")
                      .c_str());
  EXPECT_EQ(WEXITSTATUS(status), 1);
  EXPECT_EQ(Sha256(ReadTestFile(out)),
            GetCapture("s111-cancelled").files(0).sha256());
  std::string errors = folder + "/errors";
  status = std::system(
      StrCat("inspect/migstream inspect ", Path("s72-two"), " >&- 2>", errors)
          .c_str());
  EXPECT_EQ(WEXITSTATUS(status), 2);
  EXPECT_EQ(ReadTestFile(errors),
            "migstream: standard output: Bad file descriptor\n");
}

// Escape sequences, C1 controls and marks that turn the direction of writing
// around, in the names of a device, a RAM block, a section and the machine.
TEST(OutputTest, NoNameOfAStreamReachesATerminalAsItIs) {
  const std::string odd = "\x1b[2J\xc2\x9b\xe2\x80\xae\x9b";
  const std::vector<std::vector<std::string>> calls = {
      {"inspect"},
      {"inspect", "--records"},
      {"inspect", "--state"},
      {"inspect", "--map"},
      {"inspect", "--map", "--format=csv"},
      {"inspect", "--format=json"},
      {"inspect", "--format=textproto"},
      {"check", "--for=all"},
      {"stats"},
      {"extract", "--device=none", "-o", "-"},
      {"extract", "--ram=none", "-o", "-"}};
  for (std::string_view name :
       {"0000:00:05.0/vfio", "pc.ram", "timer", "pc-q35-7.2"}) {
    std::string bytes = ReadCapture(GetCapture("s72-two"));
    std::string other;
    while (other.size() < name.size()) other += odd;
    other.resize(name.size());
    ASSERT_NE(bytes.find(name), std::string::npos) << name;
    for (size_t at = 0; (at = bytes.find(name, at)) != std::string::npos;) {
      bytes.replace(at, name.size(), other);
    }
    const std::string path = WriteTestFile("odd", bytes);
    for (std::vector<std::string> words : calls) {
      words.insert(words.begin() + 1, path);
      const ProgramRun run = RunProgram(words);
      for (const std::string& text : {run.output, run.errors}) {
        const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
          return c == '\n' || (c >= ' ' && c <= '~');
        });
        EXPECT_TRUE(plain) << StrJoin(words, " ") << " with another " << name;
      }
    }
  }
}

TEST(OutputTest, DamagedInputLeavesNothingBehind) {
  std::string bytes = ReadCapture(GetCapture("s72-two"));
  bytes[bytes.find("/vfio") + 5 + 8 + 7] ^= 0x40;  // The SETUP tag.
  std::string path = WriteTestFile("damaged", bytes);
  std::string folder = TestFolder();
  for (const char* verb : {"extract", "repack"}) {
    ProgramRun run = RunProgram({verb, path, "-o", folder + "/out"});
    EXPECT_EQ(run.status, 1) << run.errors;
    EXPECT_THAT(run.errors, HasSubstr("0000:00:05.0/vfio START: "));
    EXPECT_THAT(FilesIn(folder), IsEmpty());
  }
}

}  // namespace
}  // namespace migstream
