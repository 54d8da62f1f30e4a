// What the program takes for input: wrappers, compression, channels in any
// order, and what stands beside a stream.

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "codec/io/compress_bytes.h"
#include "codec/io/libvirt_bytes.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/report/report.pb.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "inspect/run_program.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;

using Words = std::vector<std::string>;

ProgramRun RunWith(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return RunProgram(words);
}

report::Report Inspect(const Words& words) {
  ProgramRun run = RunWith({"inspect", "--format=json"}, words);
  report::Report report;
  EXPECT_TRUE(
      google::protobuf::util::JsonStringToMessage(run.output, &report).ok())
      << run.errors;
  return report;
}

// The payload of the capture's only device.
std::string Payload(const Words& words) {
  std::string out = TestFolder() + "/payload";
  ProgramRun run = RunWith({"extract", "-o", out}, words);
  EXPECT_EQ(run.status, 0) << run.errors;
  return Sha256(ReadTestFile(out));
}

// Compression and libvirt

TEST(WrapperTest, EveryCompressionIsSeenFromAFileAndAPipe) {
  std::string bytes = ReadCapture(GetCapture("s72-precopy"));
  for (Compression compression : {Compression::kGzip, Compression::kBzip2,
                                  Compression::kXz, Compression::kZstd}) {
    std::string packed = CompressBytes(compression, bytes);
    std::string path = WriteTestFile("packed", packed);
    EXPECT_EQ(RunProgram({"check", path}).status, 0) << ToString(compression);
    ProgramRun run = RunProgram({"check", "-"}, {.feed = [&](int fd) {
                                  WriteAll(fd, packed.data(), packed.size());
                                }});
    EXPECT_EQ(run.status, 0) << run.output << run.errors;
    EXPECT_EQ(Payload({path}),
              GetCapture("s72-precopy").devices(0).payload_sha256());
  }
}

TEST(WrapperTest, ALibvirtSaveIsReadByEveryVerb) {
  const testdata::Capture& capture = GetCapture("s72-precopy");
  std::string bytes = ReadCapture(capture);
  for (auto [format, compression] :
       {std::pair(0, Compression::kNone), std::pair(1, Compression::kGzip),
        std::pair(2, Compression::kBzip2), std::pair(3, Compression::kXz),
        std::pair(5, Compression::kZstd)}) {
    LibvirtBytes save = {.format = static_cast<uint32_t>(format)};
    std::string path =
        WriteTestFile("vm.save", save.File(CompressBytes(compression, bytes)));
    report::Report report = Inspect({path});
    EXPECT_TRUE(report.complete());
    EXPECT_EQ(report.bytes(), bytes.size());
    EXPECT_EQ(report.libvirt().version(), 2);
    EXPECT_TRUE(report.libvirt().was_running());
    EXPECT_EQ(report.libvirt().xml_bytes(), 9);
    EXPECT_EQ(report.stream_offset(), format == 0 ? 92 + 10 : 0);
    EXPECT_EQ(RunProgram({"check", path}).status, 0);
    EXPECT_EQ(Payload({path}), capture.devices(0).payload_sha256());
    std::string out = TestFolder() + "/out";
    EXPECT_EQ(RunProgram({"repack", path, "-o", out}).status, 0);
    EXPECT_TRUE(ReadTestFile(out) == bytes);
  }
}

TEST(WrapperTest, TheDomainsXmlIsShownOnlyOnDemand) {
  LibvirtBytes save = {.format = 4, .xml = "<domain>secret</domain>"};
  std::string path = WriteTestFile("vm.save", save.File("lzop's"));
  ProgramRun run =
      RunProgram({"extract", "--what=libvirt-xml", path, "-o", "-"});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_EQ(run.output, save.xml) << "what is behind it does not matter";

  save.format = 0;
  path =
      WriteTestFile("vm.save", save.File(ReadCapture(GetCapture("s72-plain"))));
  for (const char* format : {"text", "json", "textproto"}) {
    run = RunProgram({"inspect", path, "--format", format});
    EXPECT_EQ(run.status, 0);
    EXPECT_EQ(run.output.find("secret"), std::string::npos);
  }
  run = RunProgram({"extract", "--what=libvirt-xml",
                    CapturePath(GetCapture("s72-two")), "-o", "-"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("is not a libvirt save file"));
}

TEST(WrapperTest, AFileThatLibvirtNeverFinishedIsAFinding) {
  LibvirtBytes save = {.magic = "LibvirtQemudPart"};
  std::string path = WriteTestFile(
      "vm.save", save.File(ReadCapture(GetCapture("s72-precopy"))));
  ProgramRun run = RunProgram({"check", path});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("libvirt never finished this file"));
  EXPECT_THAT(RunProgram({"inspect", path}).output, HasSubstr("NOT FINISHED"));
}

TEST(WrapperTest, AWrapperThatCannotBeReadIsExitStatus2) {
  for (const std::string& bytes :
       {LibvirtBytes{.version = 3}.File(""), LibvirtBytes{.format = 9}.File(""),
        LibvirtBytes{.format = 4}.File("x"), LibvirtBytes{}.Header(),
        LibvirtBytes{.format = 5}.File("no zstd")}) {
    std::string path = WriteTestFile("vm.save", bytes);
    ProgramRun run = RunProgram({"check", path});
    EXPECT_EQ(run.status, 2) << run.output;
    EXPECT_THAT(run.errors, StartsWith("migstream: " + path + ":"));
    EXPECT_EQ(std::count(run.errors.begin(), run.errors.end(), '\n'), 1);
  }
}

TEST(WrapperTest, TheWindowIsALimitThatCanBeRaised) {
  std::string path =
      WriteTestFile("x.xz", XzBytes(ReadCapture(GetCapture("s72-two")), 7));
  ProgramRun run = RunProgram({"check", path});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("the limit is"));
  EXPECT_THAT(run.errors, HasSubstr("; --window=16 allows"));
  EXPECT_EQ(RunProgram({"check", path, "--window=16"}).status, 0);
  for (const char* value : {"0", "4097", "x", "-1"}) {
    run = RunProgram({"check", path, StrCat("--window=", value)});
    EXPECT_EQ(run.status, 2);
    EXPECT_THAT(run.errors,
                HasSubstr("--window is a number of MiB from 1 to 4096"));
  }
}

// Offsets

TEST(OffsetTest, EveryVerbLeavesOutWhatStandsBefore) {
  const testdata::Capture& capture = GetCapture("s72-precopy");
  std::string bytes = ReadCapture(capture);
  std::string path = WriteTestFile("x", std::string(300, 'x') + bytes);
  EXPECT_EQ(RunProgram({"check", path, "--offset=300"}).status, 0);
  EXPECT_EQ(Payload({path, "--offset=0x12c"}),
            capture.devices(0).payload_sha256());
  std::string out = TestFolder() + "/out";
  EXPECT_EQ(RunProgram({"repack", path, "--offset=300", "-o", out}).status, 0);
  EXPECT_TRUE(ReadTestFile(out) == bytes);
  report::Report report = Inspect({path, "--offset=300"});
  EXPECT_EQ(report.stream_offset(), 300);
  EXPECT_EQ(report.bytes(), bytes.size());
  EXPECT_EQ(report.devices(0).config().offset() - 300,
            Inspect({CapturePath(capture)}).devices(0).config().offset())
      << "offsets are those of the file";

  ProgramRun run = RunProgram({"check", path, "--offset=301"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr(":0x12d: header: not a migration stream"));
  run = RunProgram({"check", path, "--offset=1000000000"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("input ends before the offset"));
  run = RunProgram({"check", path, "--offset=ten"});
  EXPECT_THAT(run.errors, HasSubstr("--offset is a number of bytes"));
}

TEST(OffsetTest, IsThatOfTheMainChannelOnly) {
  Words files;
  for (const testdata::File& file : GetCapture("s100-multifd").files()) {
    files.push_back(StrCat("testdata/captures/", file.file(), ".zst"));
  }
  files[0] = WriteTestFile(
      "main", std::string(100, 'x') + ReadCapture(GetCapture("s100-multifd")));
  ProgramRun run = RunWith({"check", "--offset=100"}, files);
  EXPECT_EQ(run.status, 0) << run.output << run.errors;
}

// Beside a stream

TEST(SideTest, AReturnPathIsListedAloneAndBesideItsStream) {
  std::string path = "testdata/captures/s111-switchover-ack.ch0.return.zst";
  ProgramRun run = RunProgram({"inspect", path});
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(run.output, path +
                            ": return path of a QEMU migration, 3 messages\n"
                            "  0x0          PONG 1\n"
                            "  0x8          SWITCHOVER_ACK\n"
                            "  0xc          SHUT 0\n");
  run = RunProgram(
      {"inspect", path, CapturePath(GetCapture("s111-switchover-ack"))});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.output,
              HasSubstr("return path  PONG 1, SWITCHOVER_ACK, SHUT 0\n"));
  report::Report report = Inspect({path});
  EXPECT_EQ(report.return_paths(0).messages(1).name(), "SWITCHOVER_ACK");
  EXPECT_EQ(report.return_paths(0).messages(2).value(), 0);
  EXPECT_TRUE(report.return_paths(0).complete());
}

TEST(SideTest, ADamagedReturnPathIsShownAsFarAsItGoes) {
  std::string bytes =
      Be16Bytes(2) + Be16Bytes(4) + Be32Bytes(1) + Be16Bytes(9) + Be16Bytes(0);
  std::string path = WriteTestFile("return", bytes);
  ProgramRun run = RunProgram({"inspect", path});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("damaged, 1 message\n"));
  EXPECT_THAT(run.errors, HasSubstr(":0x8: return path: unknown message 0x9"));
}

TEST(SideTest, CprStateIsNamedForWhatItIs) {
  std::string bytes = "QCPR" + Be32Bytes(1) + "\1" + Be32Bytes(7) + "memory" +
                      std::string(1, '\0') + Be32Bytes(4) + " " +
                      std::string(1, '\0');
  std::string path = WriteTestFile("cpr", bytes);
  ProgramRun run = RunProgram({"inspect", path});
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(run.output, path +
                            ": QEMU CPR state, 1 descriptor, 0 VFIO devices\n"
                            "  0x8          memory, id 4\n");
  run = RunProgram({"check", path});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("a CPR state file"));
}

// Channels in any order, one missing, one twice

class ChannelSetTest : public testing::TestWithParam<testdata::Capture> {
 protected:
  Words Files() const {
    Words files;
    for (const testdata::File& file : GetParam().files()) {
      files.push_back(StrCat("testdata/captures/", file.file(), ".zst"));
    }
    return files;
  }
  // Which are multifd channels.
  std::vector<size_t> Channels() const {
    std::vector<size_t> channels;
    for (size_t i = 1; i < Files().size(); ++i) {
      if (Files()[i].find(".return") == std::string::npos) {
        channels.push_back(i);
      }
    }
    return channels;
  }
  // The verbs that take channels, as called for the first device.
  std::vector<Words> Verbs() const {
    std::vector<Words> verbs = {{"check"}, {"inspect"}};
    if (GetParam().devices_size() > 0) {
      verbs.push_back({"extract", "--device", GetParam().devices(0).idstr(),
                       "-o", TestFolder() + "/out", "--force"});
    }
    return verbs;
  }
};

TEST_P(ChannelSetTest, OneMissingGivesTheRightResultOrSaysWhatIsMissing) {
  for (size_t missing : Channels()) {
    Words files = Files();
    files.erase(files.begin() + static_cast<ptrdiff_t>(missing));
    for (const Words& verb : Verbs()) {
      ProgramRun run = RunWith(verb, files);
      if (run.status == 0 && verb[0] == "extract") {
        EXPECT_EQ(Sha256(ReadTestFile(verb[4])),
                  GetParam().devices(0).payload_sha256());
      } else if (run.status != 0) {
        EXPECT_EQ(run.status, 1) << verb[0];
        EXPECT_THAT(run.output + run.errors,
                    AnyOf(HasSubstr("is missing"), HasSubstr("not given"),
                          HasSubstr("in the channels given")))
            << verb[0] << " without " << Files()[missing];
      }
    }
  }
}

TEST_P(ChannelSetTest, OneTwiceIsSaid) {
  for (size_t twice : Channels()) {
    Words files = Files();
    files.insert(files.begin(), files[twice]);
    for (const Words& verb : Verbs()) {
      ProgramRun run = RunWith(verb, files);
      // Whoever needs no channel reads none.
      if (verb[0] == "extract" && run.status == 0) {
        EXPECT_EQ(Sha256(ReadTestFile(verb[4])),
                  GetParam().devices(0).payload_sha256());
        continue;
      }
      EXPECT_EQ(run.status, 1) << verb[0];
      EXPECT_THAT(run.output + run.errors, HasSubstr("channel id "));
      EXPECT_THAT(run.output + run.errors, HasSubstr(files[0]));
    }
  }
}

TEST_P(ChannelSetTest, TheMainChannelHasToBeThereOnce) {
  Words files = Files();
  files.push_back(files[0]);
  for (const Words& verb : Verbs()) {
    ProgramRun run = RunWith(verb, files);
    EXPECT_EQ(run.status, 2);
    EXPECT_THAT(run.errors, HasSubstr("is a second main channel"));
  }
  files = Files();
  files.erase(files.begin());
  for (const Words& verb : Verbs()) {
    ProgramRun run = RunWith(verb, files);
    EXPECT_EQ(run.status, 2);
    EXPECT_THAT(run.errors, HasSubstr("there is no main channel"));
  }
}

TEST_P(ChannelSetTest, AChannelThatCannotBeReadIsExitStatus2) {
  size_t last = Channels().back();
  std::string packed = ReadTestFile(Files()[last]);
  std::string damaged = packed;
  damaged[packed.size() / 2] ^= 0x55;
  for (const std::string& bytes :
       {packed.substr(0, packed.size() - 1), damaged}) {
    Words files = Files();
    files[last] = WriteTestFile("channel.zst", bytes);
    for (const Words& verb : Verbs()) {
      ProgramRun run = RunWith(verb, files);
      if (verb[0] == "extract" && run.status == 0) continue;  // Not needed.
      EXPECT_EQ(run.status, 2) << verb[0] << run.output;
      EXPECT_THAT(run.errors, StartsWith("migstream: " + files[last] + ":"));
      EXPECT_THAT(run.errors, HasSubstr("zstd: "));
      EXPECT_EQ(std::count(run.errors.begin(), run.errors.end(), '\n'), 1);
    }
  }
}

TEST_P(ChannelSetTest, WhatIsNoChannelIsSaidToBeNone) {
  Words files = Files();
  files.push_back(WriteTestFile("text", "hello, world\n"));
  for (const Words& verb : Verbs()) {
    ProgramRun run = RunWith(verb, files);
    EXPECT_EQ(run.status, 2);
    EXPECT_THAT(run.errors, StartsWith("migstream: " + files.back() +
                                       ": not a migration stream"));
  }
}

std::vector<testdata::Capture> MultifdCaptures() {
  std::vector<testdata::Capture> captures;
  for (const testdata::Capture& capture : AllCaptures()) {
    for (const testdata::File& file : capture.files()) {
      if (file.file().find(".ch1.qvm") != std::string::npos) {
        captures.push_back(capture);
      }
    }
  }
  return captures;
}

INSTANTIATE_TEST_SUITE_P(All, ChannelSetTest,
                         testing::ValuesIn(MultifdCaptures()), CaptureName());

TEST(ContainerTest, ADamagedOneIsNamedBeforeWhatItDamages) {
  std::string bytes = ReadCapture(GetCapture("s72-two"));
  // As a decompressor gives bytes of a damaged block, before it meets the
  // checksum.
  std::string damaged = bytes;
  damaged[damaged.find("/vfio") + 5 + 8 + 7] ^= 0x40;  // The SETUP tag.
  for (Compression compression : {Compression::kGzip, Compression::kZstd}) {
    std::string packed = compression == Compression::kGzip ? GzipBytes(damaged)
                                                           : ZstdBytes(damaged);
    for (bool sound : {true, false}) {
      if (!sound) packed[packed.size() - 2] ^= 1;  // Of length or checksum.
      std::string path = WriteTestFile("packed", packed);
      for (std::vector<std::string> words :
           {std::vector<std::string>{"check", path},
            {"check", "--for=7.2", path},
            {"inspect", path},
            {"extract", path, "--device=0000:00:05.0/vfio", "-o", "-"},
            {"repack", path, "-o", "-"},
            {"stats", path},
            {"diff", path, path}}) {
        ProgramRun run = RunProgram(words);
        EXPECT_NE(run.status, 0) << words[0];
        // `check` has it among its findings.
        const std::string said = run.errors.empty() ? run.output : run.errors;
        const std::string first = said.substr(0, said.find('\n'));
        EXPECT_EQ(first.find(StrCat(ToString(compression), ": ")) !=
                      std::string::npos,
                  !sound)
            << words[0] << said;
      }
    }
  }
}

// It has no magic, and begins with a page that names its block.
TEST(InputsTest, APreemptChannelStandsBesideAStream) {
  const std::string main = "testdata/captures/s111-plain.qvm.zst";
  const std::string channel = WriteTestFile(
      "vm.preempt",
      StrCat(std::string("\0\0\0\0\0\x01\x20\x08", 8), "\x06pc.ram",
             std::string(4096, 'p'), std::string("\0\0\0\0\0\0\0\x10", 8)));
  const ProgramRun beside = RunProgram({"inspect", channel, main});
  EXPECT_EQ(beside.status, 0) << beside.errors;
  EXPECT_THAT(beside.output,
              HasSubstr("preempt      1 page, 0 zero: pc.ram 1"));
  // It says nothing of the devices.
  EXPECT_EQ(RunProgram({"check", channel, main}).output,
            RunProgram({"check", main}).output);

  const ProgramRun alone = RunProgram({"inspect", channel});
  EXPECT_EQ(alone.status, 0) << alone.errors;
  EXPECT_THAT(alone.output, HasSubstr("postcopy-preempt channel of a QEMU"));
  EXPECT_THAT(RunProgram({"check", channel}).errors,
              HasSubstr("not the main channel: give that file as well"));
  const ProgramRun map = RunProgram({"inspect", "--map", channel});
  EXPECT_EQ(map.status, 0) << map.errors;
  EXPECT_THAT(map.output, HasSubstr(": 4119 bytes\n"));
  EXPECT_THAT(map.output, HasSubstr("preempt page"));
}

TEST(InputsTest, APreemptChannelIsPartOfASet) {
  const std::string set = TestFolder() + "/set";
  auto write = [&set](const char* ending, const std::string& bytes) {
    std::ofstream(set + ending, std::ios::binary) << bytes;
  };
  const std::string eos("\0\0\0\0\0\0\0\x10", 8);
  write(".qvm", ReadDecompressed("testdata/captures/s111-plain.qvm.zst"));
  write(".preempt", eos);
  const ProgramRun inspect = RunProgram({"inspect", set});
  EXPECT_EQ(inspect.status, 0) << inspect.errors;
  EXPECT_THAT(inspect.output, HasSubstr("preempt      0 pages, 0 zero\n"));
  EXPECT_EQ(RunProgram({"check", set}).status, 0);
  EXPECT_THAT(RunProgram({"inspect", "--map", set}).output,
              HasSubstr("set.preempt: 8 bytes\n"));
  // What is damaged is said, with its place.
  write(".preempt", eos.substr(0, 7) + "\x08\x01r");
  const ProgramRun cut = RunProgram({"inspect", set});
  EXPECT_EQ(cut.status, 1);
  EXPECT_THAT(cut.errors, HasSubstr("set.preempt:0xa: preempt channel: "));
}

// Its pages are the guest's, like those of the main channel.
TEST(InputsTest, PagesOfAPreemptChannelAreExtracted) {
  constexpr size_t kPage = 4096, kAt = 0x12000;
  const std::string set = TestFolder() + "/preempted";
  const std::string page = StrCat(std::string("\0\0\0\0\0\x01\x20\x08", 8),
                                  "\x06pc.ram", std::string(kPage, 'p'));
  const std::string outside = StrCat(std::string("\0\0\1\0\0\0\0\x08", 8),
                                     "\x06pc.ram", std::string(kPage, 'p'));
  const std::string eos("\0\0\0\0\0\0\0\x10", 8);
  auto write = [&set](const char* ending, const std::string& bytes) {
    std::ofstream(set + ending, std::ios::binary) << bytes;
  };
  const std::string out = TestFolder() + "/pages";
  auto extract = [&] {
    return RunProgram({"extract", set, "--ram=pc.ram", "--force", "-o", out});
  };
  write(".qvm", ReadDecompressed("testdata/captures/s111-plain.qvm.zst"));
  EXPECT_EQ(extract().status, 0);
  std::string expected = ReadTestFile(out);
  expected.replace(kAt, kPage, kPage, 'p');

  write(".preempt", page + eos);
  const ProgramRun whole = extract();
  EXPECT_EQ(whole.status, 0) << whole.errors;
  EXPECT_TRUE(ReadTestFile(out) == expected);
  const std::string folder = TestFolder() + "/all";
  const ProgramRun all =
      RunProgram({"extract", "--all", set, "--force", "-o", folder});
  EXPECT_EQ(all.status, 0) << all.errors;
  EXPECT_TRUE(ReadTestFile(folder + "/pc.ram.ram") == expected);

  // What came is used if the channel is cut.
  write(".preempt", page + eos.substr(0, 3));
  const ProgramRun cut = extract();
  EXPECT_EQ(cut.status, 1);
  EXPECT_THAT(cut.errors,
              HasSubstr("preempted.preempt:0x100f: preempt channel: "
                        "input ends in a RAM record"));
  EXPECT_TRUE(ReadTestFile(out) == expected);

  write(".preempt", outside + eos);
  const ProgramRun wrong = extract();
  EXPECT_EQ(wrong.status, 1);
  EXPECT_THAT(
      wrong.errors,
      HasSubstr("preempted.preempt:0x0: ram: a page at 0x10000000000 is "
                "outside RAM block 'pc.ram'"));
}

TEST(InputsTest, WhatIsCompressedTwiceIsNamed) {
  const std::string once = ZstdBytes(HeaderBytes() + EofBytes());
  EXPECT_EQ(RunProgram({"check", WriteTestFile("once", once)}).status, 0);
  const ProgramRun run =
      RunProgram({"check", WriteTestFile("twice", GzipBytes(once))});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("decompress it with zstd -d once"));
}

}  // namespace
}  // namespace migstream
