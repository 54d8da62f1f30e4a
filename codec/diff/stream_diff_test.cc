// What differs between migrations, and what does not.

#include "codec/diff/stream_diff.h"

#include <string>
#include <vector>

#include "codec/device/config_bytes.h"
#include "codec/diff/diff_lines.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

const HandlerBytes kVfio = {.id = 5, .idstr = "0000:00:05.0/vfio"};

Streams Stream(const std::string& items) {
  return {HeaderBytes() + items + EofBytes()};
}
std::string ConfigElement(const std::string& payload) {
  return TagBytes(2) + payload + kEos;
}

TEST(StreamDiffTest, AStreamDiffersInNothingFromItself) {
  for (const testdata::Capture& capture : AllCaptures()) {
    if (!capture.completed()) continue;
    StreamState states[2];
    for (StreamState& state : states) {
      EXPECT_TRUE(Read(ReadStreams(capture.name().c_str()), state).ok());
    }
    EXPECT_EQ(states[0].vfio.size(),
              static_cast<size_t>(capture.devices_size()));
    EXPECT_GT(states[0].devices.size(), 0);
    std::vector<Difference> differences;
    EXPECT_TRUE(CompareStreams(states[0], states[1], {}, differences).ok());
    EXPECT_EQ(differences.size(), 0) << capture.name();
  }
}

TEST(StreamDiffTest, DataOfCommandsIsCompared) {
  auto with = [](const std::string& command) {
    return Stream(CommandBytes(1) + command + CommandBytes(4));
  };
  auto ping = [&](uint32_t value) {
    return with(CommandBytes(2, Be32Bytes(value)));
  };
  EXPECT_THAT(Diff(ping(1), ping(0x42), false),
              ElementsAre("stream: command 2: PING 0x1 | PING 0x42"));
  EXPECT_THAT(Diff(ping(1), ping(0x42), true), IsEmpty());
  auto bitmap = [&](const std::string& block) {
    return with(CommandBytes(10, Str8Bytes(block)));
  };
  EXPECT_THAT(
      Diff(bitmap("pc.ram"), bitmap("pc.rom"), false),
      ElementsAre(
          "stream: command 2: RECV_BITMAP pc.ram | RECV_BITMAP pc.rom"));
  auto advise = [&](uint64_t sizes) {
    return with(CommandBytes(3, BeBytes(sizes, 8) + BeBytes(4096, 8)));
  };
  EXPECT_THAT(Diff(advise(0x1000), advise(0x201000), false),
              ElementsAre("stream: command 2: "
                          "POSTCOPY_ADVISE 000000000000100000000000... | "
                          "POSTCOPY_ADVISE 000000000020100000000000..."));
}

TEST(StreamDiffTest, DataThatIsTooLongToShowIsComparedAllTheSame) {
  auto discard = [](uint64_t length) {
    return Stream(CommandBytes(6, U8Bytes(0) + Str8Bytes("pc.ram") +
                                      U8Bytes(0) + BeBytes(0, 8) +
                                      BeBytes(length, 8)));
  };
  EXPECT_THAT(Diff(discard(0x1000), discard(0x2000), false),
              ElementsAre("stream: command 1: "
                          "POSTCOPY_RAM_DISCARD 000670632e72616d00000000... | "
                          "differ"));
}

TEST(StreamDiffTest, APackageIsComparedByLengthAndContent) {
  const HandlerBytes timer = {.id = 7, .idstr = "timer"};
  auto packaged = [&](const std::string& state) {
    std::string full = timer.Full(state);
    return Stream(PackagedBytes(CommandBytes(4) + full + CommandBytes(5)));
  };
  EXPECT_THAT(Diff(packaged("state"), packaged("longer"), false),
              ElementsAre("stream: command 1: PACKAGED 39 bytes | "
                          "PACKAGED 40 bytes",
                          "timer: state bytes: 5 | 6",
                          "timer: state 0x0-0x3: 4 bytes | differ"));
  EXPECT_THAT(Diff(packaged("state"), packaged("stAte"), true),
              ElementsAre("timer: state 0x2-0x2: 1 bytes | differ"));
}

TEST(StreamDiffTest, CommandsOfOneStreamOnlyAreListedShortly) {
  Streams none = Stream(CommandBytes(1) + CommandBytes(5));
  std::string pings;
  for (uint32_t i = 0; i < 9; ++i) pings += CommandBytes(2, Be32Bytes(i));
  Streams many = Stream(CommandBytes(1) + pings + CommandBytes(5));
  EXPECT_THAT(Diff(none, many, false),
              ElementsAre("stream: command 2:  | PING 0x0, PING 0x1, PING 0x2, "
                          "PING 0x3 and 5 more"));
}

TEST(StreamDiffTest, VersionsAreCompared) {
  std::string config = ConfigBytes().Payload();
  HandlerBytes later = kVfio;
  later.version = 2;
  Streams of_1 = Stream(kVfio.Full(ConfigElement(config)));
  EXPECT_THAT(Diff(of_1, Stream(later.Full(ConfigElement(config))), true),
              ElementsAre("0000:00:05.0/vfio: version_id: 1 | 2"));
  config[3] = 1;
  EXPECT_THAT(Diff(of_1, Stream(kVfio.Full(ConfigElement(config))), true),
              ElementsAre("0000:00:05.0/vfio: CONFIG version: 0x2 | 0x1"));
  HandlerBytes timer = {.id = 7, .idstr = "timer", .version = 2};
  Streams timer_2 = Stream(timer.Full("state"));
  timer.version = 3;
  EXPECT_THAT(Diff(timer_2, Stream(timer.Full("state")), true),
              ElementsAre("timer: version_id: 2 | 3"));
}

TEST(StreamDiffTest, ASubsectionIsComparedWithItsVersion) {
  Streams a = ReadStreams("s111-ramfb");
  Streams b = a;
  const std::string name = "VFIOPCIDevice/VFIODisplay";
  size_t version = b.main.find(name) + name.size();
  b.main[version + 3] = 2;
  b.main[version + 4] = 1;
  std::string same(27 * 2, '0');
  EXPECT_THAT(Diff(a, b, true),
              ElementsAre(StrCat("0000:00:05.0/vfio: subsection ", name,
                                 " version: 1 | 2"),
                          StrCat("0000:00:05.0/vfio: subsection ", name,
                                 ": 0x00", same, " | 0x01", same)));
}

TEST(StreamDiffTest, EveryNumberOfAnEarlierLayoutIsCompared) {
  auto v7 = [](char flags) {
    return Stream(
        kVfio.End(ConfigElement(std::string(24, '\1') + Be32Bytes(3) + flags +
                                "\x80" + ConfigBytes().Msix() + "\4\6") +
                  kEos));
  };
  StateOptions options;
  options.reader.dialect = &GetDialect(DialectId::kE5V7);
  auto start = [](const Streams& streams) {
    return Streams{HeaderBytes() + kVfio.Start(kSetupTag + kEos) +
                   streams.main.substr(8)};
  };
  EXPECT_THAT(Diff(start(v7('\0')), start(v7('\4')), true, options),
              ElementsAre("0000:00:05.0/vfio: CONFIG MSI-X flags: 0x80 | "
                          "0x480"));
}

// E4 has one in START, and another in END.
TEST(StreamDiffTest, ASecondConfigIsComparedWithTheOthersSecond) {
  std::string first = ConfigBytes().Payload();
  ConfigBytes with_display;
  with_display.subsections =
      Subsection("VFIOPCIDevice/VFIODisplay", std::string(28, '\0'));
  auto stream = [&](const std::string& at_start, const std::string& at_end) {
    return Stream(kVfio.Start(kSetupTag + ConfigElement(at_start)) +
                  kVfio.End(ConfigElement(at_end) + kEos));
  };
  StateOptions options;
  options.reader.dialect = &GetDialect(DialectId::kE4);
  std::vector<std::string> lines =
      Diff(stream(with_display.Payload(), first),
           stream(first, with_display.Payload()), true, options);
  EXPECT_THAT(
      lines,
      ElementsAre(
          StartsWith("0000:00:05.0/vfio: subsection VFIOPCIDevice/VFIODisplay: "
                     "0x0000"),
          StartsWith("0000:00:05.0/vfio: CONFIG 2: subsection "
                     "VFIOPCIDevice/VFIODisplay:  | 0x0000")));
}

TEST(StreamDiffTest, WhereConfigStandsIsPartOfHowItCame) {
  std::string config = ConfigElement(ConfigBytes().Payload());
  std::string start = kVfio.Start(kSetupTag + kEos);
  Streams v52 = Stream(start + kVfio.End(config + kEos));
  Streams v60 = Stream(start + kVfio.End(kEos) + kVfio.Full(config));
  EXPECT_THAT(Diff(v52, v60, false),
              Contains("0000:00:05.0/vfio: CONFIG is in: END | FULL"));
  EXPECT_THAT(Diff(v52, v60, true), IsEmpty());
}

TEST(StreamDiffTest, WhatIsSaidOfLoadingTheConfigIsPartOfHowItCame) {
  std::string start = kVfio.Start(kSetupTag + kEos) + kVfio.End(kEos);
  EXPECT_THAT(Diff(Stream(start + kVfio.Full(kEos)),
                   Stream(start + kVfio.Full(TagBytes(6))), false),
              ElementsAre("0000:00:05.0/vfio: CONFIG_LOAD_READY: 0 | 1"));
}

TEST(StreamDiffTest, HandlersWithoutADescriptionAreComparedByteByByte) {
  const HandlerBytes bitmap = {.id = 9, .idstr = "dirty-bitmap"};
  auto stream = [&](char granularity) {
    return Stream(bitmap.Start(std::string("\x1c\1n\1b\0\0", 7) + granularity +
                               std::string("\0\0\x01", 3)));
  };
  EXPECT_THAT(Diff(stream('\1'), stream('\2'), true),
              ElementsAre(StartsWith("dirty-bitmap: state 0x7-0x7")));
}

TEST(StreamDiffTest, ADescriptionThatIsCutAwayIsNoDifferenceOfEveryField) {
  Streams whole = ReadStreams("s111-plain");
  Streams cut = {whole.main.substr(0, whole.main.size() - 100)};
  std::vector<std::string> lines = Diff(whole, cut, false);
  EXPECT_THAT(lines, SizeIs(testing::Le(3)));
  EXPECT_THAT(lines, Contains(StartsWith("stream: ends: complete | 0x")));
}

TEST(StreamDiffTest, ACutIsALineForTheDeviceItIsInAndOneForAllBehindIt) {
  Streams whole = ReadStreams("s111-stop3m");
  Streams cut = {whole.main.substr(0, whole.main.find(TagBytes(4)) + 1000)};
  std::vector<std::string> lines = Diff(whole, cut, false);
  EXPECT_THAT(
      lines, ElementsAre(
                 StartsWith("stream: ends: complete | 0x"),
                 testing::AllOf(StartsWith("0000:00:05.0/vfio: cut off:  | "),
                                HasSubstr(" bytes of payload, 1 CONFIG")),
                 testing::AllOf(StartsWith("stream: cut off:  | "),
                                HasSubstr(" devices ("), HasSubstr(" more)"))));
  EXPECT_THAT(Diff(cut, whole, false), SizeIs(3));
  // It is no more of a difference when both are.
  EXPECT_THAT(Diff(cut, cut, false), IsEmpty());
}

TEST(StreamDiffTest, WhatDiffersBeforeACutIsTold) {
  Streams whole = ReadStreams("s111-stop3m");
  Streams cut = {whole.main.substr(0, whole.main.find(TagBytes(4)) + 1000)};
  cut.main[cut.main.size() - 5] ^= 1;
  EXPECT_THAT(
      Diff(whole, cut, true),
      Contains(testing::AllOf(StartsWith("0000:00:05.0/vfio: payload 0x"),
                              HasSubstr("1 bytes | differ"))));
}

// Every device, field and register another: what is listed stays readable.
TEST(StreamDiffTest, StreamsThatHaveNothingInCommonAreFewLines) {
  auto devices = [](const std::string& name) {
    std::string all;
    for (uint32_t i = 0; i < 200; ++i) {
      all += HandlerBytes{.id = i, .idstr = StrCat(name, i)}.Full("x");
    }
    return Stream(all);
  };
  std::vector<std::string> lines = Diff(devices("a"), devices("b"), true);
  EXPECT_THAT(lines, SizeIs(22));
  EXPECT_THAT(lines, Contains("stream: 190 more devices: present | "));
  EXPECT_THAT(lines, Contains("stream: 190 more devices:  | present"));

  ConfigBytes other;
  other.pci_config = ConfigBytes().PciConfig();
  for (size_t i = 0x100; i < other.pci_config.size(); ++i) {
    other.pci_config[i] = 'x';
  }
  lines = Diff(Stream(kVfio.Full(ConfigElement(ConfigBytes().Payload()))),
               Stream(kVfio.Full(ConfigElement(other.Payload()))), true);
  EXPECT_THAT(lines, SizeIs(11));
  EXPECT_THAT(lines.back(), HasSubstr(" more registers: … | …"));
}

TEST(StreamDiffTest, FieldsThatDifferAreTenAndACount) {
  std::string json = R"({"devices":[{"name":"timer","instance_id":0,)"
                     R"("vmsd_name":"timer","version":1,"fields":[)";
  for (int i = 0; i < 25; ++i) {
    StrAppend(&json, i == 0 ? "" : ",", R"({"name":"f)", i,
              R"(","type":"uint8","size":1})");
  }
  json += "]}]}";
  const HandlerBytes timer = {.id = 7, .idstr = "timer"};
  auto stream = [&](char fill) {
    Streams streams = Stream(timer.Full(std::string(25, fill)));
    streams.main += DescriptionBytes(json);
    return streams;
  };
  std::vector<std::string> lines = Diff(stream('\1'), stream('\2'), false);
  EXPECT_THAT(lines, SizeIs(11));
  EXPECT_EQ(lines.front(), "timer: f0: 0x01 | 0x02");
  EXPECT_EQ(lines.back(), "timer: 15 more fields: … | …");
}

// As the version of a subsection, which no field holds.
TEST(StreamDiffTest, WhatNoFieldShowsIsComparedByteByByte) {
  const HandlerBytes timer = {.id = 7, .idstr = "timer"};
  const std::string json =
      R"({"devices":[{"name":"timer","instance_id":0,"vmsd_name":"timer",)"
      R"("version":1,"fields":[],"subsections":[{"vmsd_name":"timer/s",)"
      R"("version":1,"fields":[{"name":"f","type":"uint8","size":1}]}]}]})";
  auto stream = [&](uint32_t version) {
    Streams streams = Stream(timer.Full(U8Bytes(5) + Str8Bytes("timer/s") +
                                        Be32Bytes(version) + U8Bytes(9)));
    streams.main += DescriptionBytes(json);
    return streams;
  };
  EXPECT_THAT(Diff(stream(1), stream(2), true),
              ElementsAre("timer: state 0xc-0xc: 1 bytes | differ"));
}

TEST(StreamDiffTest, CutsOfV2MeanNothingToADestination) {
  Streams whole = ReadStreams("s111-precopy");
  RewriteOptions options;
  options.reader.dialect = &GetDialect(DialectId::kV111);
  options.record_bytes = 4000;
  Streams cut = Reshaped(whole, options);
  EXPECT_THAT(Diff(whole, cut, true), IsEmpty());
  EXPECT_THAT(Diff(whole, cut, false),
              Contains(testing::StartsWith("0000:00:05.0/vfio: DATA records")));
}

TEST(StreamDiffTest, ChannelsMeanNothingToADestination) {
  Streams split = ReadStreams("s111-multifd-two");
  RewriteOptions options;
  options.single_channel = true;
  EXPECT_THAT(Diff(split, Reshaped(split, options), true), IsEmpty());
}

TEST(StreamDiffTest, PayloadIsComparedToTheByte) {
  Streams a = ReadStreams("s111-stop3m");
  size_t size = GetCapture("s111-stop3m").devices(0).payload_bytes();
  std::string payload(size, 'p');
  auto replaced = [&] {
    MemorySource source(AsBytes(payload));
    RewriteOptions options;
    options.payload = &source;
    return Reshaped(a, options);
  };
  Streams b = replaced();
  payload[0x10000] ^= 1;  // Across two of the blocks in which it compares.
  payload[0xffff] ^= 1;
  payload[size - 1] ^= 1;
  EXPECT_THAT(
      Diff(b, replaced(), true),
      ElementsAre("0000:00:05.0/vfio: payload 0xffff-0x10000: 2 bytes | differ",
                  StrCat("0000:00:05.0/vfio: payload ", Hex(size - 1), "-",
                         Hex(size - 1), ": 1 bytes | differ")));
  payload.pop_back();
  EXPECT_THAT(Diff(b, replaced(), true),
              Contains(StrCat("0000:00:05.0/vfio: payload bytes: ", size, " | ",
                              size - 1)));
}

TEST(StreamDiffTest, OnlySoManyRangesAreListed) {
  Streams a = ReadStreams("s111-stop3m");
  size_t size = GetCapture("s111-stop3m").devices(0).payload_bytes();
  std::string payload(size, 'p');
  auto replaced = [&] {
    MemorySource source(AsBytes(payload));
    RewriteOptions options;
    options.payload = &source;
    return Reshaped(a, options);
  };
  Streams b = replaced();
  for (size_t i = 0; i < 100; ++i) payload[2 * i] ^= 1;
  std::vector<std::string> lines = Diff(b, replaced(), true);
  EXPECT_EQ(lines.size(), 11);
  EXPECT_EQ(lines.back(),
            "0000:00:05.0/vfio: 90 more ranges of payload: … | …");
}

TEST(StreamDiffTest, RegistersAndVectorsHaveNames) {
  Streams masked = ReadStreams("s72-msix-on");
  StreamState state;
  Read(masked, state);
  RewriteOptions options;
  options.config = state.vfio.begin()->second.configs[0].pci_config;
  options.config[4] ^= 4;
  EXPECT_THAT(Diff(masked, Reshaped(masked, options), true),
              ElementsAre(testing::StartsWith(
                  "0000:00:05.0/vfio: config 0x4 command: 0x")));
}

TEST(StreamDiffTest, ADeviceOfOneStreamOnlyIsNamed) {
  Streams two = ReadStreams("s111-two");
  RewriteOptions options;
  options.dropped_devices = {"0000:00:06.0/vfio"};
  Streams one = Reshaped(two, options);
  EXPECT_THAT(Diff(two, one, true),
              ElementsAre("0000:00:06.0/vfio: VFIO device: present | "));
  EXPECT_THAT(Diff(one, two, true),
              ElementsAre("0000:00:06.0/vfio: VFIO device:  | present"));
}

TEST(StreamDiffTest, FieldsOfOtherDevicesAreComparedByTheirPath) {
  std::vector<std::string> lines =
      Diff(ReadStreams("s111-plain"), ReadStreams("s72-plain"), true);
  EXPECT_THAT(lines, Contains(testing::HasSubstr("parent_obj.config")));
  for (const std::string& line : lines) EXPECT_LT(line.size(), 200) << line;
}

// An Arm CPU's registers: what counts is which there are, not where they stand.
TEST(StreamDiffTest, ListsWithKeysAreComparedAsSets) {
  const HandlerBytes cpu = {.id = 3, .idstr = "cpu"};
  auto stream = [&](const std::vector<std::pair<uint64_t, uint64_t>>& list) {
    std::string keys, values;
    for (const auto& [key, value] : list) {
      keys += Be64Bytes(key);
      values += Be64Bytes(value);
    }
    auto field = [&](const char* name) {
      return StrCat(R"({"name":")", name, R"(","type":"uint64","size":8,)",
                    R"("array_len":)", list.size(), "}");
    };
    const std::string json = StrCat(
        R"({"devices":[{"name":"cpu","instance_id":0,"vmsd_name":"cpu",)",
        R"("version":1,"fields":[)", field("cpreg_vmstate_indexes"), ",",
        field("cpreg_vmstate_values"), "]}]}");
    return Streams{HeaderBytes() + cpu.Full(keys + values) + EofBytes() +
                   DescriptionBytes(json)};
  };
  EXPECT_THAT(Diff(stream({{0x10, 1}, {0x20, 2}, {0x30, 3}}),
                   stream({{0x05, 9}, {0x10, 1}, {0x30, 4}}), true),
              testing::UnorderedElementsAre(
                  HasSubstr("cpreg_vmstate_values[0x0000000000000005]:  | "
                            "0x0000000000000009"),
                  HasSubstr("cpreg_vmstate_values[0x0000000000000020]: "
                            "0x0000000000000002 | "),
                  HasSubstr("cpreg_vmstate_values[0x0000000000000030]: "
                            "0x0000000000000003 | 0x0000000000000004")));
}

// A device with more fields than may be held is compared by its bytes; another
// still field by field.
TEST(StreamDiffTest, ADeviceWithTooManyFieldsIsComparedByteByByte) {
  constexpr size_t kFields = StreamState::kMaxValueBytes / 170;
  const HandlerBytes large = {.id = 3, .idstr = "large"};
  const HandlerBytes small = {.id = 4, .idstr = "small"};
  auto stream = [&](char byte) {
    std::string state(kFields, 's');
    state[1000] = byte;
    return Streams{
        HeaderBytes() + large.Full(state) +
        small.Full(std::string("0123") + byte) + EofBytes() +
        DescriptionBytes(StrCat(
            R"({"devices":[{"name":"large","instance_id":0,"vmsd_name":"l",)",
            R"("version":1,"fields":[{"name":"regs","type":"uint8","size":1,)",
            R"("array_len":)", kFields, "}]},", small.Json(5), "]}"))};
  };
  const std::vector<std::string> lines = Diff(stream('a'), stream('b'), true);
  EXPECT_THAT(lines, Contains(StartsWith("large: state")));
  EXPECT_THAT(lines, Contains(StartsWith("small: data")));
  EXPECT_THAT(lines, SizeIs(2));
}

TEST(StreamDiffTest, MoreDevicesThanFitIsAnError) {
  std::string items;
  for (uint32_t i = 0; i < StreamState::kMaxOtherBytes / 2048; ++i) {
    const HandlerBytes vfio = {.id = i, .idstr = StrCat(i, "/vfio")};
    items += vfio.Start(kSetupTag + kEos);
  }
  StreamState state;
  EXPECT_EQ(Read(Stream(items), state).code, ErrorCode::kHoldLimit);
}

TEST(StreamDiffTest, APlaceInALongFieldIsOneNumber) {
  const HandlerBytes device = {.id = 3, .idstr = "virtio"};
  auto stream = [&](char byte) {
    std::string state(0x5000, 's');
    state[0x41cb] = byte;
    return Streams{
        HeaderBytes() + device.Full(state) + EofBytes() +
        DescriptionBytes(DescriptionJson({device.Json(state.size())}))};
  };
  EXPECT_THAT(Diff(stream('a'), stream('b'), true),
              ElementsAre(HasSubstr("data from byte 0x41cb: 61")));
}

}  // namespace
}  // namespace migstream
