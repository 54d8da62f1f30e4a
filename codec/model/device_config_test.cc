#include "codec/model/device_config.h"

#include <string>

#include "codec/model/seed_models.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

using testing::HasSubstr;

const ModelDescription& Card() {
  static const auto* card = new ModelDescription(ParsedModel(kNewCard));
  return *card;
}

// A configuration's canonical form; or what is wrong with it.
std::string Canonized(std::string_view text, const ModelDescription& model) {
  DeviceConfig config;
  ConfigError error = ParseConfig(text, model, config);
  return error.ok() ? Canonical(config) : ToString(error);
}

TEST(SeedTest, AVersionStandsForItsParameters) {
  EXPECT_EQ(Canonized("version=1", Card()), "");
  EXPECT_EQ(Canonized("version=2", Card()), "rx-filter-size=32");
}

// The proposal explains this text by "use version 1 and override": the text is
// right, and the explanation a slip. The filter alone cannot tell, so
// the model here has a second parameter that differs between the versions.
TEST(SeedTest, Version2WithAParameterIsVersion2AndNotVersion1) {
  EXPECT_EQ(Canonized("version=2,rx-filter-size=64", Card()),
            "rx-filter-size=64");
  const ModelDescription two = ParsedModel(R"({"models": {"a.b/c": {
      "versions": {"1": {}, "2": {"rx-filter-size": 32, "rss": true}},
      "params": {
        "rss": {"type": "bool", "init_value": true, "off_value": false},
        "rx-filter-size": {"type": "int", "init_value": 32, "off_value": 0}
      }}}})");
  EXPECT_EQ(Canonized("version=2,rx-filter-size=64", two),
            "rss=on,rx-filter-size=64");
  EXPECT_EQ(Canonized("version=1,rx-filter-size=64", two), "rx-filter-size=64");
}

TEST(SeedTest, ParametersAreSetWithoutAVersionToo) {
  EXPECT_EQ(Canonized("rx-filter-size=0", Card()), "");
  EXPECT_EQ(Canonized("rx-filter-size=16", Card()), "rx-filter-size=16");
}

TEST(SeedTest, WhatIsNotSupportedIsRefused) {
  EXPECT_EQ(Canonized("version=5", Card()),
            "column 1: there is no version 5, the versions are 1 and 2");
  EXPECT_EQ(Canonized("version=2,rx-filter-size=256", Card()),
            "column 26: rx-filter-size=256 is not allowed, but 0-255");
  EXPECT_EQ(Canonized("rx-filter-size=16,queues=4", Card()),
            "column 19: https://qemu.org/devices/e1000e has no parameter "
            "'queues'");
}

TEST(SeedTest, ANewDeviceHasItsInitValues) {
  EXPECT_EQ(CanonicalDevice(InitialConfig(ParsedModel(kMyNic))),
            "vendor-a.com/my-nic,new-feature=on,num-resources=64");
}

TEST(ConfigTest, AParameterCountsBeforeTheVersionWhereverThatStands) {
  EXPECT_EQ(Canonized("rx-filter-size=64,version=2", Card()),
            "rx-filter-size=64");
  EXPECT_EQ(Canonized("rx-filter-size=0,version=2", Card()), "");
}

TEST(ConfigTest, CanonicalIsByNameAndWithoutWhatIsOff) {
  const ModelDescription model = ParsedModel(R"({"models": {"a.b/c": {
      "params": {
        "z": {"type": "bool", "init_value": false, "off_value": true},
        "a": {"type": "str", "init_value": "x", "off_value": "none"},
        "m": {"type": "int", "init_value": 1}}}}})");
  EXPECT_EQ(Canonized("z=off,m=7,a=y", model), "a=y,m=7,z=off");
  EXPECT_EQ(Canonized("m=7,z=on,a=none", model), "m=7");
}

TEST(ConfigTest, WhatHasNoOffValueMustBeGiven) {
  const ModelDescription nic = ParsedModel(kMyNic);
  EXPECT_EQ(Canonized("new-feature=on", nic),
            "column 15: num-resources is missing: it has no off value");
  EXPECT_EQ(Canonized("", nic),
            "column 1: num-resources is missing: it has no off value");
  EXPECT_EQ(Canonized("num-resources=64", nic), "num-resources=64");
}

TEST(ConfigTest, AValueOfAnotherTypeIsRefusedAtTheValue) {
  const ModelDescription nic = ParsedModel(kMyNic);
  EXPECT_EQ(Canonized("new-feature=1,num-resources=64", nic),
            "column 13: new-feature is of type bool, '1' is not");
  EXPECT_EQ(Canonized("num-resources=064", nic),
            "column 15: num-resources is of type int, '064' is not");
  EXPECT_EQ(Canonized("num-resources=-1", nic),
            "column 15: num-resources is of type int, '-1' is not");
}

// 19 digits are the most; and 0 is no other number's first digit.
TEST(ConfigTest, IntsHaveNineteenDigits) {
  EXPECT_TRUE(ParseValue(ParamType::kInt, "9999999999999999999"));
  EXPECT_FALSE(ParseValue(ParamType::kInt, "10000000000000000000"));
  EXPECT_TRUE(ParseValue(ParamType::kInt, "0"));
  EXPECT_FALSE(ParseValue(ParamType::kInt, "00"));
  EXPECT_FALSE(ParseValue(ParamType::kInt, ""));
  EXPECT_FALSE(ParseValue(ParamType::kInt, "+1"));
}

TEST(ConfigTest, StringsHaveNoSpaceAndNoComma) {
  EXPECT_TRUE(ParseValue(ParamType::kString, "a=b/c!~"));
  EXPECT_FALSE(ParseValue(ParamType::kString, ""));
  EXPECT_FALSE(ParseValue(ParamType::kString, "a b"));
  EXPECT_FALSE(ParseValue(ParamType::kString, "a,b"));
  EXPECT_FALSE(ParseValue(ParamType::kString, "\x7f"));
  EXPECT_TRUE(ParseValue(ParamType::kString, std::string(255, 'a')));
  EXPECT_FALSE(ParseValue(ParamType::kString, std::string(256, 'a')));
}

TEST(ConfigTest, WhatBreaksTheGrammarIsRefusedWithItsColumn) {
  struct Case {
    std::string_view text;
    std::string_view error;
  };
  const Case kCases[] = {
      {"rx-filter-size",
       "column 1: 'rx-filter-size' is neither a model's name "
       "nor a parameter"},
      {"rx-filter-size=16,", "column 19: a parameter is missing"},
      {",rx-filter-size=16",
       "column 1: '' is neither a model's name nor a "
       "parameter"},
      {"version=1,,rx-filter-size=16", "column 11: a parameter is missing"},
      {"version=1,x", "column 11: 'x' lacks \"=\" and a value"},
      {"version=1,x=", "column 13: '' is no value"},
      {"version=1,=1", "column 11: '' is no name of a parameter"},
      {"version=1, x=1", "column 11: ' x' is no name of a parameter"},
      {"version=1,X=1", "column 11: 'X' is no name of a parameter"},
      {"version=1,x=1 ", "column 13: '1 ' is no value"},
      {"version=1,version=1", "column 11: the version is given twice"},
      {"x=1,y=2,x=1", "column 9: x is given twice"},
      {"version=", "column 9: a version is a number of up to 9 digits, not ''"},
      {"version=02",
       "column 9: a version is a number of up to 9 digits, not '02'"},
      {"version=1000000000",
       "column 9: a version is a number of up to 9 digits, not '1000000000'"},
      {"version=1,x=\x1b[m", "column 13: '\\x1b[m' is no value"},
  };
  for (const Case& each : kCases) {
    DeviceText device;
    EXPECT_EQ(ToString(ParseDevice(each.text, device)), each.error);
  }
}

TEST(ConfigTest, TheFirstErrorOfTheTextIsSaid) {
  EXPECT_THAT(Canonized("queues=4,version=9,rx-filter-size=on", Card()),
              HasSubstr("column 1: "));
  EXPECT_THAT(Canonized("rx-filter-size=on,queues=4,version=9", Card()),
              HasSubstr("column 16: "));
}

TEST(ConfigTest, ADeviceIsAModelAndItsParameters) {
  DeviceText device;
  ASSERT_TRUE(
      ParseDevice("https://qemu.org/devices/e1000e?x=1,version=2,b=on,a=1",
                  device)
          .ok());
  EXPECT_EQ(device.model, "https://qemu.org/devices/e1000e?x=1");
  EXPECT_EQ(device.version, 2u);
  ASSERT_EQ(device.items.size(), 2u);
  EXPECT_EQ(device.items[0].name, "a");
  EXPECT_EQ(device.items[1].value, "on");
  EXPECT_EQ(device.items[1].column, 47u);
  ASSERT_TRUE(ParseDevice("gfx.com/gpu", device).ok());
  EXPECT_EQ(device.model, "gfx.com/gpu");
}

TEST(ConfigTest, AnotherModelIsRefused) {
  EXPECT_EQ(Canonized("gfx.com/gpu,version=1", Card()),
            "column 1: the model is https://qemu.org/devices/e1000e, not "
            "'gfx.com/gpu'");
  EXPECT_EQ(Canonized("https://qemu.org/devices/e1000e,version=1", Card()), "");
}

TEST(ModelNameTest, IsAUriOrADomainAndAPath) {
  for (const char* name :
       {"https://qemu.org/devices/e1000e", "qemu.org/pci/10ec/8139",
        "vendor-a.com/my-nic", "gitlab.com/user/my-device",
        "pci://15b3.101e.15b3.0001", "urn:x", "a.b/c%2Cd"}) {
    EXPECT_TRUE(IsModelName(name)) << name;
  }
  for (const char* name :
       {"", "e1000e", "qemu.org", "qemu.org/", "qemu.org//a", "qemu/e1000e",
        "-a.org/x", "a.b/c d", "a.b/c,d", "a.b/c%2", "a.b/c?x",
        "https:", "1a:b/c", ".org/a", "a.b/\xc3\xa4"}) {
    EXPECT_FALSE(IsModelName(name)) << name;
  }
  EXPECT_TRUE(IsModelName("urn:" + std::string(251, 'a')));
  EXPECT_FALSE(IsModelName("urn:" + std::string(252, 'a')));
}

TEST(ParamNameTest, BeginsWithALowerCaseLetter) {
  EXPECT_TRUE(IsParamName("rx-filter-size"));
  EXPECT_TRUE(IsParamName("a" + std::string(63, '0')));
  EXPECT_FALSE(IsParamName("a" + std::string(64, '0')));
  for (const char* name : {"", "version", "Rx", "0a", "-a", "a_b", "a.b"}) {
    EXPECT_FALSE(IsParamName(name)) << name;
  }
}

}  // namespace
}  // namespace migstream
