#include "codec/report/payload_rows.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "codec/payload/payload_finding.h"
#include "codec/payload/payload_summary.h"
#include "codec/payload/payload_verdict.h"
#include "codec/report/report_findings.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

std::string FileOf(const PayloadPlace& place,
                   std::span<const std::string> files) {
  return place.channel == 0 || place.channel > files.size()
             ? ""
             : Printable(files[place.channel - 1]);
}

// Where a record or a field stands.
template <typename Row>
void Place(const PayloadReport& payload, uint64_t offset,
           std::span<const std::string> files, Row& row) {
  std::optional<PayloadPlace> place = FindPlace(payload, offset);
  if (!place) return;
  row.set_stream_offset(place->stream_offset);
  row.set_file(FileOf(*place, files));
}

void FillField(const PayloadReport& payload, const PayloadValue& value,
               std::span<const std::string> files, report::PayloadField& row) {
  row.set_name(std::string(value.field->name));
  if (value.field->count > 1) row.set_index(value.index);
  row.set_offset(value.offset);
  row.set_bytes(value.bytes != 0 ? value.bytes : value.field->bytes);
  if (value.bytes != 0) {
    row.set_value(value.value);
    row.set_text(payload::FieldText(*value.field, value.value));
  }
  Place(payload, value.offset, files, row);
}

void FillRecords(const PayloadReport& payload,
                 std::span<const std::string> files, report::Payload& row) {
  const std::vector<std::string> paths = PayloadPaths(payload);
  for (const PayloadRecord& record : payload.records) {
    report::PayloadRecord& to = *row.add_records();
    to.set_offset(record.offset);
    to.set_path(paths[row.records_size() - 1]);
    to.set_depth(record.depth);
    to.set_phase(record.stop_copy ? "stop-copy" : "pre-copy");
    to.set_straddles(record.straddles);
    to.set_header_bytes(record.header_bytes);
    to.set_bytes(record.bytes);
    to.set_present_bytes(record.there);
    to.set_cut(record.cut);
    Place(payload, record.offset, files, to);
    for (size_t i = 0; i < record.value_count; ++i) {
      FillField(payload, payload.values[record.first_value + i], files,
                *to.add_fields());
    }
  }
  row.set_records_omitted(payload.records_unkept);
  row.set_fields_omitted(payload.values_unkept);
}

}  // namespace

void FillPayload(const PayloadReport& payload,
                 std::span<const std::string> files, report::Payload& row) {
  const payload::Format& format = *payload.format;
  row.set_driver(std::string(format.name));
  if (payload.id) row.set_pci_ids(ToString(*payload.id));
  if (payload.pci) row.set_device(std::string(payload.pci->what));
  row.set_bytes(payload.bytes);
  row.set_pre_copy_bytes(payload.pre_copy_bytes);
  row.set_stop_copy_bytes(payload.stop_copy_bytes());
  row.set_initial_bytes(payload.initial_bytes);
  if (payload.init_data_sent) row.set_init_data_sent(*payload.init_data_sent);
  row.set_whole(payload.whole);
  row.set_complete(payload.complete);
  for (const PayloadLine& line : Summarize(payload)) {
    report::PayloadLine& to = *row.add_summary();
    to.set_label(line.label);
    to.set_text(Printable(line.text));
  }
  // There is nothing more to say of what nobody knows.
  if (format.driver == payload::Driver::kOpaque) return;
  if (payload.unread_from) row.set_unread_from(*payload.unread_from);
  row.set_bytes_recognized(payload.by_bytes);
  row.set_ids_agree(payload.id_agrees);
  row.set_generation(std::string(format.generations[payload.generation].name));
  row.set_needs(PayloadNeeds(payload));
  row.set_not_in_stream(std::string(format.not_in_stream));
  row.set_big_endian(payload.big_endian);
  for (const PayloadFact& fact : payload.facts) {
    report::PayloadFact& to = *row.add_facts();
    to.set_name(std::string(fact.name));
    to.set_value(fact.value);
  }
  FillRecords(payload, files, row);
  for (const PayloadFinding& finding : payload.findings) {
    report::PayloadFinding& to = *row.add_findings();
    to.set_severity(std::string(ToString(finding.severity)));
    to.set_id(std::string(GetRow(finding.id).name));
    to.set_offset(finding.offset);
    to.set_message(Printable(finding.text));
    to.set_kernel(KernelText(payload, finding));
    to.set_error(std::string(finding.refusal.error));
    to.set_log(std::string(finding.refusal.log));
  }
  row.set_findings_omitted(payload.findings_unkept);
}

void AddPayloadFindings(const PayloadReport& payload,
                        std::span<const std::string> files,
                        std::string_view name, report::Report& report) {
  for (const PayloadFinding& finding : payload.findings) {
    // That nobody knows a device's driver is nothing wrong with a stream.
    if (finding.id == PayloadFindingId::kOpaque && !name.empty() &&
        payload.format->driver == payload::Driver::kOpaque) {
      continue;
    }
    std::string message = Printable(finding.text);
    std::string_view id = GetRow(finding.id).name;
    // What is not known of a driver is said once.
    bool known =
        finding.id == PayloadFindingId::kOpaque &&
        std::any_of(report.findings().begin(), report.findings().end(),
                    [&](const report::Finding& other) {
                      return other.id() == id && other.message() == message;
                    });
    if (known) continue;
    // Or the last one that is known.
    PayloadPlace place =
        FindPlace(payload, std::min(finding.offset, payload.runs_end))
            .value_or(PayloadPlace());
    AddPrintableFinding(
        {finding.severity, std::string(id), place.stream_offset,
         StrCat(name, name.empty() ? "" : " ", "payload ", Hex(finding.offset)),
         std::move(message), FileOf(place, files),
         KernelText(payload, finding)},
        report);
  }
}

}  // namespace migstream
