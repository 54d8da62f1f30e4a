#include "codec/model/model_lint.h"

#include <string>
#include <string_view>
#include <vector>

#include "codec/model/seed_models.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> Found(const std::vector<LintFinding>& findings) {
  std::vector<std::string> lines;
  for (const LintFinding& finding : findings) {
    lines.push_back(StrCat(finding.rule().name, ": ",
                           finding.param.empty() ? "" : finding.param + ": ",
                           finding.message));
  }
  return lines;
}

// A model with this inside.
std::string Model(std::string_view members) {
  return StrCat(R"({"models": {"a.b/c": {)", members, "}}}");
}

std::vector<std::string> LintModel(std::string_view members) {
  return Found(Lint(ParsedModel(Model(members))));
}

std::vector<std::string> LintChange(std::string_view older,
                                    std::string_view newer) {
  const ModelDescription before = ParsedModel(Model(older));
  return Found(Lint(ParsedModel(Model(newer)), &before));
}

TEST(LintTest, RulesStandInTheOrderOfTheirIds) {
  for (size_t i = 0; i < LintRules().size(); ++i) {
    EXPECT_EQ(static_cast<size_t>(LintRules()[i].id), i);
  }
}

TEST(LintTest, TheSeedsExamplesAreWise) {
  EXPECT_THAT(Lint(ParsedModel(kNewCard)), IsEmpty());
  const ModelDescription older = ParsedModel(kOldCard);
  EXPECT_THAT(Lint(ParsedModel(kNewCard), &older), IsEmpty());
  EXPECT_THAT(Found(Lint(ParsedModel(kMyNic))),
              ElementsAre("no-off-value: num-resources: it has no off_value"));
}

TEST(LintTest, InitAndOffShouldBeListed) {
  EXPECT_THAT(
      LintModel(R"("params": {"p": {"type": "int", "init_value": 9,
                   "off_value": 0, "allowed_values": ["1-8"]}})"),
      ElementsAre(
          "init-not-allowed: p: init_value 9 is not among allowed_values",
          "off-not-allowed: p: off_value 0 is not among allowed_values"));
}

TEST(LintTest, AnEmptyListAllowsNothing) {
  EXPECT_THAT(LintModel(R"("params": {"p": {"type": "bool",
                  "init_value": true, "off_value": false,
                  "allowed_values": []}})"),
              testing::Contains("nothing-allowed: p: allowed_values is empty"));
}

TEST(LintTest, ValuesAreListedOnce) {
  constexpr std::string_view kParam =
      R"("params": {"p": {"type": "int", "init_value": 1, "off_value": 0,
         "allowed_values": )";
  auto lint = [&](std::string_view list) {
    return LintModel(StrCat(kParam, list, "}}"));
  };
  EXPECT_THAT(lint(R"(["0-7", 8, "9-12"])"), IsEmpty());
  EXPECT_THAT(lint(R"([8, "0-7", 8])"),
              ElementsAre("allowed-twice: p: 8 is allowed twice"));
  EXPECT_THAT(lint(R"(["5-9", "0-7"])"),
              ElementsAre("allowed-twice: p: 5 is allowed twice"));
}

TEST(LintTest, AVersionIsAWholeConfiguration) {
  EXPECT_THAT(
      LintModel(R"("versions": {"1": {}, "2": {"p": 9, "q": true}},
          "params": {
            "p": {"type": "int", "init_value": 1, "off_value": 0,
                  "allowed_values": [0, 1]},
            "q": {"type": "bool", "init_value": true}})"),
      ElementsAre("no-off-value: q: it has no off_value",
                  "version-not-allowed: version 2: p=9 is not allowed, but "
                  "0, 1",
                  "version-leaves-open: version 1: q has no off_value, and is "
                  "not in it",
                  "init-not-latest: a new device is 'p=1,q=on', version 2 is "
                  "'p=9,q=on'"));
}

TEST(LintTest, VersionsDiffer) {
  EXPECT_THAT(LintModel(R"("versions": {"1": {}, "2": {"p": false}},
                  "latest": 1,
                  "params": {"p": {"type": "bool", "init_value": false,
                                   "off_value": false}})"),
              ElementsAre("same-versions: version 2: it is the same as "
                          "version 1",
                          "latest-not-highest: the latest version is 1, the "
                          "highest 2"));
}

constexpr std::string_view kBefore =
    R"("versions": {"1": {}, "2": {"p": 4}}, "latest": 2,
       "state_representation": "a",
       "params": {"p": {"type": "int", "init_value": 4, "off_value": 0,
                        "allowed_values": ["0-8"]}})";

TEST(LintTest, NothingChangedIsNothingFound) {
  EXPECT_THAT(LintChange(kBefore, kBefore), IsEmpty());
}

TEST(LintTest, AParameterStays) {
  EXPECT_THAT(LintChange(kBefore, R"("versions": {"1": {}}, "latest": 1,
                  "state_representation": "a", "params": {})"),
              ElementsAre("parameter-gone: p: it was there before",
                          "version-gone: version 2: it was there before",
                          "latest-went-back: it was 2, and is 1"));
}

TEST(LintTest, AParameterStaysWhatItIs) {
  EXPECT_THAT(LintChange(kBefore, R"("state_representation": "a",
                  "versions": {"1": {}, "2": {"p": "4"}}, "latest": 2,
                  "params": {"p": {"type": "str", "init_value": "4",
                                   "off_value": "0"}})"),
              ElementsAre("type-changed: p: it was of type int, and is of type "
                          "str"));
  EXPECT_THAT(LintChange(kBefore, R"("state_representation": "a",
                  "versions": {"1": {}, "2": {"p": 4}}, "latest": 2,
                  "params": {"p": {"type": "int", "init_value": 4,
                                   "off_value": 1}})"),
              ElementsAre("off-value-changed: p: off_value was 0, and is 1"));
}

TEST(LintTest, ANewParameterCanBeTurnedOff) {
  constexpr std::string_view kNone = R"("params": {})";
  EXPECT_THAT(LintChange(kNone, R"("params": {"q": {"type": "bool",
                  "init_value": true, "off_value": false}})"),
              IsEmpty());
  EXPECT_THAT(LintChange(kNone, R"("params": {"q": {"type": "bool",
                  "init_value": true}})"),
              ElementsAre("no-off-value: q: it has no off_value",
                          "new-without-off: q: it is new, and has no "
                          "off_value"));
}

TEST(LintTest, ValuesStay) {
  auto lint = [](std::string_view list) {
    return LintChange(kBefore, StrCat(R"("state_representation": "a",
        "versions": {"1": {}, "2": {"p": 4}}, "latest": 2,
        "params": {"p": {"type": "int", "init_value": 4, "off_value": 0,
                         "allowed_values": )",
                                      list, "}}"));
  };
  EXPECT_THAT(lint(R"(["0-3", "4-9"])"), IsEmpty());
  EXPECT_THAT(lint(R"([8, 0, 1, 2, 3, "5-7", 4])"), IsEmpty());
  // Its ends are there, and its middle is not.
  EXPECT_THAT(lint(R"([0, 4, 8])"),
              ElementsAre("values-gone: p: it allowed 0-8, and allows 0, 4, "
                          "8"));
}

TEST(LintTest, ListsOfAllThereIsAreAsGoodAsNone) {
  constexpr std::string_view kAny =
      R"("params": {"b": {"type": "bool", "init_value": true,
                          "off_value": false}})";
  EXPECT_THAT(LintChange(kAny, R"("params": {"b": {"type": "bool",
                  "init_value": true, "off_value": false,
                  "allowed_values": [true, false]}})"),
              IsEmpty());
}

TEST(LintTest, AVersionIsForGood) {
  EXPECT_THAT(LintChange(kBefore, R"("state_representation": "a",
                  "versions": {"1": {}, "2": {"p": 8}}, "latest": 2,
                  "params": {"p": {"type": "int", "init_value": 8,
                                   "off_value": 0,
                                   "allowed_values": ["0-8"]}})"),
              ElementsAre("version-changed: version 2: it was 'p=4', and is "
                          "'p=8'"));
}

// The seed's rule: each change of the state has a parameter that turns it off.
TEST(LintTest, WhatChangesTheStateHasAParameter) {
  auto lint = [](std::string_view param) {
    return LintChange(kBefore, StrCat(R"("state_representation": "b",
        "versions": {"1": {}, "2": {"p": 4}}, "latest": 2,
        "params": {"p": {"type": "int", "init_value": 4, "off_value": 0,
                         "allowed_values": ["0-8"]})",
                                      param, "}"));
  };
  EXPECT_THAT(lint(""), ElementsAre("state-without-parameter: "
                                    "state_representation was 'a', and is "
                                    "'b'"));
  EXPECT_THAT(lint(R"(, "q": {"type": "bool", "init_value": false,
                      "off_value": false})"),
              IsEmpty());
}

}  // namespace
}  // namespace migstream
