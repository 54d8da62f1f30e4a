#include "codec/model/device_config.h"

#include <algorithm>

#include "codec/wire/printable.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

constexpr std::string_view kVersion = "version";
// A name's or value's bytes that a message repeats.
constexpr size_t kMaxShown = 80;

std::string Quoted(std::string_view text) {
  std::string shown = Printable(text.substr(0, kMaxShown));
  return StrCat("'", shown, text.size() > kMaxShown ? "…" : "", "'");
}

// "version=2", "rx-filter-size=64".
ConfigError ParseParam(std::string_view text, size_t column,
                       DeviceText& device) {
  size_t equals = text.find('=');
  if (text.empty()) return {column, "a parameter is missing"};
  if (equals == text.npos) {
    return {column, StrCat(Quoted(text), " lacks \"=\" and a value")};
  }
  std::string_view name = text.substr(0, equals);
  std::string_view value = text.substr(equals + 1);
  const size_t value_column = column + equals + 1;
  if (name == kVersion) {
    if (device.version) return {column, "the version is given twice"};
    std::optional<ParamValue> number = ParseValue(ParamType::kInt, value);
    if (!number || std::get<uint64_t>(*number) > kMaxVersion) {
      return {value_column,
              StrCat("a version is a number of up to 9 digits, not ",
                     Quoted(value))};
    }
    device.version = static_cast<uint32_t>(std::get<uint64_t>(*number));
    device.version_column = column;
    return {};
  }
  if (!IsParamName(name)) {
    return {column, StrCat(Quoted(name), " is no name of a parameter")};
  }
  // What every type's values are.
  if (!ParseValue(ParamType::kString, value)) {
    return {value_column, StrCat(Quoted(value), " is no value")};
  }
  device.items.push_back({std::string(name), std::string(value), column});
  return {};
}

// Whether an item is a parameter, and not a model.
bool LooksLikeParam(std::string_view item) {
  std::string_view name = item.substr(0, item.find('='));
  return name.size() < item.size() && (name == kVersion || IsParamName(name));
}

// The items in the order of their names; an error if one is there twice.
ConfigError SortItems(std::vector<DeviceText::Item>& items) {
  using Item = DeviceText::Item;
  std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
    return a.name != b.name ? a.name < b.name : a.column < b.column;
  });
  ConfigError error;
  for (size_t i = 1; i < items.size(); ++i) {
    bool twin = items[i].name == items[i - 1].name;
    if (twin && (error.ok() || items[i].column < error.column)) {
      error = {items[i].column, StrCat(items[i].name, " is given twice")};
    }
  }
  return error;
}

// The first of two errors in the text.
void Keep(ConfigError error, ConfigError& first) {
  if (first.ok() || error.column < first.column) first = std::move(error);
}

}  // namespace

std::string ToString(const ConfigError& error) {
  return error.ok() ? "" : StrCat("column ", error.column, ": ", error.reason);
}

ConfigError ParseDevice(std::string_view text, DeviceText& device) {
  device = {};
  device.end_column = text.size() + 1;
  if (text.empty()) return {};
  size_t column = 1;
  bool first = true;
  for (std::string_view item : Split(text, ',')) {
    if (first && !LooksLikeParam(item) && IsModelName(item)) {
      device.model = std::string(item);
    } else if (first && item.find('=') == item.npos) {
      return {1, StrCat(Quoted(item),
                        " is neither a model's name nor a parameter")};
    } else if (ConfigError error = ParseParam(item, column, device);
               !error.ok()) {
      return error;
    }
    if (device.items.size() > kMaxParams) {
      return {column, StrCat("more than ", kMaxParams, " parameters")};
    }
    column += item.size() + 1;
    first = false;
  }
  return SortItems(device.items);
}

ConfigError Resolve(const DeviceText& device,
                    const ModelDescription& description, DeviceConfig& config) {
  config = {description.model, {}};
  ConfigError error;
  const ModelVersion* version = nullptr;
  if (device.version) {
    version = description.FindVersion(*device.version);
    if (version == nullptr) {
      Keep({device.version_column,
            StrCat("there is no version ", *device.version,
                   ", the versions are ", description.VersionsText())},
           error);
    }
  }
  for (const DeviceText::Item& item : device.items) {
    if (description.Find(item.name) == nullptr) {
      Keep({item.column,
            StrCat(description.model, " has no parameter ", Quoted(item.name))},
           error);
    }
  }
  auto item = device.items.begin();
  for (const ModelParam& param : description.params) {
    // Both lists are in the order of names.
    while (item != device.items.end() && item->name < param.name) ++item;
    std::optional<ParamValue> value = param.off_value;
    size_t column = device.end_column;
    const ParamSetting* setting = version ? version->Find(param.name) : nullptr;
    if (setting != nullptr) {
      value = setting->value;
      column = device.version_column;
    }
    if (item != device.items.end() && item->name == param.name) {
      value = ParseValue(param.type, item->value);
      column = item->value_column();
      if (!value) {
        Keep({column, StrCat(param.name, " is of type ", ToString(param.type),
                             ", ", Quoted(item->value), " is not")},
             error);
        continue;
      }
    }
    if (!value) {
      Keep({column, StrCat(param.name, " is missing: it has no off value")},
           error);
    } else if (!param.Allows(*value)) {
      Keep({column, StrCat(param.name, "=", Spell(*value),
                           " is not allowed, but ", param.AllowedText())},
           error);
    } else {
      bool off = value == param.off_value;
      config.settings.push_back({param.name, *std::move(value), off});
    }
  }
  return error;
}

ConfigError ParseConfig(std::string_view text,
                        const ModelDescription& description,
                        DeviceConfig& config) {
  DeviceText device;
  ConfigError error = ParseDevice(text, device);
  if (!error.ok()) return error;
  if (!device.model.empty() && device.model != description.model) {
    return {1, StrCat("the model is ", description.model, ", not ",
                      Quoted(device.model))};
  }
  return Resolve(device, description, config);
}

DeviceConfig InitialConfig(const ModelDescription& description) {
  DeviceConfig config{description.model, {}};
  for (const ModelParam& param : description.params) {
    config.settings.push_back(
        {param.name, param.init_value, param.init_value == param.off_value});
  }
  return config;
}

std::string Canonical(const DeviceConfig& config) {
  std::vector<std::string> params;
  for (const ParamSetting& setting : config.settings) {
    if (setting.off) continue;
    params.push_back(StrCat(setting.name, "=", Spell(setting.value)));
  }
  return StrJoin(params, ",");
}

std::string CanonicalDevice(const DeviceConfig& config) {
  std::string params = Canonical(config);
  return StrCat(config.model, params.empty() ? "" : ",", params);
}

}  // namespace migstream
