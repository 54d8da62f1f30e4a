// `migstream schema`: the form of what the program prints and reads.

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "codec/generate/stream.pb.h"
#include "codec/report/answers.pb.h"
#include "codec/report/check.pb.h"
#include "codec/report/report.pb.h"
#include "codec/wire/text.h"
#include "inspect/json_output.h"
#include "inspect/proto_text.h"
#include "inspect/verb.h"

namespace migstream {
namespace {

struct Schema {
  std::string_view name;
  std::string_view file;
  const google::protobuf::Descriptor* (*type)();
  std::string_view what;
};

constexpr Schema kSchemas[] = {
    {"report", "report.proto", report::Report::descriptor,
     "what inspect prints"},
    {"check", "check.proto", report::Check::descriptor,
     "what check prints, with all its options"},
    {"stats", "report.proto", report::Stats::descriptor, "what stats prints"},
    {"diff", "answers.proto", report::Diff::descriptor, "what diff prints"},
    {"generate", "answers.proto", report::GeneratedStreams::descriptor,
     "what generate prints"},
    {"explain", "answers.proto", report::Explanations::descriptor,
     "what explain prints"},
    {"place", "answers.proto", report::Place::descriptor,
     "what inspect --at prints"},
    {"map", "answers.proto", report::Map::descriptor,
     "what inspect --map prints"},
    {"model", "answers.proto", report::Model::descriptor,
     "what model check, lint and canonical print"},
    {"written", "answers.proto", report::Written::descriptor,
     "what extract and repack say of the files they wrote"},
    {"schema", "answers.proto", report::Schemas::descriptor,
     "what schema prints without a name"},
    {"error", "answers.proto", report::Failure::descriptor,
     "what any of them prints with exit status 2"},
    {"recipe", "stream.proto", recipe::Migration::descriptor,
     "what generate makes a stream of"},
    {"expectation", "stream.proto", recipe::Expectation::descriptor,
     "what a loader must say: generate --expect"},
};

const Schema* FindSchema(std::string_view name) {
  for (const Schema& row : kSchemas) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

std::string List() {
  std::string text;
  for (const Schema& row : kSchemas) {
    StrAppend(&text, row.name, std::string(13 - row.name.size(), ' '), row.what,
              "\n");
  }
  return text;
}

ExitStatus PrintList() {
  report::Schemas answer;
  for (const Schema& row : kSchemas) {
    report::KnownSchema& schema = *answer.add_schemas();
    schema.set_name(std::string(row.name));
    schema.set_what(std::string(row.what));
  }
  return PrintMessage(answer, "schema", "json", kFine);
}

ExitStatus Run(const Arguments& arguments) {
  if (arguments.files.empty()) {
    return arguments.schema_format == "json" ? PrintList()
                                             : Print(List(), kFine);
  }
  const Schema& schema = *FindSchema(arguments.files[0]);
  if (arguments.schema_format.starts_with("json")) {
    return Print(JsonSchema(*schema.type()), kFine);
  }
  for (const ProtoText& proto : ProtoTexts()) {
    if (proto.file == schema.file) return Print(proto.text, kFine);
  }
  return kUnusable;
}

std::string Misused(const Arguments& arguments) {
  if (arguments.files.empty() || FindSchema(arguments.files[0]) != nullptr) {
    return "";
  }
  std::vector<std::string_view> names;
  for (const Schema& row : kSchemas) names.push_back(row.name);
  return StrCat("there is no schema '", arguments.files[0], "', but ",
                StrJoin(names, ", "));
}

const Option kOptions[] = {
    {"format", "FORMAT",
     "proto, the .proto file, which is what is printed if it is\n"
     "not said; jsonschema, of draft 4; or json, which is that,\n"
     "and the list without NAME",
     [](Arguments& arguments, const std::string& value) {
       arguments.schema_format = value;
       return OneOf("format", value, {"proto", "jsonschema", "json"});
     },
     "proto jsonschema json"},
};

}  // namespace

const Verb kSchemaVerb = {
    "schema",
    "[NAME]",
    "the form of what the program prints and reads; without NAME a list",
    1,
    kOptions,
    Run,
    {},
    Misused,
    false};

}  // namespace migstream
