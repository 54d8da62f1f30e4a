// The program on damaged streams: --recover, --at, a device by a part of its
// name, and hints for what is nearly right.

#include <algorithm>
#include <string>
#include <vector>

#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inspect/run_program.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr char kDevice[] = "0000:00:05.0/vfio";

std::string Stream(std::string_view capture) {
  return ReadCapture(GetCapture(capture));
}

// One with a bit of the first DATA tag flipped.
std::string Flipped(std::string stream) {
  const size_t tag =
      stream.find(std::string("\xff\xff\xff\xff\xef\x10\x00\x04", 8));
  EXPECT_NE(tag, std::string::npos);
  stream[tag] ^= 4;
  return stream;
}

ProgramInput Pipe(const std::string& bytes) {
  return {[bytes](int fd) { WriteAll(fd, bytes.data(), bytes.size()); }};
}

TEST(RecoverTest, WhatIsBehindAnErrorIsShownAndTheGapIsNamed) {
  const std::string path =
      WriteTestFile("flipped.qvm", Flipped(Stream("s111-two")));
  ProgramRun without = RunProgram({"inspect", path});
  EXPECT_EQ(without.status, 1);
  for (const char* verb : {"inspect", "check", "stats"}) {
    ProgramRun run = RunProgram({verb, path, "--recover"});
    EXPECT_EQ(run.status, 1) << verb;
    EXPECT_THAT(run.output + run.errors, HasSubstr("unknown tag")) << verb;
  }
  ProgramRun run = RunProgram({"check", path, "--recover"});
  EXPECT_THAT(run.output, HasSubstr("[gap]"));
  run = RunProgram({"inspect", path, "--recover"});
  EXPECT_THAT(run.output, HasSubstr("0000:00:06.0/vfio"));
  EXPECT_THAT(run.output, Not(HasSubstr("description  not")));
}

TEST(RecoverTest, ExtractSaysThatThereIsAPartOfWhatIsCut) {
  const std::string stream = Stream("s111-precopy");
  const std::string out = TestFolder() + "/part";
  auto extract = [&](size_t bytes, const std::string& what) {
    const std::string path = WriteTestFile("cut.qvm", stream.substr(0, bytes));
    return RunProgram({"extract", path, what, "--force", "-o", out}).errors;
  };
  const std::string hint = ": --recover writes what is there of it\n";
  const size_t in_payload = 100'000;
  EXPECT_THAT(extract(in_payload, "--what=payload"), HasSubstr(hint));
  EXPECT_THAT(extract(in_payload, "--ram=pc.ram"), HasSubstr(hint));
  // Nothing of it came.
  EXPECT_THAT(extract(in_payload, "--what=config"), Not(HasSubstr(hint)));
  EXPECT_THAT(extract(200, "--what=payload"), Not(HasSubstr(hint)));
  EXPECT_THAT(extract(200, "--ram=pc.ram"), Not(HasSubstr(hint)));
}

TEST(RecoverTest, TheDescriptionBehindAnErrorIsPrinted) {
  const std::string path =
      WriteTestFile("flipped.qvm", Flipped(Stream("s111-two")));
  ProgramRun whole =
      RunProgram({"inspect", "--vmdesc", CapturePath(GetCapture("s111-two"))});
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"inspect", "--vmdesc", path},
        {"inspect", "--vmdesc", "--recover", path}}) {
    ProgramRun run = RunProgram(words);
    EXPECT_EQ(run.status, 1);
    EXPECT_EQ(run.output, whole.output);
    EXPECT_THAT(run.errors, HasSubstr("unknown tag"));
  }
  EXPECT_THAT(RunProgram({"inspect", path}).output,
              HasSubstr("description  not reached"));
}

TEST(RecoverTest, TheStateBehindAnErrorIsShown) {
  const std::string path =
      WriteTestFile("flipped.qvm", Flipped(Stream("s111-two")));
  EXPECT_THAT(RunProgram({"inspect", "--state", path}).output,
              Not(HasSubstr("globalstate")));
  ProgramRun run = RunProgram({"inspect", "--state", "--recover", path});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("\"globalstate"));
}

TEST(RecoverTest, APipeGivesTheSameAsAFile) {
  const std::string stream = Flipped(Stream("s111-two"));
  const std::string path = WriteTestFile("flipped.qvm", stream);
  ProgramRun file = RunProgram({"check", path, "--recover"});
  ProgramRun pipe = RunProgram({"check", "-", "--recover"}, Pipe(stream));
  // Only a file is looked at again for the kind of damage.
  std::string kind = file.output.substr(file.output.find("; 1 bit from "));
  kind.resize(kind.find(" ["));
  file.output.erase(file.output.find(kind), kind.size());
  auto without_name = [](std::string text, const std::string& name) {
    for (size_t at; (at = text.find(name)) != std::string::npos;) {
      text.replace(at, name.size(), "F");
    }
    return text;
  };
  EXPECT_EQ(without_name(file.output, path + ":"),
            without_name(pipe.output, "-:"));
}

TEST(RecoverTest, ExtractGivesWhatCame) {
  const std::string stream = Stream("s111-two");
  const std::string whole = WriteTestFile("whole.qvm", stream);
  const std::string path = WriteTestFile("flipped.qvm", Flipped(stream));
  for (const char* device : {kDevice, "0000:00:06.0/vfio"}) {
    const std::string option = StrCat("--device=", device);
    ProgramRun all = RunProgram({"extract", whole, option, "-o", "-"});
    ProgramRun run =
        RunProgram({"extract", path, option, "-o", "-", "--recover"});
    EXPECT_EQ(run.status, 1);
    EXPECT_THAT(run.errors, HasSubstr("gap of "));
    EXPECT_LE(run.output.size(), all.output.size());
    // What is missing is one piece.
    const auto [a, b] = std::mismatch(run.output.begin(), run.output.end(),
                                      all.output.begin(), all.output.end());
    EXPECT_TRUE(all.output.ends_with(run.output.substr(a - run.output.begin())))
        << device;
  }
}

TEST(RecoverTest, ExtractGivesWhatCameOfACancelledMigration) {
  const std::string path =
      WriteTestFile("cancelled.qvm", Stream("s111-cancelled"));
  EXPECT_EQ(RunProgram({"extract", path, "-o", "-"}).status, 1);
  ProgramRun run = RunProgram({"extract", path, "-o", "-", "--recover"});
  EXPECT_EQ(run.status, 1);
  EXPECT_FALSE(run.output.empty());
}

TEST(RecoverTest, ASoundStreamIsReadAsWithoutIt) {
  const std::string path = WriteTestFile("sound.qvm", Stream("s111-two"));
  for (const char* verb : {"inspect", "check", "stats"}) {
    ProgramRun without = RunProgram({verb, path});
    ProgramRun run = RunProgram({verb, path, "--recover"});
    EXPECT_EQ(run.output, without.output) << verb;
    EXPECT_EQ(run.status, without.status) << verb;
  }
}

TEST(ChannelTest, ASetWithACutChannelIsNotComplete) {
  const testdata::Capture& capture = GetCapture("s100-multifd");
  std::vector<std::string> words = {"inspect", CapturePath(capture)};
  std::vector<std::string> channels = ReadChannels(capture);
  for (size_t i = 0; i < channels.size(); ++i) {
    words.push_back(WriteTestFile(StrCat("ch", i), channels[i]));
  }
  EXPECT_THAT(RunProgram(words).output, HasSubstr("stream, complete, "));
  words[3] =
      WriteTestFile("cut", channels[1].substr(0, channels[1].size() / 2));
  EXPECT_THAT(RunProgram(words).output, HasSubstr("stream, not complete "));
}

TEST(AtTest, ShowsTheBytesAndWhatTheyMayHaveBeen) {
  const std::string stream = Flipped(Stream("s111-two"));
  const size_t tag =
      stream.find(std::string("\xfb\xff\xff\xff\xef\x10\x00\x04", 8));
  const std::string path = WriteTestFile("flipped.qvm", stream);
  ProgramRun run = RunProgram({"inspect", path, StrCat("--at=", Hex(tag))});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("fb ff ff ff ef 10 00 04"));
  EXPECT_THAT(run.output, HasSubstr("unknown; 1 bit from DATA  <--"));
  for (std::string_view line : Split(run.output, '\n')) {
    EXPECT_LE(line.size(), 80) << line;
  }
  EXPECT_EQ(
      RunProgram({"inspect", "-", StrCat("--at=", Hex(tag))}, Pipe(stream))
          .output,
      run.output);
  EXPECT_EQ(RunProgram({"inspect", path, "--at=1G"}).status, 2);
}

TEST(AtTest, CheckExplainsAnErrorsPlace) {
  const std::string path =
      WriteTestFile("flipped.qvm", Flipped(Stream("s111-two")));
  ProgramRun run = RunProgram({"check", path, "--explain"});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("unknown; 1 bit from DATA"));
}

TEST(DeviceTest, APartOfANameIsEnoughIfNoOtherHasIt) {
  const std::string path = WriteTestFile("two.qvm", Stream("s111-two"));
  ProgramRun whole =
      RunProgram({"extract", path, StrCat("--device=", kDevice), "-o", "-"});
  ProgramRun part = RunProgram({"extract", path, "--device=05.0", "-o", "-"});
  EXPECT_EQ(part.status, 0) << part.errors;
  EXPECT_EQ(part.output, whole.output);
  ProgramRun both = RunProgram({"extract", path, "--device=00:0", "-o", "-"});
  EXPECT_EQ(both.status, 2);
  EXPECT_THAT(both.errors,
              HasSubstr("several devices have 00:0 in their names: "
                        "0000:00:05.0/vfio, 0000:00:06.0/vfio"));
  ProgramRun none = RunProgram({"inspect", path, "--device=07.0"});
  EXPECT_EQ(none.status, 2);
  EXPECT_THAT(none.errors, HasSubstr("no such device: 07.0; there is "));
  EXPECT_EQ(RunProgram({"extract", "-", "--device=05.0", "-o", "-"},
                       Pipe(Stream("s111-two")))
                .output,
            whole.output);
}

TEST(DeviceTest, InspectShowsOneWithItsMsixTable) {
  const std::string path = WriteTestFile("two.qvm", Stream("s111-two"));
  ProgramRun run = RunProgram({"inspect", path, "--device=06.0"});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_THAT(run.output, HasSubstr("0000:00:06.0/vfio"));
  EXPECT_THAT(run.output, Not(HasSubstr(kDevice)));
  EXPECT_THAT(run.output, HasSubstr("  vectors  "));
}

TEST(ExtractTest, AConfigSpaceIsTextForLspci) {
  const std::string path = WriteTestFile("two.qvm", Stream("s111-two"));
  ProgramRun run = RunProgram({"extract", path, "--device=05.0",
                               "--what=config", "--format=lspci", "-o", "-"});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_THAT(run.output, StartsWith("0000:00:05.0 "));
  EXPECT_THAT(run.output, HasSubstr("\n00: "));
  EXPECT_EQ(RunProgram(
                {"extract", path, "--device=05.0", "--format=lspci", "-o", "-"})
                .status,
            2);
}

TEST(HintTest, WhatIsNearlyRightIsNamed) {
  const std::string stream = Stream("s111-two");
  struct Case {
    std::vector<std::string> words;
    std::string hint;
  };
  const std::string path = WriteTestFile("two.qvm", stream);
  const std::string log =
      WriteTestFile("log.qvm", std::string(39, 'l') + stream);
  const std::string tar = std::string(257, 'x') + "ustar" + stream;
  for (const Case& c :
       {Case{{"inspct", path}, "did you mean inspect?"},
        Case{{path}, "a verb comes before the file"},
        Case{{"inspect", path, "--record"}, "did you mean --records?"},
        Case{{"inspect", path, "--link=1Gb"},
             "inspect has no option --link=1Gb, but stats has"},
        Case{{"help", "inspct"}, "did you mean inspect?"},
        Case{{"inspect", log}, "a stream begins at 0x27: --offset=39"},
        Case{{"inspect", WriteTestFile("core", "\177ELF\2\1\1")},
             "an ELF file"},
        Case{{"inspect", WriteTestFile("disk", "QFI\xfb\1\1\1\1")}, "qcow2: "},
        Case{{"inspect", WriteTestFile("lz4", "\4\x22\x4d\x18xxxx")}, "lz4"},
        Case{{"inspect", WriteTestFile("tar", tar)}, "a tar archive"},
        Case{{"inspect", WriteTestFile("pcap", "\xd4\xc3\xb2\xa1xxxx")},
             "a pcap file"}}) {
    ProgramRun run = RunProgram(c.words);
    EXPECT_EQ(run.status, 2) << c.hint;
    EXPECT_THAT(run.errors, HasSubstr(c.hint));
  }
  EXPECT_EQ(RunProgram({"inspect", log, "--offset=39"}).status, 0);
}

TEST(HelpTest, OfAVerbAndOfTheVersionComeByWordToo) {
  EXPECT_EQ(RunProgram({"help", "check"}).output,
            RunProgram({"check", "--help"}).output);
  EXPECT_EQ(RunProgram({"version"}).output, RunProgram({"-V"}).output);
}

TEST(UnitTest, SizesHaveUnits) {
  const std::string path =
      WriteTestFile("far.qvm", std::string(1 << 20, '\0') + Stream("s111-two"));
  EXPECT_EQ(RunProgram({"inspect", path, "--offset=1M"}).status, 0);
  EXPECT_EQ(RunProgram({"inspect", path, "--offset=1024KiB"}).status, 0);
  EXPECT_EQ(RunProgram({"inspect", path, "--offset=1X"}).status, 2);
  EXPECT_EQ(RunProgram({"inspect", path, "--offset=99999999T"}).status, 2);
  EXPECT_EQ(RunProgram({"stats", path, "--offset=1m", "--link=10gbit"}).status,
            0);
}

}  // namespace
}  // namespace migstream
