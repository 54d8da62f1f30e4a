#include "codec/report/message_json.h"

#include <charconv>

#include "codec/version.h"
#include "codec/wire/text.h"
#include "google/protobuf/descriptor.h"

namespace migstream {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr size_t kPieceBytes = 64 << 10;

std::string Number(double value) {
  char digits[32];
  auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  return std::string(digits, end);
}

class Writer {
 public:
  Writer(int indent, const JsonSink& sink) : indent_(indent), sink_(sink) {}

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
        text_ += QuotedJson(get(&R::GetEnum, &R::GetRepeatedEnum)->name());
        return;
      case FieldDescriptor::CPPTYPE_STRING:
        text_ += QuotedJson(get(&R::GetString, &R::GetRepeatedString));
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
  const JsonSink& sink_;
  std::string text_;
  bool taken_ = true;
};

void SetText(Message& message, const char* name, const std::string& value) {
  const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(name);
  if (field != nullptr) {
    message.GetReflection()->SetString(&message, field, value);
  }
}

}  // namespace

std::string QuotedJson(std::string_view text) {
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

bool WriteJson(const Message& message, int indent, const JsonSink& sink) {
  return Writer(indent, sink).Write(message);
}

void NameMessage(Message& message, std::string_view name) {
  SetText(message, "schema", StrCat("migstream.", name, "/1"));
  SetText(message, "version", MIGSTREAM_VERSION);
}

}  // namespace migstream
