// The tally: payloads read from a real driver, ids that come early, late and
// wrong, limits, and bytes that nobody reads.

#include "codec/payload/payload_tally.h"

#include <random>
#include <string>

#include "codec/payload/report_lines.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testdata/payloads.h"

namespace migstream {
namespace {

using testdata::Payload;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr PciId kMtty = {0x4348, 0x3253};
constexpr PciId kMlx5 = {0x15b3, 0x101e};
constexpr PciId kPds = {0x1dd8, 0x1003};
constexpr PciId kUnknown = {0x10de, 0x2237};

PciId IdOf(const Payload& truth) {
  return {
      static_cast<uint16_t>(
          std::stoul(truth.pci_id().substr(0, 4), nullptr, 16)),
      static_cast<uint16_t>(std::stoul(truth.pci_id().substr(5), nullptr, 16))};
}

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(
        std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

// What 6.2 wrote: one record, whose flags and tag are one number, 0.
std::string Mlx5WithoutTags() {
  return FromHex("64000000000000000000000000000000") + std::string(100, 'x');
}

std::vector<std::string> Findings(const PayloadReport& report) {
  std::vector<std::string> found;
  for (const PayloadFinding& finding : report.findings) {
    found.push_back(StrCat(GetRow(finding.id).name, " ", finding.text));
  }
  return found;
}

uint64_t Value(const PayloadReport& report, size_t record,
               std::string_view name) {
  const PayloadRecord& of = report.records[record];
  for (size_t i = 0; i < of.value_count; ++i) {
    const PayloadValue& value = report.values[of.first_value + i];
    if (value.field->name == name) return value.value;
  }
  ADD_FAILURE() << name;
  return 0;
}

// Migrations of a real mtty under Linux 6.12; "stre", repeated, was written to
// its ports, or "strea" to the second device's.
struct RealDriver {
  std::string name;
  std::string hex;
  uint64_t head, count, overrun;
};
const RealDriver kRealDriver[] = {
    {"r100-mtty-multifd",
     "4e2c3e8c89099d7e0100000000000000020000000000000000000003130000"
     "5a737472657374726573747265737472650000100000000c00011001000000"
     "00031300005a737472657374726573747265737472650000100000000c0001"
     "100100",
     0, 16, 0},
    {"r100-mtty",
     "4e2c3e8c89099d7e0100000000000000020000000000000000000003130000"
     "5a737472650000000000000000000000000400040000000c00011001000000"
     "00031300005a737472650000000000000000000000000400040000000c0001"
     "100100",
     4, 4, 0},
    {"r111-mtty-ack",
     "4e2c3e8c89099d7e0100000000000000020000000000000000000003130000"
     "5a737472657374726573747265737472650000100001000c00011001000000"
     "00031300005a737472657374726573747265737472650000100001000c0001"
     "100100",
     0, 16, 1},
    {"r111-mtty-two, the second",
     "4e2c3e8c89099d7e0100000000000000020000000000000000000003130000"
     "5a737472656173747265617374726561000f000f0000000c00011001000000"
     "00031300005a737472656173747265617374726561000f000f0000000c0001"
     "100100",
     15, 15, 0},
};

TEST(PayloadTallyTest, ReadsWhatARealDriverWrote) {
  for (const RealDriver& real : kRealDriver) {
    SCOPED_TRACE(real.name);
    PayloadReport report =
        TallyInPieces(AsBytes(FromHex(real.hex)), kMtty, 24, 50);
    EXPECT_EQ(report.format->name, "mtty");
    EXPECT_TRUE(report.complete);
    EXPECT_THAT(report.findings, IsEmpty());
    ASSERT_THAT(report.records, SizeIs(3));
    EXPECT_FALSE(report.records[0].stop_copy);
    for (size_t port : {1, 2}) {
      EXPECT_TRUE(report.records[port].stop_copy);
      EXPECT_EQ(Value(report, port, "head"), real.head);
      EXPECT_EQ(Value(report, port, "count"), real.count);
      EXPECT_EQ(Value(report, port, "overrun"), real.overrun);
      EXPECT_EQ(Value(report, port, "divisor"), 12);
    }
  }
}

TEST(PayloadTallyTest, BytesOfABigEndianHostAreReadAsSuch) {
  std::string bytes = FromHex(
      "7e9d09898c3e2c4e"
      "00000001"
      "00000000"
      "00000001"
      "00000000");
  bytes += std::string(30, '\0') + std::string("\0\x0c\0\x10\0\0", 6);
  PayloadReport report = TallyInPieces(AsBytes(bytes), kMtty, 24, 1000);
  EXPECT_TRUE(report.big_endian);
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_EQ(Value(report, 1, "divisor"), 12);
}

TEST(PayloadTallyTest, TheIdSaysOneDriverAndTheBytesAnother) {
  std::string bytes = ReadPayload(GetPayload("hisi-v2-zip"));
  for (bool late : {false, true}) {
    PayloadReport report = TallyInPieces(AsBytes(bytes), kMtty, 40, 100, late);
    EXPECT_EQ(report.format->name, "hisi_acc");
    EXPECT_FALSE(report.id_agrees);
    EXPECT_EQ(Findings(report)[0],
              "payload-driver configuration space says mtty (4348:3253), the "
              "bytes are hisi_acc's");
  }
}

TEST(PayloadTallyTest, AnUnknownIdIsOpaque) {
  for (bool late : {false, true}) {
    PayloadReport report =
        TallyInPieces(AsBytes(std::string(9000, 'x')), kUnknown, 0, 100, late);
    EXPECT_EQ(report.format->name, "opaque");
    EXPECT_TRUE(report.id_agrees);
    ASSERT_THAT(report.records, SizeIs(1));
    EXPECT_EQ(report.records[0].bytes, 9000);
    EXPECT_THAT(Findings(report),
                ElementsAre("payload-opaque no driver known for 10de:2237: "
                            "opaque (NVIDIA vGPU and others are closed)"));
  }
}

TEST(PayloadTallyTest, BytesThatCouldBeMlx5sAreNotIfTheIdSaysOtherwise) {
  std::string bytes = Mlx5WithoutTags();
  PayloadReport report = TallyInPieces(AsBytes(bytes), std::nullopt, 0, 50);
  EXPECT_EQ(report.format->name, "mlx5");
  EXPECT_EQ(report.generation, 1);
  report = TallyInPieces(AsBytes(bytes), kPds, 0, 50, /*late_id=*/true);
  EXPECT_EQ(report.format->name, "pds");
  EXPECT_THAT(report.records, SizeIs(1));
  report = TallyInPieces(AsBytes(bytes), kMlx5, 0, 50, /*late_id=*/true);
  EXPECT_EQ(report.format->name, "mlx5");
}

TEST(PayloadTallyTest, OfALongPayloadALateIdSaysThatItWasNotRead) {
  std::string bytes = ReadPayload(GetPayload("xe-bmg"));
  bytes[0] = 9;
  PayloadReport report = TallyInPieces(AsBytes(bytes), PciId{0x8086, 0xe20b}, 0,
                                       1000, /*late_id=*/true);
  EXPECT_EQ(report.format->name, "xe");
  EXPECT_EQ(report.unread_from, 0);
  EXPECT_FALSE(report.complete);
  EXPECT_THAT(Findings(report),
              ElementsAre("payload-driver configuration space says xe "
                          "(8086:e20b), the bytes are not xe's: they begin "
                          "0901000000000000"));
}

TEST(PayloadTallyTest, NoByteOfPayloadIsAnError) {
  PayloadTally tally;
  tally.SetId(kMlx5);
  EXPECT_THAT(Findings(tally.Finish()),
              ElementsAre("payload-no-final no byte of payload"));
}

TEST(PayloadTallyTest, WhatIsBeyondTheLimitsIsCounted) {
  std::string bytes = ReadPayload(GetPayload("virtio-net-precopy"));
  PayloadTally tally({.records = 10, .values = 20});
  tally.BeginStopCopy();
  tally.Add(AsBytes(bytes), {});
  PayloadReport report = tally.Finish();
  EXPECT_THAT(report.records, SizeIs(10));
  EXPECT_THAT(report.values, SizeIs(20));
  EXPECT_GT(report.records_unkept, 10);
  EXPECT_GT(report.values_unkept, 10);
  EXPECT_TRUE(report.complete);
}

TEST(PayloadTallyTest, FindingsAreBounded) {
  std::string bytes;
  for (int i = 0; i < 1000; ++i) {
    bytes += std::string("\0\0\0\0\0\0\0\0\0\0\0\0\x07\0\0\0", 16);
  }
  PayloadTally tally({.format = FormatNamed("virtio")});
  tally.Add(AsBytes(bytes), {});
  PayloadReport report = tally.Finish();
  // What else there is to say is not crowded out.
  EXPECT_THAT(report.findings, SizeIs(PayloadFindings::kMaxAlike + 2));
  EXPECT_EQ(report.findings[0].id, PayloadFindingId::kUnknownTag);
  EXPECT_EQ(report.findings.back().id, PayloadFindingId::kNoFinal);
  EXPECT_EQ(report.findings_unkept, 1000 - PayloadFindings::kMaxAlike);
}

TEST(PayloadTallyTest, OpaqueBytesCanBeSkipped) {
  const Payload& truth = GetPayload("xe-bmg");
  std::string bytes = ReadPayload(truth);
  PayloadTally tally;
  tally.BeginStopCopy();
  uint64_t skipped = 0;
  for (size_t at = 0; at < bytes.size();) {
    if (uint64_t count = tally.skippable()) {
      tally.Skip(count);
      skipped += count;
      at += count;
      continue;
    }
    size_t piece = std::min<size_t>(30, bytes.size() - at);
    tally.Add(AsBytes(bytes).subspan(at, piece), {.stream_offset = at});
    at += piece;
  }
  tally.SetId(IdOf(truth));
  PayloadReport report = tally.Finish();
  EXPECT_GT(skipped, 9000);
  EXPECT_EQ(ReportLines(report),
            ReportLines(TallyInPieces(AsBytes(bytes), IdOf(truth), 0, 100)));
}

TEST(PayloadTallyTest, MutantsAreTheSameInEveryCut) {
  std::mt19937 random(7);
  for (int i = 0; i < 2000; ++i) {
    const Payload& truth = AllPayloads()[i % AllPayloads().size()];
    std::string bytes = ReadPayload(truth);
    for (int change = random() % 3; change >= 0; --change) {
      bytes[random() % std::min<size_t>(bytes.size(), 600)] =
          static_cast<char>(random());
    }
    bytes.resize(bytes.size() - random() % (bytes.size() / 4 + 1));
    uint64_t split = random() % 200;
    PayloadReport whole =
        TallyInPieces(AsBytes(bytes), IdOf(truth), split, 1 << 20);
    std::vector<std::string> lines = ReportLines(whole);
    size_t piece = 1 + random() % 500;
    ASSERT_EQ(
        ReportLines(TallyInPieces(AsBytes(bytes), IdOf(truth), split, piece)),
        lines)
        << truth.name() << " in pieces of " << piece;
    bool late_is_as_good =
        whole.by_bytes || bytes.size() <= PayloadTally::kKeptBytes;
    if (!late_is_as_good || piece < 20) continue;
    ASSERT_EQ(ReportLines(TallyInPieces(AsBytes(bytes), IdOf(truth), split,
                                        piece, true)),
              lines)
        << truth.name() << " in pieces of " << piece << ", late id";
  }
}

}  // namespace
}  // namespace migstream
