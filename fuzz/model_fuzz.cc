// Descriptions of device models, and a device's configuration in the last line:
// what is read is written as the same; a canonical form stands for its
// configuration; each configuration fits its own model; and what a destination
// says to a text is what its own parser says.

#include <string>
#include <string_view>

#include "codec/model/compatibility.h"
#include "codec/model/device_config.h"
#include "codec/model/model_json.h"
#include "codec/model/model_lint.h"
#include "fuzz/fuzzing.h"

using namespace migstream;  // NOLINT: this file is a program.

namespace {

// What is written has spaces and lines that the input may lack.
constexpr ModelLimits kLimits = {.json_bytes = 64 << 20};

void CheckConfig(const DeviceConfig& config, const ModelDescription& model) {
  DeviceConfig again;
  REQUIRE(ParseConfig(Canonical(config), model, again).ok());
  REQUIRE(again == config && Canonical(again) == Canonical(config));
  Compatibility answer = CheckCompatible(config, {&model, 1});
  REQUIRE(!answer.why_not && answer.destination == config);
}

void CheckModel(const ModelDescription& model, const DeviceText* device) {
  CheckConfig(InitialConfig(model), model);
  for (const LintFinding& finding : Lint(model, &model)) {
    REQUIRE(finding.id < LintId::kParameterGone);
  }
  if (device == nullptr) return;
  DeviceConfig config;
  ConfigError error = Resolve(*device, model, config);
  REQUIRE(error.column <= device->end_column);
  if (error.ok()) CheckConfig(config, model);
  DeviceText named = *device;
  named.model = model.model;
  Compatibility answer = CheckCompatible(named, {&model, 1});
  REQUIRE(answer.why_not.has_value() != error.ok());
  REQUIRE(answer.why_not || answer.destination == config);
  REQUIRE(!answer.why_not || !ToString(*answer.why_not).empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input = AsText(ByteSpan(data, size));
  const size_t line = input.rfind('\n') + 1;  // 0 if there is no other.
  DeviceText device;
  const bool sound = ParseDevice(input.substr(line), device).ok();
  OfferedModels offered, again;
  if (!ParseModels(input.substr(0, line), offered).empty()) return 0;
  const std::string json = ToJson(offered);
  REQUIRE(ParseModels(json, again, kLimits).empty());
  REQUIRE(again == offered && ToJson(again) == json);
  for (const ModelDescription& model : offered.models) {
    CheckModel(model, sound ? &device : nullptr);
  }
  return 0;
}
