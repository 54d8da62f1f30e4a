#include "inspect/json_output.h"

#include <charconv>
#include <functional>
#include <set>
#include <vector>

#include "codec/version.h"
#include "codec/wire/text.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/json_util.h"

namespace migstream {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Where pieces of a text go; false if it takes no more.
using TextSink = std::function<bool(std::string_view piece)>;

constexpr size_t kPieceBytes = 64 << 10;

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      StrAppend(&quoted, "\\u", Hex(byte, 4).substr(2));
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

std::string Number(double value) {
  char digits[32];
  auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  return std::string(digits, end);
}

class Writer {
 public:
  Writer(int indent, const TextSink& sink) : indent_(indent), sink_(sink) {}

  bool Write(const Message& message) {
    WriteMessage(message, 0);
    return Flush();
  }

 private:
  bool Flush() {
    taken_ = taken_ && (text_.empty() || sink_(text_));
    text_.clear();
    return taken_;
  }

  void NewLine(int depth) {
    if (text_.size() >= kPieceBytes) Flush();
    if (indent_ < 0) return;
    StrAppend(&text_, "\n", std::string(depth * indent_, ' '));
  }

  void WriteMessage(const Message& message, int depth) {
    const Reflection& reflection = *message.GetReflection();
    const Descriptor& type = *message.GetDescriptor();
    text_ += "{";
    bool first = true;
    for (int i = 0; i < type.field_count() && taken_; ++i) {
      const FieldDescriptor& field = *type.field(i);
      if (field.has_presence() && !reflection.HasField(message, &field)) {
        continue;
      }
      if (!first) text_ += ",";
      first = false;
      NewLine(depth + 1);
      StrAppend(&text_, "\"", field.json_name(), "\":", indent_ < 0 ? "" : " ");
      if (field.is_repeated()) {
        WriteList(message, field, depth + 1);
      } else {
        WriteValue(message, field, -1, depth + 1);
      }
    }
    if (!first) NewLine(depth);
    text_ += "}";
  }

  void WriteList(const Message& message, const FieldDescriptor& field,
                 int depth) {
    const int size = message.GetReflection()->FieldSize(message, &field);
    const bool lines = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE ||
                       field.cpp_type() == FieldDescriptor::CPPTYPE_STRING;
    text_ += "[";
    for (int i = 0; i < size && taken_; ++i) {
      if (i != 0) text_ += lines || indent_ < 0 ? "," : ", ";
      if (lines) {
        NewLine(depth + 1);
      } else if (text_.size() >= kPieceBytes) {
        Flush();
      }
      WriteValue(message, field, i, depth + 1);
    }
    if (size != 0 && lines) NewLine(depth);
    text_ += "]";
  }

  // `index` of a repeated field; else -1.
  void WriteValue(const Message& message, const FieldDescriptor& field,
                  int index, int depth) {
    const Reflection& reflection = *message.GetReflection();
    auto get = [&](auto single, auto repeated) {
      return index < 0 ? (reflection.*single)(message, &field)
                       : (reflection.*repeated)(message, &field, index);
    };
    using R = Reflection;
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
        StrAppend(&text_, get(&R::GetInt32, &R::GetRepeatedInt32));
        return;
      case FieldDescriptor::CPPTYPE_INT64:
        StrAppend(&text_, get(&R::GetInt64, &R::GetRepeatedInt64));
        return;
      case FieldDescriptor::CPPTYPE_UINT32:
        StrAppend(&text_, get(&R::GetUInt32, &R::GetRepeatedUInt32));
        return;
      case FieldDescriptor::CPPTYPE_UINT64:
        StrAppend(&text_, get(&R::GetUInt64, &R::GetRepeatedUInt64));
        return;
      case FieldDescriptor::CPPTYPE_DOUBLE:
        text_ += Number(get(&R::GetDouble, &R::GetRepeatedDouble));
        return;
      case FieldDescriptor::CPPTYPE_FLOAT:
        text_ += Number(get(&R::GetFloat, &R::GetRepeatedFloat));
        return;
      case FieldDescriptor::CPPTYPE_BOOL:
        text_ += get(&R::GetBool, &R::GetRepeatedBool) ? "true" : "false";
        return;
      case FieldDescriptor::CPPTYPE_ENUM:
        text_ += Quoted(get(&R::GetEnum, &R::GetRepeatedEnum)->name());
        return;
      case FieldDescriptor::CPPTYPE_STRING:
        text_ += Quoted(get(&R::GetString, &R::GetRepeatedString));
        return;
      case FieldDescriptor::CPPTYPE_MESSAGE:
        WriteMessage(
            index < 0 ? reflection.GetMessage(message, &field)
                      : reflection.GetRepeatedMessage(message, &field, index),
            depth);
        return;
    }
  }

  const int indent_;
  const TextSink& sink_;
  std::string text_;
  bool taken_ = true;
};

// Without a line's end. `indent` below 0: all on one line.
bool WriteJson(const Message& message, int indent, const TextSink& sink) {
  return Writer(indent, sink).Write(message);
}

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
        names.push_back(Quoted(field.enum_type()->value(i)->name()));
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
        indent, "  ", Quoted(field.json_name()), ": ",
        field.is_repeated()
            ? StrCat("{\"type\": \"array\", \"items\": ", TypeOf(field), "}")
            : TypeOf(field)));
    if (!field.has_presence()) required.push_back(Quoted(field.json_name()));
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

void SetText(Message& message, const char* name, const std::string& value) {
  const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(name);
  if (field != nullptr) {
    message.GetReflection()->SetString(&message, field, value);
  }
}

}  // namespace

ExitStatus PrintMessage(Message& message, std::string_view name,
                        const std::string& format, ExitStatus status) {
  SetText(message, "schema", StrCat("migstream.", name, "/1"));
  SetText(message, "version", MIGSTREAM_VERSION);
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
  if (!device.empty()) StrAppend(&line, "\"device\":", Quoted(device), ",");
  StrAppend(&line, Quoted(kind), ":");
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
    definitions.push_back(StrCat("    ", Quoted(below->name()), ": {\n",
                                 ObjectSchema(*below, "      "), "\n    }"));
  }
  return StrCat(
      "{\n  \"$schema\": \"http://json-schema.org/draft-04/schema#\","
      "\n  \"title\": ",
      Quoted(type.full_name()), ",\n", ObjectSchema(type, "  "),
      ",\n  \"definitions\": {\n", StrJoin(definitions, ",\n"), "\n  }\n}\n");
}

}  // namespace migstream
