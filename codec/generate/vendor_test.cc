// Vendors' payloads in generated streams: what a driver writes, in its phases,
// sound or with each finding that `check` knows.

#include <map>
#include <string>

#include "codec/channels/memory_channels.h"
#include "codec/extract/payload_extractor.h"
#include "codec/generate/expectation.h"
#include "codec/generate/generator.h"
#include "codec/generate/payload_damage.h"
#include "codec/generate/recipe_dialect.h"
#include "codec/io/absl_view.h"
#include "codec/payload/payload_tally.h"
#include "codec/survey/stream_survey.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "testdata/payloads.h"

namespace migstream {
namespace {

using testing::Contains;
using testing::HasSubstr;

recipe::Vendor Vendor(const std::string& text) {
  recipe::Vendor vendor;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &vendor));
  return vendor;
}

recipe::Migration Recipe(recipe::Dialect dialect,
                         const recipe::Vendor& vendor) {
  recipe::Migration recipe;
  recipe.set_dialect(dialect);
  *recipe.add_devices()->mutable_vendor() = vendor;
  return recipe;
}

// What a reader finds in the streams of the first device.
struct Found {
  std::string payload;
  uint64_t pre_copy_bytes = 0;
  PayloadReport report;
};

Found Read(const Generated& made) {
  Found found;
  StringSink sink;
  PayloadExtractor extractor(sink, made.devices[0].idstr,
                             PayloadExtractor::kPayload);
  ReaderOptions options;
  options.dialect = made.devices[0].dialect;
  StreamSurvey survey(options, extractor);
  MemorySource main(AsBytes(made.main.bytes));
  MemoryChannels channels;
  for (const MarkedBytes& channel : made.channels) {
    channels.Add(AsBytes(channel.bytes));
  }
  Error error = survey.ReadAll(
      main, channels.given(),
      [&](const ReassembledPiece& piece) { extractor.OnPiece(piece); });
  EXPECT_TRUE(error.ok()) << ToString(error);
  found.payload = sink.bytes();
  const DeviceFacts& device = survey.facts().devices[0];
  found.pre_copy_bytes = device.data.pre_copy.bytes;
  PciId id = {static_cast<uint16_t>(
                  LoadLe16(AsBytes(made.devices[0].pci_config).data())),
              static_cast<uint16_t>(
                  LoadLe16(AsBytes(made.devices[0].pci_config).data() + 2))};
  PayloadTally tally({.id = id});
  ByteSpan bytes = AsBytes(found.payload);
  tally.Add(bytes.first(found.pre_copy_bytes), {});
  tally.BeginStopCopy();
  tally.Add(bytes.subspan(found.pre_copy_bytes), {});
  found.report = tally.Finish();
  return found;
}

// ---- Samples ----

class SampleTest : public testing::TestWithParam<testdata::Payload> {};

TEST_P(SampleTest, IsCarriedInItsPhases) {
  const testdata::Payload& sample = GetParam();
  recipe::Vendor vendor;
  recipe::Carried& carried = *vendor.mutable_carried();
  carried.set_bytes(ReadPayload(sample));
  carried.set_pre_copy_bytes(sample.phase_split());
  carried.set_pci_vendor(std::stoul(sample.pci_id().substr(0, 4), nullptr, 16));
  carried.set_pci_device(std::stoul(sample.pci_id().substr(5), nullptr, 16));
  for (recipe::Dialect dialect : {recipe::V80, recipe::V111, recipe::V111M}) {
    for (uint64_t record_bytes : {0, 100}) {
      vendor.set_record_bytes(record_bytes);
      auto made = Generate(Recipe(dialect, vendor));
      ASSERT_TRUE(made.ok()) << made.status();
      Found found = Read(*made);
      EXPECT_TRUE(found.payload == carried.bytes());
      EXPECT_EQ(found.pre_copy_bytes,
                dialect == recipe::V80 ? 0 : sample.phase_split());
      EXPECT_EQ(found.report.format->name, sample.driver());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Payloads, SampleTest, testing::ValuesIn(AllPayloads()),
                         PayloadName());

// ---- Made by the rows ----

const std::vector<std::string>& Vendors() {
  static const auto* vendors = new std::vector<std::string>{
      "mlx5 { increments: 2 }",
      "mlx5 { final_images: 4 }",
      "mlx5 { generation: NO_TAGS }",
      "mlx5 { generation: RAW }",
      "hisi_acc {}",
      "hisi_acc { v1: true }",
      "hisi_acc { not_ready: true }",
      "pds {}",
      "virtio { snapshots: 3 }",
      "virtio { block: true device_parts: true }",
      "qat {}",
      "qat { slas: 3 }",
      "xe {}",
      "xe { gts: 2 vram_bytes: 12288 vram_packets: 3 }",
      "mtty { ports: 1 }",
      "mtty {}",
      "ice_rfc {}",
      "gvt_g {}",
      "spdk_nvme {}",
      "carried { bytes: 'none' pci_vendor: 4318 pci_device: 8759 }",
  };
  return *vendors;
}

std::string DriverOf(const std::string& vendor) {
  static const std::map<std::string, std::string> kOthers = {
      {"ice_rfc", "ice (RFC)"},
      {"gvt_g", "gvt-g"},
      {"spdk_nvme", "spdk-nvme"},
      {"carried", "opaque"}};
  std::string name = vendor.substr(0, vendor.find(' '));
  auto other = kOthers.find(name);
  return other == kOthers.end() ? name : other->second;
}

TEST(VendorTest, EachIsWhatItsDriverWrites) {
  for (const std::string& text : Vendors()) {
    for (recipe::Dialect dialect :
         {recipe::V80, recipe::V81, recipe::V111, recipe::V111M}) {
      auto made = Generate(Recipe(dialect, Vendor(text)));
      ASSERT_TRUE(made.ok()) << text << ": " << made.status();
      Found found = Read(*made);
      EXPECT_EQ(found.report.format->name, DriverOf(text));
      EXPECT_TRUE(found.report.complete) << text;
      for (const PayloadFinding& finding : found.report.findings) {
        EXPECT_EQ(finding.severity, Severity::kNote)
            << text << ": " << finding.text;
      }
    }
  }
}

TEST(VendorTest, PreCopyIsWhatTheDriverSendsThere) {
  const std::map<std::string, uint64_t> kPreCopy = {
      {"mlx5 { increments: 2 }", 24 + 16 + 4096 + 2 * (16 + 256)},
      {"hisi_acc {}", 40},
      {"pds {}", 0},
      {"qat {}", 90},
      {"xe {}", 0},
      {"mtty {}", 24}};
  for (const auto& [text, bytes] : kPreCopy) {
    for (recipe::Dialect dialect : {recipe::V111, recipe::V111M}) {
      auto made = Generate(Recipe(dialect, Vendor(text)));
      ASSERT_TRUE(made.ok()) << made.status();
      EXPECT_EQ(Read(*made).pre_copy_bytes, bytes) << text;
      auto none =
          Generate(Recipe(dialect, Vendor(StrCat(text, "pre_copy: NO"))));
      ASSERT_TRUE(none.ok()) << none.status();
      EXPECT_EQ(Read(*none).pre_copy_bytes, 0u) << text;
    }
  }
}

TEST(VendorTest, InitDataSentComesWithTheLastInitialByte) {
  auto made = Generate(Recipe(
      recipe::V111,
      Vendor("mlx5 { increments: 2 } init_data_sent: YES record_bytes: 1000")));
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_TRUE(made->devices[0].init_data_sent);
  std::string tag("\xff\xff\xff\xff\xef\x10\x00\x05", 8);
  size_t sent = made->main.bytes.find(tag);
  ASSERT_NE(sent, std::string::npos);
  uint64_t before = 0;
  for (const Mark& mark : made->main.marks) {
    if (mark.kind == MarkKind::kData && mark.offset < sent) {
      before += mark.bytes - 16;
    }
  }
  // The 4136th is the last initial one; reads are of 1000, the last of 680.
  EXPECT_EQ(before, 4680u);
}

// ---- Damage ----

TEST(PayloadDamageTest, EachFindingIsADamageAndIsFound) {
  std::map<PayloadFindingId, int> done;
  for (const PayloadFindingRow& row : AllPayloadFindings()) {
    recipe::PayloadDamage::Kind kind = FindPayloadDamage(row.name);
    EXPECT_EQ(FindingOf(kind), row.id);
    for (const std::string& text : Vendors()) {
      for (recipe::Dialect dialect :
           {recipe::V80, recipe::V111, recipe::V111M}) {
        recipe::Vendor vendor = Vendor(text);
        vendor.add_damage()->set_kind(kind);
        auto made = Generate(Recipe(dialect, vendor));
        if (!made.ok()) {
          EXPECT_EQ(made.status().code(), absl::StatusCode::kNotFound)
              << made.status();
          continue;
        }
        std::string what = StrCat(row.name, " of ", text, " in ",
                                  recipe::Dialect_Name(dialect));
        recipe::Expectation expected = Expect(*made, 1101);
        ASSERT_EQ(expected.payloads_size(), 1) << what;
        EXPECT_THAT(expected.payloads(0).findings(), Contains(row.name));
        EXPECT_EQ(expected.verdict(), recipe::Expectation::LOADS) << what;
        ++done[row.id];
        if (row.id == PayloadFindingId::kInitEarly) {
          EXPECT_TRUE(made->devices[0].init_data_sent);
          continue;
        }
        std::vector<std::string_view> found;
        for (const PayloadFinding& finding : Read(*made).report.findings) {
          found.push_back(GetRow(finding.id).name);
        }
        EXPECT_THAT(found, Contains(row.name)) << what;
      }
    }
  }
  for (const PayloadFindingRow& row : AllPayloadFindings()) {
    EXPECT_GT(done[row.id], 0) << row.name << " was never done";
  }
}

TEST(PayloadDamageTest, TheKernelsVerdictIsForetold) {
  auto expectation = [](const std::string& text) {
    auto made = Generate(Recipe(recipe::V111, Vendor(text)));
    EXPECT_TRUE(made.ok()) << made.status();
    return Expect(*made, 1101).payloads(0);
  };
  EXPECT_THAT(expectation("mlx5 {}").kernel(), HasSubstr("takes it"));
  EXPECT_THAT(expectation("mlx5 {} damage { kind: PAYLOAD_CUT }").kernel(),
              HasSubstr("does not notice"));
  EXPECT_THAT(expectation("mtty {} damage { kind: PAYLOAD_VERSION }").kernel(),
              HasSubstr("EFAULT"));
}

// ---- What is refused ----

std::string Refusal(recipe::Migration recipe) {
  auto made = Generate(recipe, {.frame = {}, .max_bytes = 1 << 20});
  return made.ok() ? "" : std::string(made.status().message());
}

TEST(VendorTest, WhatNoDriverWritesIsRefused) {
  auto refusal = [](const std::string& text) {
    return Refusal(Recipe(recipe::V111, Vendor(text)));
  };
  EXPECT_THAT(refusal(""), HasSubstr("device 0: vendor names no driver"));
  EXPECT_THAT(refusal("pds { bytes: 65540 }"), HasSubstr("65536"));
  EXPECT_THAT(refusal("pds { bytes: 5 }"), HasSubstr("whole 32-bit words"));
  EXPECT_THAT(refusal("hisi_acc { qp_num: 1025 }"), HasSubstr("1024 queues"));
  EXPECT_THAT(refusal("qat { slas: 5 }"), HasSubstr("four SLAs"));
  EXPECT_THAT(refusal("xe { gts: 3 }"), HasSubstr("two GTs"));
  EXPECT_THAT(refusal("mtty { ports: 3 }"), HasSubstr("one port or two"));
  EXPECT_THAT(refusal("carried { file: 'x' }"), HasSubstr("was not read"));
  EXPECT_THAT(refusal("carried { bytes: 'abc' pre_copy_bytes: 4 }"),
              HasSubstr("more than the 3 bytes"));
  EXPECT_THAT(refusal("mlx5 { image_bytes: 18446744073709551615 }"),
              HasSubstr("more than 1048576 bytes"));
  EXPECT_THAT(refusal("mlx5 { increments: 4294967295 }"),
              HasSubstr("more than 1048576 bytes"));
  EXPECT_THAT(refusal("xe { vram_bytes: 4294967296 }"),
              HasSubstr("more than 1048576 bytes"));
  EXPECT_THAT(Refusal(Recipe(recipe::V80, Vendor("mtty {} pre_copy: YES"))),
              HasSubstr("V80 has no pre-copy"));
  recipe::Migration both = Recipe(recipe::V111, Vendor("mtty {}"));
  both.mutable_devices(0)->add_end()->set_bytes(1);
  EXPECT_THAT(Refusal(both), HasSubstr("makes parts and end itself"));
}

}  // namespace
}  // namespace migstream
