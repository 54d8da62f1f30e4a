// What a real QEMU said to damaged streams, release by release, and what is
// foretold. LOADERS.md.

#include "codec/loader/loader.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "codec/channels/memory_channels.h"
#include "codec/device/config_bytes.h"
#include "codec/device/section_bytes.h"
#include "codec/loader/loader_row.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/report/report.pb.h"
#include "codec/report/report_builder.h"
#include "codec/wire/text.h"
#include "flags/qemu_version.h"
#include "flags/release.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct Setting {
  Release release = 1101;
  std::string machine_type = {};
  std::string config = {};
  LoaderOptions::Setting switchover_ack = LoaderOptions::kAsNeeded;
};

LoadVerdict Predict(const std::string& bytes, const Setting& setting = {},
                    const std::vector<std::string>& channels = {}) {
  LoaderOptions options;
  options.release = setting.release;
  options.machine_type = setting.machine_type;
  options.destination_config = setting.config;
  options.switchover_ack = setting.switchover_ack;
  MemorySource source(AsBytes(bytes));
  return PredictLoad(source, MemoryChannels(channels).given(), options);
}

std::string Words(const LoadVerdict& verdict) {
  switch (verdict.outcome) {
    case LoadVerdict::kLoads:
      return "loads";
    case LoadVerdict::kWaits:
      return StrCat("waits: ", verdict.message);
    default:
      return verdict.message;
  }
}

// A capture, damaged in one place, and the loader of its writer's release.
class LoaderTest : public testing::TestWithParam<const char*> {
 protected:
  LoaderTest() : bytes_(ReadCapture(GetCapture(GetParam()))) {
    std::string name = GetParam();
    setting_.release = name.starts_with("s72")    ? 702
                       : name.starts_with("s100") ? 1000
                                                  : 1101;
    MemorySource source(AsBytes(bytes_));
    ReportOptions options;
    options.records = true;
    EXPECT_TRUE(BuildReport(source, options, report_).ok());
  }

  // The offset of the nth element of that name.
  uint64_t Find(const std::string& section, const std::string& element,
                int nth = 0) {
    for (const report::Record& record : report_.devices(0).records()) {
      if (record.section() == section && record.element() == element &&
          nth-- == 0) {
        return record.offset();
      }
    }
    ADD_FAILURE() << "no " << element << " in " << section;
    return 0;
  }
  void SetTag(uint64_t at, uint64_t number) {
    bytes_.replace(at, 8, BeBytes(kTagPrefix + number, 8));
  }
  uint64_t SizeAt(uint64_t data) {
    return LoadBe64(AsBytes(bytes_).data() + data + 8);
  }
  void SetSize(uint64_t data, uint64_t size) {
    bytes_.replace(data + 8, 8, BeBytes(size, 8));
  }
  std::string Prediction() { return Words(Predict(bytes_, setting_)); }

  std::string bytes_;
  report::Report report_;
  Setting setting_;
};

TEST_P(LoaderTest, TheCaptureLoads) { EXPECT_EQ(Prediction(), "loads"); }

TEST_P(LoaderTest, TwoRecordsMergedIntoOneLoad) {
  uint64_t first = Find("END", "DATA", 0);
  uint64_t second = Find("END", "DATA", 1);
  uint64_t sum = SizeAt(first) + SizeAt(second);
  bytes_.erase(second, 16);
  SetSize(first, sum);
  EXPECT_EQ(Prediction(), "loads");
}

TEST_P(LoaderTest, OneRecordSplitInTwoLoads) {
  uint64_t at = Find("END", "DATA");
  uint64_t size = SizeAt(at);
  bytes_.insert(at + 16 + 100,
                BeBytes(kTagPrefix + 4, 8) + BeBytes(size - 100, 8));
  SetSize(at, 100);
  EXPECT_EQ(Prediction(), "loads");
}

TEST_P(LoaderTest, AnotherCommandRegisterLoads) {
  uint64_t config = Find("FULL", "CONFIG") + 8 + 4;
  setting_.config = bytes_.substr(config, 4096);
  bytes_[config + 4] ^= 1;
  EXPECT_EQ(Prediction(), "loads");
}

TEST_P(LoaderTest, AnotherPayloadByteLoads) {
  bytes_[Find("END", "DATA") + 16] ^= 0xff;
  EXPECT_EQ(Prediction(), "loads");
}

TEST_P(LoaderTest, AMissingRecordLoads) {
  uint64_t first = Find("END", "DATA", 0);
  bytes_.erase(first, Find("END", "DATA", 1) - first);
  EXPECT_EQ(Prediction(), "loads");
}

TEST_P(LoaderTest, AnUnknownTagIsRefused) {
  uint64_t at = Find("END", "DATA");
  SetTag(at, 9);
  LoadVerdict verdict = Predict(bytes_, setting_);
  EXPECT_EQ(Words(verdict), "Unknown tag 0xffffffffef100009");
  EXPECT_EQ(verdict.offset, at);
  EXPECT_EQ(verdict.section, "0000:00:05.0/vfio END");
}

TEST_P(LoaderTest, ASetupWithoutEndOfStateIsRefused) {
  SetTag(Find("START", "END_OF_STATE"), 7);
  EXPECT_EQ(Prediction(), "SETUP STATE: EOS not found 0xffffffffef100007");
}

TEST_P(LoaderTest, ASizeOneTooLargeIsRefused) {
  uint64_t at = Find("END", "DATA");
  SetSize(at, SizeAt(at) + 1);
  EXPECT_EQ(Prediction(), "Unknown tag 0xffffffef10000400");
}

TEST_P(LoaderTest, ARecordOfMoreThanThereCanBeIsRefused) {
  const uint64_t at = Find("END", "DATA");
  for (uint64_t size : {UINT64_MAX, UINT64_MAX - SizeAt(at), UINT64_MAX >> 1}) {
    SetSize(at, size);
    // QEMU 7.2 reads them into a buffer; what is too large wraps around.
    const char* said = setting_.release != 702 ? "Input/output error"
                       : size == UINT64_MAX
                           ? "vfio_load_buffer: Error allocating buffer"
                           : "waits: a record of ";
    EXPECT_THAT(Prediction(), StartsWith(said)) << size;
  }
}

TEST_P(LoaderTest, AFileThatEndsInARecordIsRefused) {
  bytes_.resize(Find("END", "DATA") + 16 + 50);
  EXPECT_EQ(Prediction(), "Input/output error");
}

TEST_P(LoaderTest, InitDataSentNeedsSwitchoverAckAndItsRelease) {
  SetTag(Find("PART", "END_OF_STATE"), 5);
  EXPECT_EQ(Prediction(),
            setting_.release < 801
                ? "Unknown tag 0xffffffffef100005"
                : "Received INIT_DATA_SENT but switchover ack is not used");
  setting_.switchover_ack = LoaderOptions::kOn;
  EXPECT_EQ(Prediction() == "loads", setting_.release >= 801);
}

TEST_P(LoaderTest, AnotherSectionIdInAFooterIsRefused) {
  uint64_t at = Find("START", "END_OF_STATE") + 8 + 1;
  std::string id = Hex(LoadBe32(AsBytes(bytes_).data() + at));
  bytes_.replace(at, 4, BeBytes(0xffff, 4));
  EXPECT_EQ(Prediction(), StrCat("Mismatched section id in footer for "
                                 "0000:00:05.0/vfio - read 0xffff expected ",
                                 id));
}

TEST_P(LoaderTest, AnotherVendorIdIsRefusedByTheDestinationsConfig) {
  uint64_t config = Find("FULL", "CONFIG") + 8 + 4;
  setting_.config = bytes_.substr(config, 4096);
  bytes_[config] = '\x87';
  EXPECT_THAT(
      Prediction(),
      HasSubstr("Bad config data: i=0x0 read: 87 device: 86 cmask: ff"));
}

TEST_P(LoaderTest, AConfigWithoutEndOfStateIsRefused) {
  SetTag(Find("FULL", "END_OF_STATE"), 7);
  EXPECT_EQ(Prediction(),
            "Failed loading device config space, end flag incorrect "
            "0xffffffffef100007");
}

TEST_P(LoaderTest, AConfigThatTheInputsEndCutsIsRefused) {
  const std::string whole = bytes_;
  const uint64_t config = Find("FULL", "CONFIG") + 8;
  const uint64_t end = Find("FULL", "END_OF_STATE");
  const uint64_t irqs = config + 4 + 4096;
  for (uint64_t cut : {config, config + 2, config + 4, config + 1000, irqs,
                       irqs + 6, irqs + 16, irqs + 20, end - 1, end}) {
    bytes_ = whole.substr(0, cut);
    LoadVerdict verdict = Predict(bytes_, setting_);
    EXPECT_EQ(Words(verdict), "Failed to load device config space") << cut;
    EXPECT_EQ(verdict.offset, cut);
  }
  bytes_ = whole.substr(0, end + 3);
  EXPECT_EQ(Prediction(),
            "Failed loading device config space, end flag incorrect "
            "0xffffff0000000000");
  bytes_ = whole.substr(0, end + 8);
  EXPECT_EQ(Prediction(), "Read section footer failed: -5");
}

TEST_P(LoaderTest, TheSectionsTypeIsNotLookedAt) {
  // END as PART, and FULL as START.
  const report::Device& device = report_.devices(0);
  bytes_[Find("END", "DATA") - 5] = 2;
  bytes_[Find("FULL", "CONFIG") - (1 + 4 + 1 + device.idstr().size() + 4 + 4)] =
      1;
  EXPECT_EQ(Prediction(), "loads");
}

TEST_P(LoaderTest, WhatFollowsEofIsNotLookedAt) {
  bytes_.resize(bytes_.size() - 100);  // Within the description.
  EXPECT_EQ(Prediction(), "loads");
}

TEST_P(LoaderTest, AnEarlyEofEndsTheLoadWithoutAWord) {
  bytes_[Find("START", "SETUP") - (1 + 4 + 1 + 17 + 4 + 4)] = 0;
  EXPECT_EQ(Prediction(), "loads");
}

TEST_P(LoaderTest, AnotherMachineTypeIsRefused) {
  setting_.machine_type = "pc-q35-9.0";
  EXPECT_EQ(Prediction(),
            StrCat("Machine type received is '", report_.machine_type(),
                   "' and local is 'pc-q35-9.0'"));
}

TEST_P(LoaderTest, AMachineTypeOfALaterReleaseIsRefused) {
  std::string newer = report_.machine_type();
  newer[newer.rfind('-') + 1] = '8';
  bytes_.replace(bytes_.find(report_.machine_type()), newer.size(), newer);
  EXPECT_THAT(Prediction(), HasSubstr("Machine type received is '" + newer));
}

TEST_P(LoaderTest, MessagesHaveTheReleasesWording) {
  bytes_[Find("START", "SETUP") - (1 + 4 + 1 + 17 + 4 + 4)] = 0x55;
  EXPECT_EQ(Prediction(), setting_.release < 1100
                              ? "Unknown savevm section type 85"
                              : "Unknown section type 85");
}

INSTANTIATE_TEST_SUITE_P(Captures, LoaderTest,
                         testing::Values("s72-stop3m", "s100-precopy",
                                         "s111-precopy"),
                         [](const auto& info) {
                           std::string name = info.param;
                           name[name.find('-')] = '_';
                           return name;
                         });

Release ReleaseOf(const testdata::Capture& capture) {
  return ParseRelease(capture.qemu().substr(0, capture.qemu().rfind('.')));
}

class LoaderCaptureTest : public testing::TestWithParam<testdata::Capture> {};

TEST_P(LoaderCaptureTest, ItsOwnReleaseLoadsItUnlessItIsCut) {
  Release release = ReleaseOf(GetParam());
  ASSERT_NE(FindLoader(release), nullptr) << GetParam().qemu();
  LoadVerdict verdict = Predict(ReadCapture(GetParam()), {.release = release},
                                ReadChannels(GetParam()));
  EXPECT_EQ(verdict.outcome == LoadVerdict::kLoads, GetParam().completed())
      << Words(verdict);
}

TEST_P(LoaderCaptureTest, ACutBeforeEofIsRefused) {
  std::string bytes = ReadCapture(GetParam());
  report::Report report;
  MemorySource source(AsBytes(bytes));
  (void)BuildReport(source, {}, report);
  const uint64_t eof = !report.complete() ? bytes.size()
                       : report.has_description()
                           ? report.description().offset() - 1
                           : bytes.size() - 1;
  for (size_t part = 1; part < 20; ++part) {
    const size_t cut = bytes.size() * part / 20;
    LoadVerdict verdict =
        Predict(bytes.substr(0, cut), {.release = ReleaseOf(GetParam())});
    EXPECT_LE(verdict.offset, cut);
    // Where nothing tells a section's end, an EOF may seem to be anywhere.
    if (std::find(verdict.given.begin(), verdict.given.end(),
                  "sections end where it seems they do") !=
        verdict.given.end()) {
      continue;
    }
    EXPECT_EQ(verdict.outcome,
              cut > eof ? LoadVerdict::kLoads : LoadVerdict::kRefuses)
        << cut << ": " << Words(verdict);
  }
}

INSTANTIATE_TEST_SUITE_P(All, LoaderCaptureTest,
                         testing::ValuesIn(AllCaptures()), CaptureName());

// The same machine type everywhere, as far as it is known everywhere.
std::string OfMachine(const std::string& name, const std::string& type) {
  std::string bytes = ReadCapture(GetCapture(name));
  uint32_t length = LoadBe32(AsBytes(bytes).data() + 9);
  bytes.replace(9, 4 + length,
                Be32Bytes(static_cast<uint32_t>(type.size())) + type);
  return bytes;
}

TEST(LoaderReleaseTest, StreamsOfSixToElevenLoadInOneAnother) {
  for (const char* name : {"s72-precopy", "s111-tiny"}) {
    for (Release release : {702, 802, 1101}) {
      // A stream of 11.1's machine type has what 7.2 does not know.
      std::string bytes = OfMachine(name, "pc-q35-6.0");
      size_t start = bytes.find(CommandBytes(11));
      if (start != std::string::npos) bytes.erase(start, 5);
      EXPECT_EQ(Words(Predict(bytes, {.release = release})), "loads")
          << name << release;
    }
  }
}

TEST(LoaderReleaseTest, TheNextOneHoldsEachBlockAgainstWhatIsLeftOfTheTotal) {
  std::string bytes = OfMachine("s111-tiny", "pc-q35-11.1");
  const size_t total = bytes.find("\x06pc.ram") - 8;
  bytes.replace(total, 8,
                BeBytes(LoadBe64(AsBytes(bytes).data() + total) - 0x3000, 8));
  EXPECT_THAT(Words(Predict(bytes, {.release = kNextRelease.release})),
              HasSubstr("' size underflow total RAM size"));
  EXPECT_THAT(Words(Predict(bytes)), HasSubstr("Unknown ramblock"));
}

TEST(LoaderReleaseTest, ABlocksLengthIsRoundedUpToWholePages) {
  const std::string bytes = OfMachine("s111-tiny", "pc-q35-11.1");
  auto with = [&bytes](std::string_view block, uint64_t length) {
    std::string damaged = bytes;
    const size_t at = damaged.find(block);
    EXPECT_NE(at, damaged.npos);
    damaged.replace(at + block.size(), 8, BeBytes(length, 8));
    return Words(Predict(damaged));
  };
  // It fits, and the list goes on for the bytes that are missing in the total.
  const std::string past_the_list =
      "Unknown ramblock \"\", cannot accept migration";
  EXPECT_EQ(with("\x06pc.ram", 0x3fffff), past_the_list);
  EXPECT_EQ(with("\x12/rom@etc/acpi/rsdp", 0xfff), past_the_list);
  EXPECT_EQ(with("\x06pc.ram", 0x400001),
            "Size mismatch: pc.ram: 0x401000 != ...");
  // Such a block is resized.
  const std::string_view tables = "\x14/rom@etc/acpi/tables";
  EXPECT_EQ(with(tables, 0x20001), past_the_list);
  EXPECT_EQ(with(tables, 0x10020000),
            "Size too large: /rom@etc/acpi/tables: 0x10020000 > ...");
}

TEST(LoaderReleaseTest, ADestinationHasBlocksThoughTheListIsLost) {
  std::string bytes = OfMachine("s111-tiny", "pc-q35-11.1");
  const size_t total = bytes.find("\x06pc.ram") - 8;
  bytes.replace(total, 8, BeBytes(0x28d4931e5f175000 | 0x08, 8));
  EXPECT_EQ(Words(Predict(bytes)), "Illegal RAM offset 28d4931e5f175000");
  bytes[total + 9] = '\1';
  EXPECT_THAT(Words(Predict(bytes)), HasSubstr("Can't find block"));
}

TEST(LoaderReleaseTest, TheObsoleteVersionIsRefusedInTheReleasesWords) {
  std::string bytes = OfMachine("s111-tiny", "pc-q35-10.0");
  bytes[7] = 2;
  EXPECT_EQ(Words(Predict(bytes, {.release = 1000})),
            "SaveVM v2 format is obsolete and don't work anymore");
  EXPECT_EQ(Words(Predict(bytes)),
            "SaveVM v2 format is obsolete and no longer supported");
}

std::string WithTransfer(const std::string& name,
                         LoaderOptions::Setting multifd,
                         LoaderOptions::Setting after_iter) {
  const auto& capture = GetCapture(name);
  LoaderOptions options;
  options.release = 1101;
  options.multifd_transfer = multifd;
  options.load_config_after_iter = after_iter;
  const std::string bytes = ReadCapture(capture);
  MemorySource source(AsBytes(bytes));
  const std::vector<std::string> given = ReadChannels(capture);
  const MemoryChannels channels(given);
  return Words(PredictLoad(source, channels.given(), options));
}

TEST(LoaderSettingTest, TheDevicesSettingsHaveToBeTheStreams) {
  constexpr auto kAny = LoaderOptions::kAsNeeded;
  constexpr auto kOn = LoaderOptions::kOn;
  constexpr auto kOff = LoaderOptions::kOff;
  EXPECT_EQ(WithTransfer("s111-multifd-two", kOn, kOff), "loads");
  EXPECT_THAT(WithTransfer("s111-multifd-two", kOff, kAny),
              HasSubstr("/vfio: got device state packet but not doing multifd "
                        "transfer"));
  EXPECT_EQ(WithTransfer("s111-tiny", kOn, kAny),
            "got DEV_CONFIG_STATE in main migration channel but doing multifd "
            "transfer");
  EXPECT_EQ(WithTransfer("s111-tiny", kOff, kAny), "loads");
  EXPECT_EQ(WithTransfer("s111-multifd-cfg-after-iter", kOn, kOn), "loads");
  EXPECT_EQ(WithTransfer("s111-multifd-cfg-after-iter", kOn, kOff),
            "got DEV_CONFIG_LOAD_READY but was disabled");
  EXPECT_EQ(WithTransfer("s111-multifd-two", kOn, kOn),
            "waits: DEV_CONFIG_LOAD_READY, which does not come");
}

TEST(LoaderReleaseTest, SwitchoverStartIsUnknownBefore100) {
  EXPECT_EQ(
      Words(Predict(OfMachine("s111-tiny", "pc-q35-8.2"), {.release = 902})),
      "MIG_CMD 0xb unknown (len 0x0)");
}

TEST(LoaderReleaseTest, AStreamOf52IsRefusedByAllLaterOnes) {
  std::string bytes = ReadCapture(GetCapture("s52-precopy"));
  for (auto [release, oldest] : kReleases) {
    EXPECT_EQ(Words(Predict(bytes, {.release = release})),
              release == 502 ? "loads"
                             : "Missing section footer for 0000:00:05.0/vfio")
        << release;
  }
}

TEST(LoaderReleaseTest, AStreamOf60OnIsRefusedBy52) {
  EXPECT_THAT(
      Words(Predict(OfMachine("s72-precopy", "pc-q35-5.2"), {.release = 502})),
      HasSubstr("Unknown tag 0x7e"));
}

TEST(LoaderReleaseTest, NewerReleasesHaveDroppedOldMachineTypes) {
  std::string bytes = OfMachine("s72-precopy", "pc-q35-4.0");
  EXPECT_EQ(Words(Predict(bytes, {.release = 1000})), "loads");
  EXPECT_THAT(Words(Predict(bytes, {.release = 1101})),
              HasSubstr("Machine type received is 'pc-q35-4.0'"));
}

TEST(LoaderReleaseTest, ANameWithANumberIsNotAlwaysOfARelease) {
  auto with = [](const std::string& type, Release release) {
    return Words(Predict(OfMachine("s72-precopy", type), {.release = release}));
  };
  // The one of a stable release.
  EXPECT_EQ(with("pc-q35-4.0.1", 1000), "loads");
  EXPECT_THAT(with("pc-q35-4.0.1", 1101), HasSubstr("Machine type received"));
  EXPECT_THAT(with("pc-q35-4.0.2", 1000), HasSubstr("Machine type received"));
  EXPECT_EQ(with("SS-5", 1101), "loads");
  EXPECT_THAT(with("pc-q35-5", 1101), HasSubstr("Machine type received"));
}

// One device per INIT_DATA_SENT up to 11.0; later ones take any number.
TEST(LoaderReleaseTest, ASecondInitDataSentIsRefusedWhereTheyAreCounted) {
  std::string bytes = ReadCapture(GetCapture("s111-switchover-ack"));
  size_t at = bytes.find(BeBytes(kTagPrefix + 5, 8));
  std::string footer = bytes.substr(at + 8, 5);
  bytes.insert(at + 13,
               "\2" + footer.substr(1) + BeBytes(kTagPrefix + 5, 8) + footer);
  EXPECT_EQ(Words(Predict(bytes)), "loads");
  size_t type = bytes.find("pc-q35-11.1");
  bytes.replace(type, 11, "pc-q35-11.0");
  EXPECT_THAT(Words(Predict(bytes)),
              HasSubstr("approve_switchover failed, err=-22"));
}

// A RAM section with one record before its EOS, for each release.
TEST(LoaderReleaseTest, RamRecordsAreThoseOfTheRelease) {
  const HandlerBytes ram = {.id = 2, .idstr = "ram", .version = 4};
  std::string start =
      ram.Start(BeBytes(0x1000 | 0x04, 8) + Str8Bytes("pc.ram") +
                BeBytes(0x1000, 8) + BeBytes(0x10, 8));
  auto said = [&](Release release, const std::string& record) {
    return Words(Predict(HeaderBytes() + start +
                             ram.Part(record + BeBytes(0x10, 8)) + EofBytes(),
                         {.release = release}));
  };
  std::string filled = BeBytes(0x02, 8) + Str8Bytes("pc.ram") + "\1";
  EXPECT_EQ(said(802, filled), "loads");
  EXPECT_EQ(said(900, filled), "Found a zero page with value 1");
  EXPECT_EQ(said(801, BeBytes(0x200, 8)), "loads");
  EXPECT_EQ(said(800, BeBytes(0x200, 8)),
            "Unknown combination of migration flags: 0x200");
  EXPECT_EQ(said(702, BeBytes(0x80, 8)), "Invalid argument");
  EXPECT_EQ(said(1000, BeBytes(0x80, 8)), "loads");
  EXPECT_EQ(
      said(1000, BeBytes(0x100, 8) + Str8Bytes("pc.ram") + Be32Bytes(1) + "x"),
      "Unknown combination of migration flags: 0x100");
  for (Release release : {502, 1101}) {
    EXPECT_EQ(said(release, BeBytes(0x22, 8) + U8Bytes(0)),
              "Ack, bad migration stream!");
    EXPECT_EQ(said(release, BeBytes(0x1002, 8) + Str8Bytes("pc.ram")),
              "Illegal RAM offset 1000");
    EXPECT_EQ(said(release, BeBytes(0x02, 8) + Str8Bytes("abc")),
              "Can't find block abc");
    std::string xbzrle = BeBytes(0x40, 8) + Str8Bytes("pc.ram");
    EXPECT_EQ(
        said(release, xbzrle + "\1" + Be16Bytes(4) + std::string("\1\2ab", 4)),
        "loads");
    EXPECT_EQ(
        said(release, xbzrle + "\1" + Be16Bytes(2) + std::string("\0\1", 2)),
        "Failed to load XBZRLE page - decode error!");
    EXPECT_EQ(said(release, xbzrle + "\2" + Be16Bytes(2) + "ab"),
              "Failed to load XBZRLE page - wrong compression!");
    EXPECT_EQ(said(release, xbzrle + "\1" + Be16Bytes(4097)),
              "Failed to load XBZRLE page - len overflow!");
  }
}

TEST(LoaderReleaseTest, ACompressedPageIsInflated) {
  std::string bytes = ReadCapture(GetCapture("s72-compress"));
  size_t at = bytes.find("\x78\x9c");  // The head of a zlib stream.
  if (at == std::string::npos) at = bytes.find("\x78\x01");
  ASSERT_NE(at, std::string::npos);
  bytes[at + 4] ^= 0x40;
  EXPECT_EQ(Words(Predict(bytes, {.release = 702})), "decompress data failed");
}

TEST(LoaderReleaseTest, CommandsAreThoseOfTheRelease) {
  auto said = [](Release release, const std::string& commands) {
    return Words(
        Predict(HeaderBytes() + commands + EofBytes(), {.release = release}));
  };
  std::string ping = CommandBytes(2, Be32Bytes(1));
  EXPECT_EQ(said(702, CommandBytes(1) + CommandBytes(1) + ping), "loads");
  EXPECT_EQ(said(702, ping), "CMD_PING (0x1) received with no return path");
  EXPECT_EQ(said(702, CommandBytes(12)), "MIG_CMD 0xc unknown (len 0x0)");
  EXPECT_EQ(said(702, CommandBytes(0)), "MIG_CMD 0x0 unknown (len 0x0)");
  EXPECT_EQ(said(702, CommandBytes(11)), "MIG_CMD 0xb unknown (len 0x0)");
  EXPECT_EQ(said(1101, CommandBytes(11, "x")),
            "SWITCHOVER_START received with bad length - expecting 0, got 1");
  EXPECT_EQ(said(1101, CommandBytes(8)), "MIG_CMD 0x8 deprecated (len 0x0)");
  EXPECT_THAT(said(702, CommandBytes(8)), HasSubstr("waits: "));
  EXPECT_EQ(said(702, CommandBytes(4)),
            "CMD_POSTCOPY_LISTEN in wrong postcopy state (0)");
}

TEST(LoaderReleaseTest, AConfigOfAnySizeIsTakenAsItIsDescribed) {
  const HandlerBytes vfio = {.id = 1, .idstr = "vfio"};
  for (uint32_t vectors : {0, 3, 238, 239, 300, 2048}) {
    for (uint32_t bytes : {256, 4096}) {
      const std::string full =
          TagBytes(2) +
          ConfigBytes{.pci_config_bytes = bytes, .msix_vectors = vectors}
              .Payload() +
          kEos;
      EXPECT_EQ(Words(Predict(HeaderBytes() + vfio.Start(kSetupTag + kEos) +
                              vfio.End(kEos) + vfio.Full(full) + EofBytes() +
                              DescriptionBytes(
                                  DescriptionJson({vfio.Json(full.size())})))),
                "loads")
          << bytes << " " << vectors;
    }
  }
}

TEST(LoaderReleaseTest, AFooterThatIsMissedIsTheFirstSections) {
  const HandlerBytes first = {.id = 1, .idstr = "a/vfio"};
  const HandlerBytes second = {.id = 2, .idstr = "b/vfio"};
  std::string start = first.Start(kSetupTag + kEos);
  const std::string rest = second.Start(kSetupTag + kEos) + EofBytes();
  EXPECT_EQ(Words(Predict(HeaderBytes() + start + rest)), "loads");
  start.resize(start.size() - 5);
  LoadVerdict verdict = Predict(HeaderBytes() + start + rest);
  EXPECT_EQ(Words(verdict), "Missing section footer for a/vfio");
  EXPECT_EQ(verdict.offset, HeaderBytes().size() + start.size());
  EXPECT_EQ(verdict.section, "a/vfio START");
}

std::string Configuration(const std::string& type, const std::string& name,
                          uint32_t version, const std::string& content) {
  return ConfigurationBytes(type, U8Bytes(5) +
                                      Str8Bytes("configuration/" + name) +
                                      Be32Bytes(version) + content);
}

TEST(LoaderReleaseTest, AConfigurationIsTheReleasesOwn) {
  auto said = [](Release release, const std::string& configuration) {
    return Words(Predict(HeaderBytes() + configuration + EofBytes(),
                         {.release = release}));
  };
  const std::string type = "pc-q35-7.2";
  const std::string uuid(16, 'u');
  EXPECT_EQ(said(702, Configuration(type, "uuid", 1, uuid)), "loads");
  // A version is its low byte.
  EXPECT_EQ(said(702, Configuration(type, "uuid", 257, uuid)), "loads");
  EXPECT_EQ(said(702, Configuration(type, "uuid", 2, uuid)),
            "configuration/uuid: incoming version_id 2 is too new for local "
            "version_id 1");
  EXPECT_EQ(said(1101, Configuration(type, "uuid", 0, uuid)),
            "configuration/uuid: incoming version_id 0 is too old for local "
            "minimum version_id 1");
  EXPECT_EQ(said(702, Configuration(type, "foo", 1, "")),
            "No such file or directory");
  EXPECT_EQ(said(1101, Configuration(type, "foo", 1, "")),
            "VM subsection 'configuration/foo' in 'configuration' does not "
            "exist");
  auto bits = [&type](uint32_t bits) {
    return Configuration(type, "target-page-bits", 1, Be32Bytes(bits));
  };
  EXPECT_EQ(said(1101, bits(12)), "loads");
  EXPECT_EQ(said(1101, bits(14)),
            "Received TARGET_PAGE_BITS is 14 but local is 12");
  EXPECT_EQ(said(1101, bits(40)),
            "Received TARGET_PAGE_BITS is 40 but local is 12");
  EXPECT_EQ(said(1101, ConfigurationBytes(type, CapabilitiesBytes({"foo"}))),
            "Received unknown capability foo");
  const std::string ack =
      ConfigurationBytes(type, CapabilitiesBytes({"switchover-ack"}));
  EXPECT_EQ(said(801, ack), "loads");
  EXPECT_EQ(said(800, ack), "Received unknown capability switchover-ack");
  EXPECT_EQ(said(1101, ConfigurationBytes("pc-q35-99.0")),
            "Machine type received is 'pc-q35-99.0' and local is '...', since "
            "qemu-11.1 has no such");
}

// Where nothing describes the devices, their STARTs tell how many there are.
TEST(LoaderReleaseTest, EachDeviceIsAwaitedOnce) {
  const HandlerBytes vfio = {.id = 1, .idstr = "vfio"};
  const std::string sent = vfio.Part(DataBytes("x") + TagBytes(5));
  const std::string begin =
      HeaderBytes() + CommandBytes(1) + vfio.Start(kSetupTag + kEos);
  EXPECT_EQ(Words(Predict(begin + sent + EofBytes(), {.release = 1000})),
            "loads");
  EXPECT_THAT(
      Words(Predict(begin + sent + sent + EofBytes(), {.release = 1000})),
      HasSubstr("approve_switchover failed"));
  EXPECT_EQ(Words(Predict(begin + sent + sent + EofBytes())), "loads");
}

// A package is there as a whole before any of it is looked at; POSTCOPY_RUN or
// an EOF byte ends it, whatever is left of it.
TEST(LoaderReleaseTest, APackageEndsByRunOrEof) {
  auto said = [](const std::string& commands) {
    return Words(Predict(HeaderBytes() + commands));
  };
  const std::string advise = CommandBytes(3);
  const std::string run = CommandBytes(4) + CommandBytes(5);
  const std::string eof(1, '\0');
  const std::string ping = CommandBytes(2, Be32Bytes(8));
  const std::string no_return_path =
      "CMD_PING (0x8) received with no return path";

  EXPECT_EQ(said(advise + PackagedBytes(run) + eof), "loads");
  EXPECT_EQ(said(advise + PackagedBytes(run + ping) + eof), "loads");
  EXPECT_EQ(said(PackagedBytes(eof + ping) + eof), "loads");
  EXPECT_EQ(said(advise + PackagedBytes(ping + run) + eof), no_return_path);
  // The stream goes on behind it.
  EXPECT_EQ(said(advise + PackagedBytes(run) + ping + eof), no_return_path);
  EXPECT_EQ(said(PackagedBytes(eof) + ping + eof), no_return_path);

  EXPECT_EQ(said(PackagedBytes("") + eof), "Input/output error");
  EXPECT_EQ(said(PackagedBytes(CommandBytes(1)) + eof), "Input/output error");
  // A command that would end behind it.
  EXPECT_EQ(said(CommandBytes(7, Be32Bytes(3)) + CommandBytes(1) + eof),
            "Input/output error");
  EXPECT_EQ(said(CommandBytes(7, Be32Bytes(100)) + "x"),
            "CMD_PACKAGED: Buffer receive fail ret=1 length=100");
  EXPECT_EQ(said(CommandBytes(7, Be32Bytes(0xffffffff)) + eof),
            "CMD_PACKAGED: Buffer receive fail ret=1 length=4294967295");
}

TEST(LoaderReleaseTest, APackageInAPackageIsNotFollowed) {
  std::string bytes = HeaderBytes();
  for (int i = 0; i < 100'000; ++i) {
    bytes += CommandBytes(7, Be32Bytes(0xfffffff0));
  }
  EXPECT_THAT(Words(Predict(bytes)), HasSubstr("Buffer receive fail"));
  EXPECT_EQ(
      Words(Predict(HeaderBytes() + PackagedBytes(PackagedBytes(EofBytes())))),
      "a package in a package, not in this model");
}

// A PART is for the one that was named first, and not for one whose id has
// changed since.
TEST(LoaderReleaseTest, ASectionIdIsThatOfTheLastNaming) {
  const HandlerBytes first = {.id = 1, .idstr = "a/vfio"};
  const HandlerBytes second = {.id = 1, .idstr = "b/vfio"};
  const HandlerBytes renamed = {.id = 2, .idstr = "a/vfio"};
  const std::string begin = HeaderBytes() + first.Start(kSetupTag + kEos) +
                            second.Start(kSetupTag + kEos);
  LoadVerdict verdict = Predict(begin + first.Part("12345678") + EofBytes());
  EXPECT_EQ(verdict.section, "a/vfio PART");
  verdict = Predict(begin + renamed.Start(kSetupTag + kEos) +
                    first.Part("12345678") + EofBytes());
  EXPECT_EQ(verdict.section, "b/vfio PART");
}

class MultifdLoaderTest : public testing::Test {
 protected:
  MultifdLoaderTest()
      : main_(ReadCapture(GetCapture("s111-multifd-two"))),
        channels_(ReadChannels(GetCapture("s111-multifd-two"))) {}

  // The first device-state packet, wherever it is: its channel and offset.
  std::pair<size_t, size_t> Packet() const {
    for (size_t i = 0; i < channels_.size(); ++i) {
      size_t at = channels_[i].find("0000:00:05.0/vfio");
      if (at != std::string::npos) return {i, at - 12};
    }
    ADD_FAILURE() << "no packet";
    return {};
  }
  std::string Prediction() { return Words(Predict(main_, {}, channels_)); }

  std::string main_;
  std::vector<std::string> channels_;
};

TEST_F(MultifdLoaderTest, AConfigPacketIsComparedWithTheDestinationsDevice) {
  LoadVerdict verdict =
      Predict(main_, {.config = std::string(4096, '\0')}, channels_);
  EXPECT_THAT(Words(verdict),
              HasSubstr("Bad config data: i=0x0 read: 86 device: 0"));
  EXPECT_THAT(verdict.file, testing::StartsWith("ch"));
  EXPECT_EQ(verdict.configs_compared, 2);
}

constexpr size_t kPacketBytes = 276;

TEST_F(MultifdLoaderTest, AllChannelsLoad) { EXPECT_EQ(Prediction(), "loads"); }

TEST_F(MultifdLoaderTest, WithoutTheChannelsTheVerdictSaysWhatItNeeds) {
  LoadVerdict verdict = Predict(main_);
  EXPECT_EQ(verdict.outcome, LoadVerdict::kLoads);
  EXPECT_THAT(verdict.given,
              testing::Contains(HasSubstr("multifd channels that hold")));
}

TEST_F(MultifdLoaderTest, AMissingPacketIsWaitedFor) {
  auto [i, at] = Packet();
  uint32_t bytes = LoadBe32(AsBytes(channels_[i]).data() + at + 272);
  channels_[i].erase(at, kPacketBytes + bytes);
  EXPECT_THAT(Prediction(), testing::StartsWith("waits: "));
}

TEST_F(MultifdLoaderTest, APacketTwiceLeavesItWaiting) {
  auto [i, at] = Packet();
  uint32_t bytes = LoadBe32(AsBytes(channels_[i]).data() + at + 272);
  channels_[i].insert(at, channels_[i].substr(at, kPacketBytes + bytes));
  EXPECT_THAT(Prediction(), testing::StartsWith("waits: "));
}

TEST_F(MultifdLoaderTest, AnotherVersionLeavesItWaiting) {
  auto [i, at] = Packet();
  channels_[i][at + kPacketBytes + 3] = 1;
  EXPECT_THAT(Prediction(), testing::StartsWith("waits: "));
}

TEST_F(MultifdLoaderTest, AnUnknownDeviceLeavesItWaiting) {
  auto [i, at] = Packet();
  channels_[i][at + 12] = '1';
  EXPECT_THAT(Prediction(), testing::StartsWith("waits: "));
}

TEST_F(MultifdLoaderTest, AChannelOfAnotherVmIsRefused) {
  channels_[1][8] = 0x11;
  int id = channels_[1][24];
  EXPECT_THAT(
      Prediction(),
      HasSubstr(StrCat(
          "multifd: received uuid '11000000-0000-0000-0000-000000000000' and "
          "expected uuid '00000000-0000-0000-0000-000000000000' for channel ",
          id)));
}

TEST_F(MultifdLoaderTest, ChannelsOfOneIdAreRefused) {
  channels_[1][24] = channels_[0][24];
  int id = channels_[0][24];
  EXPECT_THAT(Prediction(), HasSubstr(StrCat("multifd: received id '", id,
                                             "' already setup'")));
}

TEST_F(MultifdLoaderTest, APacketShorterThanItsHeaderIsRefused) {
  auto [i, at] = Packet();
  uint32_t bytes = LoadBe32(AsBytes(channels_[i]).data() + at + 272);
  channels_[i].replace(at + 272, 4 + bytes,
                       Be32Bytes(8) + std::string(8, '\0'));
  EXPECT_THAT(Prediction(), HasSubstr("packet too short at 8 (min is 12)"));
}

TEST_F(MultifdLoaderTest, AConfigPacketWithoutEndOfStateIsRefused) {
  for (std::string& channel : channels_) {
    size_t at = channel.find(BeBytes(kTagPrefix + 2, 8));
    if (at == std::string::npos) continue;
    channel[channel.find(kEos, at) + 7] = 7;
    break;
  }
  LoadVerdict verdict = Predict(main_, {}, channels_);
  EXPECT_EQ(verdict.outcome, LoadVerdict::kRefuses);
}

TEST_F(MultifdLoaderTest, AnotherPayloadByteLoads) {
  auto [i, at] = Packet();
  channels_[i][at + kPacketBytes + 12] ^= 1;
  EXPECT_EQ(Prediction(), "loads");
}

}  // namespace
}  // namespace migstream
