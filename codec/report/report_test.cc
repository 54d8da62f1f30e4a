// The reports of real captures, against the truth about them.

#include <algorithm>
#include <string>
#include <vector>

#include "codec/channels/memory_channels.h"
#include "codec/device/config_bytes.h"
#include "codec/io/byte_source.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/qemu/stream_recording.h"
#include "codec/report/report.pb.h"
#include "codec/report/report_builder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

report::Report Report(const std::string& name, Error* error = nullptr,
                      const ReportOptions& options = {}) {
  std::string bytes = ReadCapture(GetCapture(name));
  MemorySource source(AsBytes(bytes));
  report::Report report;
  Error result = BuildReport(source, options, report);
  if (error != nullptr) *error = result;
  return report;
}

class ReportTest : public testing::TestWithParam<testdata::Capture> {};

TEST_P(ReportTest, SaysOfEachDeviceWhatIsTrue) {
  const testdata::Capture& truth = GetParam();
  report::Report report = Report(truth.name());
  EXPECT_EQ(report.complete(), truth.completed());
  EXPECT_EQ(report.bytes(), truth.files(0).size());
  ASSERT_EQ(report.devices_size(), truth.devices_size());
  if (!truth.completed()) return;
  for (int i = 0; i < truth.devices_size(); ++i) {
    const testdata::Device& expected = truth.devices(i);
    const report::Device& device = report.devices(i);
    EXPECT_EQ(device.idstr(), expected.idstr());
    EXPECT_EQ(device.multifd_device_state(), HasDeviceStateChannels(truth));
    if (HasDeviceStateChannels(truth)) continue;
    EXPECT_EQ(device.payload_bytes(), expected.payload_bytes());
    EXPECT_EQ(device.pre_copy().bytes() + device.stop_copy().bytes(),
              expected.payload_bytes());
    EXPECT_EQ(device.config().pci_config_bytes(), expected.pci_config_bytes());
    EXPECT_EQ(device.config().msix_vectors(), expected.host_msix_vectors());
    EXPECT_EQ(device.config().pci().vendor_id(), 0x8086);
    EXPECT_EQ(device.data_records(), device.record_sizes_size());
    std::vector<uint64_t> sizes;
    for (uint64_t size : device.record_sizes()) {
      if (size != 0) sizes.push_back(size);
    }
    EXPECT_EQ(sizes.size(), device.data_records() - device.empty_records());
    if (expected.record_sizes_size() != 0) {
      EXPECT_EQ(sizes, std::vector<uint64_t>(expected.record_sizes().begin(),
                                             expected.record_sizes().end()));
    }
  }
}

TEST_P(ReportTest, NamesTheDialectOfTheWriter) {
  const testdata::Capture& truth = GetParam();
  report::Report report = Report(truth.name());
  std::string expected;
  if (truth.qemu() == "5.2.0") expected = "V52";
  if (truth.qemu() == "7.2.22") expected = "V60";
  if (truth.qemu() == "10.0.13") {
    expected = HasDeviceStateChannels(truth) ? "V100M" : "V100";
  }
  if (truth.qemu() == "11.1.3") {
    expected = HasDeviceStateChannels(truth) ? "V111M" : "V111";
  }
  EXPECT_THAT(report.dialects(), testing::Contains(expected))
      << report.dialect();
  for (const report::Evidence& evidence : report.evidence()) {
    EXPECT_FALSE(evidence.contradiction()) << evidence.what();
  }
}

TEST_P(ReportTest, FindsNothingWrongUnlessItIsCut) {
  const testdata::Capture& truth = GetParam();
  Error error;
  report::Report report = Report(truth.name(), &error);
  EXPECT_EQ(HasFindings(report), !truth.completed());
  if (truth.completed()) return;
  ASSERT_GE(report.findings_size(), 1);
  EXPECT_EQ(report.findings(0).id(), "truncated");
  EXPECT_EQ(report.findings(0).offset(), truth.files(0).size());
  EXPECT_GT(report.sections().part(), 0);
  EXPECT_EQ(report.devices(0).payload_bytes() > 0,
            truth.name() == "s111-cancelled");
}

INSTANTIATE_TEST_SUITE_P(All, ReportTest, testing::ValuesIn(AllCaptures()),
                         CaptureName());

TEST(ReportDetailTest, AConfigurationIsReported) {
  report::Report report = Report("s111-validate-uuid");
  EXPECT_EQ(report.machine_type(), "pc-q35-11.1");
  EXPECT_EQ(report.uuid(), "7a3f0d52-1111-4222-8333-944455566677");
  report = Report("s111-file-mapped-ram");
  EXPECT_THAT(report.capabilities(), testing::ElementsAre("mapped-ram"));
}

TEST(ReportDetailTest, InitDataSentIsCounted) {
  EXPECT_EQ(Report("s111-switchover-ack").devices(0).init_data_sent(), 1);
  EXPECT_EQ(Report("s111-precopy").devices(0).init_data_sent(), 0);
}

TEST(ReportDetailTest, LoadReadyIsReported) {
  EXPECT_TRUE(
      Report("s111-multifd-cfg-after-iter").devices(0).config_load_ready());
  EXPECT_FALSE(Report("s111-multifd-two").devices(0).config_load_ready());
}

TEST(ReportDetailTest, TheDisplaySubsectionIsReported) {
  report::Report report = Report("s111-ramfb");
  ASSERT_EQ(report.devices(0).config().subsections_size(), 1);
  EXPECT_EQ(report.devices(0).config().subsections(0).name(),
            "VFIOPCIDevice/VFIODisplay");
  EXPECT_EQ(report.devices(0).config().subsections(0).bytes(), 28);
}

TEST(ReportDetailTest, EnabledMsixIsReported) {
  report::Report report = Report("s72-msix-on");
  EXPECT_TRUE(report.devices(0).config().pci().msix_enabled());
  EXPECT_LT(report.devices(0).config().msix_masked(), 5);
  EXPECT_FALSE(Report("s72-zero").devices(0).config().pci().msix_enabled());
}

TEST(ReportDetailTest, PagesAreCountedByTheirKind) {
  EXPECT_GT(Report("s111-xbzrle").ram().xbzrle_pages(), 0);
  EXPECT_GT(Report("s72-compress").ram().compressed_pages(), 0);
  EXPECT_GT(Report("s100-multifd").ram().multifd_flushes(), 0);
  EXPECT_GT(Report("s72-plain").ram().zero_pages(), 0);
}

TEST(ReportDetailTest, AGuessedEndIsANoteAndIsMarked) {
  for (const char* name : {"s100-bare", "s111-no-vmdesc"}) {
    report::Report report = Report(name);
    EXPECT_FALSE(HasFindings(report));
    EXPECT_EQ(report.findings_size(), report.other_devices_size());
    for (const report::OtherDevice& device : report.other_devices()) {
      EXPECT_TRUE(device.guessed()) << device.idstr();
    }
  }
}

TEST(ReportDetailTest, GuessedEndsAreTheDescribedOnesOfASibling) {
  report::Report guessed = Report("s111-no-vmdesc");
  report::Report described = Report("s111-tiny");
  ASSERT_EQ(guessed.other_devices_size(), described.other_devices_size());
  for (int i = 0; i < guessed.other_devices_size(); ++i) {
    EXPECT_EQ(guessed.other_devices(i).idstr(),
              described.other_devices(i).idstr());
    EXPECT_EQ(guessed.other_devices(i).bytes(),
              described.other_devices(i).bytes())
        << guessed.other_devices(i).idstr();
  }
}

TEST(ReportDetailTest, RecordsAreListedOnDemandWithTheirOffsets) {
  EXPECT_EQ(Report("s111-precopy").devices(0).records_size(), 0);
  ReportOptions options;
  options.records = true;
  report::Report report = Report("s111-tiny", nullptr, options);
  std::vector<std::string> elements;
  for (const report::Record& record : report.devices(0).records()) {
    if (record.section() != "PART") elements.push_back(record.element());
  }
  EXPECT_THAT(elements,
              testing::ElementsAre("SETUP", "END_OF_STATE", "DATA",
                                   "END_OF_STATE", "CONFIG", "END_OF_STATE"));
}

TEST(ReportDetailTest, ARecordThatTheInputsEndCutsCountsAsFarAsItGoes) {
  const HandlerBytes vfio = {.id = 1, .idstr = "vfio"};
  const std::string record = DataBytes(std::string(100, 'x'));
  const std::string begin = HeaderBytes() + vfio.Start(kSetupTag + kEos) +
                            vfio.End(DataBytes("end") + kEos);
  std::string bytes = begin + vfio.Part(record);
  bytes.resize(begin.size() + 5 + 16 + 10);  // Section, tag and size, payload.
  MemorySource source(AsBytes(bytes));
  report::Report report;
  EXPECT_EQ(BuildReport(source, {}, report).code, ErrorCode::kTruncated);
  const report::Device& device = report.devices(0);
  EXPECT_EQ(device.payload_bytes(), 3 + 10);
  EXPECT_EQ(device.pre_copy().bytes(), 10);
  EXPECT_EQ(device.stop_copy().bytes(), 3);
  EXPECT_EQ(device.largest_record_bytes(), 10);
  EXPECT_THAT(device.record_sizes(), testing::ElementsAre(3, 10));
}

TEST(ReportDetailTest, AChosenDialectIsTaken) {
  ReportOptions options;
  options.reader.dialect = &GetDialect(DialectId::kV52);
  Error error;
  report::Report report = Report("s52-two", &error, options);
  EXPECT_TRUE(error.ok()) << ToString(error);
  EXPECT_EQ(report.dialect(), "V52");
  Report("s111-two", &error, options);
  EXPECT_EQ(error.code, ErrorCode::kMisplacedTag) << ToString(error);
}

TEST(ReportDetailTest, WhatIsNoStreamGivesNoFindingButAnError) {
  for (const std::string& bytes :
       {std::string(), std::string("QEV"), std::string("\0\0\0\0hello", 9)}) {
    MemorySource source(AsBytes(bytes));
    report::Report report;
    Error error = BuildReport(source, {}, report);
    EXPECT_EQ(error.code, ErrorCode::kNotAStream);
    EXPECT_EQ(report.findings_size(), 0);
  }
}

report::Report ReportWithChannels(const std::string& name,
                                  const std::vector<std::string>& channels,
                                  bool records = false) {
  std::string bytes = ReadCapture(GetCapture(name));
  MemorySource source(AsBytes(bytes));
  ReportOptions options;
  options.records = records;
  report::Report report;
  EXPECT_TRUE(
      BuildReport(source, MemoryChannels(channels).given(), options, report)
          .ok());
  return report;
}

std::vector<std::string> Ids(const report::Report& report) {
  std::vector<std::string> ids;
  for (const report::Finding& finding : report.findings()) {
    ids.push_back(finding.id());
  }
  return ids;
}

TEST(ChannelReportTest, ChannelsCompleteTheirDevices) {
  const testdata::Capture& truth = GetCapture("s111-multifd-precopy-ack");
  report::Report report =
      ReportWithChannels(truth.name(), ReadChannels(truth), true);
  EXPECT_EQ(report.findings_size(), 0);
  EXPECT_EQ(report.channels_size(), 3);
  const report::Device& device = report.devices(0);
  EXPECT_TRUE(device.multifd_read());
  EXPECT_EQ(device.payload_bytes(), truth.devices(0).payload_bytes());
  EXPECT_GT(device.pre_copy().bytes(), 0);
  EXPECT_GT(device.stop_copy().bytes(), 0);
  EXPECT_EQ(device.config().section(), "multifd packet");
  EXPECT_EQ(device.config().pci_config_bytes(), 4096);
  std::vector<uint32_t> packets;
  for (const report::Record& record : device.records()) {
    if (record.has_packet()) packets.push_back(record.packet());
  }
  EXPECT_TRUE(std::is_sorted(packets.begin(), packets.end()));
  EXPECT_FALSE(packets.empty());
}

TEST(ChannelReportTest, WhatIsWrongWithAChannelIsAFindingOfItsFile) {
  std::vector<std::string> channels = ReadChannels(GetCapture("s100-multifd"));
  channels[1].pop_back();
  report::Report report = ReportWithChannels("s100-multifd", channels);
  EXPECT_TRUE(HasFindings(report));
  EXPECT_EQ(report.findings(0).file(), "channel 1");
  EXPECT_EQ(report.findings(0).offset(), channels[1].size());
  EXPECT_FALSE(report.devices(0).multifd_read());

  channels = ReadChannels(GetCapture("s100-multifd"));
  channels.erase(channels.begin());
  report = ReportWithChannels("s100-multifd", channels);
  EXPECT_EQ(report.findings(0).section(), "0000:00:05.0/vfio");
  EXPECT_THAT(report.findings(0).message(), testing::HasSubstr("is missing"));
  EXPECT_THAT(report.findings(0).file(), testing::StartsWith("channel "));
  EXPECT_GT(report.findings(0).offset(), 0);
}

TEST(ChannelReportTest, WhatIsWrongWithAConfigPacketIsWhereItStands) {
  std::vector<std::string> channels = ReadChannels(GetCapture("s100-multifd"));
  for (size_t i = 0; i < channels.size(); ++i) {
    const std::string tag("\xff\xff\xff\xff\xef\x10\0\x02", 8);
    size_t at = channels[i].find(tag);
    if (at == std::string::npos) continue;
    channels[i][at + 7] = 9;  // No tag.
    report::Report report = ReportWithChannels("s100-multifd", channels);
    ASSERT_EQ(report.findings_size(), 1);
    EXPECT_EQ(report.findings(0).id(), "multifd-config");
    EXPECT_EQ(report.findings(0).file(), "channel " + std::to_string(i));
    EXPECT_EQ(report.findings(0).offset(), at);
    return;
  }
  FAIL() << "no channel has a config packet";
}

TEST(ChannelReportTest, AChannelThatWasNotGivenIsToldOfByAnothersId) {
  // Without packets of a device nothing else tells.
  std::vector<std::string> channels =
      ReadChannels(GetCapture("s72-multifd-ram"));
  size_t highest = 0;
  for (size_t i = 0; i < channels.size(); ++i) {
    if (channels[i][24] > channels[highest][24]) highest = i;
  }
  channels = {channels[highest]};
  report::Report report = ReportWithChannels("s72-multifd-ram", channels);
  ASSERT_EQ(report.findings_size(), 1);
  EXPECT_EQ(report.findings(0).id(), "multifd-missing");
  EXPECT_EQ(report.findings(0).file(), "channel 0");
  EXPECT_EQ(report.findings(0).offset(), 24);
}

TEST(ChannelReportTest, AChannelThatWasNotGivenIsToldOfByTheNumbersOfPackets) {
  for (const char* name : {"s72-multifd-ram", "s100-multifd-zero"}) {
    // No id tells of the highest one's.
    std::vector<std::string> channels = ReadChannels(GetCapture(name));
    channels.erase(std::max_element(
        channels.begin(), channels.end(),
        [](const auto& a, const auto& b) { return a[24] < b[24]; }));
    report::Report report = ReportWithChannels(name, channels);
    const auto& finding = report.findings(0);
    EXPECT_EQ(finding.id(), "multifd-missing") << name;
    EXPECT_THAT(
        finding.message(),
        testing::MatchesRegex("RAM packet number [0-9]+, but there are only "
                              "[0-9]+ RAM packets in the channels given"))
        << name;
    EXPECT_THAT(finding.file(), testing::StartsWith("channel "));
    EXPECT_GT(finding.offset(), 24);
  }
}

TEST(ChannelReportTest, AChannelThatEndsEarlyIsToldOfByItsSyncPackets) {
  std::vector<std::string> channels =
      ReadChannels(GetCapture("s72-multifd-ram"));
  // Its last packet has the highest number of all.
  channels[1].resize(channels[1].size() - 320 - 8 * 128);
  report::Report report = ReportWithChannels("s72-multifd-ram", channels);
  EXPECT_THAT(Ids(report), testing::ElementsAre("multifd-missing"));
  EXPECT_EQ(report.findings(0).message(),
            "ends after 2 SYNC packets, and channel 0 has 3");
  EXPECT_EQ(report.findings(0).file(), "channel 1");
  EXPECT_EQ(report.findings(0).offset(), channels[1].size());
}

TEST(ChannelReportTest, EachDeviceThatIsNotWholeIsNamed) {
  std::vector<std::string> channels =
      ReadChannels(GetCapture("s111-multifd-two"));
  channels.erase(channels.begin() + 1);
  report::Report report = ReportWithChannels("s111-multifd-two", channels);
  EXPECT_THAT(Ids(report),
              testing::ElementsAre("multifd", "multifd-incomplete"));
  EXPECT_NE(report.findings(0).section(), report.findings(1).section());
  EXPECT_TRUE(report.complete());
  EXPECT_FALSE(report.channels_complete());
  EXPECT_THAT(report.findings(0).message(),
              testing::HasSubstr("; channels not given: "));
}

TEST(ChannelReportTest, NothingIsMissedInTheChannelsOfACutMigration) {
  // Without device state, of which packets are missed whatever is cut.
  const testdata::Capture& capture = GetCapture("s72-multifd-ram");
  std::vector<std::string> channels = ReadChannels(capture);
  channels[0].resize(64 + 320 + 8 * 128);  // One packet is left.
  for (bool cut : {false, true}) {
    std::string main = ReadCapture(capture);
    if (cut) main.resize(main.size() / 2);
    MemorySource source(AsBytes(main));
    report::Report report;
    BuildReport(source, MemoryChannels(channels).given(), {}, report);
    EXPECT_EQ(std::ranges::count(Ids(report), "multifd-missing"), cut ? 0 : 1);
  }
}

TEST(ChannelReportTest, NoChannelAtAllIsToldOfByTheFlushesInRam) {
  report::Report report = ReportWithChannels("s100-multifd", {});
  EXPECT_THAT(Ids(report),
              testing::ElementsAre("multifd-device-state", "multifd-ram"));
  EXPECT_FALSE(HasFindings(report));
}

TEST(ChannelReportTest, AChannelGivenTwiceIsOneFinding) {
  std::vector<std::string> channels = ReadChannels(GetCapture("s100-multifd"));
  channels.push_back(channels[0]);
  report::Report report = ReportWithChannels("s100-multifd", channels);
  EXPECT_THAT(Ids(report), testing::ElementsAre("multifd"));
  EXPECT_THAT(report.findings(0).message(),
              testing::HasSubstr("which channel 0 has too"));
}

// A multifd channel whose only packet is a device's config packet.
std::string ConfigChannel(const std::string& config) {
  const std::string magic = Be32Bytes(0x11223344) + Be32Bytes(1);
  std::string idstr = "vfio";
  idstr.resize(256, '\0');
  return magic + std::string(16 + 1 + 7 + 32, '\0') +  // Init.
         magic + Be32Bytes(0x40) + idstr + Be32Bytes(0) +
         Be32Bytes(static_cast<uint32_t>(12 + config.size())) + Be32Bytes(0) +
         Be32Bytes(0) + Be32Bytes(1) +  // Index 0, CONFIG_STATE.
         config;
}

TEST(ReportTest, AnEmptyConfigPacketIsAFinding) {
  const HandlerBytes vfio = {.id = 1, .idstr = "vfio"};
  const std::string main = HeaderBytes() + vfio.Start(kSetupTag + kEos) +
                           vfio.End(kEos) + vfio.Full(kEos) + EofBytes();
  const std::string config = TagBytes(2) + ConfigBytes{}.Payload() + kEos;
  for (const auto& [packet, finding] :
       {std::pair(kEos, "END_OF_STATE (0xffffffffef100001), expected CONFIG"),
        std::pair(config, "")}) {
    std::string channel = ConfigChannel(packet);
    MemorySource source(AsBytes(main));
    MemorySource channel_source(AsBytes(channel));
    report::Report report;
    Error error = BuildReport(source, {{"ch1", &channel_source}}, {}, report);
    EXPECT_TRUE(error.ok()) << ToString(error);
    std::string found;
    for (const report::Finding& row : report.findings()) {
      if (row.severity() == "error") found += row.message();
    }
    EXPECT_EQ(found, finding);
  }
}

TEST(ReportTest, AChannelThatCannotBeReadIsTheError) {
  const HandlerBytes vfio = {.id = 1, .idstr = "vfio"};
  const std::string main = HeaderBytes() + vfio.Start(kSetupTag + kEos) +
                           vfio.End(kEos) + vfio.Full(kEos) + EofBytes();
  MemorySource source(AsBytes(main));
  FailingSource channel(ConfigChannel(kEos).substr(0, 100));
  report::Report report;
  Error error = BuildReport(source, {{"ch1", &channel}}, {}, report);
  EXPECT_EQ(error.code, ErrorCode::kReadFailed);
  EXPECT_EQ(error.file, "ch1");
  EXPECT_EQ(error.reason, "out of luck");
}

}  // namespace
}  // namespace migstream
