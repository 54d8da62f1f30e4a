// What is unwise in a description of device models, though it can be used.
//
//   for (const LintFinding& finding : Lint(description, &older)) Say(finding);
//
// The rule behind it: whatever changes a device's hardware interface or the
// layout of its state has a parameter, and where that has its off value,
// nothing has changed. A description by itself cannot tell what changed; an
// older one of the same model can.

#ifndef MIGSTREAM_CODEC_MODEL_MODEL_LINT_H_
#define MIGSTREAM_CODEC_MODEL_MODEL_LINT_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/model/device_model.h"
#include "codec/wire/finding.h"

namespace migstream {

enum class LintId : uint8_t {
  // One description has these.
  kInitNotAllowed,
  kOffNotAllowed,
  kNothingAllowed,
  kAllowedTwice,
  kNoOffValue,
  kVersionNotAllowed,
  kVersionLeavesOpen,
  kSameVersions,
  kLatestNotHighest,
  kInitNotLatest,
  // Beside an older one.
  kParameterGone,
  kTypeChanged,
  kOffValueChanged,
  kNewWithoutOff,
  kValuesGone,
  kVersionGone,
  kVersionChanged,
  kLatestWentBack,
  kStateWithoutParameter,
};

struct LintRule {
  LintId id;
  Severity severity;
  std::string_view name;     // "no-off-value".
  std::string_view meaning;  // And what comes of it.
};

// In the order of LintId.
std::span<const LintRule> LintRules();

struct LintFinding {
  LintId id = LintId::kInitNotAllowed;
  std::string param = {};  // "rx-filter-size", "version 2"; empty: the model.
  std::string message = {};

  const LintRule& rule() const { return LintRules()[static_cast<size_t>(id)]; }
};

// `older`: what the same model was before; null: nothing is known of that.
// Ordered by id, then as the description is.
std::vector<LintFinding> Lint(const ModelDescription& description,
                              const ModelDescription* older = nullptr);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_MODEL_MODEL_LINT_H_
