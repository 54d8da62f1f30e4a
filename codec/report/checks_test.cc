// What only the whole of a stream shows.

#include "codec/report/checks.h"

#include <string>

#include "codec/device/config_bytes.h"
#include "codec/device/section_bytes.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/report/report_builder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const HandlerBytes kVfio = {.id = 7, .idstr = "0000:00:05.0/vfio"};

std::string ConfigElement(const ConfigBytes& config = {}) {
  return TagBytes(2) + config.Payload() + kEos;
}

struct Checked {
  std::vector<std::string> ids;  // "error dialect"
  report::Report report;
};

Checked Check(const std::string& sections,
              DialectId dialect = DialectId::kAuto) {
  std::string bytes = HeaderBytes() + sections + EofBytes();
  MemorySource source(AsBytes(bytes));
  ReportOptions options;
  options.reader.dialect = &GetDialect(dialect);
  Checked checked;
  Error error = BuildReport(source, options, checked.report);
  EXPECT_TRUE(error.ok()) << ToString(error);
  for (const report::Finding& finding : checked.report.findings()) {
    checked.ids.push_back(finding.severity() + " " + finding.id());
  }
  return checked;
}

std::string Start() { return kVfio.Start(kSetupTag + kEos); }
std::string End() { return kVfio.End(DataBytes("state") + kEos); }
std::string Full() { return kVfio.Full(ConfigElement()); }

TEST(ChecksTest, AWholeMigrationHasNoFindings) {
  EXPECT_THAT(Check(Start() + End() + Full()).ids, IsEmpty());
}

TEST(ChecksTest, InitDataSentNeedsAReturnPath) {
  std::string part = kVfio.Part(DataBytes("x") + TagBytes(5));
  EXPECT_THAT(Check(Start() + part + End() + Full()).ids,
              ElementsAre("error init-data-sent-unasked"));
  EXPECT_THAT(Check(CommandBytes(1) + Start() + part + End() + Full()).ids,
              IsEmpty());
}

TEST(ChecksTest, InitDataSentAgainIsOf111OnAndNotBefore) {
  std::string part = kVfio.Part(DataBytes("x") + TagBytes(5));
  std::string stream = CommandBytes(1) + Start() + part + part + End() + Full();
  EXPECT_THAT(Check(stream).ids, IsEmpty());
  EXPECT_EQ(Check(stream).report.dialect(), "V111");
  // ENABLE_COLO is of 10.2 at the latest.
  EXPECT_THAT(Check(CommandBytes(8) + stream).ids,
              testing::Contains("warning init-data-sent-twice"));
}

TEST(ChecksTest, NothingOfADeviceFollowsItsEnd) {
  EXPECT_THAT(Check(Start() + End() + kVfio.Part(kEos) + Full()).ids,
              ElementsAre("warning data-after-end"));
  EXPECT_THAT(Check(Start() + End() + End() + Full()).ids,
              ElementsAre("warning data-after-end"));
}

TEST(ChecksTest, TheSecondEndOfE6IsNormal) {
  std::string complete = kVfio.End(TagBytes(6) + kEos);
  EXPECT_THAT(Check(Start() + complete + kVfio.End(kEos) + kVfio.Full(kEos),
                    DialectId::kE6)
                  .ids,
              ElementsAre("note multifd-device-state"));
}

TEST(ChecksTest, ADeviceHasOneConfig) {
  EXPECT_THAT(Check(Start() + End() + Full() + Full()).ids,
              ElementsAre("warning config-twice"));
}

TEST(ChecksTest, TheSecondConfigOfE4IsNormal) {
  std::string start = kVfio.Start(kSetupTag + ConfigElement());
  std::string end = kVfio.End(ConfigElement() + DataBytes("x") + kEos);
  EXPECT_THAT(Check(start + end, DialectId::kE4).ids, IsEmpty());
  EXPECT_THAT(Check(start + end + Full(), DialectId::kE4).ids,
              ElementsAre("warning config-twice"));
}

TEST(ChecksTest, TriggersAreReported) {
  std::string end = kVfio.End(ConfigElement() + kEos);
  Checked checked =
      Check(Start() + end + kVfio.Full(TagBytes(5) + kEos), DialectId::kE2);
  EXPECT_THAT(checked.ids, IsEmpty());
  ASSERT_EQ(checked.report.devices(0).triggers_size(), 1);
  EXPECT_EQ(checked.report.devices(0).triggers(0).flags(), "ENABLE_INTERRUPTS");
  EXPECT_FALSE(checked.report.devices(0).multifd_device_state());
}

TEST(ChecksTest, TheSubflagOfE3IsATrigger) {
  std::string early = TagBytes(2) + Be32Bytes(2) + ConfigBytes().Payload() +
                      kEos + DataBytes("x") + kEos;
  std::string enable = TagBytes(2) + Be32Bytes(1) + kEos;
  Checked checked =
      Check(Start() + kVfio.Part(early) + kVfio.End(kEos) + kVfio.Full(enable),
            DialectId::kE3);
  EXPECT_THAT(checked.ids, IsEmpty());
  ASSERT_EQ(checked.report.devices(0).triggers_size(), 2);
  EXPECT_EQ(checked.report.devices(0).triggers(0).flags(), "CONFIG_FOLLOWS");
  EXPECT_EQ(checked.report.devices(0).config().section(), "PART");
}

TEST(ChecksTest, ADeviceHasAnEndAndAConfig) {
  EXPECT_THAT(Check(Start() + Full()).ids, ElementsAre("warning end-missing"));
  EXPECT_THAT(Check(Start() + End()).ids,
              ElementsAre("warning config-missing"));
}

TEST(ChecksTest, NoDeviceHasTheVendorIdOfAnAbsentOne) {
  ConfigBytes config;
  config.pci_config = config.PciConfig();
  config.pci_config.replace(0, 2, "\xff\xff");
  EXPECT_THAT(Check(Start() + End() + kVfio.Full(ConfigElement(config))).ids,
              ElementsAre("warning vendor-id"));
}

TEST(ChecksTest, ConfigLoadReadyComesOnce) {
  std::string ready = kVfio.Full(TagBytes(6));
  EXPECT_THAT(
      Check(Start() + kVfio.End(kEos) + ready + ready).ids,
      ElementsAre("error load-ready-twice", "note multifd-device-state"));
}

TEST(ChecksTest, ASectionVersionThatNoLoaderKnowsIsRefused) {
  HandlerBytes newer = kVfio;
  newer.version = 2;
  EXPECT_THAT(Check(newer.Start(kSetupTag + kEos) + End() + Full()).ids,
              ElementsAre("error section-version"));
}

TEST(ChecksTest, FormsOfDifferentReleasesDoNotGoTogether) {
  std::string end = kVfio.End(ConfigElement() + DataBytes("x") + kEos);
  EXPECT_THAT(Check(Start() + end + kVfio.Full(kEos)).ids,
              testing::Contains("error dialect"));
  EXPECT_THAT(Check(CommandBytes(11) + Start() + end).ids,
              ElementsAre("warning dialect-release"));
}

TEST(ChecksTest, WhatLoadsAllTheSameIsANote) {
  std::string end = kVfio.End(DataBytes("") + DataBytes("x") + kEos);
  EXPECT_THAT(Check(CommandBytes(11) + Start() + end + Full()).ids,
              ElementsAre("note dialect-habit"));
}

TEST(ChecksTest, ErrorsAreNeverLeftOutForNotes) {
  std::string bytes = HeaderBytes();
  for (uint32_t id = 0; id < 1100; ++id) {
    bytes += HandlerBytes{.id = id, .idstr = absl::StrCat("x", id)}.Full("abc");
  }
  bytes += "\x55";
  MemorySource source(AsBytes(bytes));
  report::Report report;
  EXPECT_FALSE(BuildReport(source, {}, report).ok());
  EXPECT_TRUE(HasFindings(report));
  EXPECT_GT(report.notes_omitted(), 0);
}

}  // namespace
}  // namespace migstream
