#include "codec/model/device_model.h"

#include <algorithm>
#include <utility>

#include "codec/wire/text.h"

namespace migstream {
namespace {

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return IsLower(c) || (c >= 'A' && c <= 'Z'); }
bool IsHexDigit(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// RFC 3986's characters but for the comma; "%" needs two digits behind it.
bool IsUriText(std::string_view text) {
  constexpr std::string_view kOthers = "-._~:/?#[]@!$&'()*+;=";
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (text.size() - i < 3 || !IsHexDigit(text[i + 1]) ||
          !IsHexDigit(text[i + 2])) {
        return false;
      }
    } else if (!IsLetter(c) && !IsDigit(c) && kOthers.find(c) == kOthers.npos) {
      return false;
    }
  }
  return true;
}

bool IsScheme(std::string_view text) {
  return !text.empty() && IsLetter(text[0]) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return IsLetter(c) || IsDigit(c) || c == '+' || c == '-' || c == '.';
         });
}

bool IsDomain(std::string_view text) {
  std::vector<std::string_view> labels = Split(text, '.');
  return labels.size() >= 2 &&
         std::all_of(labels.begin(), labels.end(), [](std::string_view label) {
           return !label.empty() && label.front() != '-' &&
                  label.back() != '-' &&
                  std::all_of(label.begin(), label.end(), [](char c) {
                    return IsLetter(c) || IsDigit(c) || c == '-';
                  });
         });
}

template <typename Item>
const Item* FindNamed(const std::vector<Item>& items, std::string_view name) {
  auto found = std::lower_bound(
      items.begin(), items.end(), name,
      [](const Item& item, std::string_view n) { return item.name < n; });
  return found == items.end() || found->name != name ? nullptr : &*found;
}

// Puts them in order, and says whether no two have the same name. What is
// sorted is names and indices: the items are large, and of several kinds.
template <typename Item, typename Name>
bool HasNoTwins(std::vector<Item>& items, Name name, std::string& twin) {
  using Key = decltype(name(items[0]));
  std::vector<std::pair<Key, size_t>> order;
  for (const Item& item : items) order.emplace_back(name(item), order.size());
  std::sort(order.begin(), order.end());
  for (size_t i = 1; i < order.size(); ++i) {
    if (order[i - 1].first != order[i].first) continue;
    twin = StrCat(order[i].first);
    return false;
  }
  std::vector<Item> sorted;
  sorted.reserve(items.size());
  for (const auto& each : order) {
    sorted.push_back(std::move(items[each.second]));
  }
  items = std::move(sorted);
  return true;
}

// What is wrong with a value that `what` of `param` is; empty if nothing is.
std::string Problem(const ModelParam& param, std::string_view what,
                    const ParamValue& value) {
  if (TypeOf(value) != param.type) {
    return StrCat(param.name, ": ", what, " is of type ",
                  ToString(TypeOf(value)), ", the parameter of type ",
                  ToString(param.type));
  }
  if (IsSpellable(value)) return "";
  return StrCat(param.name, ": no configuration can spell its ", what);
}

std::string Problem(const ModelParam& param) {
  if (!IsParamName(param.name)) {
    return StrCat("'", param.name, "' is no name of a parameter");
  }
  std::string problem = Problem(param, "init_value", param.init_value);
  if (problem.empty() && param.off_value) {
    problem = Problem(param, "off_value", *param.off_value);
  }
  if (!problem.empty() || !param.allowed) return problem;
  for (const AllowedValue& allowed : *param.allowed) {
    problem = Problem(param, "allowed value", allowed.value);
    if (!problem.empty()) return problem;
    if (!allowed.last) continue;
    if (param.type != ParamType::kInt) {
      return StrCat(param.name, ": only ints have a range of allowed values");
    }
    problem = Problem(param, "allowed value", *allowed.last);
    if (!problem.empty()) return problem;
    if (*allowed.last < std::get<uint64_t>(allowed.value)) {
      return StrCat(param.name, ": the range ", Spell(allowed.value), "-",
                    *allowed.last, " is upside down");
    }
  }
  return "";
}

std::string Problem(const ModelDescription& description,
                    ModelVersion& version) {
  const std::string where = StrCat("version ", version.number, ": ");
  if (version.number > kMaxVersion) {
    return StrCat(where, "the number has more than 9 digits");
  }
  std::string twin;
  auto name = [](const ParamSetting& s) { return std::string_view(s.name); };
  if (!HasNoTwins(version.settings, name, twin)) {
    return StrCat(where, twin, " is there twice");
  }
  for (ParamSetting& setting : version.settings) {
    const ModelParam* param = description.Find(setting.name);
    if (param == nullptr) {
      return StrCat(where, "there is no parameter '", setting.name, "'");
    }
    std::string problem = Problem(*param, "value", setting.value);
    if (!problem.empty()) return where + problem;
    setting.off = param->off_value == setting.value;
  }
  return "";
}

std::string ProblemWithin(ModelDescription& description) {
  std::string twin;
  auto name = [](const ModelParam& p) { return std::string_view(p.name); };
  auto number = [](const ModelVersion& v) { return v.number; };
  if (description.params.size() > kMaxParams) {
    return StrCat("there are ", description.params.size(),
                  " parameters, the limit is ", kMaxParams);
  }
  if (description.versions.size() > kMaxVersions) {
    return StrCat("there are ", description.versions.size(),
                  " versions, the limit is ", kMaxVersions);
  }
  if (!HasNoTwins(description.params, name, twin)) {
    return StrCat("the parameter ", twin, " is there twice");
  }
  if (!HasNoTwins(description.versions, number, twin)) {
    return StrCat("version ", twin, " is there twice");
  }
  for (const ModelParam& param : description.params) {
    std::string problem = Problem(param);
    if (!problem.empty()) return problem;
  }
  for (ModelVersion& version : description.versions) {
    std::string problem = Problem(description, version);
    if (!problem.empty()) return problem;
  }
  if (description.latest && !description.FindVersion(*description.latest)) {
    return StrCat("the latest version is ", *description.latest,
                  ", the versions are ", description.VersionsText());
  }
  return "";
}

}  // namespace

bool IsModelName(std::string_view name) {
  if (name.size() > kMaxModelName || !IsUriText(name)) return false;
  size_t colon = name.find(':');
  if (colon != name.npos && IsScheme(name.substr(0, colon))) {
    return colon + 1 < name.size();
  }
  size_t slash = name.find('/');
  if (slash == name.npos || !IsDomain(name.substr(0, slash))) return false;
  std::vector<std::string_view> segments = Split(name.substr(slash + 1), '/');
  return std::all_of(segments.begin(), segments.end(), [](std::string_view s) {
    return !s.empty() && s.find_first_of("?#") == s.npos;
  });
}

bool IsParamName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxParamName && IsLower(name[0]) &&
         name != "version" && std::all_of(name.begin(), name.end(), [](char c) {
           return IsLower(c) || IsDigit(c) || c == '-';
         });
}

bool AllowedValue::Has(const ParamValue& other) const {
  const uint64_t* number = std::get_if<uint64_t>(&other);
  if (!last || number == nullptr) return value == other;
  return *number >= std::get<uint64_t>(value) && *number <= *last;
}

bool ModelParam::Allows(const ParamValue& value) const {
  if (!allowed || value == init_value || value == off_value) return true;
  return std::any_of(allowed->begin(), allowed->end(),
                     [&](const AllowedValue& a) { return a.Has(value); });
}

std::string ModelParam::AllowedText() const {
  if (!allowed) {
    return type == ParamType::kBool ? "on, off"
                                    : StrCat("any ", ToString(type));
  }
  std::vector<std::string> texts;
  bool init = false;
  bool off = !off_value;
  for (const AllowedValue& each : *allowed) {
    texts.push_back(Spell(each.value));
    if (each.last) StrAppend(&texts.back(), "-", *each.last);
    init |= each.Has(init_value);
    off |= off_value && each.Has(*off_value);
  }
  if (!init) texts.push_back(Spell(init_value));
  if (!off && off_value != init_value) texts.push_back(Spell(*off_value));
  return StrJoin(texts, ", ");
}

const ParamSetting* ModelVersion::Find(std::string_view name) const {
  return FindNamed(settings, name);
}

const ModelParam* ModelDescription::Find(std::string_view name) const {
  return FindNamed(params, name);
}

const ModelVersion* ModelDescription::FindVersion(uint32_t number) const {
  auto found = std::lower_bound(
      versions.begin(), versions.end(), number,
      [](const ModelVersion& v, uint32_t n) { return v.number < n; });
  return found == versions.end() || found->number != number ? nullptr : &*found;
}

std::string ModelDescription::VersionsText() const {
  if (versions.empty()) return "none";
  std::string text = StrCat(versions[0].number);
  for (size_t i = 1; i < versions.size(); ++i) {
    StrAppend(&text, i + 1 == versions.size() ? " and " : ", ",
              versions[i].number);
  }
  return text;
}

std::string Prepare(ModelDescription& description) {
  if (!IsModelName(description.model)) {
    return StrCat("'", description.model,
                  "' is no name of a model: that is a URI, or a domain and a "
                  "path");
  }
  std::string problem = ProblemWithin(description);
  return problem.empty() ? "" : StrCat(description.model, ": ", problem);
}

}  // namespace migstream
