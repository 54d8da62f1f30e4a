// The values of a device model's parameters: a bool, an int or a string.
//
//   ParamValue value = *ParseValue(ParamType::kInt, "64");
//   Spell(value)   // "64"
//
// In a configuration a bool is "on" or "off"; an int has 1 to 19 digits, and no
// zero before others; a string has 1 to 255 printable ASCII characters, and
// neither a space nor a comma among them.

#ifndef MIGSTREAM_CODEC_MODEL_PARAM_VALUE_H_
#define MIGSTREAM_CODEC_MODEL_PARAM_VALUE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace migstream {

enum class ParamType : uint8_t { kBool, kInt, kString };

// As a description in JSON has it: "bool", "int", "str".
std::string_view ToString(ParamType type);

// In the order of ParamType.
using ParamValue = std::variant<bool, uint64_t, std::string>;

inline ParamType TypeOf(const ParamValue& value) {
  return static_cast<ParamType>(value.index());
}

// The largest int that has 19 digits.
inline constexpr uint64_t kMaxParamInt = 9'999'999'999'999'999'999u;
inline constexpr size_t kMaxParamString = 255;

// As a configuration spells it.
std::string Spell(const ParamValue& value);

// Nothing if `text` spells no value of that type.
std::optional<ParamValue> ParseValue(ParamType type, std::string_view text);

// Whether a configuration can spell it.
bool IsSpellable(const ParamValue& value);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_MODEL_PARAM_VALUE_H_
