#include "codec/model/compatibility.h"

#include <algorithm>
#include <vector>

#include "codec/device/config_compare.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

using Reason = IncompatibleReason;

// What the source says of a parameter.
struct Said {
  std::string_view name;
  std::string spelled;
  std::optional<ParamType> type;  // Nobody says without a description.
  bool off = false;
};

struct Source {
  std::string_view model;
  std::optional<uint32_t> version;
  std::vector<Said> said;  // By name.
};

// A parameter of the destination and its value, or why there is none.
struct Fitted {
  std::optional<ParamValue> value;
  std::optional<Incompatible> why_not;
};

Fitted Fit(const Said* said, const ParamSetting* by_version,
           const ModelParam& param) {
  if (said == nullptr) {
    if (by_version != nullptr) return {by_version->value, {}};
    if (param.off_value) return {param.off_value, {}};
    return {
        {},
        Incompatible{Reason::kMissing, param.name, "", param.AllowedText()}};
  }
  if (said->type && *said->type != param.type) {
    return {{},
            Incompatible{Reason::kType, param.name,
                         StrCat("of type ", ToString(*said->type)),
                         std::string(ToString(param.type))}};
  }
  std::optional<ParamValue> value = ParseValue(param.type, said->spelled);
  if (value) return {std::move(value), {}};
  return {{},
          Incompatible{Reason::kType, param.name, said->spelled,
                       std::string(ToString(param.type))}};
}

// Keeps the first in the order of reasons; they are found in that of names.
void Keep(std::optional<Incompatible> found,
          std::optional<Incompatible>& first) {
  if (found && (!first || found->reason < first->reason)) {
    first = std::move(found);
  }
}

const Said* Find(const std::vector<Said>& said, std::string_view name) {
  auto found = std::lower_bound(
      said.begin(), said.end(), name,
      [](const Said& s, std::string_view n) { return s.name < n; });
  return found == said.end() || found->name != name ? nullptr : &*found;
}

Compatibility CheckModel(const Source& source,
                         const ModelDescription& destination) {
  Compatibility answer;
  const ModelVersion* version = nullptr;
  if (source.version) {
    version = destination.FindVersion(*source.version);
    if (version == nullptr) {
      answer.why_not =
          Incompatible{Reason::kVersion, std::string(source.model),
                       StrCat(*source.version), destination.VersionsText()};
      return answer;
    }
  }
  for (const Said& said : source.said) {
    if (said.off || destination.Find(said.name) != nullptr) continue;
    answer.why_not = Incompatible{Reason::kName, std::string(said.name),
                                  said.spelled, destination.model};
    return answer;
  }
  answer.destination.model = destination.model;
  for (const ModelParam& param : destination.params) {
    auto [value, why_not] =
        Fit(Find(source.said, param.name),
            version ? version->Find(param.name) : nullptr, param);
    if (value && !param.Allows(*value)) {
      why_not = Incompatible{Reason::kValue, param.name, Spell(*value),
                             param.AllowedText()};
    }
    if (why_not) {
      Keep(std::move(why_not), answer.why_not);
      continue;
    }
    bool off = value == param.off_value;
    answer.destination.settings.push_back({param.name, *std::move(value), off});
  }
  return answer;
}

std::optional<Incompatible> CompareSpaces(const ConfigSpaces& spaces) {
  if (spaces.source.empty() || spaces.destination.empty()) return std::nullopt;
  std::optional<ConfigMismatch> mismatch = CompareConfig(
      spaces.source, spaces.destination,
      DeviceMasks(spaces.destination, spaces.skip_vendor_capabilities));
  if (!mismatch) return std::nullopt;
  return Incompatible{Reason::kConfigSpace, "", ToString(*mismatch), ""};
}

Compatibility Check(const Source& source,
                    std::span<const ModelDescription> destination,
                    const ConfigSpaces& spaces) {
  Compatibility first;
  std::vector<std::string_view> offered;
  for (const ModelDescription& model : destination) {
    offered.push_back(model.model);
    if (model.model != source.model) continue;
    Compatibility answer = CheckModel(source, model);
    if (!answer.why_not) answer.why_not = CompareSpaces(spaces);
    if (!answer.why_not) return answer;
    Keep(std::move(answer.why_not), first.why_not);
  }
  if (!first.why_not) {
    first.why_not = Incompatible{Reason::kModel, std::string(source.model), "",
                                 StrJoin(offered, ", ")};
  }
  return first;
}

}  // namespace

std::string_view ToString(IncompatibleReason reason) {
  switch (reason) {
    case Reason::kModel:
      return "model";
    case Reason::kVersion:
      return "version";
    case Reason::kName:
      return "name";
    case Reason::kType:
      return "type";
    case Reason::kValue:
      return "value";
    case Reason::kMissing:
      return "missing";
    case Reason::kConfigSpace:
      return "config-space";
  }
  return {};
}

std::string ToString(const Incompatible& why_not) {
  const auto& [reason, name, source, destination] = why_not;
  switch (reason) {
    case Reason::kModel:
      return StrCat("the destination does not offer ", name,
                    destination.empty() ? "" : ", but ", destination);
    case Reason::kVersion:
      return StrCat("the version is ", source, ", the destination's are ",
                    destination);
    case Reason::kName:
      return StrCat(name, " is ", source,
                    ", the destination has no such parameter");
    case Reason::kType:
      return StrCat(name, " is ", source, ", at the destination it is of type ",
                    destination);
    case Reason::kValue:
      return StrCat(name, " is ", source, ", the destination allows ",
                    destination);
    case Reason::kMissing:
      return StrCat("the source has no ", name,
                    ", which the destination cannot turn off; it allows ",
                    destination);
    case Reason::kConfigSpace:
      return source;
  }
  return {};
}

Compatibility CheckCompatible(const DeviceConfig& source,
                              std::span<const ModelDescription> destination,
                              const ConfigSpaces& spaces) {
  Source view{source.model, {}, {}};
  for (const ParamSetting& setting : source.settings) {
    view.said.push_back({setting.name, Spell(setting.value),
                         TypeOf(setting.value), setting.off});
  }
  return Check(view, destination, spaces);
}

Compatibility CheckCompatible(const DeviceText& source,
                              std::span<const ModelDescription> destination,
                              const ConfigSpaces& spaces) {
  Source view{source.model, source.version, {}};
  for (const DeviceText::Item& item : source.items) {
    view.said.push_back({item.name, item.value, {}, false});
  }
  return Check(view, destination, spaces);
}

}  // namespace migstream
