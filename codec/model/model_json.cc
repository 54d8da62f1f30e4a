#include "codec/model/model_json.h"

#include <algorithm>

#include "codec/wire/json_document.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

using rapidjson::Value;

std::string_view TextOf(const Value& string) {
  return {string.GetString(), string.GetStringLength()};
}

// A member's name within messages.
std::string Member(std::string_view name) {
  constexpr size_t kMaxShown = 80;
  return StrCat(Printable(name.substr(0, kMaxShown)), ": ");
}

std::string Twin(const Value& object) {
  std::vector<std::string_view> names;
  for (const auto& member : object.GetObject()) {
    names.push_back(TextOf(member.name));
  }
  std::sort(names.begin(), names.end());
  auto twin = std::adjacent_find(names.begin(), names.end());
  return twin == names.end() ? "" : StrCat(Member(*twin), "is there twice");
}

void KeepOther(const Value& name, const Value& value,
               std::vector<OtherMember>& other) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  other.push_back({std::string(TextOf(name)),
                   std::string(buffer.GetString(), buffer.GetSize())});
}

// False if it has no such type.
bool ParseParamValue(const Value& json, ParamValue& value) {
  if (json.IsBool()) {
    value = json.GetBool();
  } else if (json.IsUint64()) {
    value = json.GetUint64();
  } else if (json.IsString()) {
    value = std::string(TextOf(json));
  } else {
    return false;
  }
  return true;
}

constexpr std::string_view kNoValue =
    "is no bool, no string, and no int from 0 on";

std::string ParseType(const Value& json, ParamType& type) {
  std::string_view name = json.IsString() ? TextOf(json) : "";
  if (name == "bool") {
    type = ParamType::kBool;
  } else if (name == "int") {
    type = ParamType::kInt;
  } else if (name == "str" || name == "string") {
    type = ParamType::kString;
  } else {
    return "type: is not bool, int or str";
  }
  return "";
}

// "0-255" of an int; any other value as it is.
std::string ParseAllowed(const Value& json, ParamType type,
                         AllowedValue& allowed) {
  if (!ParseParamValue(json, allowed.value)) return std::string(kNoValue);
  if (type != ParamType::kInt || !json.IsString()) return "";
  std::string_view text = TextOf(json);
  std::string_view first = text.substr(0, text.find('-'));
  std::optional<ParamValue> low = ParseValue(ParamType::kInt, first);
  std::optional<ParamValue> high =
      first.size() == text.size()
          ? std::nullopt
          : ParseValue(ParamType::kInt, text.substr(first.size() + 1));
  if (!low || !high) {
    return StrCat("'", Printable(text), "' is no range like 0-255");
  }
  allowed.value = *low;
  allowed.last = std::get<uint64_t>(*high);
  return "";
}

std::string ParseAllowedValues(const Value& json, ModelParam& param) {
  if (!json.IsArray()) return "allowed_values: is no array";
  param.allowed.emplace();
  for (const Value& each : json.GetArray()) {
    AllowedValue allowed;
    std::string problem = ParseAllowed(each, param.type, allowed);
    if (!problem.empty()) return StrCat("allowed_values: ", problem);
    param.allowed->push_back(std::move(allowed));
  }
  return "";
}

std::string ParseParam(const Value& json, ModelParam& param) {
  if (!json.IsObject()) return "is no object";
  if (std::string twin = Twin(json); !twin.empty()) return twin;
  // What an allowed value means depends on the type.
  auto type = json.FindMember("type");
  if (type == json.MemberEnd()) return "has no type";
  std::string problem = ParseType(type->value, param.type);
  bool has_init = false;
  for (const auto& member : json.GetObject()) {
    if (!problem.empty()) return problem;
    std::string_view name = TextOf(member.name);
    ParamValue value;
    if (name == "init_value" || name == "off_value") {
      if (!ParseParamValue(member.value, value)) {
        return StrCat(name, ": ", kNoValue);
      }
      has_init |= name == "init_value";
      if (name == "init_value") {
        param.init_value = std::move(value);
      } else {
        param.off_value = std::move(value);
      }
    } else if (name == "allowed_values") {
      problem = ParseAllowedValues(member.value, param);
    } else if (name == "description") {
      if (!member.value.IsString()) return "description: is no string";
      param.description = std::string(TextOf(member.value));
    } else if (name != "type") {
      KeepOther(member.name, member.value, param.other);
    }
  }
  if (problem.empty() && !has_init) return "has no init_value";
  return problem;
}

std::string ParseParams(const Value& json, ModelDescription& model) {
  if (!json.IsObject()) return "is no object";
  if (json.MemberCount() > kMaxParams) {
    return StrCat("has ", json.MemberCount(), " parameters, the limit is ",
                  kMaxParams);
  }
  for (const auto& member : json.GetObject()) {
    ModelParam param{.name = std::string(TextOf(member.name))};
    std::string problem = ParseParam(member.value, param);
    if (!problem.empty()) return Member(param.name) + problem;
    model.params.push_back(std::move(param));
  }
  return "";
}

std::string ParseVersions(const Value& json, ModelDescription& model) {
  if (!json.IsObject()) {
    return "is no object, which would say what each version stands for";
  }
  for (const auto& member : json.GetObject()) {
    const std::string where = Member(TextOf(member.name));
    std::optional<ParamValue> number =
        ParseValue(ParamType::kInt, TextOf(member.name));
    if (!number || std::get<uint64_t>(*number) > kMaxVersion) {
      return StrCat(where, "is no number of up to 9 digits");
    }
    if (!member.value.IsObject()) return StrCat(where, "is no object");
    ModelVersion version;
    version.number = static_cast<uint32_t>(std::get<uint64_t>(*number));
    for (const auto& each : member.value.GetObject()) {
      ParamSetting setting{std::string(TextOf(each.name)), {}};
      if (!ParseParamValue(each.value, setting.value)) {
        return StrCat(where, Member(setting.name), kNoValue);
      }
      version.settings.push_back(std::move(setting));
    }
    model.versions.push_back(std::move(version));
  }
  return "";
}

std::string ParseModel(const Value& json, ModelDescription& model) {
  if (!json.IsObject()) return "is no object";
  if (std::string twin = Twin(json); !twin.empty()) return twin;
  for (const auto& member : json.GetObject()) {
    std::string_view name = TextOf(member.name);
    std::string problem;
    if (name == "params") {
      problem = ParseParams(member.value, model);
    } else if (name == "versions") {
      problem = ParseVersions(member.value, model);
    } else if (name == "latest") {
      if (!member.value.IsUint()) return "latest: is no version's number";
      model.latest = member.value.GetUint();
    } else if (name == "state_representation") {
      if (!member.value.IsString()) {
        return "state_representation: is no string";
      }
      model.state_representation = std::string(TextOf(member.value));
    } else {
      KeepOther(member.name, member.value, model.other);
    }
    if (!problem.empty()) return Member(name) + problem;
  }
  return "";
}

std::string ParseTop(const Value& json, OfferedModels& offered) {
  if (!json.IsObject()) return "it is no object";
  if (std::string twin = Twin(json); !twin.empty()) return twin;
  auto models = json.FindMember("models");
  if (models == json.MemberEnd()) return "it has no \"models\"";
  if (!models->value.IsObject()) return "models: is no object";
  if (std::string twin = Twin(models->value); !twin.empty()) return twin;
  for (const auto& member : models->value.GetObject()) {
    ModelDescription model{.model = std::string(TextOf(member.name))};
    std::string problem = ParseModel(member.value, model);
    if (!problem.empty()) return Member(model.model) + problem;
    problem = Prepare(model);
    if (!problem.empty()) return Printable(problem);
    offered.models.push_back(std::move(model));
  }
  for (const auto& member : json.GetObject()) {
    if (TextOf(member.name) == "models") continue;
    KeepOther(member.name, member.value, offered.other);
  }
  return "";
}

using Writer = rapidjson::PrettyWriter<rapidjson::StringBuffer>;

void WriteText(std::string_view text, Writer& writer) {
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

void WriteKey(std::string_view key, Writer& writer) {
  writer.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
}

void WriteValue(const ParamValue& value, Writer& writer) {
  if (const bool* on = std::get_if<bool>(&value)) {
    writer.Bool(*on);
  } else if (const uint64_t* number = std::get_if<uint64_t>(&value)) {
    writer.Uint64(*number);
  } else {
    WriteText(std::get<std::string>(value), writer);
  }
}

void WriteOther(const std::vector<OtherMember>& other, Writer& writer) {
  for (const OtherMember& member : other) {
    WriteKey(member.name, writer);
    // Only whether it is a string matters to the writer, and only for keys.
    writer.RawValue(member.json.data(), member.json.size(),
                    rapidjson::kObjectType);
  }
}

void WriteParam(const ModelParam& param, Writer& writer) {
  WriteKey(param.name, writer);
  writer.StartObject();
  WriteKey("type", writer);
  WriteText(ToString(param.type), writer);
  WriteKey("init_value", writer);
  WriteValue(param.init_value, writer);
  if (param.off_value) {
    WriteKey("off_value", writer);
    WriteValue(*param.off_value, writer);
  }
  if (param.allowed) {
    WriteKey("allowed_values", writer);
    writer.StartArray();
    for (const AllowedValue& allowed : *param.allowed) {
      if (allowed.last) {
        WriteText(StrCat(Spell(allowed.value), "-", *allowed.last), writer);
      } else {
        WriteValue(allowed.value, writer);
      }
    }
    writer.EndArray();
  }
  if (!param.description.empty()) {
    WriteKey("description", writer);
    WriteText(param.description, writer);
  }
  WriteOther(param.other, writer);
  writer.EndObject();
}

void WriteVersions(const ModelDescription& model, Writer& writer) {
  if (model.versions.empty()) return;
  WriteKey("versions", writer);
  writer.StartObject();
  for (const ModelVersion& version : model.versions) {
    WriteKey(StrCat(version.number), writer);
    writer.StartObject();
    for (const ParamSetting& setting : version.settings) {
      WriteKey(setting.name, writer);
      WriteValue(setting.value, writer);
    }
    writer.EndObject();
  }
  writer.EndObject();
}

void WriteModel(const ModelDescription& model, Writer& writer) {
  WriteKey(model.model, writer);
  writer.StartObject();
  WriteVersions(model, writer);
  if (model.latest) {
    WriteKey("latest", writer);
    writer.Uint(*model.latest);
  }
  if (!model.state_representation.empty()) {
    WriteKey("state_representation", writer);
    WriteText(model.state_representation, writer);
  }
  WriteKey("params", writer);
  writer.StartObject();
  for (const ModelParam& param : model.params) WriteParam(param, writer);
  writer.EndObject();
  WriteOther(model.other, writer);
  writer.EndObject();
}

}  // namespace

std::string ParseModels(std::string_view json, OfferedModels& offered,
                        const ModelLimits& limits) {
  offered = {};
  rapidjson::Document document;
  std::string problem =
      ParseJson(json, limits.json_bytes, limits.json_depth, document);
  if (!problem.empty()) return problem;
  return ParseTop(document, offered);
}

std::string ToJson(const OfferedModels& offered) {
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.SetFormatOptions(rapidjson::kFormatSingleLineArray);
  writer.StartObject();
  WriteKey("models", writer);
  writer.StartObject();
  for (const ModelDescription& model : offered.models) {
    WriteModel(model, writer);
  }
  writer.EndObject();
  WriteOther(offered.other, writer);
  writer.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

}  // namespace migstream
