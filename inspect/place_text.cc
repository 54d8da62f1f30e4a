#include "inspect/place_text.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "codec/qemu/stream_reader.h"
#include "codec/report/answers.pb.h"
#include "codec/wire/bytes.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "inspect/json_output.h"
#include "inspect/terminal.h"
#include "inspect/text_report.h"

namespace migstream {
namespace {

std::string HexBytes(std::string_view bytes) {
  std::string text;
  for (unsigned char byte : bytes) {
    absl::StrAppendFormat(&text, "%s%02x", text.empty() ? "" : " ", byte);
  }
  return text;
}

constexpr char kHere[] = "  <--";

// Behind so many columns.
size_t ValueColumns(size_t head) {
  constexpr size_t kLeast = 20;
  const size_t others = head + sizeof(kHere) - 1;
  return TableColumns() > others + kLeast ? TableColumns() - others : kLeast;
}

bool IsHere(const Place& place, const PlaceField& field) {
  return place.offset >= field.offset &&
         place.offset - field.offset < field.bytes;
}

// A line for each item and each of its fields.
}  // namespace

std::string PlaceText(const Place& place) {
  std::string text;
  for (const PlaceItem& item : place.items) {
    StrAppend(&text, Hex(item.offset), "  ", item.what, "\n");
    for (const PlaceField& field : item.fields) {
      const std::string head =
          absl::StrFormat("  %-11s %-23s  %-11s ", Hex(field.offset),
                          HexBytes(field.first), field.name);
      // What does not fit stands below.
      const std::string below = StrCat("\n", std::string(head.size(), ' '));
      std::string line = StrCat(
          head,
          StrJoin(Split(Folded(field.value, ValueColumns(head.size())), '\n'),
                  below),
          IsHere(place, field) ? kHere : "");
      absl::StripTrailingAsciiWhitespace(&line);
      StrAppend(&text, line, "\n");
    }
  }
  if (!place.damage.empty()) StrAppend(&text, "  ", place.damage, "\n");
  return text;
}

report::Place MakePlace(const std::string& file, const Place& place) {
  report::Place answer;
  answer.set_file(Printable(file));
  answer.set_offset(place.offset);
  for (const PlaceItem& item : place.items) {
    report::PlaceItem& row = *answer.add_items();
    row.set_offset(item.offset);
    row.set_what(item.what);
    for (const PlaceField& field : item.fields) {
      report::PlaceField& part = *row.add_fields();
      part.set_offset(field.offset);
      part.set_bytes(field.bytes);
      part.set_first(HexBytes(field.first));
      part.set_name(field.name);
      part.set_value(field.value);
      part.set_here(IsHere(place, field));
    }
  }
  answer.set_damage(place.damage);
  if (!place.error.ok()) {
    report::ErrorPlace& error = *answer.mutable_error();
    error.set_file(answer.file());
    error.set_offset(place.error.offset);
    error.set_section(Printable(place.error.section));
    error.set_message(Printable(place.error.reason));
  }
  return answer;
}

ExitStatus PrintPlace(const Arguments& arguments, Inputs& inputs) {
  if (!CanGoBack(inputs)) return kUnusable;
  const uint64_t start = inputs.main->offset();
  PlaceOptions options;
  options.reader = ReaderOptionsOf(arguments, inputs);
  options.payload = true;
  const uint64_t end = inputs.main->size().value_or(0);
  if (*arguments.at < start || *arguments.at >= end) {
    PrintError(StrCat(inputs.file, ": ", Hex(*arguments.at),
                      " is not in the stream, which is from ", Hex(start),
                      " to ", Hex(end)));
    return kUnusable;
  }
  const Place place = LookAt(*inputs.main, *arguments.at, options);
  ExitStatus status = place.error.ok() ? kFine : kFindings;
  if (arguments.format == "text") {
    status = Print(PlaceText(place), status);
  } else {
    report::Place answer = MakePlace(inputs.file, place);
    status = PrintMessage(answer, "place", arguments.format, status);
  }
  if (!place.error.ok()) PrintError(ErrorLine(inputs.file, place.error));
  return IsUnusable(place.error) ? kUnusable : status;
}

void ForEachErrorPlace(const Arguments& arguments, const report::Report& report,
                       const std::function<void(const Place&)>& on_place) {
  const auto main = std::find_if(arguments.files.begin(), arguments.files.end(),
                                 [&report](const std::string& file) {
                                   return Printable(file) == report.file() &&
                                          IsRegularFile(file);
                                 });
  if (main == arguments.files.end()) return;
  for (const report::Finding& finding : report.findings()) {
    if (!finding.file().empty() || finding.severity() != "error") continue;
    Inputs inputs;
    inputs.file = *main;
    OpenedStream opened = OpenStream(*main, OpenOptionsOf(arguments));
    if (!opened.source) return;
    inputs.main = std::move(opened.source);
    if (!CanGoBack(inputs)) return;
    PlaceOptions options;
    options.reader = ReaderOptionsOf(arguments);
    on_place(LookAt(*inputs.main, finding.offset(), options));
  }
}

}  // namespace migstream
