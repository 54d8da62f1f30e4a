#include "codec/model/param_value.h"

#include <algorithm>
#include <charconv>

#include "codec/wire/text.h"

namespace migstream {
namespace {

constexpr size_t kMaxDigits = 19;

std::optional<ParamValue> ParseInt(std::string_view text) {
  if (text.empty() || text.size() > kMaxDigits) return std::nullopt;
  if (text[0] == '0' && text.size() > 1) return std::nullopt;
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

bool IsText(std::string_view text) {
  auto fits = [](char c) { return c > ' ' && c <= '~' && c != ','; };
  return !text.empty() && text.size() <= kMaxParamString &&
         std::all_of(text.begin(), text.end(), fits);
}

}  // namespace

std::string_view ToString(ParamType type) {
  switch (type) {
    case ParamType::kBool:
      return "bool";
    case ParamType::kInt:
      return "int";
    case ParamType::kString:
      return "str";
  }
  return {};
}

std::string Spell(const ParamValue& value) {
  if (const bool* on = std::get_if<bool>(&value)) return *on ? "on" : "off";
  if (const uint64_t* number = std::get_if<uint64_t>(&value)) {
    return StrCat(*number);
  }
  return std::get<std::string>(value);
}

std::optional<ParamValue> ParseValue(ParamType type, std::string_view text) {
  switch (type) {
    case ParamType::kBool:
      if (text != "on" && text != "off") return std::nullopt;
      return text == "on";
    case ParamType::kInt:
      return ParseInt(text);
    case ParamType::kString:
      if (!IsText(text)) return std::nullopt;
      return std::string(text);
  }
  return std::nullopt;
}

bool IsSpellable(const ParamValue& value) {
  if (const uint64_t* number = std::get_if<uint64_t>(&value)) {
    return *number <= kMaxParamInt;
  }
  const std::string* text = std::get_if<std::string>(&value);
  return text == nullptr || IsText(*text);
}

}  // namespace migstream
