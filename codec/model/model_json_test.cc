#include "codec/model/model_json.h"

#include <string>
#include <string_view>

#include "codec/model/seed_models.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

using testing::HasSubstr;

std::string Problem(std::string_view json) {
  OfferedModels offered;
  return ParseModels(json, offered);
}

// A model with one parameter, which has these members.
std::string WithParam(std::string_view members) {
  return StrCat(R"({"models": {"a.b/c": {"params": {"p": {)", members, "}}}}}");
}

TEST(ModelJsonTest, TheSeedsExamplesAreRead) {
  const ModelDescription card = ParsedModel(kNewCard);
  EXPECT_EQ(card.model, kE1000e);
  EXPECT_EQ(card.latest, 2u);
  EXPECT_EQ(card.VersionsText(), "1 and 2");
  ASSERT_EQ(card.params.size(), 1u);
  const ModelParam& filter = card.params[0];
  EXPECT_EQ(filter.name, "rx-filter-size");
  EXPECT_EQ(filter.type, ParamType::kInt);
  EXPECT_EQ(filter.init_value, ParamValue(uint64_t{32}));
  EXPECT_EQ(filter.off_value, ParamValue(uint64_t{0}));
  EXPECT_EQ(filter.AllowedText(), "0-255");
  EXPECT_EQ(filter.description, "Addresses that the filter holds");
  const ModelDescription nic = ParsedModel(kMyNic);
  EXPECT_FALSE(nic.Find("num-resources")->off_value);
  EXPECT_EQ(nic.Find("new-feature")->off_value, ParamValue(false));
}

TEST(ModelJsonTest, ListsMixRangesAndValues) {
  const ModelDescription model = ParsedModel(WithParam(
      R"("type": "int", "init_value": 3, "off_value": 9,
         "allowed_values": ["0-255", 512, "1024-2048"])"));
  const ModelParam& param = model.params[0];
  EXPECT_EQ(param.AllowedText(), "0-255, 512, 1024-2048");
  for (uint64_t value : {0, 255, 512, 1024, 2048}) {
    EXPECT_TRUE(param.Allows(value)) << value;
  }
  for (uint64_t value : {256, 511, 513, 1023, 2049}) {
    EXPECT_FALSE(param.Allows(value)) << value;
  }
}

// What a device is made with, and what turns a parameter off, needs no list.
TEST(ModelJsonTest, InitAndOffAreAllowedWithoutBeingListed) {
  const ModelDescription model = ParsedModel(WithParam(
      R"("type": "str", "init_value": "i", "off_value": "o",
         "allowed_values": ["a", "0-9"])"));
  const ModelParam& param = model.params[0];
  EXPECT_EQ(param.AllowedText(), "a, 0-9, i, o");
  EXPECT_TRUE(param.Allows(std::string("0-9")));
  EXPECT_FALSE(param.Allows(std::string("5")));
  EXPECT_TRUE(param.Allows(std::string("o")));
}

TEST(ModelJsonTest, WhatIsWrittenIsReadAsTheSame) {
  for (std::string_view json : {kOldCard, kNewCard, kMyNic, kGfx4}) {
    const OfferedModels offered = Parsed(json);
    const std::string text = ToJson(offered);
    EXPECT_EQ(Parsed(text), offered) << text;
    EXPECT_EQ(ToJson(Parsed(text)), text);
  }
}

TEST(ModelJsonTest, UnknownMembersArePassedOn) {
  const OfferedModels offered = Parsed(R"({
      "x": [1, 2.5, {"y": null}],
      "models": {"a.b/c": {"z": "\u00e4", "params": {"p": {
        "type": "bool", "init_value": true, "since": {"kernel": "6.2"}}}}}})");
  ASSERT_EQ(offered.other.size(), 1u);
  EXPECT_EQ(offered.other[0].json, R"([1,2.5,{"y":null}])");
  const std::string json = ToJson(offered);
  EXPECT_EQ(Parsed(json), offered);
  EXPECT_THAT(json, HasSubstr(R"("since": {"kernel":"6.2"})"));
}

TEST(ModelJsonTest, WhatCannotBeUsedIsRefusedWithItsPlace) {
  struct Case {
    std::string json;
    std::string_view problem;
  };
  const Case kCases[] = {
      {"[]", "it is no object"},
      {"{}", "it has no \"models\""},
      {R"({"models": []})", "models: is no object"},
      {R"({"models": {"a.b/c": 1}})", "a.b/c: is no object"},
      {R"({"models": {"e1000e": {}}})",
       "'e1000e' is no name of a model: that is a URI, or a domain and a path"},
      {R"({"models": {"a.b/c": {}, "a.b/c": {}}})", "a.b/c: is there twice"},
      {R"({"models": {"a.b/c": {"params": []}}})",
       "a.b/c: params: is no object"},
      {R"({"models": {"a.b/c": {"params": {"P": {"type": "int",
          "init_value": 1}}}}})",
       "a.b/c: 'P' is no name of a parameter"},
      {WithParam(R"("init_value": 1)"), "a.b/c: params: p: has no type"},
      {WithParam(R"("type": "float", "init_value": 1)"),
       "a.b/c: params: p: type: is not bool, int or str"},
      {WithParam(R"("type": "int")"), "a.b/c: params: p: has no init_value"},
      {WithParam(R"("type": "int", "type": "int", "init_value": 1)"),
       "a.b/c: params: p: type: is there twice"},
      {WithParam(R"("type": "int", "init_value": -1)"),
       "a.b/c: params: p: init_value: is no bool, no string, and no int from "
       "0 on"},
      {WithParam(R"("type": "int", "init_value": 1.0)"),
       "a.b/c: params: p: init_value: is no bool, no string, and no int from "
       "0 on"},
      {WithParam(R"("type": "int", "init_value": 10000000000000000000)"),
       "a.b/c: p: no configuration can spell its init_value"},
      {WithParam(R"("type": "str", "init_value": "a,b")"),
       "a.b/c: p: no configuration can spell its init_value"},
      {WithParam(R"("type": "int", "init_value": 1, "off_value": false)"),
       "a.b/c: p: off_value is of type bool, the parameter of type int"},
      {WithParam(R"("type": "int", "init_value": 1, "allowed_values": [true])"),
       "a.b/c: p: allowed value is of type bool, the parameter of type int"},
      {WithParam(R"("type": "int", "init_value": 1, "allowed_values": ["7"])"),
       "a.b/c: params: p: allowed_values: '7' is no range like 0-255"},
      {WithParam(
           R"("type": "int", "init_value": 1, "allowed_values": ["7-5"])"),
       "a.b/c: p: the range 7-5 is upside down"},
      {R"({"models": {"a.b/c": {"versions": ["1"]}}})",
       "a.b/c: versions: is no object, which would say what each version "
       "stands for"},
      {R"({"models": {"a.b/c": {"versions": {"one": {}}}}})",
       "a.b/c: versions: one: is no number of up to 9 digits"},
      {R"({"models": {"a.b/c": {"versions": {"1": {"x": 1}}}}})",
       "a.b/c: version 1: there is no parameter 'x'"},
      {R"({"models": {"a.b/c": {"versions": {"1": {}, "1": {}}}}})",
       "a.b/c: version 1 is there twice"},
      {R"({"models": {"a.b/c": {"versions": {"1": {}}, "latest": 2}}})",
       "a.b/c: the latest version is 2, the versions are 1"},
  };
  for (const Case& each : kCases) {
    EXPECT_EQ(Problem(each.json), each.problem) << each.json;
  }
}

TEST(ModelJsonTest, JsonThatIsNoneIsRefused) {
  EXPECT_THAT(Problem(""), HasSubstr("JSON: "));
  EXPECT_THAT(Problem(R"({"models": {}} x)"), HasSubstr("JSON: "));
  EXPECT_THAT(Problem("{\"models\": {}, \"x\": \"\xff\"}"),
              HasSubstr("JSON: "));
  EXPECT_EQ(Problem(std::string("{\"models\": {}}\0", 15)),
            "there is a NUL in the JSON");
  // Half a character of two escapes could not be written again.
  EXPECT_EQ(Problem(R"({"models": {}, "x": "\udc00"})"),
            "JSON: a string is no Unicode");
}

TEST(ModelJsonTest, LimitsAreKept) {
  std::string large = StrCat(R"({"models": {}, "x": ")",
                             std::string((1 << 20) - 23, 'x'), "\"}");
  ASSERT_EQ(large.size(), size_t{1} << 20);
  EXPECT_EQ(Problem(large), "");
  EXPECT_EQ(Problem(large + " "),
            "the JSON has 1048577 bytes, the limit is 1048576");

  auto nested = [](int levels) {
    return StrCat(R"({"models": {}, "x": )", std::string(levels - 1, '['),
                  std::string(levels - 1, ']'), "}");
  };
  EXPECT_EQ(Problem(nested(8)), "");
  EXPECT_EQ(Problem(nested(9)), "the JSON is 9 levels deep, the limit is 8");
  // A bracket in a string nests nothing.
  EXPECT_EQ(Problem(R"({"models": {}, "x": "\"[[[[[[[[[[[[["})"), "");
  // However deep: nothing goes down with it.
  EXPECT_EQ(Problem(std::string(1 << 20, '[')),
            "the JSON is 1048576 levels deep, the limit is 8");

  auto params = [](int count) {
    std::string all;
    for (int i = 0; i < count; ++i) {
      StrAppend(&all, i == 0 ? "" : ",", "\"p", i,
                R"(": {"type": "bool", "init_value": true})");
    }
    return StrCat(R"({"models": {"a.b/c": {"params": {)", all, "}}}}");
  };
  EXPECT_EQ(Problem(params(1024)), "");
  EXPECT_EQ(Problem(params(1025)),
            "a.b/c: params: has 1025 parameters, the limit is 1024");
}

}  // namespace
}  // namespace migstream
