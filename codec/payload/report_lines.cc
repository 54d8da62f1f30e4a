#include "codec/payload/report_lines.h"

#include <algorithm>

#include "codec/payload/payload_tally.h"
#include "codec/wire/text.h"

namespace migstream {

constexpr uint64_t kGap = 16;

uint64_t PlaceOf(uint64_t offset, size_t piece) {
  return offset + kGap * (offset / piece + 1);
}

PayloadReport TallyInPieces(ByteSpan bytes, std::optional<PciId> id,
                            uint64_t split, size_t piece, bool late_id) {
  PayloadOptions options;
  if (!late_id) options.id = id;
  PayloadTally tally(options);
  for (size_t at = 0; at < bytes.size();) {
    if (at == split) tally.BeginStopCopy();
    size_t end = std::min(bytes.size(), (at / piece + 1) * piece);
    if (at < split) end = std::min<size_t>(end, split);
    tally.Add(bytes.subspan(at, end - at),
              {.stream_offset = PlaceOf(at, piece)});
    at = end;
  }
  if (bytes.size() <= split) tally.BeginStopCopy();
  if (late_id && id) tally.SetId(*id);
  return tally.Finish();
}

std::vector<std::string> ReportLines(const PayloadReport& report) {
  std::vector<std::string> lines;
  lines.push_back(
      StrCat(report.format->name, " generation ", report.generation, " bytes ",
             report.bytes, " pre-copy ", report.pre_copy_bytes, " initial ",
             report.initial_bytes, report.complete ? " complete" : "",
             report.id_agrees ? "" : " id disagrees"));
  if (report.unread_from) {
    lines.push_back(StrCat("unread from ", *report.unread_from));
  }
  for (const PayloadRecord& record : report.records) {
    lines.push_back(StrCat(
        record.offset, " ", int{record.depth}, " ", record.name, " ",
        record.bytes, " ", record.there, record.cut ? " cut" : "",
        record.stop_copy ? " stop" : "", record.straddles ? " straddles" : ""));
    for (size_t i = 0; i < record.value_count; ++i) {
      const PayloadValue& value = report.values[record.first_value + i];
      lines.push_back(StrCat(value.offset, " ", value.field->name, "[",
                             value.index, "] ",
                             FieldText(*value.field, value.value)));
    }
  }
  for (const PayloadFact& fact : report.facts) {
    lines.push_back(StrCat(fact.name, " ", fact.value));
  }
  for (const PayloadFinding& finding : report.findings) {
    lines.push_back(StrCat(finding.offset, " ", GetRow(finding.id).name, " ",
                           ToString(finding.severity), " ", finding.text));
  }
  return lines;
}

}  // namespace migstream
