#include "inspect/payload_text.h"

#include <algorithm>
#include <string_view>

#include "codec/report/report.pb.h"
#include "codec/wire/text.h"
#include "inspect/table.h"
#include "inspect/terminal.h"

namespace migstream {
namespace {

std::string Place(const report::PayloadRecord& record) {
  if (!record.has_stream_offset()) return "-";
  return StrCat(record.file(), record.file().empty() ? "" : ":",
                Hex(record.stream_offset()));
}

std::string Fields(const report::PayloadRecord& record) {
  std::string text;
  for (const report::PayloadField& field : record.fields()) {
    if (!field.has_value()) continue;
    StrAppend(&text, text.empty() ? "" : ", ", field.name());
    if (field.has_index()) StrAppend(&text, "[", field.index(), "]");
    StrAppend(&text, " ", field.text());
  }
  return text;
}

}  // namespace

std::string PayloadText(const report::Payload& payload) {
  size_t width = 0;
  for (const report::PayloadLine& line : payload.summary()) {
    width = std::max(width, line.label().size());
  }
  std::string text;
  for (const report::PayloadLine& line : payload.summary()) {
    StrAppend(
        &text,
        WrappedLines(StrCat("  ", line.label(),
                            std::string(width - line.label().size() + 2, ' '),
                            line.text()),
                     TableColumns(), width + 2),
        "\n");
  }
  return text;
}

std::string PayloadRecords(const report::Payload& payload) {
  if (payload.records().empty()) return "";
  Table table("lllrp");
  table.Row({"  OFFSET", "IN STREAM", "PHASE", "BYTES", "RECORD"});
  for (const report::PayloadRecord& record : payload.records()) {
    std::string notes;
    if (record.straddles()) notes += ", ends in stop-copy";
    if (record.cut()) StrAppend(&notes, ", of ", record.bytes());
    table.Row({StrCat("  ", Hex(record.offset())), Place(record),
               record.phase(), StrCat(record.present_bytes()),
               StrCat(record.path(), notes)});
  }
  // The fields of a record are lines of their own, which no column holds.
  std::string rows = table.Text();
  std::vector<std::string_view> lines = Split(rows, '\n');
  std::string text = StrCat(lines[0], "\n");
  for (int i = 0; i < payload.records_size(); ++i) {
    StrAppend(&text, lines[i + 1], "\n");
    constexpr size_t kIndent = 6;
    std::string fields = Fields(payload.records(i));
    if (fields.empty()) continue;
    StrAppend(
        &text,
        WrappedLines(std::string(kIndent, ' ') + fields, TableColumns(), 0),
        "\n");
  }
  if (payload.records_omitted() != 0) {
    StrAppend(&text, "  ", payload.records_omitted(), " more records\n");
  }
  return text;
}

std::string BarePayloadText(const report::Report& report) {
  const report::Payload& payload = report.payload();
  return StrCat(
      report.file(), ": ",
      payload.text_dump().empty()
          ? StrCat("payload of a VFIO device, ",
                   payload.complete() ? "complete" : "not complete", ", ",
                   payload.bytes(), " bytes")
          : StrCat("text that a driver printed, ", payload.text_dump()),
      "\n", PayloadText(payload));
}

}  // namespace migstream
