// What real QEMUs said to streams that were damaged by chance: to names,
// numbers and lengths that stand where others belong. LOADERS.md sections 4
// and 7.

#include <string>
#include <vector>

#include "codec/io/byte_source.h"
#include "codec/loader/loader.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/wire/text.h"
#include "flags/release.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

using testing::HasSubstr;

std::string Said(const std::string& bytes, Release release) {
  MemorySource source(AsBytes(bytes));
  LoaderOptions options;
  options.release = release;
  const LoadVerdict verdict = PredictLoad(source, {}, options);
  return verdict.outcome == LoadVerdict::kLoads ? "loads" : verdict.message;
}

// Guest memory of one page.
const HandlerBytes kRam = {.id = 2, .idstr = "ram", .version = 4};
const std::string kRamEnd = Be64Bytes(0x10);
std::string RamStart() {
  return kRam.Start(Be64Bytes(0x1000 | 4) + Str8Bytes("pc.ram") +
                    Be64Bytes(0x1000) + kRamEnd);
}

TEST(LoaderDamageTest, ARamRecordThatIsCutIsNamedFrom90On) {
  const std::string start = RamStart();
  const std::string cut = HeaderBytes() + start.substr(0, start.size() - 5 - 8);
  EXPECT_EQ(Said(cut + "abc", 802),
            "Unknown combination of migration flags: 0x0");
  EXPECT_EQ(Said(cut + "abc", 900), "Getting RAM address failed");
}

TEST(LoaderDamageTest, ALengthThatIsCutIsReadAsZeros) {
  const std::string list = Be64Bytes(0x1004) + Str8Bytes("pc.ram");
  const std::string start =
      HeaderBytes() + kRam.Named(1) + list + std::string(3, '\0');
  EXPECT_EQ(Said(start, 1101), "Size mismatch: pc.ram: 0x0 != ...");
  // It is right if they are zeros; then no name follows.
  const std::string most = Be64Bytes(0x20000).substr(0, 6);
  EXPECT_EQ(Said(HeaderBytes() + kRam.Named(1) + Be64Bytes(0x40004) +
                     Str8Bytes("pc.bios") + most,
                 1101),
            "Unknown ramblock \"\", cannot accept migration");
}

TEST(LoaderDamageTest, ABlocksNameEndsAtItsNul) {
  auto said = [](const std::string& length) {
    return Said(
        HeaderBytes() + kRam.Start(Be64Bytes(0x1004) + length + "pc.ram" +
                                   Be64Bytes(0x1000) + kRamEnd),
        1101);
  };
  EXPECT_THAT(said("\x07"), HasSubstr("Size mismatch: pc.ram: 0x"));
  // So it does where the length is a character.
  EXPECT_THAT(Said(HeaderBytes() + kRam.Start(Be64Bytes(0x1004) + "Tpc.ram" +
                                              Be64Bytes(0x1000) +
                                              std::string(0x60, '\x02')),
                   1101),
              HasSubstr("Size mismatch: pc.ram: 0x202020202021000"));
  // The name's first character was taken for its length.
  EXPECT_THAT(said(""), HasSubstr("Unknown ramblock \"c.ram\""));
}

TEST(LoaderDamageTest, TheFlagOfRdmasHookComesBeforeOthers) {
  const std::string odd = Be64Bytes(0xc80);
  EXPECT_EQ(Said(HeaderBytes() + RamStart() + kRam.Part(odd), 702),
            "Invalid argument");
  EXPECT_EQ(Said(HeaderBytes() + RamStart() + kRam.Part(odd), 1101),
            "Unknown combination of migration flags: 0xc80");
}

TEST(LoaderDamageTest, APieceOfABlocksNameIsNoBlock) {
  const std::string page = Be64Bytes(8) + Str8Bytes("pc.") + "...";
  EXPECT_EQ(Said(HeaderBytes() + RamStart() + kRam.Part(page), 1101),
            "Can't find block pc.");
  const std::string more = Be64Bytes(8) + Str8Bytes("pc.ramFACS@");
  EXPECT_EQ(Said(HeaderBytes() + RamStart() + kRam.Part(more), 1101),
            "Can't find block pc.ramFACS@");
}

TEST(LoaderDamageTest, AMappedBlockThatStandsBeforeItsHeaderIsReadForEver) {
  const std::string header =
      Be32Bytes(1) + Be64Bytes(4096) + Be64Bytes(16) + Be64Bytes(32);
  // The list stands behind the block's end, as a second one would.
  std::string bytes =
      HeaderBytes() +
      ConfigurationBytes("pc-q35-10.0", CapabilitiesBytes({"mapped-ram"}));
  while (bytes.size() < 5000) bytes += CommandBytes(1);
  bytes += kRam.Named(1) + Be64Bytes(0x1004) + Str8Bytes("pc.ram") +
           Be64Bytes(0x1000) + header;
  MemorySource source(AsBytes(bytes));
  LoaderOptions options;
  options.release = 1000;
  EXPECT_EQ(PredictLoad(source, {}, options).outcome, LoadVerdict::kWaits);
}

TEST(LoaderDamageTest, AMachineTypeThatBeginsWithANulIsNoPrefix) {
  const std::string type("\0\0\0\x0apc-q35", 10);
  EXPECT_EQ(Said(HeaderBytes() + ConfigurationBytes(type) + EofBytes(), 702),
            "Machine type received is '' and local is '...', since qemu-7.2 "
            "has no such");
}

TEST(LoaderDamageTest, AMachineTypeOfOddBytesIsNoReleases) {
  const auto type = [](const std::string& name) {
    return Said(HeaderBytes() + ConfigurationBytes(name) + EofBytes(), 1000);
  };
  EXPECT_EQ(type("pc-q35-7.2\x01"),
            "Machine type received is 'pc-q35-7.2\x01' and local is '...', "
            "since qemu-10.0 has no such");
  EXPECT_THAT(type("pc q35-7.2"), HasSubstr("has no such"));
  EXPECT_THAT(type("vend\x80r"), HasSubstr("has no such"));
  EXPECT_EQ(type("vendor_5+a.b"), "loads");
}

TEST(LoaderDamageTest, AConfigurationThatIsCutIsRefusedByItsField) {
  const std::string bytes = HeaderBytes() + ConfigurationBytes("pc-q35-10.0");
  EXPECT_EQ(Said(bytes.substr(0, 11), 1000),
            "Failed to load configuration:len");
  EXPECT_EQ(Said(bytes.substr(0, 15), 1000),
            "Failed to load configuration:name");
  const std::string long_type = HeaderBytes() + U8Bytes(7) + Be32Bytes(~0u);
  EXPECT_THAT(Said(long_type, 1000), HasSubstr("failed to allocate"));
  EXPECT_EQ(Said(long_type, 1101),
            "Failed to load configuration state: stream error: -5");
}

TEST(LoaderDamageTest, ACompressedPageIsUnexpectedUnlessOneCame) {
  // No zlib stream, but the loader comes to that last.
  const std::string page = Be64Bytes(0x100) + Str8Bytes("pc.ram") +
                           Be32Bytes(8) +
                           std::string("\x78\x9c\x03\0\0\0\0\1", 8);
  const std::string odd = Be64Bytes(0x101) + Str8Bytes("x");
  auto said = [](const std::string& records) {
    return Said(HeaderBytes() + RamStart() + kRam.Part(records), 702);
  };
  EXPECT_EQ(said(odd), "Received an unexpected compressed page");
  EXPECT_EQ(said(page + odd), "Can't find block x");
}

// What came of it may still be a page: what the thread had before stands
// behind.
TEST(LoaderDamageTest, ACompressedPageThatIsCutEndsTheInput) {
  const std::string page =
      Be64Bytes(0x100) + Str8Bytes("pc.ram") + Be32Bytes(80) + "no zlib stream";
  EXPECT_EQ(
      Said(HeaderBytes() + RamStart() + U8Bytes(2) + Be32Bytes(2) + page, 702),
      "Input/output error");
}

TEST(LoaderDamageTest, ABlockWithoutItsLengthIsKnownByItsName) {
  const std::string list = Str8Bytes("/rom@etc/table-loader") +
                           Str8Bytes("/rom@etc/acpi/rsdp") + Be64Bytes(0x1000) +
                           kRamEnd;
  const std::string start =
      HeaderBytes() + kRam.Start(Be64Bytes(0x2004) + list);
  EXPECT_THAT(Said(start, 1101),
              HasSubstr("Size too large: /rom@etc/table-loader: 0x122f726f"));
  // Whose name goes on has another one.
  const std::string cut = Be64Bytes(0x2004) + "\x06/rom@etc/acpi/rsdp" +
                          Be64Bytes(0x1000) + kRamEnd;
  EXPECT_THAT(Said(HeaderBytes() + kRam.Start(cut), 1101),
              HasSubstr("Unknown ramblock \"/rom@e\""));
}

TEST(LoaderDamageTest, ABlockThatCanGrowDoesNotGrowBeyondItsMost) {
  auto said = [](const std::string& name, uint64_t bytes) {
    const std::string list = Str8Bytes(name) + Be64Bytes(bytes) +
                             Str8Bytes("/rom@etc/acpi/rsdp") +
                             Be64Bytes(0x1000);
    return Said(
        HeaderBytes() + kRam.Start(Be64Bytes(0x400004) + list + kRamEnd), 1101);
  };
  EXPECT_EQ(said("/rom@etc/table-loader", 0x20000),
            "Size too large: /rom@etc/table-loader: 0x20000 > 0x10000");
  EXPECT_EQ(said("/rom@etc/acpi/tables", 0x400000),
            "Size too large: /rom@etc/acpi/tables: 0x400000 > 0x200000");
  // Rounded up to pages nothing is left, which fw_cfg asserts against.
  EXPECT_THAT(said("/rom@etc/table-loader", UINT64_MAX),
              HasSubstr("fw_cfg_modify_bytes_read: Assertion `"));
}

// A block that is renamed has another's name, which is there twice, with two
// lengths. Pages tell which is right.
TEST(LoaderDamageTest, ABlockThatIsListedTwiceHasOneLength) {
  constexpr uint64_t kSmall = 0x1000;
  constexpr uint64_t kLarge = 0x2000;
  auto page = [](const std::string& block, uint64_t offset) {
    return Be64Bytes(offset | 2) + Str8Bytes(block) + std::string(1, '\0');
  };
  auto said = [&](uint64_t first, uint64_t second, const std::string& pages) {
    const std::string list = Str8Bytes("pc.bios") + Be64Bytes(first) +
                             Str8Bytes("pc.bios") + Be64Bytes(second);
    return Said(
        HeaderBytes() +
            kRam.Start(Be64Bytes((first + second) | 4) + list + kRamEnd) +
            kRam.Part(pages + kRamEnd) + kRam.End(kRamEnd) + EofBytes(),
        1101);
  };
  const std::string own = page("pc.bios", kSmall);
  EXPECT_EQ(said(kLarge, kSmall, own),
            "Size mismatch: pc.bios: 0x1000 != 0x2000");
  EXPECT_EQ(said(kSmall, kLarge, own),
            "Size mismatch: pc.bios: 0x1000 != 0x2000");
  // That of the block which has lost its name.
  const std::string others = page("vga.vram", 0) + page("vga.vram", kSmall);
  EXPECT_EQ(said(kLarge, kSmall, others),
            "Size mismatch: pc.bios: 0x2000 != 0x1000");
  EXPECT_EQ(said(kSmall, kLarge, page("pc.bios", 0) + others),
            "Size mismatch: pc.bios: 0x2000 != 0x1000");
  EXPECT_EQ(said(kSmall, kSmall, page("pc.bios", 0)), "loads");
}

TEST(LoaderDamageTest, APcHasItsBlocksWhateverTheListSays) {
  const std::string page =
      Be64Bytes(2) + Str8Bytes("pc.rom") + std::string(1, '\0');
  const std::string bytes = HeaderBytes() + RamStart() +
                            kRam.Part(page + kRamEnd) + kRam.End(kRamEnd) +
                            EofBytes();
  EXPECT_EQ(Said(bytes, 1101), "loads");
}

// What is said to a list that names one block, and a page that names another.
std::string SaidOfBlock(const std::string& listed, const std::string& paged) {
  const std::string page =
      Be64Bytes(2) + Str8Bytes(paged) + std::string(1, '\0');
  return Said(HeaderBytes() +
                  kRam.Start(Be64Bytes(0x1000 | 4) + Str8Bytes(listed) +
                             Be64Bytes(0x1000) + kRamEnd) +
                  kRam.Part(page + kRamEnd) + kRam.End(kRamEnd) + EofBytes(),
              1101);
}

TEST(LoaderDamageTest, ABlockThatAPcHasTellsThatNearlyItsNameIsDamage) {
  EXPECT_EQ(SaidOfBlock("pc.biot", "pc.bios"),
            "Unknown ramblock \"pc.biot\", cannot accept migration");
  EXPECT_EQ(SaidOfBlock("pc.bios", "pc.bios"), "loads");
  EXPECT_EQ(SaidOfBlock("vga.vram", "pc.bios"), "loads");
}

TEST(LoaderDamageTest, ABlockOfFirmwareTellsThatNearlyItsNameIsDamage) {
  EXPECT_EQ(
      SaidOfBlock("/rom@etc/acpi/rsdo", "/rom@etc/acpi/rsdp"),
      "Unknown ramblock \"/rom@etc/acpi/rs...\", cannot accept migration");
  EXPECT_EQ(SaidOfBlock("/rom@etc/acpi/rsdp", "/rom@etc/acpi/rsdp"), "loads");
}

TEST(LoaderDamageTest, ABlockOfFirmwareIsAtLeastAPage) {
  auto said = [](uint64_t bytes) {
    return Said(HeaderBytes() +
                    kRam.Start(Be64Bytes(0x100000 | 4) +
                               Str8Bytes("/rom@etc/acpi/rsdp") +
                               Be64Bytes(bytes) + Str8Bytes("pc.ram") +
                               Be64Bytes(0x100000 - bytes) + kRamEnd) +
                    kRam.End(kRamEnd) + EofBytes(),
                1101);
  };
  EXPECT_EQ(said(0x1000), "loads");
  EXPECT_EQ(said(0x4000), "loads");  // LoongArch's.
  EXPECT_THAT(said(0x5000), HasSubstr("Size too large"));
  EXPECT_THAT(said(0x20000), HasSubstr("Size too large"));
}

// One bit less makes a zero page of MEM_SIZE. Its address, the length of all
// blocks, lies beyond the first one.
TEST(LoaderDamageTest, AListOfBlocksThatIsTakenForAPageIsBeyondItsBlock) {
  const std::string list = Str8Bytes("pc.ram") + Be64Bytes(0x1000) +
                           Str8Bytes("pc.bios") + Be64Bytes(0x2000) + kRamEnd;
  auto said = [&](uint64_t flags, Release release) {
    return Said(HeaderBytes() + kRam.Start(Be64Bytes(0x3000 | flags) + list),
                release);
  };
  for (Release release : {502, 702, 1000, 1101}) {
    EXPECT_EQ(said(3, release), "Illegal RAM offset 3000");
    EXPECT_EQ(said(2, release), "Illegal RAM offset 3000");
  }
}

TEST(LoaderDamageTest, NoReleaseHasAMachineTypeOfOddBytes) {
  const std::string type("pc-i440fx-11.1\x01\0\0", 17);
  EXPECT_THAT(Said(HeaderBytes() + ConfigurationBytes(type) + EofBytes(), 1101),
              HasSubstr("Machine type received is 'pc-i440fx-11.1\x01'"));
}

// The v1 loader takes it for one that fits the device's region.
TEST(LoaderDamageTest, AV1RecordBeyondAllMemoryIsRefused) {
  const HandlerBytes vfio = {.id = 5, .idstr = "0000:00:05.0/vfio"};
  auto said = [&](uint64_t bytes, Release release) {
    return Said(HeaderBytes() + vfio.Start(kSetupTag + kEos) + U8Bytes(2) +
                    Be32Bytes(5) + Be64Bytes(0xffffffffef100004) +
                    Be64Bytes(bytes) + "xyz",
                release);
  };
  for (Release release : {502, 702}) {
    EXPECT_EQ(said(UINT64_MAX, release),
              "vfio_load_buffer: Error allocating buffer");
    EXPECT_EQ(said(UINT64_MAX - 4095, release),
              "vfio_load_buffer: Error allocating buffer");
    EXPECT_THAT(said(uint64_t{1} << 63, release), HasSubstr("most of which"));
  }
  EXPECT_EQ(said(UINT64_MAX, 1101), "Input/output error");
}

// Two devices, of 8 and of 12 bytes, and a stream that describes them.
const HandlerBytes kTimer = {.id = 0, .idstr = "timer"};
const HandlerBytes kBus = {.id = 3, .idstr = "0000:00:1f.0/ICH9LPC"};

std::string Described(const std::string& sections) {
  auto json = [](const HandlerBytes& device, int bytes) {
    return StrCat(R"({"name":")", device.idstr,
                  R"(","instance_id":0,"version":1,"fields":[{"name":"data",)",
                  R"("type":"buffer","size":)", bytes, "}]}");
  };
  return HeaderBytes() + sections + EofBytes() +
         DescriptionBytes(DescriptionJson({json(kTimer, 8), json(kBus, 12)}));
}

TEST(LoaderDamageTest, WhatIsNotNamedYetHasIdZero) {
  const HandlerBytes zero = {.id = 0, .idstr = "ram"};
  const std::string all = kTimer.Full("12345678") + kBus.Full("123456789abc");
  EXPECT_EQ(Said(Described(RamStart() + all), 1101), "loads");
  EXPECT_EQ(Said(Described(RamStart() + zero.Part(kRamEnd) + all), 1101),
            "timer: incoming version_id 0 is too old for local minimum "
            "version_id ...");
  const HandlerBytes other = {.id = 9, .idstr = "ram"};
  EXPECT_EQ(Said(Described(RamStart() + other.Part(kRamEnd) + all), 1101),
            "Unknown section 9");
}

TEST(LoaderDamageTest, AnOldVersionIsRefusedInTheVmstatesName) {
  HandlerBytes old = kBus;
  old.version = 0;
  const std::string bytes =
      Described(kTimer.Full("12345678") + old.Full("123456789abc"));
  // How old the oldest is that it takes, only the destination knows.
  EXPECT_EQ(Said(bytes, 1101),
            "ICH9LPC: incoming version_id 0 is too old for local minimum "
            "version_id ...");
  EXPECT_EQ(Said(bytes, 702),
            "ICH9LPC: incoming version_id 0 is too old for local minimum "
            "version_id  ...");
}

TEST(LoaderDamageTest, SomeDevicesTakeAnOlderVersion) {
  auto said = [](const std::string& name, uint32_t version) {
    const HandlerBytes device = {.id = 3, .idstr = name, .version = version};
    return Said(HeaderBytes() + RamStart() + device.Full("1234") + EofBytes() +
                    DescriptionBytes(DescriptionJson({StrCat(
                        R"({"name":")", name,
                        R"(","instance_id":0,"version":3,"fields":[)",
                        R"({"name":"a","type":"buffer","size":4}]})")})),
                1101);
  };
  EXPECT_EQ(said("ps2kbd", 3), "loads");
  // It reads fewer fields than there are.
  EXPECT_EQ(said("ps2kbd", 2), "Missing section footer for ps2kbd");
  EXPECT_EQ(said("ps2kbd", 1),
            "ps2kbd: incoming version_id 1 is too old for local minimum "
            "version_id ...");
  // Its fields of 2 and 3 are the same.
  EXPECT_EQ(said("ioapic", 2), "loads");
  EXPECT_EQ(said("0000:00:1f.2/ich9_ahci", 0), "loads");
  EXPECT_EQ(said("0000:00:03.0/e1000", 1),
            "Missing section footer for 0000:00:03.0/e1000");
  EXPECT_EQ(said("pckbd", 2),
            "pckbd: incoming version_id 2 is too old for local minimum "
            "version_id ...");
}

// Its version is then what stood before it, which this device takes.
TEST(LoaderDamageTest, AHeadWithANumberTwiceMovesTheConfigSpace) {
  const std::string name = "0000:00:1f.2/ich9_ahci";
  const std::string state = Be32Bytes(2) + "\x86\x80" + std::string(500, '\0');
  auto said = [&](uint32_t version, const std::string& content) {
    const HandlerBytes device = {.id = 3, .idstr = name, .version = version};
    return Said(HeaderBytes() + RamStart() + device.Full(content) + EofBytes() +
                    DescriptionBytes(DescriptionJson(
                        {StrCat(R"({"name":")", name,
                                R"(","instance_id":0,"version":1,"fields":[)",
                                R"({"name":"a","type":"buffer","size":)",
                                state.size(), "}]}")})),
                1101);
  };
  EXPECT_EQ(said(1, state), "loads");
  EXPECT_EQ(said(0, state), "loads");
  // The instance id, and the version.
  for (uint32_t version : {0, 1}) {
    EXPECT_EQ(
        said(version, Be32Bytes(1) + state),
        "get_pci_config_device: Bad config data: i=0x0 read: 0 device: 86 "
        "cmask: ff wmask: 0 w1cmask:0");
  }
}

// A release that describes no VFIO device: only the name tells.
TEST(LoaderDamageTest, ANameWithoutASlotIsNoVfioDevices) {
  auto said = [](const std::string& name) {
    const HandlerBytes vfio = {.id = 5, .idstr = name};
    return Said(
        HeaderBytes() + RamStart() + vfio.Start(kSetupTag + kEos) + EofBytes(),
        502);
  };
  for (const char* name : {"0000:00:05.0/vfio", "0000:40:09.0:01.0:00.0/vfio",
                           "pci:0b.0/vfio", "pci.0:05.0/vfio", "vfio"}) {
    EXPECT_EQ(said(name), "loads");
  }
  EXPECT_THAT(said("0000:00:0u.0/vfio"), HasSubstr("Unknown savevm section"));
  EXPECT_THAT(said("0000:00:05x0/vfio"), HasSubstr("Unknown savevm section"));
}

TEST(LoaderDamageTest, AnotherDevicesNameMeansItsFields) {
  HandlerBytes renamed = kBus;
  renamed.idstr = "timer";
  const std::string bytes =
      Described(kTimer.Full("12345678") + renamed.Full("123456789abc"));
  EXPECT_EQ(Said(bytes, 1101), "Missing section footer for timer");
}

TEST(LoaderDamageTest, AVersionThatIsThereTwiceIsTheFirstOfTheFields) {
  const std::string twice = Be32Bytes(kBus.version) + "123456789abc";
  EXPECT_EQ(Said(Described(kTimer.Full("12345678") + kBus.Full(twice)), 1101),
            "Missing section footer for 0000:00:1f.0/ICH9LPC");
  // Fields of another length are the description's fault.
  EXPECT_EQ(
      Said(Described(kTimer.Full("12345678") + kBus.Full("x" + twice)), 1101),
      "loads");
}

TEST(LoaderDamageTest, ANameThatEndsBeforeItsLengthIsNobodys) {
  HandlerBytes cut = kBus;
  cut.idstr = std::string("common\0\0\0\1", 10);
  EXPECT_THAT(Said(Described(kTimer.Full("12345678") + cut.Full("1234")), 702),
              HasSubstr("Unknown savevm section or instance 'common' 0"));
}

TEST(LoaderDamageTest, TheDescriptionMayTurnOutToBeAnotherMoreThanOnce) {
  std::string sections, json;
  std::vector<std::string> descriptions;
  for (const char* name : {"alpha", "bravo", "charlie", "delta", "echo"}) {
    const HandlerBytes device = {.id = 9, .idstr = name};
    sections += device.Full("1234");
    StrAppend(&json, json.empty() ? "" : ",", device.Json(4));
    descriptions.push_back(
        EofBytes() + DescriptionBytes(StrCat("{\"devices\":[", json, "]}")));
  }
  std::string bytes = HeaderBytes() + sections;
  for (size_t i = 1; i < descriptions.size(); ++i) bytes += descriptions[i];
  EXPECT_EQ(Said(bytes + descriptions[0], 1101), "loads");
}

TEST(LoaderDamageTest, AnEofBehindTheFirstSectionIsNoEndIfMoreFollows) {
  const std::string start = HeaderBytes() + RamStart();
  const std::string content = start.substr(0, start.size() - 5);
  const std::string footer = start.substr(start.size() - 5);
  EXPECT_EQ(Said(content + EofBytes(), 1101), "loads");
  EXPECT_EQ(Said(content + kRamEnd + footer, 1101),
            "Missing section footer for ram");
}

}  // namespace
}  // namespace migstream
