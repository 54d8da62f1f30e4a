#include "codec/destination/vmstate_dump.h"

#include "codec/wire/json_document.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

using rapidjson::Value;

constexpr std::string_view kMachine = "vmschkmachine";

// Fills a dump, and keeps the first thing that is wrong.
class Reader {
 public:
  explicit Reader(VmstateDump& dump) : dump_(dump) {}

  std::string Read(const Value& top);

 private:
  bool Wrong(std::string_view where, std::string_view what) {
    if (problem_.empty()) problem_ = StrCat(Printable(where), ": ", what);
    return false;
  }
  bool Text(const Value& object, const char* key, std::string& text,
            std::string_view where);
  bool Number(const Value& object, const char* key, int64_t& number,
              std::string_view where);
  bool ReadDevice(std::string_view name, const Value& json);
  bool ReadState(const Value& json, std::string_view where, size_t& state);
  bool ReadFields(const Value& json, std::string_view where,
                  std::vector<DumpedField>& fields);

  VmstateDump& dump_;
  std::string problem_;
};

bool Reader::Text(const Value& object, const char* key, std::string& text,
                  std::string_view where) {
  auto found = object.FindMember(key);
  if (found == object.MemberEnd() || !found->value.IsString()) {
    return Wrong(where, StrCat("has no text \"", key, "\""));
  }
  text.assign(found->value.GetString(), found->value.GetStringLength());
  return true;
}

bool Reader::Number(const Value& object, const char* key, int64_t& number,
                    std::string_view where) {
  auto found = object.FindMember(key);
  if (found == object.MemberEnd() || !found->value.IsInt64()) {
    return Wrong(where, StrCat("has no number \"", key, "\""));
  }
  number = found->value.GetInt64();
  return true;
}

bool Reader::ReadFields(const Value& json, std::string_view where,
                        std::vector<DumpedField>& fields) {
  if (!json.IsArray()) return Wrong(where, "Fields is no list");
  for (const Value& each : json.GetArray()) {
    DumpedField field;
    if (!each.IsObject()) return Wrong(where, "a field is no object");
    if (!Text(each, "field", field.name, where) ||
        !Number(each, "version_id", field.version_id, where) ||
        !Number(each, "size", field.bytes, where)) {
      return false;
    }
    auto exists = each.FindMember("field_exists");
    field.conditional = exists != each.MemberEnd() && exists->value.IsBool() &&
                        exists->value.GetBool();
    auto inside = each.FindMember("Description");
    if (inside != each.MemberEnd() &&
        !ReadState(inside->value, where, field.state.emplace())) {
      return false;
    }
    fields.push_back(std::move(field));
  }
  return true;
}

// Calls itself for what is within, no deeper than the JSON's limit.
bool Reader::ReadState(const Value& json, std::string_view where,
                       size_t& state) {
  DumpedState read;
  if (!json.IsObject()) return Wrong(where, "a description is no object");
  if (!Text(json, "name", read.name, where) ||
      !Number(json, "version_id", read.version_id, where) ||
      !Number(json, "minimum_version_id", read.minimum_version_id, where)) {
    return false;
  }
  auto fields = json.FindMember("Fields");
  if (fields != json.MemberEnd() &&
      !ReadFields(fields->value, where, read.fields.emplace())) {
    return false;
  }
  auto subsections = json.FindMember("Subsections");
  if (subsections != json.MemberEnd()) {
    if (!subsections->value.IsArray()) {
      return Wrong(where, "Subsections is no list");
    }
    read.subsections.emplace();
    for (const Value& each : subsections->value.GetArray()) {
      if (!ReadState(each, where, read.subsections->emplace_back())) {
        return false;
      }
    }
  }
  state = dump_.states.size();
  dump_.states.push_back(std::move(read));
  return true;
}

bool Reader::ReadDevice(std::string_view name, const Value& json) {
  if (!json.IsObject()) return Wrong(name, "is no object");
  if (name == kMachine) return Text(json, "Name", dump_.machine, name);
  DumpedDevice device{.name = std::string(name)};
  if (!Number(json, "version_id", device.version_id, name)) return false;
  auto state = json.FindMember("Description");
  if (state != json.MemberEnd() &&
      !ReadState(state->value, name, device.state.emplace())) {
    return false;
  }
  dump_.devices.push_back(std::move(device));
  return true;
}

std::string Reader::Read(const Value& top) {
  if (!top.IsObject()) return "it is no object";
  for (const auto& member : top.GetObject()) {
    std::string_view name(member.name.GetString(),
                          member.name.GetStringLength());
    if (!ReadDevice(name, member.value)) return problem_;
  }
  return "";
}

}  // namespace

const DumpedDevice* VmstateDump::Find(std::string_view name) const {
  for (const DumpedDevice& device : devices) {
    if (device.name == name) return &device;
  }
  return nullptr;
}

bool LooksLikeDump(std::string_view head) {
  size_t brace = head.find_first_not_of(" \t\r\n");
  if (brace == head.npos || head[brace] != '{') return false;
  size_t quote = head.find_first_not_of(" \t\r\n", brace + 1);
  return quote != head.npos &&
         head.substr(quote).starts_with(StrCat("\"", kMachine, "\""));
}

std::string ParseDump(std::string_view json, VmstateDump& dump,
                      const DumpLimits& limits) {
  dump = {};
  rapidjson::Document document;
  std::string problem =
      ParseJson(json, limits.json_bytes, limits.json_depth, document);
  return problem.empty() ? Reader(dump).Read(document) : problem;
}

}  // namespace migstream
