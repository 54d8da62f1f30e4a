#include "inspect/place_text.h"

#include <sys/stat.h>

#include "absl/strings/str_format.h"
#include "codec/wire/bytes.h"
#include "codec/wire/text.h"
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

// A line for each item and each of its fields.
std::string PlaceText(const Place& place) {
  std::string text;
  for (const PlaceItem& item : place.items) {
    StrAppend(&text, Hex(item.offset), "  ", item.what, "\n");
    for (const PlaceField& field : item.fields) {
      const bool here = place.offset >= field.offset &&
                        place.offset - field.offset < field.bytes;
      absl::StrAppendFormat(&text, "  %-11s %-23s  %-11s %s%s\n",
                            Hex(field.offset), HexBytes(field.first),
                            field.name, field.value, here ? "  <--" : "");
    }
  }
  if (!place.damage.empty()) StrAppend(&text, "  ", place.damage, "\n");
  return text;
}

}  // namespace

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
  const ExitStatus status =
      Print(PlaceText(place), place.error.ok() ? kFine : kFindings);
  if (!place.error.ok()) PrintError(ErrorLine(inputs.file, place.error));
  return IsUnusable(place.error) ? kUnusable : status;
}

std::string ExplainPlace(const Arguments& arguments, const std::string& file,
                         uint64_t offset) {
  struct stat info;
  if (stat(file.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return "";
  Inputs inputs;
  inputs.file = file;
  OpenedStream opened = OpenStream(file, OpenOptionsOf(arguments));
  if (!opened.source) return "";
  inputs.main = std::move(opened.source);
  if (!CanGoBack(inputs)) return "";
  PlaceOptions options;
  options.reader = ReaderOptionsOf(arguments);
  return PlaceText(LookAt(*inputs.main, offset, options));
}

}  // namespace migstream
