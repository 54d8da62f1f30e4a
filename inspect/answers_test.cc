// The right answers to inputs that people really have: streams with something
// else behind them, of machines with other page sizes, described wrongly, with
// a part missing. testdata/inputs/.

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "codec/io/compress_bytes.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inspect/run_program.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

std::string Input(std::string_view name) {
  return StrCat("testdata/inputs/", name);
}

ProgramInput Feed(const std::string& bytes) {
  return {
      .feed = [bytes](int fd) { WriteAll(fd, bytes.data(), bytes.size()); }};
}

// What is said of a file, without its name.
std::string Said(const std::vector<std::string>& words,
                 const std::string& file) {
  ProgramRun run = RunProgram(words);
  std::string said = StrCat(run.status, "\n", run.output, run.errors);
  for (size_t at; (at = said.find(file)) != said.npos;) {
    said.erase(at, file.size());
  }
  return said;
}

// The lines of a finding are not compared.
std::string Inspected(const std::string& file) {
  return Said({"inspect", file}, file);
}

std::string Repacked(const std::string& file) {
  const std::string out = StrCat(TestFolder(), "/out");
  ProgramRun run = RunProgram({"repack", file, "-o", out});
  EXPECT_EQ(run.status, 0) << run.errors;
  return ReadTestFile(out);
}

struct Followed {
  std::string_view name;
  size_t bytes;  // Behind the stream.
};

class FollowedTest : public testing::TestWithParam<Followed> {};

TEST_P(FollowedTest, AStreamIsReadAsIfNothingCameBehindIt) {
  const std::string packed = Input(GetParam().name);
  const std::string bytes = ReadDecompressed(packed);
  const std::string whole = WriteTestFile("whole.qvm", bytes);
  const std::string stream = bytes.substr(0, bytes.size() - GetParam().bytes);
  const std::string alone = WriteTestFile("alone.qvm", stream);
  const std::string note =
      StrCat(GetParam().bytes, " byte", GetParam().bytes == 1 ? "" : "s",
             " follow", GetParam().bytes == 1 ? "s" : "", " the stream");
  const std::string expected = Inspected(alone);
  EXPECT_THAT(expected, HasSubstr(", complete, "));
  for (const std::string& file : {packed, whole}) {
    ProgramRun check = RunProgram({"check", file});
    EXPECT_EQ(check.status, 0) << check.output;
    EXPECT_THAT(check.output, AllOf(HasSubstr(note), Not(HasSubstr("guess")),
                                    Not(HasSubstr("truncated"))));
    EXPECT_EQ(Inspected(file), expected);
    EXPECT_TRUE(Repacked(file) == stream);
    EXPECT_THAT(RunProgram({"check", "--for=qemu-11.1", file}).output,
                HasSubstr("qemu-11.1 would load it"));
  }
  ProgramRun pipe = RunProgram({"check", "-"}, Feed(bytes));
  EXPECT_EQ(pipe.status, 0) << pipe.output;
  EXPECT_THAT(pipe.output, HasSubstr(note));
}

INSTANTIATE_TEST_SUITE_P(
    Inputs, FollowedTest,
    testing::Values(Followed{"trailing-newline.qvm.zst", 1},
                    Followed{"trailing-zeros.qvm.zst", 4096},
                    Followed{"f3-vfio-111-then-zeros.qvm.zst", 1000000},
                    Followed{"f3-vfio-72-then-old-tail.qvm.zst", 300000},
                    Followed{"twice.qvm.zst", 246994}),
    [](const auto& info) { return StrCat(info.index); });

TEST(AnswersTest, WhatFollowsAnotherStreamIsNamedAsOne) {
  EXPECT_THAT(RunProgram({"check", Input("twice.qvm.zst")}).output,
              HasSubstr("another stream, which --offset=0x3c4d2 reads"));
  EXPECT_THAT(
      RunProgram({"check", "--offset=0x3c4d2", Input("twice.qvm.zst")}).output,
      EndsWith(" (no findings)\n"));
}

TEST(AnswersTest, PaddingBehindCompressedDataIsANote) {
  for (const char* name :
       {"f3-gzip-then-zeros.gz", "f3-zstd-then-zeros.zst.file"}) {
    ProgramRun run = RunProgram({"check", Input(name)});
    EXPECT_EQ(run.status, 0) << run.errors;
    EXPECT_THAT(run.output, HasSubstr("3000 bytes follow the compressed data"));
  }
}

struct Pages {
  std::vector<std::string_view> names;
  std::string_view page;
};

class PageSizeTest : public testing::TestWithParam<Pages> {};

TEST_P(PageSizeTest, IsFoundWithoutASubsectionThatSaysIt) {
  std::vector<std::string> packed, plain;
  for (std::string_view name : GetParam().names) {
    packed.push_back(Input(name));
    plain.push_back(WriteTestFile("plain", ReadDecompressed(packed.back())));
  }
  for (const std::vector<std::string>& files : {packed, plain}) {
    std::vector<std::string> words = {"check"};
    words.insert(words.end(), files.begin(), files.end());
    ProgramRun check = RunProgram(words);
    EXPECT_EQ(check.status, 0);
    EXPECT_THAT(check.output, EndsWith(" (no findings)\n"));
    words.push_back("--for=qemu-11.1");
    EXPECT_THAT(RunProgram(words).output, HasSubstr("qemu-11.1 would load it"));
    words.pop_back();
    words[0] = "inspect";
    EXPECT_THAT(RunProgram(words).output,
                AllOf(HasSubstr(", complete, "),
                      HasSubstr(StrCat("; page ", GetParam().page))));
    if (files.size() == 1) {
      EXPECT_TRUE(Repacked(files[0]) == ReadDecompressed(files[0]));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Inputs, PageSizeTest,
    testing::Values(Pages{{"f1-alpha-8k.qvm.zst"}, "8 KiB"},
                    Pages{{"f1-alpha-8k-multifd.0.zst",
                           "f1-alpha-8k-multifd.1.zst",
                           "f1-alpha-8k-multifd.2.zst"},
                          "8 KiB"},
                    Pages{{"f1-or1k-8k-zero-only.qvm.zst"}, "8 KiB"},
                    Pages{{"f1-arm-microbit-1k.qvm.zst"}, "1 KiB"},
                    Pages{{"f1-avr111-1k.qvm.zst"}, "1 KiB"}),
    [](const auto& info) { return StrCat(info.index); });

TEST(AnswersTest, ThePageSizeCanBeGiven) {
  const std::string bytes = ReadDecompressed(Input("f1-alpha-8k.qvm.zst"));
  ProgramRun run = RunProgram({"check", "--page-size=8192", "-"}, Feed(bytes));
  EXPECT_EQ(run.status, 0) << run.output;
  EXPECT_THAT(run.output, EndsWith(" (no findings)\n"));
  EXPECT_EQ(RunProgram({"check", "--page-size=4096", "-"}, Feed(bytes)).status,
            1);
}

struct Answer {
  std::string_view name;
  int status;
  // What the findings have, and what they do not.
  std::vector<std::string_view> has;
  std::vector<std::string_view> lacks = {};
};

class AnswerTest : public testing::TestWithParam<Answer> {};

TEST_P(AnswerTest, IsTheRightOne) {
  ProgramRun run = RunProgram({"check", "--all", Input(GetParam().name)});
  EXPECT_EQ(run.status, GetParam().status);
  for (std::string_view text : GetParam().has) {
    EXPECT_THAT(run.output, HasSubstr(std::string(text)));
  }
  for (std::string_view text : GetParam().lacks) {
    EXPECT_THAT(run.output, Not(HasSubstr(std::string(text))));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Inputs, AnswerTest,
    testing::Values(
        // Described wrongly: the footer counts.
        Answer{"f2-s390-72.qvm.zst",
               0,
               {"s390_css FULL: note: the description gives it 272 bytes",
                "[description-wrong]"},
               {"refused"}},
        Answer{"badfooter.qvm.zst",
               1,
               {"apic FULL: error: missing section footer"}},
        Answer{"nested-in-description.qvm.zst",
               1,
               {"its end at 0x33 is", "its end at 0x63 is",
                "VMDESCRIPTION: error: a NUL in the JSON"}},
        // What the stream itself proves to be lost.
        Answer{"drop-cpu.qvm.zst",
               1,
               {"cpu FULL: warning: the description names it",
                "[section-missing]"}},
        Answer{"drop-ram.qvm.zst", 1, {"ram: warning: ", "[ram-missing]"}},
        Answer{"drop-configuration.qvm.zst", 1, {"[configuration-missing]"}},
        Answer{"noconfig72.qvm.zst",
               1,
               {"[config-missing]", "but each loads it"},
               {"no release takes that"}},
        // The input ends early, and it is said so.
        Answer{"cut.qvm.zst", 1, {"[truncated]"}},
        Answer{"cutram.qvm.zst", 1, {"[truncated]"}},
        Answer{"noeof.qvm.zst", 1, {"[truncated]"}},
        Answer{"f4-xen-72.vm.zst", 0, {"by its footer"}}),
    [](const auto& info) { return StrCat(info.index); });

TEST(AnswersTest, AStreamWithFootersIsNotGivenWithoutThem) {
  EXPECT_THAT(
      RunProgram({"check", "--for=qemu-7.2", Input("f4-xen-72.vm.zst")}).output,
      Not(HasSubstr("send-section-footer off")));
}

TEST(AnswersTest, OfWhatNobodyReadNothingIsAssumed) {
  EXPECT_THAT(
      RunProgram({"check", "--for=qemu-11.1", Input("bm.qvm.zst")}).output,
      Not(HasSubstr(": given ")));
}

// No loader looks at the description.
TEST(AnswersTest, NoLoadersVerdictIsMadeOfTheDescription) {
  for (const char* name :
       {"attack-10.0-s100-1-17.qvm.zst", "attack-7.2-s72-10-36.qvm.zst",
        "attack-11.1-s111-1-158.qvm.zst"}) {
    const std::string release(std::string_view(name).substr(
        7, std::string_view(name).find("-s") - 7));
    EXPECT_THAT(
        RunProgram({"check", StrCat("--for=qemu-", release), Input(name)})
            .output,
        HasSubstr(" would load it"))
        << name;
  }
}

// What a real QEMU of that release said.
struct Refused {
  std::string_view name;
  std::string_view release;
  std::string_view message;
};

class RefusedTest : public testing::TestWithParam<Refused> {};

TEST_P(RefusedTest, ByEveryReleaseIsFoundWithoutBeingToldOne) {
  ProgramRun run = RunProgram({"check", Input(GetParam().name)});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, AllOf(HasSubstr(std::string(GetParam().message)),
                                HasSubstr("[unloadable]")));
}

TEST_P(RefusedTest, IsForetoldInTheReleasesOwnWords) {
  ProgramRun run =
      RunProgram({"check", StrCat("--for=qemu-", GetParam().release),
                  Input(GetParam().name)});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output,
              HasSubstr(StrCat("would refuse it: ", GetParam().message)));
}

constexpr std::string_view kXbzrle =
    "Failed to load XBZRLE page - decode error!";

INSTANTIATE_TEST_SUITE_P(
    Inputs, RefusedTest,
    testing::Values(
        Refused{"attack-page-s100-xbzrle-overrun-2.qvm.zst", "10.0", kXbzrle},
        Refused{"attack-page-s72-xbzrle-overrun-2.qvm.zst", "7.2", kXbzrle},
        Refused{"attack-page-s72-xbzrle-short-4.qvm.zst", "7.2", kXbzrle},
        Refused{"attack-page-s52-xbzrle-overrun-2.qvm.zst", "5.2", kXbzrle},
        Refused{"attack-page-s52-compress-flip-0.qvm.zst", "5.2",
                "decompress data failed"},
        Refused{"attack-10.0-s100-1-253.qvm.zst", "10.0", "Input/output error"},
        Refused{"attack-11.1-s111-1-165.qvm.zst", "11.1",
                "Found a zero page with value 255"},
        Refused{"attack-11.1-s111-1-213.qvm.zst", "11.1", "Input/output error"},
        Refused{"attack-11.1-s111-1-308.qvm.zst", "11.1",
                "CMD_PING (0x1) received with no return path"},
        Refused{"attack-11.1-s111-1-64.qvm.zst", "11.1",
                "CMD_POSTCOPY_LISTEN in wrong postcopy state (0)"}),
    [](const auto& info) { return StrCat(info.index); });

TEST(AnswersTest, AVersionThatNoLoaderKnowsIsFound) {
  const std::string file = Input("attack-10.0-s100-1-9.qvm.zst");
  EXPECT_THAT(RunProgram({"check", file}).output,
              HasSubstr("unsupported version 5 for 'i8259' v1"));
  EXPECT_THAT(RunProgram({"check", "--for=qemu-10.0", file}).output,
              HasSubstr("savevm: unsupported version 5 for 'i8259' v1"));
}

TEST(AnswersTest, AHandlersFullIsReadAsItsStart) {
  EXPECT_THAT(
      RunProgram({"check", Input("attack-10.0-s72-11-97.qvm.zst")}).output,
      HasSubstr("dirty-bitmap FULL: error: unknown flags 0x0"));
}

TEST(AnswersTest, AColoMigrationIsNamed) {
  ProgramRun run =
      RunProgram({"check", Input("attack-10.0-s100-1-145.qvm.zst")});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("[colo]"));
}

TEST(AnswersTest, TheLibrarysOwnLimitsAreNoLoadersWords) {
  for (auto [name, release, message] :
       {std::array{"attack-10.0-s100-1-158.qvm.zst", "10.0",
                   "Failed to load configuration:name"},
        std::array{"attack-11.1-s111-1-93.qvm.zst", "11.1",
                   "Received unknown capability "}}) {
    EXPECT_THAT(
        RunProgram({"check", StrCat("--for=qemu-", release), Input(name)})
            .output,
        HasSubstr(StrCat("would refuse it: ", message)));
  }
}

// An instance id of -1 stands for any.
TEST(AnswersTest, AnAliasIsLoaded) {
  EXPECT_THAT(RunProgram({"check", "--for=qemu-10.0",
                          Input("attack-10.0-s100-1-112.qvm.zst")})
                  .output,
              HasSubstr("qemu-10.0 would load it"));
}

TEST(AnswersTest, ABlockThatTheListDoesNotNameMayBeThere) {
  EXPECT_THAT(RunProgram({"check", "--for=qemu-7.2",
                          Input("attack-7.2-s72-1-5.qvm.zst")})
                  .output,
              HasSubstr("qemu-7.2 would load it"));
}

// What somebody reads who looks at the first line and the last one.
struct Ends {
  std::string_view name;
  std::string_view cause;
  std::string_view verdict;
};

class EndsTest : public testing::TestWithParam<Ends> {};

TEST_P(EndsTest, TheFirstLineNamesTheCauseAndTheLastOneIsTheVerdict) {
  ProgramRun run = RunProgram({"check", Input(GetParam().name)});
  const std::vector<std::string_view> lines = Split(run.output, '\n');
  ASSERT_GE(lines.size(), 2) << run.errors;
  EXPECT_THAT(std::string(lines[0]), HasSubstr(std::string(GetParam().cause)));
  EXPECT_THAT(std::string(lines[lines.size() - 2]),
              HasSubstr(StrCat(": verdict: ", GetParam().verdict)));
}

constexpr std::string_view kSound = "sound; ";
constexpr std::string_view kLoads = "whole, but not as a release writes it";
constexpr std::string_view kRefused = "whole, but a loader refuses it; ";
constexpr std::string_view kHeader = "damaged before the first section; ";
constexpr std::string_view kPreCopy =
    "damaged in pre-copy, before the guest was stopped; ";

INSTANTIATE_TEST_SUITE_P(
    Inputs, EndsTest,
    testing::Values(
        Ends{"trailing-newline.qvm.zst", "1 byte follows the stream", kSound},
        Ends{"trailing-zeros.qvm.zst", "4096 bytes follow the stream", kSound},
        Ends{"f3-vfio-111-then-zeros.qvm.zst",
             "1000000 bytes follow the stream", kSound},
        Ends{"f3-vfio-72-then-old-tail.qvm.zst",
             "300000 bytes follow the stream", kSound},
        Ends{"f3-gzip-then-zeros.gz", "3000 bytes follow the compressed data",
             kSound},
        Ends{"f3-zstd-then-zeros.zst.file",
             "3000 bytes follow the compressed data", kSound},
        Ends{"twice.qvm.zst", "another stream, which --offset=0x3c4d2 reads",
             kSound},
        Ends{"cut.qvm.zst",
             ":0x493e0: vmmouse FULL: error: cannot walk past vmmouse at "
             "0x486c0: the input ends",
             "cut in stop-copy, with the guest stopped since 0x41d8b; data "
             "whole, config missing: 0000:00:05.0/vfio, 0000:00:06.0/vfio. "
             "Next: "},
        Ends{
            "cutram.qvm.zst",
            ":0x11170: ram PART: error: input ends in a page of 4096 bytes",
            "cut in pre-copy, before the guest was stopped; data incomplete: "},
        Ends{"noeof.qvm.zst",
             ":0x4c9a0: 0000:00:06.0/vfio FULL: error: input ends in a config "
             "payload",
             "cut in stop-copy, with the guest stopped since 0x41d8b; data and "
             "config whole: 0000:00:05.0/vfio; data whole, config missing: "
             "0000:00:06.0/vfio"},
        Ends{"atfooter.qvm.zst",
             ":0x1b87f: stream: error: input ends between two sections",
             "cut in pre-copy, before the guest was stopped; "},
        Ends{"midflip.qvm.zst", "1 bit from DATA", kPreCopy},
        Ends{"hole.qvm.zst", "a hole of zeros: ", kPreCopy},
        Ends{"crlf.qvm.zst", "CR LF inserted: ", kPreCopy},
        Ends{"utf8.qvm.zst", "recoded as UTF-8",
             "damaged in setup, before the guest was stopped; "},
        Ends{"dup.qvm.zst", "a block twice: ", kPreCopy},
        Ends{"bad.zst", ": error: zstd: Restored data doesn't match checksum",
             kPreCopy},
        Ends{"bad.gz", ": error: gzip: invalid literal/length code", kPreCopy},
        Ends{"bm.qvm.zst",
             ":0x0: header: error: not a migration stream: begins with "
             "0x5045564d, expected 0x5145564d (QEVM); 1 bit",
             kHeader},
        Ends{"ov.qvm.zst",
             ":0x4: header: error: stream version 2, which is obsolete",
             kHeader},
        Ends{"noconfig72.qvm.zst", "warning: no CONFIG", kLoads},
        Ends{"badfooter.qvm.zst", "apic FULL: error: missing section footer",
             "damaged in stop-copy, with the guest stopped since "},
        Ends{"eos210.qvm.zst", "unknown RAM flags 0x210", "damaged in setup, "},
        Ends{"f1-alpha-8k.qvm.zst", "sound", kSound},
        Ends{"f1-arm-microbit-1k.qvm.zst", "sound", kSound},
        Ends{"f1-avr111-1k.qvm.zst", "sound", kSound},
        Ends{"f1-or1k-8k-zero-only.qvm.zst", "sound", kSound},
        Ends{"f2-s390-72.qvm.zst",
             "s390_css FULL: note: the description gives it 272 bytes", kSound},
        Ends{"f4-xen-72.vm.zst", "note: no description", kSound},
        Ends{"drop-cpu.qvm.zst", "cpu FULL: warning: the description names it",
             kLoads},
        Ends{"drop-ram.qvm.zst", "ram: warning: no PART", kLoads},
        Ends{"drop-configuration.qvm.zst",
             "CONFIGURATION: error: the description has one", kRefused},
        Ends{"conf-uuid-version.qvm.zst", "sound", kSound},
        Ends{"c1-vmdesc.qvm.zst", "ram: warning: no PART", kLoads},
        Ends{"leak-ram-name.qvm.zst",
             "RAM block 'GUEST-SECRET-ABC...' is not in the list", kPreCopy},
        Ends{"nested-in-description.qvm.zst",
             "VMDESCRIPTION: error: a NUL in the JSON",
             "damaged in the description, behind all devices; "}),
    [](const auto& info) { return StrCat(info.index); });

// A block of bzip2 that is damaged comes out as other bytes from its first on.
TEST(AnswersTest, ADamagedContainerIsNamedBeforeWhatIsNoStream) {
  std::string packed =
      Bzip2Bytes(ReadDecompressed("testdata/captures/s111-plain.qvm.zst"));
  packed[15] ^= 0x01;  // Where in the block its first byte is.
  const std::string file = WriteTestFile("flipped.bz2", packed);
  const std::string out = StrCat(TestFolder(), "/flipped.out");
  using Words = std::vector<std::string>;
  for (const Words& words :
       {Words{"check", file}, Words{"inspect", file}, Words{"stats", file},
        Words{"repack", file, "-o", out}, Words{"diff", file, file}}) {
    const ProgramRun run = RunProgram(words);
    EXPECT_EQ(run.status, 2) << words[0];
    EXPECT_THAT(run.errors,
                StartsWith(StrCat("migstream: ", file, ": bzip2: ")))
        << words[0];
    EXPECT_THAT(run.errors, HasSubstr("not a migration stream")) << words[0];
  }
}

TEST(AnswersTest, ATlsRecordOfAnyKindIsNamed) {
  for (const char* head : {"\x15\x03\x03\x02", "\x16\x03\x01\x02",
                           "\x16\x03\x03\x02", "\x17\x03\x03\x02"}) {
    const std::string file =
        WriteTestFile("tls", std::string(head) + "12345678");
    EXPECT_THAT(RunProgram({"check", file}).errors,
                HasSubstr("a TLS record: the channel was encrypted"));
  }
}

TEST(AnswersTest, ACutChannelIsTheCauseAndTheMainChannelIsWhole) {
  std::vector<std::string> words = {"check"};
  std::string cut;
  for (const testdata::File& file : GetCapture("s111-multifd-two").files()) {
    words.push_back(StrCat("testdata/captures/", file.file(), ".zst"));
    if (file.file().find(".ch1.") == std::string::npos) continue;
    const std::string bytes = ReadDecompressed(words.back());
    cut = WriteTestFile("ch1", bytes.substr(0, bytes.size() - 100));
    words.back() = cut;
  }
  ProgramRun run = RunProgram(words);
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, StartsWith(StrCat(cut, ":0x")));
  EXPECT_THAT(std::string(Split(run.output, '\n')[0]),
              EndsWith(" [truncated]"));
  EXPECT_THAT(run.output,
              HasSubstr(": verdict: cut, though the main channel is whole; "));
}

class MoreCapturesTest : public testing::TestWithParam<testdata::Capture> {};

TEST_P(MoreCapturesTest, EachDevicesPayloadIsWhatItGave) {
  const testdata::Capture& capture = GetParam();
  std::vector<std::string> words = {"extract"};
  for (const testdata::File& file : capture.files()) {
    words.push_back(StrCat(kMoreCaptures, file.file(), ".zst"));
  }
  words.insert(words.end(), {"-o", "-"});
  for (const testdata::Device& device : capture.devices()) {
    std::vector<std::string> all = words;
    all.push_back(StrCat("--device=", device.idstr()));
    ProgramRun run = RunProgram(all);
    if (!capture.completed()) {
      EXPECT_EQ(run.status, 1);
      EXPECT_THAT(run.errors, Not(IsEmpty()));
      continue;
    }
    EXPECT_EQ(run.status, 0) << run.errors;
    EXPECT_EQ(Sha256(run.output), device.payload_sha256()) << device.idstr();
  }
}

TEST_P(MoreCapturesTest, NothingUntrueIsFound) {
  const testdata::Capture& capture = GetParam();
  std::vector<std::string> words = {"check"};
  for (const testdata::File& file : capture.files()) {
    words.push_back(StrCat(kMoreCaptures, file.file(), ".zst"));
  }
  ProgramRun run = RunProgram(words);
  if (!capture.completed()) {
    EXPECT_EQ(run.status, 1);
    EXPECT_THAT(run.output, HasSubstr("[truncated]"));
    return;
  }
  for (std::string_view line : Split(run.output, '\n')) {
    if (line.find(": warning: ") == line.npos &&
        line.find(": error: ") == line.npos) {
      continue;
    }
    // The two things that are not as they should be.
    EXPECT_TRUE(line.ends_with("[config-size]") ||
                line.ends_with("[postcopy-with-vfio]"))
        << line;
  }
}

INSTANTIATE_TEST_SUITE_P(Captures, MoreCapturesTest,
                         testing::ValuesIn(MoreCaptures()), CaptureName());

// A device whose END arrived has all its data, wherever the stream ends.
TEST(AnswersTest, APayloadWhoseEndArrivedIsTakenOutOfACutStream) {
  const testdata::Capture& capture = GetCapture("s111-two");
  const std::string bytes = ReadCapture(capture);
  const std::string file =
      WriteTestFile("cut.qvm", bytes.substr(0, bytes.size() * 9 / 10));
  for (const testdata::Device& device : capture.devices()) {
    ProgramRun run =
        RunProgram({"extract", "--device", device.idstr(), file, "-o", "-"});
    EXPECT_EQ(run.status, 1);
    EXPECT_THAT(run.errors, Not(IsEmpty()));
    EXPECT_EQ(Sha256(run.output), device.payload_sha256());
  }
}

}  // namespace
}  // namespace migstream
