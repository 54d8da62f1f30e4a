#include "codec/report/payload_file.h"

#include <algorithm>
#include <optional>

#include "codec/io/file_kind.h"
#include "codec/payload/payload_tally.h"
#include "codec/payload/text_dump.h"
#include "codec/report/payload_rows.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

constexpr char kSection[] = "payload";

Error Bad(std::string reason) {
  return {ErrorCode::kBadOptions, 0, kSection, std::move(reason)};
}

// Text has no zeros.
bool MayBeText(ByteSpan bytes) {
  return !bytes.empty() &&
         std::find(bytes.begin(), bytes.end(), 0) == bytes.end();
}

// The text that is the whole source, if it is a dump.
std::optional<TextDump> FindDump(ByteSource& source) {
  constexpr size_t kProbe = 4096;
  ByteSpan head = source.Peek(kProbe);
  if (!MayBeText(head.first(std::min(head.size(), kProbe)))) {
    return std::nullopt;
  }
  ByteSpan all = source.Peek(kMaxDumpText + 1);
  if (all.size() > kMaxDumpText) return std::nullopt;
  return ParseTextDump(AsText(all));
}

// What is said of phases where nobody knows them.
void DropPhases(report::Payload& row) {
  auto& lines = *row.mutable_summary();
  lines.erase(std::remove_if(lines.begin(), lines.end(),
                             [](const report::PayloadLine& line) {
                               return line.label() == "pre-copy" ||
                                      line.label() == "stop-copy";
                             }),
              lines.end());
  for (report::PayloadLine& line : lines) {
    if (line.label() == "final images") line.set_label("images");
  }
  for (report::PayloadRecord& record : *row.mutable_records()) {
    record.clear_phase();
  }
}

// Reads it to its end.
PayloadReport Tally(ByteSource& source, const PayloadFileOptions& options) {
  PayloadTally tally({.format = options.format,
                      .records = options.records,
                      .values = options.records});
  const uint64_t split = options.split.value_or(0);
  while (true) {
    if (tally.bytes() == split) tally.BeginStopCopy();
    uint64_t left = tally.bytes() < split ? split - tally.bytes() : UINT64_MAX;
    if (uint64_t skippable = std::min(tally.skippable(), left)) {
      uint64_t skipped = source.Skip(skippable);
      tally.Skip(skipped);
      if (skipped < skippable) break;
      continue;
    }
    ByteSpan bytes = source.Peek(1);
    if (bytes.empty()) break;
    bytes = bytes.first(std::min<uint64_t>(bytes.size(), left));
    tally.Add(bytes, {.stream_offset = source.offset()});
    source.Consume(bytes.size());
  }
  return tally.Finish();
}

}  // namespace

Error ReadPayload(ByteSource& source, const PayloadFileOptions& options,
                  PayloadReport& payload, report::Report& report) {
  const uint64_t start = source.offset();
  if (KindOf(source.Peek(8)) == FileKind::kMain) {
    return Bad("is a migration stream, not a bare payload");
  }
  report::Payload& row = *report.mutable_payload();
  if (std::optional<TextDump> dump = FindDump(source)) {
    if (options.format != nullptr && options.format != dump->format) {
      return Bad(StrCat("is a text dump of ", dump->format->name, ", not ",
                        options.format->name));
    }
    payload = TallyTextDump(*dump);
    row.set_text_dump(std::string(dump->kind));
    source.Consume(source.Peek(1).size());
  } else {
    payload = Tally(source, options);
  }
  report.set_bytes(source.offset() - start);
  if (!source.failure().empty()) {
    return {ErrorCode::kReadFailed, source.offset(), kSection,
            source.failure()};
  }
  if (options.split.value_or(0) > payload.bytes) {
    return Bad(
        StrCat("only ", payload.bytes, " bytes, and --split=", *options.split));
  }
  report.set_complete(payload.complete);
  FillPayload(payload, {}, row);
  if (!options.split) DropPhases(row);
  AddPayloadFindings(payload, {}, "", report);
  return {};
}

}  // namespace migstream
