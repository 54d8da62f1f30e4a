#include "inspect/state.h"

#include <algorithm>
#include <string>
#include <vector>

#include "codec/qemu/stream_reader.h"
#include "codec/qemu/stream_visitor.h"
#include "codec/state/field_reader.h"
#include "codec/state/state_json.h"
#include "codec/survey/stream_survey.h"
#include "codec/wire/json.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

// Standard output; after a failure it takes no more.
class Output : public ByteSink {
 public:
  void Write(ByteSpan bytes) override {
    if (status_ == kFine) status_ = Print(AsText(bytes), kFine);
  }
  ExitStatus status() const { return status_; }

 private:
  ExitStatus status_ = kFine;
};

// What RapidJSON writes to.
class Characters {
 public:
  using Ch = char;
  explicit Characters(ByteSink& sink) : sink_(sink) {}
  void Put(char c) {
    constexpr char kDelete = 0x7f;
    if (c == kDelete) {
      text_ += "\\u007f";
    } else {
      text_ += c;
    }
    if (text_.size() >= (64 << 10)) Flush();
  }
  void Flush() {
    sink_.Write(AsBytes(text_));
    text_.clear();
  }

 private:
  ByteSink& sink_;
  std::string text_;
};

// RapidJSON's own is declared too late for its ASCII.
void PutUnsafe(Characters& characters, char c) { characters.Put(c); }

void PrintJson(ByteSpan json, ByteSink& sink) {
  rapidjson::MemoryStream stream(AsText(json).data(), json.size());
  Characters characters(sink);
  // A terminal might obey what is no ASCII; it is escaped.
  rapidjson::PrettyWriter<Characters, rapidjson::UTF8<>, rapidjson::ASCII<>>
      writer(characters);
  rapidjson::Reader reader;
  reader.Parse<rapidjson::kParseIterativeFlag>(stream, writer);
  characters.Put('\n');
  characters.Flush();
}

class DescriptionPrinter : public StreamVisitor {
 public:
  explicit DescriptionPrinter(ByteSink& sink) : sink_(sink) {}
  void OnDescription(uint64_t, ByteSpan json) override {
    found_ = true;
    PrintJson(json, sink_);
  }
  bool found() const { return found_; }

 private:
  ByteSink& sink_;
  bool found_ = false;
};

// The one that stands behind an error.
void PrintFarDescription(const Arguments& arguments, Inputs& former,
                         DescriptionPrinter& printer) {
  if (!std::all_of(arguments.files.begin(), arguments.files.end(),
                   IsRegularFile)) {
    return;
  }
  Arguments again = arguments;
  again.recover = true;
  again.quiet = true;
  former.main.reset();  // What it has mapped is not needed any more.
  Inputs inputs = OpenInputs(again);
  if (!inputs.main) return;
  StreamSurvey survey(ReaderOptionsOf(again, inputs), printer);
  (void)survey.Read(*inputs.main);  // The error was said.
}

ExitStatus Conclude(const Inputs& inputs, const Error& error,
                    ExitStatus status) {
  if (error.ok()) return status;
  PrintError(inputs.file, error);
  return IsUnusable(error) ? kUnusable : std::max(status, kFindings);
}

}  // namespace

ExitStatus WriteState(const Arguments& arguments, Inputs& inputs,
                      ByteSink& sink) {
  StateJson json(sink);
  FieldReader fields(json);
  StreamSurvey survey(ReaderOptionsOf(arguments, inputs), fields);
  Error error = ReadMigration(
      arguments, inputs, survey,
      [&fields](const ReassembledPiece& piece) { fields.OnPiece(piece); });
  // What is no stream at all has no state.
  if (IsUnusable(error) && !json.begun()) {
    return Conclude(inputs, error, kUnusable);
  }
  fields.Finish(error);
  json.Finish();
  ExitStatus status = kFine;
  if (fields.undescribed() > 0) {
    PrintError(StrCat(
        inputs.file, ": nothing describes the state of ", fields.undescribed(),
        " sections; their bytes are shown as \"undescribed\", and where each "
        "ends is a guess"));
  }
  for (const Finding& finding : fields.findings()) {
    PrintError(StrCat(inputs.file, ":", Hex(finding.offset), ": ",
                      finding.section, ": ", finding.message));
    status = kFindings;
  }
  if (json.cut()) {
    PrintError("members of a struct that is too large were left out");
    status = kFindings;
  }
  return Conclude(inputs, error, status);
}

ExitStatus PrintState(const Arguments& arguments, Inputs& inputs) {
  Output output;
  const ExitStatus status = WriteState(arguments, inputs, output);
  return output.status() == kFine ? status : output.status();
}

ExitStatus PrintDescription(const Arguments& arguments, Inputs& inputs) {
  Output output;
  DescriptionPrinter printer(output);
  StreamSurvey survey(ReaderOptionsOf(arguments, inputs), printer);
  Error error = ReadMigration(arguments, inputs, survey);
  if (!printer.found() && !error.ok() && !IsUnusable(error) &&
      !arguments.recover) {
    PrintFarDescription(arguments, inputs, printer);
  }
  if (output.status() != kFine) return output.status();
  ExitStatus status = kFine;
  if (!printer.found() && error.ok()) {
    PrintError(StrCat(inputs.file, ": the stream has no description"));
    status = kFindings;
  }
  return Conclude(inputs, error, status);
}

}  // namespace migstream
