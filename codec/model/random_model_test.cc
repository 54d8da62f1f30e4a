// What holds of any description and any configuration. MODEL_CONFIGURATIONS in
// the environment says how many are tried:
//
//   bazel test -c opt //codec/model:random_model_test
//       --test_env=MODEL_CONFIGURATIONS=1000000

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "codec/generate/random.h"
#include "codec/model/compatibility.h"
#include "codec/model/device_config.h"
#include "codec/model/device_model.h"
#include "codec/model/model_json.h"
#include "codec/wire/text.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

constexpr int kConfigurations = 5000;  // Two seconds, unoptimised.
constexpr int kOfOneDescription = 20;

int Configurations() {
  const char* count = std::getenv("MODEL_CONFIGURATIONS");
  return count ? std::atoi(count) : kConfigurations;
}

// Few names and values, so that two descriptions have much in common.
ParamValue RandomValue(ParamType type, Random& random) {
  switch (type) {
    case ParamType::kBool:
      return random.OneIn(2);
    case ParamType::kInt:
      return random.OneIn(50) ? kMaxParamInt : random.Below(12);
    case ParamType::kString:
      return std::string(1 + random.Below(2),
                         static_cast<char>('0' + random.Below(12)));
  }
  return false;
}

ModelParam RandomParam(std::string name, Random& random) {
  ModelParam param{.name = std::move(name)};
  param.type = static_cast<ParamType>(random.Below(3));
  param.init_value = RandomValue(param.type, random);
  if (!random.OneIn(4)) param.off_value = RandomValue(param.type, random);
  if (random.OneIn(2)) return param;
  param.allowed.emplace();
  for (uint64_t i = random.Below(5); i-- > 0;) {
    AllowedValue allowed{RandomValue(param.type, random)};
    if (param.type == ParamType::kInt && random.OneIn(2)) {
      allowed.last =
          std::max(std::get<uint64_t>(allowed.value), random.Below(12));
    }
    param.allowed->push_back(std::move(allowed));
  }
  return param;
}

ModelDescription RandomModel(Random& random) {
  ModelDescription model{.model = random.OneIn(9) ? "a.b/d" : "urn:a"};
  for (char name = 'a'; name < 'h'; ++name) {
    if (random.OneIn(3)) continue;
    model.params.push_back(RandomParam(std::string(1, name), random));
  }
  for (uint32_t number = 1; number < 4; ++number) {
    if (random.OneIn(3)) continue;
    ModelVersion version{number};
    for (const ModelParam& param : model.params) {
      if (random.OneIn(3)) continue;
      version.settings.push_back({param.name, RandomValue(param.type, random)});
    }
    model.versions.push_back(std::move(version));
  }
  if (!model.versions.empty()) model.latest = model.versions[0].number;
  EXPECT_EQ(Prepare(model), "");
  return model;
}

// One that is like `model`.
ModelDescription Relative(const ModelDescription& model, Random& random) {
  ModelDescription relative{.model = model.model};
  for (const ModelParam& param : model.params) {
    if (random.OneIn(8)) continue;
    relative.params.push_back(random.OneIn(8) ? RandomParam(param.name, random)
                                              : param);
  }
  EXPECT_EQ(Prepare(relative), "");
  return relative;
}

// Most are sound, in any order.
std::string RandomConfig(const ModelDescription& model, Random& random) {
  std::vector<std::string> params;
  for (const ModelParam& param : model.params) {
    if (param.off_value && random.OneIn(2)) continue;
    ParamType type =
        random.OneIn(40) ? static_cast<ParamType>(random.Below(3)) : param.type;
    ParamValue value = random.OneIn(3) ? RandomValue(type, random)
                       : random.OneIn(2) && param.off_value ? *param.off_value
                                                            : param.init_value;
    params.push_back(StrCat(param.name, "=", Spell(value)));
  }
  if (random.OneIn(3)) params.push_back(StrCat("version=", random.Below(4)));
  if (random.OneIn(40)) params.push_back("x=1");
  for (size_t i = params.size(); i > 1; --i) {
    std::swap(params[i - 1], params[random.Below(i)]);
  }
  return StrJoin(params, ",");
}

// The first reason, found a plain way: every reason there is, one kind after
// the other, and of a kind by name.
std::string FirstReason(const DeviceConfig& source,
                        const ModelDescription& destination) {
  if (source.model != destination.model) return "model";
  for (const ParamSetting& s : source.settings) {
    if (!s.off && !destination.Find(s.name)) return "name " + s.name;
  }
  for (const ParamSetting& s : source.settings) {
    const ModelParam* param = destination.Find(s.name);
    if (param && param->type != TypeOf(s.value)) return "type " + s.name;
  }
  for (const ParamSetting& s : source.settings) {
    const ModelParam* param = destination.Find(s.name);
    if (param && !param->Allows(s.value)) return "value " + s.name;
  }
  for (const ModelParam& param : destination.params) {
    auto is_it = [&](const ParamSetting& s) { return s.name == param.name; };
    if (!param.off_value &&
        std::none_of(source.settings.begin(), source.settings.end(), is_it)) {
      return "missing " + param.name;
    }
  }
  return "";
}

std::string Reason(const Compatibility& answer) {
  if (!answer.why_not) return "";
  std::string kind(ToString(answer.why_not->reason));
  return kind == "model" ? kind : StrCat(kind, " ", answer.why_not->name);
}

TEST(RandomModelTest, CanonicalIsAFixpointAndCompatibilityIsReflexive) {
  Random random(20201102);
  int sound = 0, refused = 0, taken = 0;
  ModelDescription model, other;
  for (int i = 0; i < Configurations(); ++i) {
    if (i % kOfOneDescription == 0) {
      model = RandomModel(random);
      other = random.OneIn(3) ? RandomModel(random) : Relative(model, random);
      OfferedModels offered{{model, other}};
      if (model.model == other.model) offered.models.pop_back();
      OfferedModels again;
      ASSERT_EQ(ParseModels(ToJson(offered), again), "");
      ASSERT_EQ(again, offered);
    }
    const std::string text = RandomConfig(model, random);
    DeviceConfig config;
    ConfigError error = ParseConfig(text, model, config);
    if (!error.ok()) {
      ASSERT_GE(error.column, 1u) << text;
      ASSERT_LE(error.column, text.size() + 1) << text;
      ++refused;
      continue;
    }
    ++sound;
    const std::string canonical = Canonical(config);
    DeviceConfig again;
    ASSERT_TRUE(ParseConfig(canonical, model, again).ok()) << text;
    ASSERT_EQ(again, config) << text;
    ASSERT_EQ(Canonical(again), canonical) << text;
    ASSERT_TRUE(ParseConfig(CanonicalDevice(config), model, again).ok());
    ASSERT_EQ(again, config) << text;

    Compatibility self = CheckCompatible(config, {&model, 1});
    ASSERT_EQ(Reason(self), "") << text;
    ASSERT_EQ(self.destination, config) << text;
    DeviceText device;
    ASSERT_TRUE(ParseDevice(CanonicalDevice(config), device).ok());
    ASSERT_EQ(CheckCompatible(device, {&model, 1}).destination, config) << text;

    Compatibility answer = CheckCompatible(config, {&other, 1});
    ASSERT_EQ(Reason(answer), FirstReason(config, other)) << text;
    if (answer.why_not) continue;
    ++taken;
    // What the destination is told to be, it can be.
    ASSERT_TRUE(ParseConfig(Canonical(answer.destination), other, again).ok());
    ASSERT_EQ(again, answer.destination);
  }
  // Each way was gone often.
  EXPECT_GT(sound, Configurations() / 4);
  EXPECT_GT(refused, Configurations() / 20);
  EXPECT_GT(taken, Configurations() / 100);
}

}  // namespace
}  // namespace migstream
