#include "codec/qemu/vm_description.h"

#include <string>
#include <string_view>

#include "codec/io/absl_view.h"
#include "codec/qemu/parse_description.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/wire/text.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

// The size of one device with these members after its name; ~0 if it cannot be
// parsed.
uint64_t DeviceBytes(const std::string& members) {
  auto description = ParseDescription(
      R"({"devices":[{"name":"dev","instance_id":0,)" + members + "}]}");
  if (!description.ok()) return ~uint64_t{0};
  const DescribedDevice* device = description->Find("dev", 0);
  return device == nullptr ? ~uint64_t{0} : device->bytes;
}

bool IsRefused(const std::string& json) {
  auto description = ParseDescription(json);
  if (description.ok()) return false;
  // One line, for it becomes the end of one.
  EXPECT_EQ(StdView(description.status().message()).find('\n'),
            std::string_view::npos);
  EXPECT_FALSE(StdView(description.status().message()).empty());
  return true;
}

TEST(VmDescriptionTest, AnOldStyleDeviceSaysItsSize) {
  EXPECT_EQ(DeviceBytes(R"("size":4213,"fields":[
                {"name":"data","size":4213,"type":"buffer"}])"),
            4213);
  EXPECT_EQ(DeviceBytes(R"("size":0,"fields":[
                {"name":"data","size":0,"type":"buffer"}])"),
            0);
}

TEST(VmDescriptionTest, ANewStyleDeviceIsTheSumOfItsFields) {
  EXPECT_EQ(DeviceBytes(R"("vmsd_name":"timer","version":2,"fields":[
                {"name":"cpu_ticks_offset","type":"int64","size":8},
                {"name":"unused","type":"unused_buffer","size":8},
                {"name":"cpu_clock_offset","type":"int64","size":8}])"),
            24);
  EXPECT_EQ(DeviceBytes(R"("vmsd_name":"none","version":1,"fields":[])"), 0);
}

TEST(VmDescriptionTest, AnArraysSizeIsThatOfOneElement) {
  EXPECT_EQ(DeviceBytes(R"("vmsd_name":"v","version":1,"fields":[
                {"name":"regs","array_len":16,"type":"uint32","size":4},
                {"name":"one","index":3,"type":"uint8","size":1}])"),
            65);
}

TEST(VmDescriptionTest, AnArrayOfNoElementsHasNoBytes) {
  EXPECT_EQ(DeviceBytes(R"("vmsd_name":"v","version":1,"fields":[
                {"name":"none","array_len":0,"type":"uint32","size":4},
                {"name":"one","type":"uint8","size":1}])"),
            1);
}

TEST(VmDescriptionTest, AStructsSizeHasItsSubsectionsInIt) {
  EXPECT_EQ(DeviceBytes(R"("vmsd_name":"v","version":1,"fields":[
                {"name":"parent","type":"struct","size":50,"struct":
                  {"vmsd_name":"PCIDevice","version":2,"fields":[
                     {"name":"version_id","type":"int32","size":4}],
                   "subsections":[{"vmsd_name":"PCIDevice/x","version":1,
                     "fields":[{"name":"a","type":"uint8","size":1}]}]}}])"),
            50);
}

TEST(VmDescriptionTest, ATmpFieldHasItsMembersInItself) {
  EXPECT_EQ(DeviceBytes(R"("vmsd_name":"cpu","version":12,"fields":[
                {"name":"tmp","type":"tmp","size":2,"vmsd_name":"t","version":1,
                 "fields":[{"name":"a","type":"uint16","size":2}]}])"),
            2);
}

TEST(VmDescriptionTest, SubsectionsOfTheDeviceAreAddedWithTheirHeads) {
  // 05, the name's length, "v/ab", be32 version, and a field.
  EXPECT_EQ(DeviceBytes(R"("vmsd_name":"v","version":1,"fields":[
                {"name":"a","type":"uint8","size":1}],
              "subsections":[{"vmsd_name":"v/ab","version":1,"fields":[
                {"name":"b","type":"uint32","size":4}]}])"),
            1 + (2 + 4 + 4 + 4));
}

TEST(VmDescriptionTest, SubsectionsNest) {
  EXPECT_EQ(DeviceBytes(R"("vmsd_name":"v","version":1,"fields":[],
              "subsections":[
                {"vmsd_name":"v/a","version":1,"fields":[
                   {"name":"b","type":"uint32","size":4,"array_len":3}],
                 "subsections":[{"vmsd_name":"v/a/c","version":1,"fields":[],
                   "subsections":[{"vmsd_name":"v/a/c/d","version":1,"fields":[
                     {"name":"e","type":"uint8","size":1}]}]}]},
                {"vmsd_name":"v/z","version":1,"fields":[]}])"),
            (6 + 3 + 12) + (6 + 5) + (6 + 7 + 1) + (6 + 3));
}

TEST(VmDescriptionTest, DevicesAreFoundByNameAndInstance) {
  auto description = ParseDescription(R"({
      "page_size": 4096,
      "devices": [
        {"name":"serial","instance_id":0,"size":1},
        {"name":"serial","instance_id":1016,"size":2},
        {"name":"tce","instance_id":2147483648,"size":3},
        {"name":"0000:00:05.0/vfio","instance_id":0,"size":4213}]})");
  ASSERT_TRUE(description.ok()) << description.status();
  EXPECT_EQ(description->page_bytes, 4096);
  EXPECT_FALSE(description->has_configuration);
  EXPECT_EQ(description->null_marker, nullptr);
  ASSERT_EQ(description->devices.size(), 4);
  EXPECT_EQ(description->devices[3].name, "0000:00:05.0/vfio");
  EXPECT_EQ(description->Find("serial", 0)->bytes, 1);
  EXPECT_EQ(description->Find("serial", 1016)->bytes, 2);
  EXPECT_EQ(description->Find("tce", 0x80000000)->bytes, 3);
  EXPECT_EQ(description->Find("serial", 1), nullptr);
  EXPECT_EQ(description->Find("seria", 0), nullptr);
}

TEST(VmDescriptionTest, TellsWhatSomeReleasesOnlyWrite) {
  auto description = ParseDescription(
      R"({"configuration":{"vmsd_name":"configuration","version":1,
                           "fields":[]},"page_size":4096,"devices":[]})");
  ASSERT_TRUE(description.ok()) << description.status();
  EXPECT_TRUE(description->has_configuration);
  using Marker = std::pair<const char*, const Feature*>;
  for (auto [type, marker] : {Marker{"uint64", nullptr},
                              {"nullptr", &feature::kNullptrField},
                              {"ptr-marker", &feature::kPtrMarkerField}}) {
    description = ParseDescription(StrCat(
        R"({"devices":[{"name":"css","instance_id":0,"fields":[
              {"name":"css","array_len":2,"type":")",
        type, R"(","size":1}]}]})"));
    ASSERT_TRUE(description.ok()) << description.status();
    EXPECT_EQ(description->null_marker, marker) << type;
  }
}

TEST(VmDescriptionTest, WhatIsNotNeededIsLeftOut) {
  auto description = ParseDescription(
      R"({"future":{"a":[1,{"b":null}]},"page_size":4096,"devices":[
          {"name":"dev","instance_id":0,"alias":"x","size":7,"new":[[]]}]})");
  ASSERT_TRUE(description.ok()) << description.status();
  EXPECT_EQ(description->Find("dev", 0)->bytes, 7);
}

TEST(VmDescriptionTest, SizesBeyondMeasureAreRefused) {
  auto field = [](const std::string& size, const std::string& count) {
    return R"({"devices":[{"name":"dev","instance_id":0,"fields":[
        {"name":"a","type":"buffer","size":)" +
           size + R"(,"array_len":)" + count + "}]}]}";
  };
  EXPECT_FALSE(IsRefused(field("1024", "1024")));
  // The product is 2^64, which wraps to 0.
  EXPECT_TRUE(IsRefused(field("4294967296", "4294967296")));
  EXPECT_TRUE(IsRefused(field("18446744073709551615", "2")));
  EXPECT_TRUE(IsRefused(field("2", "18446744073709551615")));
  EXPECT_TRUE(IsRefused(field("18446744073709551615", "1")));
  // More than 64 bits can hold.
  EXPECT_TRUE(IsRefused(field("18446744073709551616", "1")));
  EXPECT_TRUE(IsRefused(field("-1", "1")));
  EXPECT_TRUE(
      IsRefused(R"({"devices":[{"name":"dev","size":18446744073709551615}]})"));
}

TEST(VmDescriptionTest, SumsThatWrapAreRefused) {
  std::string json = R"({"devices":[{"name":"dev","instance_id":0,"fields":[)";
  for (int i = 0; i < 1 << 10; ++i) {
    StrAppend(&json, i == 0 ? "" : ",",
              R"({"name":"a","type":"b","size":4,"array_len":)",
              uint64_t{1} << 44, "}");
  }
  EXPECT_TRUE(IsRefused(json + "]}]}"));
}

TEST(VmDescriptionTest, BadJsonIsRefusedInOneLine) {
  for (const char* json :
       {"", "{", "[]", "nonsense", R"({"devices":7})", R"({"devices":[7]})",
        R"({"devices":[{"name":"a","size":[]}]})",
        R"({"devices":[{"name":"a","instance_id":4294967296}]})",
        R"({"devices":[]} {"devices":[]})",
        "{\"devices\":[\n{\"name\":\n\"a\"]}"}) {
    EXPECT_TRUE(IsRefused(json)) << json;
  }
  EXPECT_TRUE(IsRefused(std::string("{\"devices\":[]}\0", 15)));
  EXPECT_TRUE(IsRefused("{\"page_size\":\xff\xfe}"));
}

TEST(VmDescriptionTest, DeepNestingDoesNoHarm) {
  constexpr int kDepth = 200'000;
  std::string arrays(kDepth, '[');
  EXPECT_TRUE(IsRefused(R"({"devices":[],"x":)" + arrays));
  // Nothing is needed of this one, so that it may be taken.
  IsRefused(R"({"devices":[],"x":)" + arrays + std::string(kDepth, ']') + "}");
  std::string open = R"({"devices":[{"name":"dev","instance_id":0)";
  std::string close;
  for (int i = 0; i < kDepth; ++i) {
    open += R"(,"subsections":[{"vmsd_name":"v")";
    close += "}]";
  }
  EXPECT_TRUE(IsRefused(open + close + "}]}"));
  std::string objects;
  for (int i = 0; i < kDepth; ++i) objects += R"({"struct":)";
  EXPECT_TRUE(IsRefused(R"({"devices":[{"fields":[)" + objects));
}

TEST(VmDescriptionTest, NestingAsQemuHasItIsTaken) {
  // Far deeper than any device's.
  std::string json = R"({"name":"a","type":"uint8","size":1})";
  for (int i = 0; i < 16; ++i) {
    json = R"({"name":"s","type":"struct","size":1,"struct":{"vmsd_name":"v",
               "version":1,"fields":[)" +
           json + "]}}";
  }
  EXPECT_EQ(
      DeviceBytes(R"("vmsd_name":"v","version":1,"fields":[)" + json + "]"), 1);
}

// FindDescription: `stream`'s end is what it is given.

FoundDescription Find(const std::string& stream) {
  return FindDescription(AsBytes(stream));
}

TEST(FindDescriptionTest, FindsTheJsonAtTheEnd) {
  std::string json = DescriptionJson({});
  const HandlerBytes timer = {.id = 9, .idstr = "timer"};
  std::string before = timer.Full("device state") + EofBytes();
  FoundDescription found = Find(before + DescriptionBytes(json));
  ASSERT_TRUE(found.found);
  EXPECT_EQ(found.json_at, before.size() + 5);
}

TEST(FindDescriptionTest, TheLengthMayHaveAnyBytesOfZero) {
  // The last NUL is the first, second, third or fourth byte of the length.
  for (size_t size : {0x0ffu, 0x100u, 0x101u, 0xff00u, 0xffffu, 0x10000u,
                      0x10001u, 0x10101u, 0x10100u, 0xff0000u}) {
    std::string json = "{" + std::string(size - 2, ' ') + "}";
    std::string before = "state" + EofBytes();
    FoundDescription found = Find(before + DescriptionBytes(json));
    ASSERT_TRUE(found.found) << size;
    EXPECT_EQ(found.json_at, before.size() + 5) << size;
  }
}

TEST(FindDescriptionTest, TheLengthMayHaveNoByteOfZero) {
  // The last NUL is then the EOF.
  std::string json = "{" + std::string(0x01010101 - 2, ' ') + "}";
  FoundDescription found = Find("state" + EofBytes() + DescriptionBytes(json));
  ASSERT_TRUE(found.found);
  EXPECT_EQ(found.json_at, 5 + 1 + 5);
}

TEST(FindDescriptionTest, ATailThatBeginsTooLateAsksForMore) {
  std::string stream =
      "state" + EofBytes() + DescriptionBytes(DescriptionJson({}));
  size_t json_at = 5 + 1 + 5;
  for (size_t from = 6; from < stream.size(); ++from) {
    FoundDescription found = Find(stream.substr(from));
    EXPECT_FALSE(found.found) << from;
    EXPECT_TRUE(found.longer_tail_needed) << from;
  }
  EXPECT_EQ(Find(stream.substr(5)).json_at, json_at - 5);
  EXPECT_FALSE(Find("").found);
}

TEST(FindDescriptionTest, EverythingBeforeItHasToBeRight) {
  const std::string stream =
      "state" + EofBytes() + DescriptionBytes(DescriptionJson({}));
  ASSERT_TRUE(Find(stream).found);
  // EOF, VMDESCRIPTION, the length's bytes and the brace.
  for (size_t at = 5; at < 12; ++at) {
    std::string damaged = stream;
    damaged[at] ^= 0x01;
    EXPECT_FALSE(Find(damaged).found) << at;
  }
}

TEST(FindDescriptionTest, TheLengthReachesToTheEndExactly) {
  std::string stream =
      "state" + EofBytes() + DescriptionBytes(DescriptionJson({}));
  EXPECT_FALSE(Find(stream + "x").found);
  EXPECT_FALSE(Find(stream + std::string(1, '\0')).found);
  for (size_t cut = 1; cut < 12; ++cut) {
    EXPECT_FALSE(Find(stream.substr(0, stream.size() - cut)).found) << cut;
  }
}

TEST(FindDescriptionTest, NothingIsFoundInDeviceState) {
  EXPECT_FALSE(Find(std::string(1000, '\0')).found);
  EXPECT_FALSE(Find(std::string(1000, '\x06')).found);
  EXPECT_FALSE(Find("state" + EofBytes()).found);
  EXPECT_FALSE(Find("state" + EofBytes() + DescriptionBytes("")).found);
}

TEST(FindDescriptionTest, AForgedOneInDeviceStateIsNotAtTheEnd) {
  std::string forged = EofBytes() + DescriptionBytes(DescriptionJson({}));
  std::string json = DescriptionJson({"{\"name\":\"a\"}"});
  std::string before = "state" + forged + "state" + EofBytes();
  FoundDescription found = Find(before + DescriptionBytes(json));
  ASSERT_TRUE(found.found);
  EXPECT_EQ(found.json_at, before.size() + 5);
}

TEST(VmDescriptionTest, ObjectsAndDepthHaveLimits) {
  auto code = [](const std::string& json) {
    return ParseDescription(json, {.max_objects = 1000}).status().code();
  };
  EXPECT_EQ(code("{\"x\":" + std::string(255, '[')),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code("{\"x\":" + std::string(256, '[')),
            absl::StatusCode::kResourceExhausted);
  std::string many = "{\"devices\":[{}";
  for (int i = 0; i < 1000; ++i) many += ",{}";
  EXPECT_EQ(code(many + "]}"), absl::StatusCode::kResourceExhausted);
  // Brackets in strings do not nest.
  EXPECT_EQ(code("{\"x\":\"" + std::string(2000, '[') + "\\\"{\"}"),
            absl::StatusCode::kOk);
}

TEST(VmDescriptionTest, ADeviceThatIsDescribedTwiceMustBeTheSame) {
  auto parse = [](int a, int b) {
    return ParseDescription(StrCat(R"({"devices":[{"name":"x","size":)", a,
                                   R"(},{"name":"x","size":)", b, "}]}"));
  };
  EXPECT_TRUE(parse(3, 3).ok());
  EXPECT_FALSE(parse(3, 9).ok());
}

// A reader must not look for the rest of it behind the JSON.
TEST(VmDescriptionTest, ACharacterThatTheTextEndsInIsAnError) {
  for (const char* lead :
       {"\xc3", "\xe6", "\xe6\x97", "\xf0", "\xf0\x9f\x98"}) {
    for (size_t before : {1, 15, 16, 54, 55, 56, 100}) {
      std::string json = "\"" + std::string(before, 'x') + lead;
      EXPECT_FALSE(ParseDescription(json).ok()) << before;
      json = "{\"devices\":[{\"name\":" + json;
      EXPECT_FALSE(ParseDescription(json).ok()) << before;
    }
  }
}

}  // namespace
}  // namespace migstream
