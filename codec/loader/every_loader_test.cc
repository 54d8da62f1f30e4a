// What no release takes is found without being told one; and nothing else is.

#include "codec/loader/every_loader.h"

#include <string>

#include "codec/io/byte_source.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/report/report.pb.h"
#include "codec/report/report_builder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::HasSubstr;

// The first finding of the id; empty if there is none.
std::string FindingOf(const std::string& id, const std::string& bytes) {
  MemorySource source(AsBytes(bytes));
  report::Report report;
  (void)BuildReport(source, {}, report);
  for (const report::Finding& finding : report.findings()) {
    if (finding.id() == id) return finding.message();
  }
  return "";
}

// What is said to it; empty if some release may take it.
std::string Unloadable(const std::string& bytes) {
  return FindingOf("unloadable", bytes);
}

class EveryLoaderTest : public testing::TestWithParam<testdata::Capture> {};

TEST_P(EveryLoaderTest, SomeReleaseTakesWhatARealOneWrote) {
  EXPECT_EQ(Unloadable(ReadCapture(GetParam())), "");
}

INSTANTIATE_TEST_SUITE_P(All, EveryLoaderTest, testing::ValuesIn(AllCaptures()),
                         CaptureName());

std::string OfMachine(const std::string& type,
                      const std::string& capture = "s72-precopy") {
  std::string bytes = ReadCapture(GetCapture(capture));
  bytes.replace(9, 4 + LoadBe32(AsBytes(bytes).data() + 9),
                Be32Bytes(static_cast<uint32_t>(type.size())) + type);
  return bytes;
}

TEST(EveryLoaderStreamTest, AMachineTypeThatAReleaseADistributionOrATargetHas) {
  for (const char* type :
       {"pc-q35-5.2", "pc-q35-4.0.1", "pc-i440fx-2.4", "pc-q35-13.0",
        "pc-q35-rhel9.2.0", "pc-i440fx-9.0+pve0", "pc-i440fx-noble",
        "xenfv-4.2", "s390-ccw-virtio-11.1", "virt", "microvm", "SS-5",
        "sun4u"}) {
    EXPECT_EQ(Unloadable(OfMachine(type)), "") << type;
  }
  for (const char* type : {"pc-q35-0.0", "pc-q45-7.2", "pc-q35-4.0.2"}) {
    EXPECT_THAT(Unloadable(OfMachine(type)), HasSubstr("Machine type received"))
        << type;
  }
}

TEST(EveryLoaderStreamTest, WhatEachReleaseRefusesForItsOwnReasonNobodyTakes) {
  // 2.4 went before SWITCHOVER_START came to be read.
  EXPECT_THAT(Unloadable(OfMachine("pc-i440fx-2.3", "s111-tiny")),
              HasSubstr("MIG_CMD 0xb unknown"));
}

TEST(EveryLoaderStreamTest, APingNeedsAReturnPath) {
  const std::string bytes = ReadCapture(GetCapture("s111-tiny"));
  const size_t start = bytes.find(CommandBytes(11));
  ASSERT_NE(start, bytes.npos);
  const std::string ping = CommandBytes(2, Be32Bytes(1));
  const std::string open = CommandBytes(1);
  EXPECT_THAT(Unloadable(bytes.substr(0, start) + ping + bytes.substr(start)),
              HasSubstr("received with no return path"));
  EXPECT_EQ(
      Unloadable(bytes.substr(0, start) + open + ping + bytes.substr(start)),
      "");
}

// Whether a destination takes it or not: no source writes one.
TEST(EveryLoaderStreamTest, AVersionBeforeTheDescriptionsIsAWarning) {
  const std::string bytes = ReadCapture(GetCapture("s111-tiny"));
  EXPECT_EQ(FindingOf("section-older", bytes), "");
  for (const char* device : {"0000:00:1f.2/ich9_ahci", "timer"}) {
    std::string older = bytes;
    const std::string name = Str8Bytes(device);
    const size_t version = older.find(name) + name.size() + 4;
    ASSERT_NE(older[version + 3], 0) << device;
    --older[version + 3];
    EXPECT_THAT(FindingOf("section-older", older),
                HasSubstr("and the description gives"))
        << device;
  }
}

}  // namespace
}  // namespace migstream
