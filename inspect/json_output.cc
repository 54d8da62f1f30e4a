#include "inspect/json_output.h"

#include <set>
#include <vector>

#include "codec/report/message_json.h"
#include "codec/wire/text.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/json_util.h"

namespace migstream {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::string TypeOf(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
      return R"({"type": "integer"})";
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64:
      return R"({"type": "integer", "minimum": 0})";
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      return R"({"type": "number"})";
    case FieldDescriptor::CPPTYPE_BOOL:
      return R"({"type": "boolean"})";
    case FieldDescriptor::CPPTYPE_STRING:
      return R"({"type": "string"})";
    case FieldDescriptor::CPPTYPE_ENUM: {
      std::vector<std::string> names;
      for (int i = 0; i < field.enum_type()->value_count(); ++i) {
        names.push_back(QuotedJson(field.enum_type()->value(i)->name()));
      }
      return StrCat("{\"enum\": [", StrJoin(names, ", "), "]}");
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return StrCat("{\"$ref\": \"#/definitions/", field.message_type()->name(),
                    "\"}");
  }
  return "{}";
}

// What stands between the braces of an object's schema.
std::string ObjectSchema(const Descriptor& type, const std::string& indent) {
  std::vector<std::string> properties, required;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    properties.push_back(StrCat(
        indent, "  ", QuotedJson(field.json_name()), ": ",
        field.is_repeated()
            ? StrCat("{\"type\": \"array\", \"items\": ", TypeOf(field), "}")
            : TypeOf(field)));
    if (!field.has_presence())
      required.push_back(QuotedJson(field.json_name()));
  }
  std::string text = StrCat(indent, "\"type\": \"object\",\n", indent,
                            "\"additionalProperties\": false,\n", indent,
                            "\"properties\": {\n", StrJoin(properties, ",\n"),
                            "\n", indent, "}");
  // Draft 4 wants at least one.
  if (!required.empty()) {
    StrAppend(&text, ",\n", indent, "\"required\": [", StrJoin(required, ", "),
              "]");
  }
  return text;
}

// Every type that is met below `type`, itself left out.
void Collect(const Descriptor& type, std::set<std::string_view>& names,
             std::vector<const Descriptor*>& types) {
  for (int i = 0; i < type.field_count(); ++i) {
    const Descriptor* below = type.field(i)->message_type();
    if (below == nullptr || !names.insert(below->name()).second) continue;
    types.push_back(below);
    Collect(*below, names, types);
  }
}

}  // namespace

ExitStatus PrintMessage(Message& message, std::string_view name,
                        const std::string& format, ExitStatus status) {
  NameMessage(message, name);
  if (format == "json") {
    ExitStatus printed = kFine;
    WriteJson(message, 2, [&printed](std::string_view piece) {
      printed = Print(piece, kFine);
      return printed == kFine;
    });
    return printed == kFine ? Print("\n", status) : printed;
  }
  if (format == "jsonl") return Print(JsonLine(name, message), status);
  std::string text;
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  const bool put =
      format == "textproto"
          ? google::protobuf::TextFormat::PrintToString(message, &text)
          : MessageToJsonString(message, &text, options).ok();
  if (put) return Print(text, status);
  PrintError(StrCat("this cannot be put into ", format));
  return kUnusable;
}

std::string JsonLine(std::string_view kind, const Message& message,
                     std::string_view device) {
  std::string line = "{";
  if (!device.empty()) StrAppend(&line, "\"device\":", QuotedJson(device), ",");
  StrAppend(&line, QuotedJson(kind), ":");
  WriteJson(message, -1, [&line](std::string_view piece) {
    line += piece;
    return true;
  });
  return line + "}\n";
}

std::string JsonSchema(const Descriptor& type) {
  std::set<std::string_view> names;
  std::vector<const Descriptor*> types;
  Collect(type, names, types);
  std::vector<std::string> definitions;
  for (const Descriptor* below : types) {
    definitions.push_back(StrCat("    ", QuotedJson(below->name()), ": {\n",
                                 ObjectSchema(*below, "      "), "\n    }"));
  }
  return StrCat(
      "{\n  \"$schema\": \"http://json-schema.org/draft-04/schema#\","
      "\n  \"title\": ",
      QuotedJson(type.full_name()), ",\n", ObjectSchema(type, "  "),
      ",\n  \"definitions\": {\n", StrJoin(definitions, ",\n"), "\n  }\n}\n");
}

}  // namespace migstream
