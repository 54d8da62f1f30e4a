#include "codec/model/model_lint.h"

#include <algorithm>
#include <iterator>

#include "codec/model/device_config.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

constexpr LintRule kRules[] = {
    {LintId::kInitNotAllowed, Severity::kError, "init-not-allowed",
     "a new device has a value that is not in the list"},
    {LintId::kOffNotAllowed, Severity::kError, "off-not-allowed",
     "the value that turns the parameter off is not in the list"},
    {LintId::kNothingAllowed, Severity::kError, "nothing-allowed",
     "an empty list allows no value; without a list any is allowed"},
    {LintId::kAllowedTwice, Severity::kWarning, "allowed-twice",
     "a value is in the list more than once"},
    {LintId::kNoOffValue, Severity::kNote, "no-off-value",
     "no implementation that lacks the parameter can be migrated from or to"},
    {LintId::kVersionNotAllowed, Severity::kError, "version-not-allowed",
     "the version gives a parameter a value that is not allowed"},
    {LintId::kVersionLeavesOpen, Severity::kError, "version-leaves-open",
     "a parameter has no off value, and the version says nothing of it"},
    {LintId::kSameVersions, Severity::kWarning, "same-versions",
     "two versions stand for the same configuration"},
    {LintId::kLatestNotHighest, Severity::kWarning, "latest-not-highest",
     "whoever asks for the latest version does not get the newest"},
    {LintId::kInitNotLatest, Severity::kNote, "init-not-latest",
     "a new device is not what the latest version says"},
    {LintId::kParameterGone, Severity::kError, "parameter-gone",
     "devices that have it can no longer be migrated here"},
    {LintId::kTypeChanged, Severity::kError, "type-changed",
     "what a device had before is no value any more"},
    {LintId::kOffValueChanged, Severity::kError, "off-value-changed",
     "a device that says nothing of the parameter changes"},
    {LintId::kNewWithoutOff, Severity::kError, "new-without-off",
     "devices from before the parameter can no longer be migrated here"},
    {LintId::kValuesGone, Severity::kWarning, "values-gone",
     "devices that have such a value can no longer be migrated here"},
    {LintId::kVersionGone, Severity::kError, "version-gone",
     "whoever asks for it is refused"},
    {LintId::kVersionChanged, Severity::kError, "version-changed",
     "a version stands for one configuration, for good"},
    {LintId::kLatestWentBack, Severity::kWarning, "latest-went-back",
     "the latest version is older than it was"},
    {LintId::kStateWithoutParameter, Severity::kError,
     "state-without-parameter",
     "the layout of the state changed, and no parameter can turn that off"},
};
static_assert(std::size(kRules) ==
              static_cast<size_t>(LintId::kStateWithoutParameter) + 1);

// The last int of a range; of another value itself.
ParamValue LastOf(const AllowedValue& allowed) {
  return allowed.last ? ParamValue(*allowed.last) : allowed.value;
}

bool ByValue(const AllowedValue& a, const AllowedValue& b) {
  return a.value < b.value;
}

// Whether `b`, which does not begin before `a`, begins behind its end, and not
// right behind.
bool Before(const AllowedValue& a, const AllowedValue& b) {
  const uint64_t* begin = std::get_if<uint64_t>(&b.value);
  if (begin == nullptr) return a.value < b.value;
  uint64_t end = std::get<uint64_t>(LastOf(a));
  return *begin > end && *begin - end > 1;
}

// The values that a parameter allows, each in one range at the most. Not for a
// string without a list.
std::vector<AllowedValue> Ranges(const ModelParam& param) {
  std::vector<AllowedValue> ranges;
  if (param.allowed) {
    ranges = *param.allowed;
  } else if (param.type == ParamType::kBool) {
    ranges = {{false}, {true}};
  } else if (param.type == ParamType::kInt) {
    ranges = {{uint64_t{0}, kMaxParamInt}};
  }
  ranges.push_back({param.init_value});
  if (param.off_value) ranges.push_back({*param.off_value});
  std::sort(ranges.begin(), ranges.end(), ByValue);
  std::vector<AllowedValue> merged;
  for (AllowedValue& each : ranges) {
    if (merged.empty() || Before(merged.back(), each)) {
      merged.push_back(std::move(each));
    } else if (LastOf(merged.back()) < LastOf(each)) {
      merged.back().last = std::get<uint64_t>(LastOf(each));
    }
  }
  return merged;
}

// Whether `param` allows all that `older` did, of the same type.
bool AllowsAll(const ModelParam& param, const ModelParam& older) {
  if (!param.allowed) return true;
  if (!older.allowed && older.type == ParamType::kString) return false;
  const std::vector<AllowedValue> now = Ranges(param);
  const std::vector<AllowedValue> before = Ranges(older);
  return std::all_of(
      before.begin(), before.end(), [&now](const AllowedValue& each) {
        auto after = std::upper_bound(now.begin(), now.end(), each, ByValue);
        return after != now.begin() && LastOf(each) <= LastOf(after[-1]) &&
               !(each.value < after[-1].value);
      });
}

class Linter {
 public:
  explicit Linter(const ModelDescription& model) : model_(model) {}

  void LintItself();
  void LintChange(const ModelDescription& older);
  std::vector<LintFinding> Take() {
    std::stable_sort(
        findings_.begin(), findings_.end(),
        [](const LintFinding& a, const LintFinding& b) { return a.id < b.id; });
    return std::move(findings_);
  }

 private:
  void Add(LintId id, std::string_view param, std::string message) {
    findings_.push_back({id, std::string(param), std::move(message)});
  }
  void LintParam(const ModelParam& param);
  void LintVersion(const ModelVersion& version);
  void LintLatest();
  void LintParamChange(const ModelParam& older, const ModelParam& param);
  void LintVersionChanges(const ModelDescription& older);

  const ModelDescription& model_;
  std::vector<LintFinding> findings_;
};

std::string VersionName(uint32_t number) { return StrCat("version ", number); }

// Whether the list has it, or there is none.
bool Lists(const ModelParam& param, const ParamValue& value) {
  return !param.allowed ||
         std::any_of(param.allowed->begin(), param.allowed->end(),
                     [&](const AllowedValue& a) { return a.Has(value); });
}

void Linter::LintParam(const ModelParam& param) {
  if (!Lists(param, param.init_value)) {
    Add(LintId::kInitNotAllowed, param.name,
        StrCat("init_value ", Spell(param.init_value),
               " is not among allowed_values"));
  }
  if (param.off_value && !Lists(param, *param.off_value)) {
    Add(LintId::kOffNotAllowed, param.name,
        StrCat("off_value ", Spell(*param.off_value),
               " is not among allowed_values"));
  }
  if (!param.off_value) {
    Add(LintId::kNoOffValue, param.name, "it has no off_value");
  }
  if (!param.allowed) return;
  if (param.allowed->empty()) {
    Add(LintId::kNothingAllowed, param.name, "allowed_values is empty");
  }
  // By where each begins, so that only neighbours can meet.
  std::vector<AllowedValue> sorted = *param.allowed;
  std::sort(sorted.begin(), sorted.end(), ByValue);
  for (size_t i = 1; i < sorted.size(); ++i) {
    if (LastOf(sorted[i - 1]) < sorted[i].value) continue;
    Add(LintId::kAllowedTwice, param.name,
        StrCat(Spell(sorted[i].value), " is allowed twice"));
    return;
  }
}

void Linter::LintVersion(const ModelVersion& version) {
  const std::string name = VersionName(version.number);
  for (const ParamSetting& setting : version.settings) {
    const ModelParam& param = *model_.Find(setting.name);
    if (param.Allows(setting.value)) continue;
    Add(LintId::kVersionNotAllowed, name,
        StrCat(setting.name, "=", Spell(setting.value), " is not allowed, but ",
               param.AllowedText()));
  }
  for (const ModelParam& param : model_.params) {
    if (param.off_value || version.Find(param.name) != nullptr) continue;
    Add(LintId::kVersionLeavesOpen, name,
        StrCat(param.name, " has no off_value, and is not in it"));
    return;
  }
}

// What a version stands for, in one form.
std::string Meaning(const ModelVersion& version) {
  return Canonical({"", version.settings});
}

void Linter::LintLatest() {
  const std::vector<ModelVersion>& versions = model_.versions;
  for (size_t i = 1; i < versions.size(); ++i) {
    if (Meaning(versions[i]) != Meaning(versions[i - 1])) continue;
    Add(LintId::kSameVersions, VersionName(versions[i].number),
        StrCat("it is the same as ", VersionName(versions[i - 1].number)));
  }
  if (versions.empty()) return;
  const ModelVersion* latest = &versions.back();
  if (model_.latest) {
    latest = model_.FindVersion(*model_.latest);
    if (latest != &versions.back()) {
      Add(LintId::kLatestNotHighest, "",
          StrCat("the latest version is ", latest->number, ", the highest ",
                 versions.back().number));
    }
  }
  std::string fresh = Canonical(InitialConfig(model_));
  if (fresh != Meaning(*latest)) {
    Add(LintId::kInitNotLatest, "",
        StrCat("a new device is '", fresh, "', ", VersionName(latest->number),
               " is '", Meaning(*latest), "'"));
  }
}

void Linter::LintItself() {
  for (const ModelParam& param : model_.params) LintParam(param);
  for (const ModelVersion& version : model_.versions) LintVersion(version);
  LintLatest();
}

void Linter::LintParamChange(const ModelParam& older, const ModelParam& param) {
  if (older.type != param.type) {
    Add(LintId::kTypeChanged, param.name,
        StrCat("it was of type ", ToString(older.type), ", and is of type ",
               ToString(param.type)));
    return;
  }
  if (older.off_value && older.off_value != param.off_value) {
    Add(LintId::kOffValueChanged, param.name,
        StrCat("off_value was ", Spell(*older.off_value), ", and is ",
               param.off_value ? Spell(*param.off_value) : "not there"));
  }
  if (!AllowsAll(param, older)) {
    Add(LintId::kValuesGone, param.name,
        StrCat("it allowed ", older.AllowedText(), ", and allows ",
               param.AllowedText()));
  }
}

void Linter::LintVersionChanges(const ModelDescription& older) {
  for (const ModelVersion& version : older.versions) {
    const std::string name = VersionName(version.number);
    const ModelVersion* now = model_.FindVersion(version.number);
    if (now == nullptr) {
      Add(LintId::kVersionGone, name, "it was there before");
    } else if (Meaning(*now) != Meaning(version)) {
      Add(LintId::kVersionChanged, name,
          StrCat("it was '", Meaning(version), "', and is '", Meaning(*now),
                 "'"));
    }
  }
  if (older.latest && model_.latest && *model_.latest < *older.latest) {
    Add(LintId::kLatestWentBack, "",
        StrCat("it was ", *older.latest, ", and is ", *model_.latest));
  }
}

void Linter::LintChange(const ModelDescription& older) {
  // Something can be turned on that could not be before.
  bool offers_more = false;
  for (const ModelParam& param : older.params) {
    const ModelParam* now = model_.Find(param.name);
    if (now != nullptr) {
      LintParamChange(param, *now);
      offers_more |= now->off_value && now->allowed != param.allowed;
    } else {
      Add(LintId::kParameterGone, param.name, "it was there before");
    }
  }
  for (const ModelParam& param : model_.params) {
    if (older.Find(param.name) != nullptr) continue;
    offers_more |= param.off_value.has_value();
    if (param.off_value) continue;
    Add(LintId::kNewWithoutOff, param.name, "it is new, and has no off_value");
  }
  LintVersionChanges(older);
  if (older.state_representation != model_.state_representation &&
      !offers_more) {
    Add(LintId::kStateWithoutParameter, "",
        StrCat("state_representation was '", older.state_representation,
               "', and is '", model_.state_representation, "'"));
  }
}

}  // namespace

std::span<const LintRule> LintRules() { return kRules; }

std::vector<LintFinding> Lint(const ModelDescription& description,
                              const ModelDescription* older) {
  Linter linter(description);
  linter.LintItself();
  if (older != nullptr) linter.LintChange(*older);
  return linter.Take();
}

}  // namespace migstream
