// A device model: what two devices must have in common for the one to take the
// other's state. It is described by whoever implements the device.
//
// A model has a name, and parameters that change the device's hardware
// interface or the layout of its state. Where a parameter has its off value,
// the device is as it was before the parameter was thought of. A version stands
// for a fixed set of parameters.
//
// None of it is in a stream: it travels beside one, and is compared before a
// migration begins (compatibility.h). Descriptions are read from JSON
// (model_json.h), or filled in by hand and then given to Prepare().
//
// A name is a URI, "https://qemu.org/devices/e1000e", or a domain and a path,
// "qemu.org/pci/10ec/8139". It has no comma (a URI may say %2C), and two names
// are the same only byte for byte.

#ifndef MIGSTREAM_CODEC_MODEL_DEVICE_MODEL_H_
#define MIGSTREAM_CODEC_MODEL_DEVICE_MODEL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/model/param_value.h"

namespace migstream {

inline constexpr size_t kMaxModelName = 255;
inline constexpr size_t kMaxParamName = 64;
inline constexpr size_t kMaxParams = 1024;  // Of one model.
inline constexpr size_t kMaxVersions = 1024;
inline constexpr uint32_t kMaxVersion = 999'999'999;

bool IsModelName(std::string_view name);
// A lower-case letter, then lower-case letters, digits and "-". "version" is
// none: it stands for others.
bool IsParamName(std::string_view name);

// A member of the JSON that means nothing here, and is passed on.
struct OtherMember {
  std::string name;
  std::string json;

  bool operator==(const OtherMember&) const = default;
};

// One value, or the ints from one to another.
struct AllowedValue {
  ParamValue value;
  std::optional<uint64_t> last = std::nullopt;  // Ints only.

  bool Has(const ParamValue& other) const;
  bool operator==(const AllowedValue&) const = default;
};

struct ModelParam {
  std::string name;
  ParamType type = ParamType::kBool;
  ParamValue init_value = false;  // That of a device which was just made.
  // It cannot be turned off if there is none.
  std::optional<ParamValue> off_value = std::nullopt;
  // Any value of the type may be given if there is no list.
  std::optional<std::vector<AllowedValue>> allowed = std::nullopt;
  std::string description = {};
  std::vector<OtherMember> other = {};

  // The first and the off value are allowed whether they are listed or not.
  bool Allows(const ParamValue& value) const;
  // "0-32, 64"; "any int".
  std::string AllowedText() const;
  bool operator==(const ModelParam&) const = default;
};

struct ParamSetting {
  std::string name;
  ParamValue value;
  bool off = false;  // It is the parameter's off value.

  bool operator==(const ParamSetting&) const = default;
};

struct ModelVersion {
  uint32_t number = 0;
  // By name; other parameters have their off value.
  std::vector<ParamSetting> settings = {};

  // Null if there is none.
  const ParamSetting* Find(std::string_view name) const;
  bool operator==(const ModelVersion&) const = default;
};

struct ModelDescription {
  std::string model;
  std::vector<ModelParam> params = {};      // By name.
  std::vector<ModelVersion> versions = {};  // By number.
  // The version that a device has which is not told any.
  std::optional<uint32_t> latest = std::nullopt;
  // Names the layout of the state where its newest form is written; only
  // model_lint.h looks at it. Empty: nobody says.
  std::string state_representation = {};
  std::vector<OtherMember> other = {};

  // Null if there is none.
  const ModelParam* Find(std::string_view name) const;
  const ModelVersion* FindVersion(uint32_t number) const;
  // "1, 2 and 3"; "none".
  std::string VersionsText() const;
  bool operator==(const ModelDescription&) const = default;
};

// Puts parameters and versions in order. Empty if the description can be used,
// else what is wrong with it: a name or a value that cannot be spelled, twice
// the same, a value of another type than its parameter, a version of parameters
// that there are not.
std::string Prepare(ModelDescription& description);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_MODEL_DEVICE_MODEL_H_
