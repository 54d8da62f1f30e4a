// What is inside payloads, as the program tells it: in streams and without.

#include <string>
#include <vector>

#include "codec/io/compress_bytes.h"
#include "codec/payload/formats.h"
#include "codec/report/payload_stream.h"
#include "codec/report/report.pb.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "inspect/run_program.h"
#include "testdata/payloads.h"

namespace migstream {
namespace {

using testdata::Payload;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr char kRealMtty[] = "testdata/real_driver/r100-mtty.qvm.zst";

std::string PathOf(std::string_view name) {
  return StrCat("testdata/payloads/", name, ".bin");
}

std::string RunDriver(const Payload& truth) {
  return StrCat("--payload=", truth.driver());
}

// The files of a stream that carries a payload, the main channel first.
std::vector<std::string> StreamFiles(const Payload& truth,
                                     recipe::Dialect dialect) {
  Generated stream = PayloadStream(truth, dialect, 300);
  std::vector<std::string> files = {
      WriteTestFile("main.qvm", stream.main.bytes)};
  for (const MarkedBytes& channel : stream.channels) {
    files.push_back(WriteTestFile("channel.qvm", channel.bytes));
  }
  return files;
}

report::Report Json(std::vector<std::string> words) {
  words.insert(words.begin(), {"inspect", "--format=json"});
  ProgramRun run = RunProgram(words);
  EXPECT_NE(run.status, 2) << run.errors;
  report::Report report;
  auto status =
      google::protobuf::util::JsonStringToMessage(run.output, &report);
  EXPECT_TRUE(status.ok()) << status.ToString();
  return report;
}

// Without what only a stream or an id tells.
std::string Inside(report::Payload payload) {
  payload.clear_pci_ids();
  payload.clear_device();
  payload.clear_needs();
  payload.clear_summary();
  for (report::PayloadRecord& record : *payload.mutable_records()) {
    record.clear_stream_offset();
    record.clear_file();
    for (report::PayloadField& field : *record.mutable_fields()) {
      field.clear_stream_offset();
      field.clear_file();
    }
  }
  auto& findings = *payload.mutable_findings();
  for (int i = findings.size(); i-- > 0;) {
    if (findings[i].id() == "payload-device") findings.DeleteSubrange(i, 1);
  }
  return payload.DebugString();
}

class PayloadProgramTest : public testing::TestWithParam<Payload> {};

TEST_P(PayloadProgramTest, TellsTheSameOfItInAStreamAndBare) {
  const Payload& truth = GetParam();
  report::Report in_stream = Json(StreamFiles(truth, recipe::V111M));
  ASSERT_EQ(in_stream.devices_size(), 1);
  report::Report bare = Json({PathOf(truth.name()), RunDriver(truth),
                              StrCat("--split=", truth.phase_split())});
  EXPECT_EQ(Inside(in_stream.devices(0).payload()), Inside(bare.payload()));
  EXPECT_EQ(bare.payload().driver(), truth.driver());
}

TEST_P(PayloadProgramTest, ShowsItIn80Columns) {
  const Payload& truth = GetParam();
  ProgramRun run = RunProgram(
      {"inspect", "--records", PathOf(truth.name()), RunDriver(truth)});
  EXPECT_NE(run.status, 2) << run.errors;
  std::vector<std::string_view> lines = Split(run.output, '\n');
  EXPECT_GT(lines.size(), 4);
  for (size_t i = 1; i < lines.size(); ++i) {
    EXPECT_LE(lines[i].size(), 80) << lines[i];
  }
}

INSTANTIATE_TEST_SUITE_P(Payloads, PayloadProgramTest,
                         testing::ValuesIn(AllPayloads()), PayloadName());

TEST(PayloadProgramTest, InspectHasABlockForEachDevice) {
  EXPECT_THAT(
      RunProgram({"inspect", kRealMtty}).output,
      EndsWith(
          "\n0000:00:05.0/vfio payload\n"
          "  driver      mtty (4348:3253 sample serial ports; bytes agree)\n"
          "  generation  1.0: needs mtty >= 6.7 on the destination; as many "
          "ports, 2\n"
          "  port0       count 4, head 4, tail 0, divisor 12, fcr 0x1, "
          "intr_trigger_level 1\n"
          "  port1       count 4, head 4, tail 0, divisor 12, fcr 0x1, "
          "intr_trigger_level 1\n"
          "  pre-copy    24 bytes\n"
          "  stop-copy   72 bytes\n"
          "  records     3, complete to the last byte\n"));
}

TEST(PayloadProgramTest, RecordsOfTheDriverAreListedOnDemand) {
  EXPECT_THAT(
      RunProgram({"inspect", "--records", kRealMtty}).output,
      EndsWith(
          "  OFFSET  IN STREAM  PHASE      BYTES  RECORD\n"
          "  0x0     0x1784c    pre-copy      24  header\n"
          "      magic 0x7e9d09898c3e2c4e, major_ver 1, minor_ver 0, nr_ports "
          "2, flags 0x0\n"
          "  0x18    0x1789d    stop-copy     36  port0\n"
          "      head 4, tail 0, count 4, dlab 0, overrun 0, divisor 12, fcr "
          "0x1,\n"
          "      max_fifo_size 16, intr_trigger_level 1\n"
          "  0x3c    0x178c1    stop-copy     36  port1\n"
          "      head 4, tail 0, count 4, dlab 0, overrun 0, divisor 12, fcr "
          "0x1,\n"
          "      max_fifo_size 16, intr_trigger_level 1\n"));
}

TEST(PayloadProgramTest, BytesOfBuffersAreNeverShown) {
  for (const char* format : {"text", "json", "textproto"}) {
    ProgramRun run = RunProgram(
        {"inspect", "--records", kRealMtty, StrCat("--format=", format)});
    EXPECT_THAT(run.output, Not(HasSubstr("stre\\"))) << format;
    EXPECT_THAT(run.output, Not(HasSubstr("65727473"))) << format;
  }
  report::Report report = Json({kRealMtty});
  for (const report::PayloadField& field :
       report.devices(0).payload().records(1).fields()) {
    if (field.name() != "fifo") continue;
    EXPECT_EQ(field.bytes(), 16);
    EXPECT_FALSE(field.has_value());
    EXPECT_EQ(field.text(), "");
  }
}

TEST(PayloadProgramTest, CheckSaysWhatIsWrongInsideAndWhatTheKernelDoes) {
  std::vector<std::string> files =
      StreamFiles(GetPayload("mtty-bad-minor"), recipe::V111);
  ProgramRun run = RunProgram({"check", files[0]});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, StartsWith(StrCat(files[0], ":0x")));
  EXPECT_THAT(
      run.output,
      HasSubstr(": 0000:00:02.0/vfio payload 0xc: error: version 1.1; every "
                "kernel up to 7.3 wants exactly 1.0; the kernel refuses it at "
                "the write: EFAULT, \"failed validation\" "
                "[payload-version]\n"));
  EXPECT_EQ(RunProgram({"check", kRealMtty}).status, 0);
  EXPECT_THAT(RunProgram({"check", kRealMtty}).output,
              HasSubstr(": verdict: sound; data and config whole: "));
}

TEST(PayloadProgramTest, TheListHasWhatTheKernelDoes) {
  EXPECT_THAT(RunProgram({"check", "--list"}).output,
              AllOf(HasSubstr("payload-no-final  "),
                    HasSubstr("; the kernel accepts\n"),
                    HasSubstr("error or warning")));
}

TEST(PayloadProgramTest, AKernelsDriversAreAsked) {
  std::vector<std::string> mlx5 =
      StreamFiles(GetPayload("mlx5-precopy"), recipe::V111M);
  auto ask = [&](const std::string& destination) {
    std::vector<std::string> words = {"check", StrCat("--for=", destination)};
    words.insert(words.end(), mlx5.begin(), mlx5.end());
    return RunProgram(words);
  };
  ProgramRun takes = ask("linux-6.12");
  EXPECT_EQ(takes.status, 0);
  EXPECT_EQ(takes.output,
            StrCat(mlx5[0],
                   ": 0000:00:02.0/vfio: linux-6.12: mlx5_vfio_pci "
                   "takes it; not in the stream: firmware, PSID and "
                   "capabilities, which must match\n"));
  ProgramRun refuses = ask("mlx5:6.2");
  EXPECT_EQ(refuses.status, 1);
  EXPECT_THAT(
      refuses.output,
      AllOf(StartsWith(StrCat(mlx5[0], ":0x")),
            EndsWith(": 0000:00:02.0/vfio payload 0x0: linux-6.2: "
                     "mlx5_vfio_pci refuses it at the write: "
                     "EOPNOTSUPP; reads flags and tag as one number\n")));
  EXPECT_EQ(ask("linux-5.10").status, 1);
  EXPECT_EQ(ask("xe:6.1").output,
            StrCat(mlx5[0], ": no payload of a driver that is asked\n"));
  for (const char* wrong : {"linux-", "linux-6", "6.12", "mlx5:", "nobody:6.1",
                            "mlx5:linux", "linux-x.y"}) {
    ProgramRun run = ask(wrong);
    EXPECT_EQ(run.status, 2) << wrong;
    EXPECT_THAT(run.errors, HasSubstr("linux-6.12, mlx5:6.1"));
  }
}

TEST(PayloadProgramTest, AKernelIsAskedAboutABarePayloadToo) {
  ProgramRun run = RunProgram({"check", "--payload=hisi_acc",
                               "--for=linux-6.12", PathOf("hisi-v2-zip")});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("failed to match ACC_DEV_MAGIC"));
  run = RunProgram({"check", "--payload=hisi_acc", "--for=qemu-10.0",
                    PathOf("hisi-v2-zip")});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("asks about a stream"));
}

// A stream of one port does not load into a device of two: -14.
TEST(PayloadProgramTest, ALoaderTakesItIfTheDriverDoes) {
  for (recipe::Dialect dialect : {recipe::V111, recipe::V111M}) {
    std::vector<std::string> words =
        StreamFiles(GetPayload("mtty-1port"), dialect);
    std::string given =
        StrCat(words[0],
               ": given 0000:00:02.0/vfio: a driver that takes its "
               "payload, mtty >= 6.7 with as many ports, 1\n");
    words.insert(words.begin(), {"check", "--for=qemu-11.1"});
    EXPECT_THAT(RunProgram(words).output, HasSubstr(given));
  }
  std::vector<std::string> bad =
      StreamFiles(GetPayload("mtty-bad-minor"), recipe::V111);
  EXPECT_THAT(RunProgram({"check", "--for=qemu-11.1", bad[0]}).output,
              HasSubstr("; linux-7.3: mtty refuses it at the write: EFAULT"));
}

TEST(PayloadProgramTest, ABarePayloadComesFromAFileAPipeOrCompressed) {
  std::string bytes = ReadPayload(GetPayload("mtty-2port"));
  std::string file = WriteTestFile("payload", bytes);
  ProgramRun run = RunProgram({"inspect", "--payload=mtty", file});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.output,
              StartsWith(StrCat(
                  file, ": payload of a VFIO device, complete, 96 bytes\n")));
  auto feed = [&](int fd) { WriteAll(fd, bytes.data(), bytes.size()); };
  ProgramRun piped = RunProgram({"inspect", "--payload", "-"}, {.feed = feed});
  EXPECT_EQ(piped.output.substr(1), run.output.substr(file.size()));
  std::string packed = WriteTestFile("payload.zst", ZstdBytes(bytes, 3));
  EXPECT_EQ(
      RunProgram({"inspect", "--payload", packed}).output.substr(packed.size()),
      run.output.substr(file.size()));
}

TEST(PayloadProgramTest, PhasesAreToldOnlyWhereTheyAreKnown) {
  std::string file = PathOf("mtty-2port");
  EXPECT_THAT(RunProgram({"inspect", "--payload=mtty", file}).output,
              Not(HasSubstr("pre-copy")));
  EXPECT_THAT(
      RunProgram({"inspect", "--payload=mtty", "--split=24", file}).output,
      HasSubstr("  pre-copy    24 bytes\n  stop-copy   72 bytes\n"));
  ProgramRun early =
      RunProgram({"check", "--payload=mtty", "--split=60", file});
  EXPECT_EQ(early.status, 1);
  EXPECT_THAT(early.output, HasSubstr("[payload-phase]"));
  ProgramRun beyond =
      RunProgram({"inspect", "--payload=mtty", "--split=97", file});
  EXPECT_EQ(beyond.status, 2);
  EXPECT_THAT(beyond.errors, HasSubstr("only 96 bytes, and --split=97"));
  EXPECT_EQ(RunProgram({"inspect", "--split=1", file}).status, 2);
}

TEST(PayloadProgramTest, WhatIsNoPayloadIsSaidSo) {
  std::string hisi = PathOf("hisi-v2-zip");
  ProgramRun other = RunProgram({"check", "--payload=mtty", hisi});
  EXPECT_EQ(other.status, 1);
  EXPECT_THAT(other.output, HasSubstr("the bytes are not mtty's"));
  ProgramRun stream = RunProgram({"check", "--payload", kRealMtty});
  EXPECT_EQ(stream.status, 2);
  EXPECT_THAT(stream.errors, HasSubstr("is a migration stream"));
  ProgramRun folder = RunProgram({"inspect", "--payload=mlx5", "testdata"});
  EXPECT_EQ(folder.status, 2);
  EXPECT_THAT(folder.errors, HasSubstr("is a directory"));
  EXPECT_EQ(RunProgram({"inspect", "--payload=mlx5", "nothing"}).status, 2);
  EXPECT_EQ(RunProgram({"inspect", "--payload", hisi, hisi}).status, 2);
  EXPECT_EQ(RunProgram({"inspect", "--payload", "--state", hisi}).status, 2);
  std::string empty = WriteTestFile("empty", "");
  ProgramRun nothing = RunProgram({"check", "--payload=mlx5", empty});
  EXPECT_EQ(nothing.status, 1);
  EXPECT_THAT(nothing.output, HasSubstr("no byte of payload"));
  EXPECT_EQ(RunProgram({"inspect", "--payload", PathOf("mlx5-bad-cut")}).status,
            1);
  std::string noise = WriteTestFile("noise", std::string(100, 'x'));
  ProgramRun opaque = RunProgram({"check", "--payload", noise});
  EXPECT_EQ(opaque.status, 0);
  EXPECT_THAT(opaque.output, HasSubstr("[payload-opaque]"));
}

TEST(PayloadProgramTest, TextThatADriverPrintsIsRead) {
  std::string bytes = ReadPayload(GetPayload("hisi-v2-zip"));
  std::string text;
  for (size_t at = 0; at < 144; at += 16) {
    StrAppend(&text, "Mig Data:", Hex(at, 8).substr(2), ":");
    for (char c : bytes.substr(at, 16)) {
      StrAppend(&text, " ", Hex(static_cast<uint8_t>(c), 2).substr(2));
    }
    StrAppend(&text, "\n");
  }
  std::string file = WriteTestFile("migf_data", text);
  ProgramRun run = RunProgram({"inspect", "--payload", file});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.output,
              AllOf(StartsWith(StrCat(file,
                                      ": text that a driver printed, Mig "
                                      "Data (debugfs)\n")),
                    HasSubstr("qp_num 16, dev_id 0xa251"),
                    HasSubstr("  records     2; more is not in what was "
                              "given\n")));
  EXPECT_THAT(RunProgram({"check", "--payload", file}).output,
              HasSubstr(": verdict: sound, as far as "));
  EXPECT_EQ(RunProgram({"check", "--payload=xe", file}).status, 2);
}

}  // namespace
}  // namespace migstream
