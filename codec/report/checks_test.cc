// What only the whole of a stream shows.

#include "codec/report/checks.h"

#include <algorithm>
#include <string>

#include "codec/device/config_bytes.h"
#include "codec/device/section_bytes.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/report/finding_ids.h"
#include "codec/report/report.pb.h"
#include "codec/report/report_builder.h"
#include "codec/wire/text.h"
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

Checked CheckBytes(const std::string& bytes,
                   DialectId dialect = DialectId::kAuto,
                   uint64_t region_bytes = 0, bool with_cpr = false) {
  MemorySource source(AsBytes(bytes));
  ReportOptions options;
  options.reader.dialect = &GetDialect(dialect);
  options.region_bytes = region_bytes;
  options.with_cpr = with_cpr;
  Checked checked;
  Error error = BuildReport(source, options, checked.report);
  EXPECT_TRUE(error.ok()) << ToString(error);
  for (const report::Finding& finding : checked.report.findings()) {
    checked.ids.push_back(finding.severity() + " " + finding.id());
  }
  return checked;
}

Checked Check(const std::string& sections, DialectId dialect = DialectId::kAuto,
              uint64_t region_bytes = 0) {
  return CheckBytes(HeaderBytes() + sections + EofBytes(), dialect,
                    region_bytes);
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
  // Older machine types have the old counting.
  EXPECT_THAT(Check(ConfigurationBytes("pc-q35-11.1") + stream).ids, IsEmpty());
  EXPECT_THAT(Check(ConfigurationBytes("pc-q35-11.0") + stream).ids,
              ElementsAre("warning init-data-sent-twice"));
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
  std::string end = kVfio.End(ConfigElement() + DataBytes("x") + kEos);
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

TEST(ChecksTest, AConfigHasAPayload) {
  EXPECT_THAT(Check(Start() + End() + kVfio.Full(TagBytes(2) + kEos)).ids,
              ElementsAre("error config-empty"));
}

TEST(ChecksTest, ADeviceWithDataInEndHasNoneOnChannels) {
  const std::string end = kVfio.End(DataBytes("x") + kEos);
  EXPECT_THAT(Check(Start() + end + kVfio.Full(kEos)).ids,
              ElementsAre("warning config-missing", "note dialect-habit"));
}

// QEMU loads it all without a word.
TEST(ChecksTest, WhatTheStreamItselfProvesToBeLostIsReported) {
  const HandlerBytes ram = {.id = 2, .idstr = "ram", .version = 4};
  const HandlerBytes timer = {.id = 3, .idstr = "timer"};
  const std::string eos = Be64Bytes(0x10);
  const std::string start = ram.Start(
      Be64Bytes(0x1000 | 4) + Str8Bytes("pc.ram") + Be64Bytes(0x1000) + eos);
  const std::string part =
      ram.Part(Be64Bytes(2) + Str8Bytes("pc.ram") + U8Bytes(0) + eos);
  const std::string vfio = End() + Full();
  const std::string described =
      EofBytes() + DescriptionBytes(DescriptionJson(
                       {kVfio.Json(Full().size() - kVfio.Named(4).size() - 5),
                        timer.Json(5)}));
  const std::string head = HeaderBytes() + ConfigurationBytes("pc-q35-7.2");
  auto check = [&](const std::string& sections) {
    return CheckBytes(head + sections + described).ids;
  };
  const std::string ended = ram.End(eos);
  const std::string state = timer.Full("state");
  EXPECT_THAT(check(start + Start() + part + ended + vfio + state), IsEmpty());
  EXPECT_THAT(check(start + Start() + part + ended + vfio),
              ElementsAre("warning section-missing"));
  EXPECT_THAT(check(start + Start() + ended + vfio + state),
              ElementsAre("warning ram-missing"));
  EXPECT_THAT(check(start + Start() + part + vfio + state),
              ElementsAre("warning ram-missing"));
  // With CPR it stays where it is, and is handed over.
  EXPECT_THAT(
      CheckBytes(head + start + Start() + ended + vfio + state + described,
                 DialectId::kAuto, 0, true)
          .ids,
      IsEmpty());
  EXPECT_THAT(check(start + Start() + part + ended + vfio + state + state),
              ElementsAre("warning section-twice"));
  // What the description up to 8.1 does not name, footers do.
  const std::string whole = start + Start() + part + ended + vfio + state;
  EXPECT_THAT(CheckBytes(HeaderBytes() + whole + described).ids,
              ElementsAre("warning configuration-off"));
  EXPECT_THAT(CheckBytes(HeaderBytes() + whole + EofBytes()).ids,
              testing::Not(testing::Contains("warning configuration-off")));
}

TEST(ChecksTest, PagesTravelEitherHereOrOnChannels) {
  const HandlerBytes ram = {.id = 2, .idstr = "ram", .version = 4};
  const std::string eos = Be64Bytes(0x10);
  auto check = [&](const std::string& records, const std::string& end = "") {
    return CheckBytes(HeaderBytes() +
                      ram.Start(Be64Bytes(0x1000 | 4) + Str8Bytes("pc.ram") +
                                Be64Bytes(0x1000) + eos) +
                      ram.Part(records + eos) + end + ram.End(eos) + EofBytes())
        .ids;
  };
  const std::string page =
      Be64Bytes(8) + Str8Bytes("pc.ram") + std::string(4096, 'x');
  const std::string flush = Be64Bytes(0x200);
  EXPECT_THAT(check(page), IsEmpty());
  EXPECT_THAT(check(flush), ElementsAre("note multifd-ram"));
  EXPECT_THAT(check(page + flush), ElementsAre("warning multifd-flush"));
  // Device state may be on channels alone.
  EXPECT_THAT(check(page + flush, CommandBytes(11)), IsEmpty());
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
  EXPECT_THAT(Check(CommandBytes(1) + Start() +
                    kVfio.Part(DataBytes("x") + TagBytes(5)) + end)
                  .ids,
              testing::Contains("error dialect"));
  // QEMU 5.2 never writes the FULL, and takes it.
  EXPECT_THAT(Check(Start() + end + kVfio.Full(kEos)).ids,
              testing::Each("note dialect-habit"));
  EXPECT_THAT(Check(CommandBytes(11) + Start() + end).ids,
              ElementsAre("warning dialect-release"));
}

TEST(ChecksTest, WhatLoadsAllTheSameIsANote) {
  std::string end = kVfio.End(DataBytes("") + DataBytes("x") + kEos);
  EXPECT_THAT(Check(CommandBytes(11) + Start() + end + Full()).ids,
              ElementsAre("note dialect-habit"));
}

TEST(ChecksTest, EveryIdIsInTheTableWithItsSeverity) {
  std::string part = kVfio.Part(TagBytes(5));
  Checked checked = Check(CommandBytes(3, std::string(6, '\0') + "\x10" +
                                              std::string(7, '\0') +
                                              std::string("\x10\0", 2)) +
                          Start() + End() + part + part);
  EXPECT_GE(checked.report.findings_size(), 4);
  for (const report::Finding& finding : checked.report.findings()) {
    const FindingKind* kind = FindFinding(finding.id());
    ASSERT_NE(kind, nullptr) << finding.id();
    EXPECT_EQ(finding.severity(), ToString(kind->severity));
  }
}

TEST(ChecksTest, InitDataSentFollowsData) {
  EXPECT_THAT(Check(CommandBytes(1) + Start() + kVfio.Part(TagBytes(5)) +
                    End() + Full())
                  .ids,
              ElementsAre("note init-data-sent-early"));
}

std::string MsixEntryBytes(uint32_t address, uint32_t data, uint8_t masked) {
  // Little-endian, as PCI has it.
  std::string entry(16, '\0');
  StoreLe32(reinterpret_cast<uint8_t*>(&entry[0]), address);
  StoreLe32(reinterpret_cast<uint8_t*>(&entry[8]), data);
  entry[12] = static_cast<char>(masked);
  return entry;
}

// The ids of a device with one vector.
std::vector<std::string> CheckMsix(bool enabled, uint32_t address,
                                   uint8_t masked) {
  ConfigBytes config = {.msix_vectors = 1};
  config.pci_config = config.PciConfig();
  if (enabled) config.pci_config[0x73] |= '\x80';
  config.msix = MsixEntryBytes(address, 0x4021, masked) + std::string(1, '\0');
  return Check(Start() + End() + kVfio.Full(ConfigElement(config))).ids;
}

TEST(ChecksTest, AnEnabledMsixVectorHasAnAddress) {
  EXPECT_THAT(CheckMsix(true, 0xfee00000, 0), IsEmpty());
  EXPECT_THAT(CheckMsix(true, 0, 0), ElementsAre("warning msix-zero-vector"));
  EXPECT_THAT(CheckMsix(true, 0, 1), ElementsAre("note msix-masked"));
  EXPECT_THAT(CheckMsix(false, 0, 0), IsEmpty());
}

TEST(ChecksTest, AllDevicesStopBeforeAnyIsSaved) {
  HandlerBytes other = kVfio;
  other.id = 8;
  other.idstr = "0000:00:06.0/vfio";
  std::string starts = Start() + other.Start(kSetupTag + kEos);
  std::string part = other.Part(DataBytes("x") + kEos);
  std::string end = other.End(DataBytes("x") + kEos);
  std::string fulls = Full() + other.Full(ConfigElement());
  EXPECT_THAT(Check(starts + part + End() + end + fulls).ids, IsEmpty());
  EXPECT_THAT(Check(starts + End() + part + end + fulls).ids,
              ElementsAre("warning p2p-order"));
  // It is not compared with itself.
  EXPECT_THAT(
      Check(Start() + End() + kVfio.Part(DataBytes("x") + kEos) + Full()).ids,
      ElementsAre("warning data-after-end"));
}

TEST(ChecksTest, PostcopyAndVfioDoNotGoTogether) {
  std::string sizes = BeBytes(0x1000, 8) + BeBytes(0x1000, 8);
  EXPECT_THAT(Check(CommandBytes(3, sizes) + Start() + End() + Full()).ids,
              ElementsAre("warning postcopy-with-vfio"));
  // A postcopy of dirty bitmaps alone.
  EXPECT_THAT(Check(CommandBytes(3) + Start() + End() + Full()).ids, IsEmpty());
}

TEST(ChecksTest, ARecordFitsTheDestinationsRegion) {
  std::string stream = Start() + End() + Full();  // A record of 5 bytes.
  EXPECT_THAT(Check(stream, DialectId::kAuto, 5).ids, IsEmpty());
  EXPECT_THAT(Check(stream, DialectId::kAuto, 4).ids,
              ElementsAre("warning record-exceeds-region"));
}

TEST(ChecksTest, EmptyPartsByTheThousandAreNoted) {
  auto check = [](int count) {
    std::string parts;
    for (int i = 0; i < count; ++i) parts += kVfio.Part(kEos);
    return Check(Start() + parts + End() + Full()).ids;
  };
  EXPECT_THAT(check(1001), ElementsAre("note empty-parts"));
  EXPECT_THAT(check(1000), IsEmpty());
}

TEST(ChecksTest, AStopCopyThatDwarfsThePreCopyIsNoted) {
  std::string large = DataBytes(std::string(64 << 20, 'x')) + kEos;
  EXPECT_THAT(Check(Start() + kVfio.End(large) + Full()).ids,
              testing::Contains("note stop-copy-large"));
  EXPECT_THAT(
      Check(Start() + kVfio.Part(large) + kVfio.End(large) + Full()).ids,
      testing::Not(testing::Contains("note stop-copy-large")));
}

TEST(ChecksTest, ADeviceWithoutDataIsNoted) {
  EXPECT_THAT(Check(Start() + kVfio.End(kEos) + Full()).ids,
              ElementsAre("note payload-empty"));
}

TEST(ChecksTest, AVendorCapabilityIsComparedByOldMachineTypes) {
  ConfigBytes config = {.express = false};
  std::string stream = Start() + End() + kVfio.Full(ConfigElement(config));
  EXPECT_THAT(Check(ConfigurationBytes("pc-q35-9.0") + stream).ids,
              ElementsAre("note vendor-capability"));
  EXPECT_THAT(Check(ConfigurationBytes("pc-q35-9.1") + stream).ids, IsEmpty());
}

TEST(ChecksTest, ADeviceThatOnlyCprNamesHasNoState) {
  HandlerBytes cpr = {.id = 9, .idstr = "0000:00:06.0/vfio-cpr-pci"};
  EXPECT_THAT(Check(Start() + End() + Full() + cpr.Full("abc")).ids,
              testing::Contains("warning vfio-section-missing"));
  cpr.idstr = kVfio.idstr + "-cpr-pci";
  EXPECT_THAT(Check(Start() + End() + Full() + cpr.Full("abc")).ids,
              testing::Not(testing::Contains("warning vfio-section-missing")));
}

TEST(ChecksTest, ACutRecordSaysWhatItNeedsAndWhereItBegins) {
  std::string bytes =
      HeaderBytes() + Start() + "\3" + Be32Bytes(kVfio.id) + DataBytes("state");
  bytes.resize(bytes.size() - 2);
  MemorySource source(AsBytes(bytes));
  report::Report report;
  EXPECT_FALSE(BuildReport(source, {}, report).ok());
  EXPECT_THAT(
      report.findings(0).message(),
      testing::HasSubstr(StrCat("5 bytes, 2 of them missing; it begins at ",
                                Hex(bytes.size() - 3 - 16))));
}

TEST(ChecksTest, AHundredFindingsOfAKindAreListedAndTheOthersCounted) {
  std::string bytes = HeaderBytes();
  for (int i = 0; i < 150; ++i) bytes += CommandBytes(0x63);
  for (uint32_t id = 0; id < 1100; ++id) {
    bytes += HandlerBytes{.id = id, .idstr = StrCat("x", id)}.Full("abc");
  }
  bytes += "\x55";
  MemorySource source(AsBytes(bytes));
  report::Report report;
  EXPECT_FALSE(BuildReport(source, {}, report).ok());
  // What ended it is not left out for what there is more of.
  EXPECT_TRUE(std::any_of(report.findings().begin(), report.findings().end(),
                          [](const report::Finding& finding) {
                            return finding.id() == "truncated";
                          }));
  ASSERT_EQ(report.omitted_findings_size(), 2);
  EXPECT_EQ(report.omitted_findings(0).id(), "unknown-command");
  EXPECT_EQ(report.omitted_findings(0).count(), 50);
  EXPECT_EQ(report.omitted_findings(1).id(), "guessed-end");
  EXPECT_EQ(report.omitted_findings(1).severity(), "note");
  EXPECT_GT(report.omitted_findings(1).count(), 900);
}

}  // namespace
}  // namespace migstream
