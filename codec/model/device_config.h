// A device's configuration: a value for each parameter of its model.
//
//   config = [ param *( "," param ) ]         ; the order means nothing
//   param  = "version=" 1*9DIGIT              ; once at the most
//          / name "=" value                   ; a name once
//   device = model [ "," config ] / config
//
// What is said of a parameter counts before what the version says of it, and
// that before its off value, wherever the version stands in the text:
// "version=2,rx-filter-size=64" is version 2 with another filter size. (The
// proposal of 2020 explains this very text by "use version 1 and override".
// That is a slip: the text says 2, and 2 it is.)
//
// Two configurations are the same if their canonical forms are: the parameters
// by name that do not have their off value, and no version.

#ifndef MIGSTREAM_CODEC_MODEL_DEVICE_CONFIG_H_
#define MIGSTREAM_CODEC_MODEL_DEVICE_CONFIG_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/model/device_model.h"

namespace migstream {

// What is wrong with a configuration, and where.
struct ConfigError {
  size_t column = 0;  // From 1; one more than there are: something is missing.
  std::string reason = {};

  bool ok() const { return column == 0; }
};

// "column 11: there is no version 3, the versions are 1 and 2".
std::string ToString(const ConfigError& error);

// A device as it is written, before a description says what that means.
struct DeviceText {
  struct Item {
    std::string name;
    std::string value;
    size_t column = 0;  // Of the name.

    size_t value_column() const { return column + name.size() + 1; }
  };

  std::string model = {};  // Empty: it is not said.
  std::optional<uint32_t> version = std::nullopt;
  size_t version_column = 0;
  std::vector<Item> items = {};  // By name.
  size_t end_column = 1;
};

ConfigError ParseDevice(std::string_view text, DeviceText& device);

struct DeviceConfig {
  std::string model;
  std::vector<ParamSetting> settings;  // Every parameter of the model, by name.

  bool operator==(const DeviceConfig&) const = default;
};

// What `device` is by `description`, whatever model it names.
ConfigError Resolve(const DeviceText& device,
                    const ModelDescription& description, DeviceConfig& config);

// Both of it; a model that is named has to be the description's.
ConfigError ParseConfig(std::string_view text,
                        const ModelDescription& description,
                        DeviceConfig& config);

// That of a device which was just made.
DeviceConfig InitialConfig(const ModelDescription& description);

// "rx-filter-size=64"; empty if all is off.
std::string Canonical(const DeviceConfig& config);
// The same behind the model's name.
std::string CanonicalDevice(const DeviceConfig& config);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_MODEL_DEVICE_CONFIG_H_
