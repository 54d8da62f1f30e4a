#include "codec/wire/json_document.h"

#include <algorithm>

#include "codec/wire/text.h"

namespace migstream {
namespace {

// How deep objects and arrays are within each other, seen without a parser.
size_t DepthOf(std::string_view json) {
  size_t depth = 0;
  size_t deepest = 0;
  bool in_string = false;
  for (size_t i = 0; i < json.size(); ++i) {
    char c = json[i];
    if (c == '"') {
      in_string = !in_string;
    } else if (in_string) {
      if (c == '\\') ++i;
    } else if (c == '{' || c == '[') {
      deepest = std::max(deepest, ++depth);
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

// Stops at a string that is no UTF-8.
struct UnicodeCheck
    : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, UnicodeCheck> {
  bool String(const char* text, rapidjson::SizeType size, bool) {
    rapidjson::MemoryStream stream(text, size);
    while (stream.Tell() < size) {
      unsigned character;
      if (!rapidjson::UTF8<>::Decode(stream, &character)) return false;
    }
    return true;
  }
  bool Key(const char* text, rapidjson::SizeType size, bool copy) {
    return String(text, size, copy);
  }
};

}  // namespace

std::string ParseJson(std::string_view json, size_t max_bytes, size_t max_depth,
                      rapidjson::Document& document) {
  if (json.size() > max_bytes) {
    return StrCat("the JSON has ", json.size(), " bytes, the limit is ",
                  max_bytes);
  }
  if (json.find('\0') != json.npos) return "there is a NUL in the JSON";
  if (size_t depth = DepthOf(json); depth > max_depth) {
    return StrCat("the JSON is ", depth, " levels deep, the limit is ",
                  max_depth);
  }
  constexpr unsigned kFlags = rapidjson::kParseValidateEncodingFlag |
                              rapidjson::kParseFullPrecisionFlag;
  rapidjson::MemoryStream stream(json.data(), json.size());
  document.ParseStream<kFlags>(stream);
  if (document.HasParseError()) {
    return StrCat(
        "JSON: ", rapidjson::GetParseError_En(document.GetParseError()),
        " (at its byte ", document.GetErrorOffset(), ")");
  }
  // An escape can spell half a character, which could not be written again.
  UnicodeCheck check;
  return document.Accept(check) ? "" : "JSON: a string is no Unicode";
}

}  // namespace migstream
