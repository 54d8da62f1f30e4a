// A payload in a stream is the payload: every sample, in streams of three
// dialects, gives what it gives without a stream around it.

#include "codec/report/payload_rows.h"

#include <string>
#include <vector>

#include "codec/channels/memory_channels.h"
#include "codec/io/byte_source.h"
#include "codec/io/open_stream.h"
#include "codec/payload/formats.h"
#include "codec/payload/report_lines.h"
#include "codec/report/payload_file.h"
#include "codec/report/payload_stream.h"
#include "codec/report/report.pb.h"
#include "codec/report/report_builder.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testdata/payloads.h"

namespace migstream {
namespace {

using testdata::Payload;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Reads a stream that was generated; the payload of its only device as lines,
// if `lines` is given.
report::Report Read(const Generated& stream,
                    std::vector<std::string>* lines = nullptr) {
  MemorySource source(AsBytes(stream.main.bytes));
  MemoryChannels channels;
  for (const MarkedBytes& channel : stream.channels) {
    channels.Add(AsBytes(channel.bytes));
  }
  ReportOptions options;
  options.on_payload = [&](const std::string&, const PayloadReport& payload,
                           const std::vector<std::string>&) {
    if (lines != nullptr) *lines = ReportLines(payload);
  };
  report::Report report;
  Error error = BuildReport(source, channels.given(), options, report);
  EXPECT_TRUE(error.ok()) << ToString(error);
  return report;
}

std::vector<std::string> PayloadFindingsOf(const report::Report& report) {
  std::vector<std::string> found;
  for (const report::Finding& finding : report.findings()) {
    if (!finding.id().starts_with("payload-")) continue;
    found.push_back(StrCat(finding.severity(), " ", finding.id()));
  }
  return found;
}

class PayloadInStreamTest : public testing::TestWithParam<Payload> {};

TEST_P(PayloadInStreamTest, IsWhatItIsWithoutOne) {
  const Payload& truth = GetParam();
  const std::string bytes = ReadPayload(truth);
  PayloadReport bare =
      TallyInPieces(AsBytes(bytes), IdOf(truth), truth.phase_split(), 1 << 20);
  for (recipe::Dialect dialect : {recipe::V80, recipe::V111, recipe::V111M}) {
    for (size_t piece : {50, 4096}) {
      SCOPED_TRACE(StrCat(recipe::Dialect_Name(dialect), " ", piece));
      Generated stream = PayloadStream(truth, dialect, piece);
      std::vector<std::string> lines;
      report::Report report = Read(stream, &lines);
      EXPECT_EQ(lines, ReportLines(bare));
      report::Report without;
      AddPayloadFindings(bare, {}, "", without);
      EXPECT_EQ(PayloadFindingsOf(report), PayloadFindingsOf(without));
    }
  }
}

// The byte of the stream that a row says it is at.
template <typename Row>
uint8_t ByteAt(const Generated& stream, const Row& row) {
  std::string_view bytes = stream.main.bytes;
  for (size_t i = 0; i < stream.channels.size(); ++i) {
    if (row.file() == StrCat("channel ", i)) bytes = stream.channels[i].bytes;
  }
  return row.stream_offset() < bytes.size()
             ? static_cast<uint8_t>(bytes[row.stream_offset()])
             : 0;
}

TEST_P(PayloadInStreamTest, EachRowSaysWhereItStandsInTheStream) {
  const Payload& truth = GetParam();
  const std::string bytes = ReadPayload(truth);
  Generated stream = PayloadStream(truth, recipe::V111M, 33);
  report::Report report = Read(stream);
  for (const report::PayloadRecord& record :
       report.devices(0).payload().records()) {
    if (record.offset() == bytes.size()) continue;
    EXPECT_EQ(ByteAt(stream, record),
              static_cast<uint8_t>(bytes[record.offset()]));
    for (const report::PayloadField& field : record.fields()) {
      EXPECT_EQ(ByteAt(stream, field),
                static_cast<uint8_t>(bytes[field.offset()]))
          << field.name();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Payloads, PayloadInStreamTest,
                         testing::ValuesIn(AllPayloads()), PayloadName());

TEST(PayloadRowsTest, AFindingSaysWhereItIsAndWhatTheKernelDoes) {
  Generated stream =
      PayloadStream(GetPayload("mtty-bad-minor"), recipe::V111, 20);
  report::Report report = Read(stream);
  ASSERT_THAT(PayloadFindingsOf(report), ElementsAre("error payload-version"));
  const report::Finding& finding = report.findings(0);
  EXPECT_EQ(finding.section(), "0000:00:02.0/vfio payload 0xc");
  EXPECT_EQ(finding.kernel(),
            "refuses it at the write: EFAULT, \"failed validation\"");
  EXPECT_NE(ByteAt(stream, report.devices(0).payload().records(0)), 0);
  const report::PayloadFinding& inside =
      report.devices(0).payload().findings(0);
  EXPECT_EQ(inside.offset(), 12);
  EXPECT_EQ(inside.error(), "EFAULT");
}

TEST(PayloadRowsTest, WhatTheKernelDoesNotNoticeIsSaid) {
  report::Report report =
      Read(PayloadStream(GetPayload("mlx5-bad-cut"), recipe::V111, 1000));
  ASSERT_THAT(PayloadFindingsOf(report), SizeIs(testing::Ge(1)));
  EXPECT_EQ(report.findings(0).kernel(), "accepts it");
}

// Nothing is missing of a payload whose end was not seen.
TEST(PayloadRowsTest, ThePartThatAStreamWithoutItsChannelsHasIsNotBlamed) {
  for (const Payload& truth : AllPayloads()) {
    if (truth.name().find("-bad-") != std::string::npos) continue;
    Generated stream = PayloadStream(truth, recipe::V111M, 1000);
    stream.channels.clear();
    report::Report report = Read(stream);
    for (const std::string& found : PayloadFindingsOf(report)) {
      EXPECT_TRUE(found.starts_with("note")) << truth.name() << " " << found;
    }
    if (report.devices(0).has_payload()) {
      EXPECT_FALSE(report.devices(0).payload().whole()) << truth.name();
    }
  }
}

TEST(PayloadRowsTest, NorIsWhatIsLeftOfAStreamThatIsCut) {
  Generated stream =
      PayloadStream(GetPayload("mlx5-precopy"), recipe::V111, 1 << 20);
  for (size_t cut : {1, 600, 3000, 5000}) {
    std::string bytes = stream.main.bytes;
    size_t config =
        bytes.find(std::string("\xff\xff\xff\xff\xef\x10\x00\x02", 8));
    ASSERT_NE(config, std::string::npos);
    bytes.resize(config - cut);
    MemorySource source(AsBytes(bytes));
    report::Report report;
    (void)BuildReport(source, {}, report);
    EXPECT_THAT(PayloadFindingsOf(report), IsEmpty()) << cut;
  }
}

TEST(PayloadRowsTest, AnUnknownDeviceIsOpaqueAndNothingWrong) {
  Payload truth = GetPayload("pds");
  truth.set_pci_id("10de:2237");
  report::Report report = Read(PayloadStream(truth, recipe::V111, 1000));
  EXPECT_THAT(PayloadFindingsOf(report), IsEmpty());
  const report::Payload& payload = report.devices(0).payload();
  EXPECT_EQ(payload.driver(), "opaque");
  EXPECT_EQ(payload.bytes(), truth.bytes());
  ASSERT_THAT(payload.summary(), SizeIs(1));
  EXPECT_EQ(payload.summary(0).text(), "none known for 10de:2237; opaque");
}

// Migrations of a real mtty under Linux 6.12. "stre", repeated, was written to
// both ports of a device, "strea" to those of the second.
struct Real {
  std::string name;
  std::vector<std::string> channels;
  struct Port {
    uint64_t head, count, overrun;
  };
  std::vector<Port> devices;
};

const Real kReal[] = {
    {"r100-mtty", {}, {{4, 4, 0}}},
    {"r100-mtty-multifd", {"ch1", "ch2"}, {{0, 16, 0}}},
    {"r111-mtty-ack", {}, {{0, 16, 1}}},
    {"r111-mtty-two", {}, {{0, 16, 1}, {15, 15, 0}}},
};

std::unique_ptr<ByteSource> OpenReal(const std::string& name) {
  OpenedStream opened =
      OpenStream(StrCat("testdata/real_driver/", name, ".qvm.zst"));
  EXPECT_TRUE(opened.error.ok()) << name << ": " << opened.error.reason;
  return std::move(opened.source);
}

uint64_t Value(const report::PayloadRecord& record, std::string_view name) {
  for (const report::PayloadField& field : record.fields()) {
    if (field.name() == name) return field.value();
  }
  ADD_FAILURE() << name;
  return 0;
}

TEST(PayloadRowsTest, RealMigrationsHaveTheFieldsThatWerePokedIn) {
  for (const Real& real : kReal) {
    SCOPED_TRACE(real.name);
    std::unique_ptr<ByteSource> main = OpenReal(real.name);
    std::vector<std::unique_ptr<ByteSource>> sources;
    std::vector<ChannelReader::Channel> channels;
    for (const std::string& channel : real.channels) {
      sources.push_back(OpenReal(StrCat(real.name, ".", channel)));
      channels.push_back({channel, sources.back().get()});
    }
    report::Report report;
    Error error = BuildReport(*main, channels, {}, report);
    ASSERT_TRUE(error.ok()) << ToString(error);
    EXPECT_FALSE(HasFindings(report));
    ASSERT_THAT(report.devices(), SizeIs(real.devices.size()));
    for (size_t i = 0; i < real.devices.size(); ++i) {
      const report::Payload& payload =
          report.devices(static_cast<int>(i)).payload();
      EXPECT_EQ(payload.driver(), "mtty");
      EXPECT_EQ(payload.pci_ids(), "4348:3253");
      EXPECT_TRUE(payload.complete());
      EXPECT_EQ(payload.pre_copy_bytes(), 24);
      EXPECT_EQ(payload.stop_copy_bytes(), 72);
      ASSERT_THAT(payload.records(), SizeIs(3));
      EXPECT_EQ(payload.records(0).phase(), "pre-copy");
      for (int port : {1, 2}) {
        const report::PayloadRecord& record = payload.records(port);
        EXPECT_EQ(record.phase(), "stop-copy");
        EXPECT_EQ(record.file(), real.channels.empty() ? "" : record.file());
        EXPECT_EQ(record.file().empty(), real.channels.empty());
        EXPECT_EQ(Value(record, "head"), real.devices[i].head);
        EXPECT_EQ(Value(record, "count"), real.devices[i].count);
        EXPECT_EQ(Value(record, "overrun"), real.devices[i].overrun);
        EXPECT_EQ(Value(record, "divisor"), 12);
      }
    }
  }
}

// ReadPayload() of a file's bytes.
struct Bare {
  Error error;
  PayloadReport payload;
  report::Report report;
};
Bare ReadBare(std::string_view bytes, const PayloadFileOptions& options = {}) {
  Bare bare;
  MemorySource source(AsBytes(bytes));
  bare.error = ReadPayload(source, options, bare.payload, bare.report);
  return bare;
}

TEST(PayloadFileTest, ABarePayloadIsWhatItIsInAStream) {
  for (const Payload& truth : AllPayloads()) {
    std::string bytes = ReadPayload(truth);
    const payload::Format* format = FormatNamed(truth.driver());
    Bare bare =
        ReadBare(bytes, {.format = format, .split = truth.phase_split()});
    ASSERT_TRUE(bare.error.ok()) << truth.name();
    EXPECT_EQ(bare.report.bytes(), bytes.size());
    std::vector<std::string> in_stream;
    Read(PayloadStream(truth, recipe::V111, 1000), &in_stream);
    std::vector<std::string> lines = ReportLines(bare.payload);
    // Only an id tells of another device.
    std::erase_if(in_stream, [](const std::string& line) {
      return line.find("payload-device") != std::string::npos;
    });
    EXPECT_EQ(lines, in_stream) << truth.name();
  }
}

TEST(PayloadFileTest, AnotherDriversBytesAreSaidNotToBeItsOwn) {
  Bare bare = ReadBare(ReadPayload(GetPayload("hisi-v2-zip")),
                       {.format = FormatNamed("mtty")});
  ASSERT_TRUE(bare.error.ok());
  ASSERT_THAT(bare.report.findings(), SizeIs(testing::Ge(1)));
  EXPECT_EQ(bare.report.findings(0).id(), "payload-driver");
  EXPECT_THAT(bare.report.findings(0).message(),
              HasSubstr("the bytes are not mtty's"));
}

TEST(PayloadFileTest, NoByteIsAFinding) {
  Bare bare = ReadBare("", {.format = FormatNamed("mlx5")});
  ASSERT_TRUE(bare.error.ok());
  EXPECT_EQ(PayloadFindingsOf(bare.report)[0], "error payload-no-final");
}

TEST(PayloadFileTest, WhatDoesNotFitTheOptionsIsAnError) {
  EXPECT_EQ(ReadBare("0123456789", {.split = 11}).error.reason,
            "only 10 bytes, and --split=11");
  EXPECT_EQ(ReadBare(std::string("QEVM\0\0\0\3", 8)).error.reason,
            "is a migration stream, not a bare payload");
  EXPECT_EQ(ReadBare("mig_hdr: 01 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
                     "\nmig_hdr: 00 00 00 00 00 00 00 00\n",
                     {.format = FormatNamed("mtty")})
                .error.reason,
            "is a text dump of xe, not mtty");
}

TEST(PayloadFileTest, TextThatADriverPrintsIsReadAsWhatItShows) {
  Bare bare = ReadBare(
      "mig_hdr: 01 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n"
      "mig_hdr: 00 00 00 00 00 00 00 00\n");
  ASSERT_TRUE(bare.error.ok());
  EXPECT_EQ(bare.report.payload().driver(), "xe");
  EXPECT_EQ(bare.report.payload().text_dump(), "mig_hdr (log)");
  EXPECT_FALSE(bare.report.payload().whole());
  EXPECT_EQ(bare.report.payload().records(0).path(), "TRAILER");
}

}  // namespace
}  // namespace migstream
