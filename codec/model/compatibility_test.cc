#include "codec/model/compatibility.h"

#include <string>
#include <string_view>
#include <vector>

#include "codec/model/seed_models.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

// What is said to a source of which only the text is known; empty: it fits.
std::string Answer(std::string_view source, std::string_view destination) {
  DeviceText text;
  ConfigError error = ParseDevice(source, text);
  EXPECT_TRUE(error.ok()) << ToString(error);
  Compatibility answer = CheckCompatible(text, Parsed(destination).models);
  return answer.why_not ? ToString(*answer.why_not) : "";
}

// And to one that has a description of its own.
Compatibility Compare(std::string_view config, std::string_view source,
                      std::string_view destination) {
  DeviceConfig device;
  ConfigError error = ParseConfig(config, ParsedModel(source), device);
  EXPECT_TRUE(error.ok()) << ToString(error);
  return CheckCompatible(device, Parsed(destination).models);
}

std::string Reason(const Compatibility& answer) {
  return answer.why_not ? std::string(ToString(answer.why_not->reason)) : "";
}

std::string E1000e(std::string_view config) {
  return std::string(kE1000e) + "," + std::string(config);
}

TEST(SeedTest, AnOldDeviceIsMigratedToANewImplementation) {
  EXPECT_EQ(Answer(E1000e("version=1"), kNewCard), "");
  Compatibility answer = Compare("version=1", kOldCard, kNewCard);
  EXPECT_EQ(Reason(answer), "");
  // It goes on as what it was.
  EXPECT_EQ(Canonical(answer.destination), "");
  ASSERT_EQ(answer.destination.settings.size(), 1u);
  EXPECT_EQ(Spell(answer.destination.settings[0].value), "0");
}

TEST(SeedTest, ANewDeviceIsMigratedBackOnlyIfItIsAsTheOldOneWas) {
  EXPECT_EQ(Reason(Compare("version=1", kNewCard, kOldCard)), "");
  EXPECT_EQ(Reason(Compare("rx-filter-size=0", kNewCard, kOldCard)), "");
  Compatibility answer = Compare("version=2", kNewCard, kOldCard);
  ASSERT_TRUE(answer.why_not);
  EXPECT_EQ(ToString(*answer.why_not),
            "rx-filter-size is 32, the destination has no such parameter");
  EXPECT_EQ(Answer(E1000e("version=2"), kOldCard),
            "the version is 2, the destination's are 1");
}

// 32 entries do not fit into a filter of none.
TEST(SeedTest, ASmallerFilterIsNoDestination) {
  constexpr char kNone[] = R"({"models": {"https://qemu.org/devices/e1000e": {
      "params": {"rx-filter-size": {"type": "int", "init_value": 0,
      "off_value": 0, "allowed_values": [0]}}}}})";
  EXPECT_EQ(Answer(E1000e("rx-filter-size=32"), kNone),
            "rx-filter-size is 32, the destination allows 0");
}

// A device keeps its parameters: 16 goes where 16 can be set, and not to 32.
TEST(SeedTest, ALargerFilterIsNoDestinationUnlessItCanBeMadeSmaller) {
  constexpr char kFixed[] = R"({"models": {"https://qemu.org/devices/e1000e": {
      "params": {"rx-filter-size": {"type": "int", "init_value": 32,
      "allowed_values": [32]}}}}})";
  EXPECT_EQ(Answer(E1000e("rx-filter-size=16"), kFixed),
            "rx-filter-size is 16, the destination allows 32");
  EXPECT_EQ(Answer(E1000e("rx-filter-size=16"), kNewCard), "");
}

TEST(SeedTest, TwoTypesOfOneModelDifferInAParameter) {
  EXPECT_EQ(Answer("gfx.com/gpu,memory=4096", kGfx4), "");
  EXPECT_EQ(Answer("gfx.com/gpu,memory=4096", kGfx8),
            "memory is 4096, the destination allows 8192");
  // A host that has both.
  std::vector<ModelDescription> both = {ParsedModel(kGfx8), ParsedModel(kGfx4)};
  DeviceText source;
  ASSERT_TRUE(ParseDevice("gfx.com/gpu,memory=4096", source).ok());
  EXPECT_FALSE(CheckCompatible(source, both).why_not);
}

TEST(SeedTest, AFeatureCanBeTurnedOffForADestinationThatLacksIt) {
  constexpr char kLacksIt[] = R"({"models": {"vendor-a.com/my-nic": {
      "params": {"num-resources": {"type": "int", "init_value": 64,
      "allowed_values": [64]}}}}})";
  EXPECT_EQ(Reason(Compare("num-resources=64", kMyNic, kLacksIt)), "");
  EXPECT_EQ(
      Reason(Compare("new-feature=on,num-resources=64", kMyNic, kLacksIt)),
      "name");
}

TEST(CompatibilityTest, SaysWhatTheDestinationOffersInstead) {
  EXPECT_EQ(Answer("gfx.com/gpu", kNewCard),
            "the destination does not offer gfx.com/gpu, but "
            "https://qemu.org/devices/e1000e");
  EXPECT_EQ(Answer("gfx.com/gpu", R"({"models": {}})"),
            "the destination does not offer gfx.com/gpu");
}

TEST(CompatibilityTest, ADeviceMayHaveSeveralModels) {
  constexpr char kBoth[] = R"({"models": {
      "pci://8086.10d3.8086.a01f": {"params": {}},
      "https://qemu.org/devices/e1000e": {"params": {}}}})";
  EXPECT_EQ(Answer(kE1000e, kBoth), "");
  EXPECT_EQ(Answer("pci://8086.10d3.8086.a01f", kBoth), "");
  // Names are compared byte for byte.
  EXPECT_EQ(Answer("https://qemu.org/devices/E1000e", kBoth),
            "the destination does not offer https://qemu.org/devices/E1000e, "
            "but pci://8086.10d3.8086.a01f, https://qemu.org/devices/e1000e");
}

TEST(CompatibilityTest, WhatTheDestinationCannotTurnOffTheSourceMustHave) {
  EXPECT_EQ(Answer("vendor-a.com/my-nic", kMyNic),
            "the source has no num-resources, which the destination cannot "
            "turn off; it allows 64");
}

TEST(CompatibilityTest, WhatIsOffAtTheSourceIsSetAtADestinationThatKnowsIt) {
  constexpr char kOffIs5[] = R"({"models": {"https://qemu.org/devices/e1000e": {
      "params": {"rx-filter-size": {"type": "int", "init_value": 5,
      "off_value": 5}}}}})";
  // Their off values differ: what counts is what the device is.
  Compatibility answer = Compare("rx-filter-size=0", kNewCard, kOffIs5);
  EXPECT_EQ(Reason(answer), "");
  EXPECT_EQ(Canonical(answer.destination), "rx-filter-size=0");
}

TEST(CompatibilityTest, ATypeIsComparedBeforeAValue) {
  constexpr char kText[] = R"({"models": {"https://qemu.org/devices/e1000e": {
      "params": {"rx-filter-size": {"type": "str", "init_value": "big",
      "off_value": "none", "allowed_values": ["big", "none"]}}}}})";
  Compatibility answer = Compare("rx-filter-size=64", kNewCard, kText);
  ASSERT_TRUE(answer.why_not);
  EXPECT_EQ(ToString(*answer.why_not),
            "rx-filter-size is of type int, at the destination it is of type "
            "str");
  EXPECT_EQ(Answer(E1000e("rx-filter-size=big"), kNewCard),
            "rx-filter-size is big, at the destination it is of type int");
}

// Each source has all reasons from one on; names are against the order.
TEST(CompatibilityTest, TheFirstReasonInTheOrderIsSaid) {
  constexpr char kDestination[] = R"({"models": {"a.b/c": {
      "versions": {"1": {}},
      "params": {
        "a-missing": {"type": "int", "init_value": 1},
        "b-value": {"type": "int", "init_value": 1, "off_value": 0,
                    "allowed_values": ["0-3"]},
        "c-value": {"type": "int", "init_value": 1, "off_value": 0,
                    "allowed_values": ["0-3"]},
        "d-type": {"type": "bool", "init_value": true, "off_value": false}
      }}}})";
  EXPECT_EQ(Answer("a.b/d,version=2,e-name=1,d-type=1,c-value=4,b-value=5",
                   kDestination),
            "the destination does not offer a.b/d, but a.b/c");
  EXPECT_EQ(Answer("a.b/c,version=2,e-name=1,d-type=1,c-value=4,b-value=5",
                   kDestination),
            "the version is 2, the destination's are 1");
  EXPECT_EQ(Answer("a.b/c,f-name=1,e-name=1,d-type=1,c-value=4,b-value=5",
                   kDestination),
            "e-name is 1, the destination has no such parameter");
  EXPECT_EQ(Answer("a.b/c,d-type=1,c-value=4,b-value=5", kDestination),
            "d-type is 1, at the destination it is of type bool");
  EXPECT_EQ(Answer("a.b/c,c-value=4,b-value=5", kDestination),
            "b-value is 5, the destination allows 0-3");
  EXPECT_EQ(Answer("a.b/c,c-value=3,b-value=3", kDestination),
            "the source has no a-missing, which the destination cannot turn "
            "off; it allows any int");
  EXPECT_EQ(Answer("a.b/c,a-missing=7", kDestination), "");
}

TEST(CompatibilityTest, ConfigSpacesAreComparedLast) {
  std::vector<uint8_t> source(256), destination(256);
  source[0] = 0x86;
  destination[0] = 0x87;
  DeviceText text;
  ASSERT_TRUE(ParseDevice(kE1000e, text).ok());
  const OfferedModels offered = Parsed(kNewCard);
  EXPECT_FALSE(CheckCompatible(text, offered.models, {source, source}).why_not);
  EXPECT_FALSE(CheckCompatible(text, offered.models, {source, {}}).why_not);
  Compatibility answer =
      CheckCompatible(text, offered.models, {source, destination});
  ASSERT_TRUE(answer.why_not);
  EXPECT_EQ(answer.why_not->reason, IncompatibleReason::kConfigSpace);
  EXPECT_EQ(ToString(*answer.why_not),
            "config byte 0x0 is 86, the destination's is 87 (compared bits "
            "ff)");
  text.model = "a.b/c";
  answer = CheckCompatible(text, offered.models, {source, destination});
  EXPECT_EQ(Reason(answer), "model");
}

}  // namespace
}  // namespace migstream
