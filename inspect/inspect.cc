#include <algorithm>
#include <string>

#include "codec/report/report.pb.h"
#include "codec/report/report_builder.h"
#include "codec/report/side_report.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "inspect/inputs.h"
#include "inspect/json_output.h"
#include "inspect/map.h"
#include "inspect/page.h"
#include "inspect/payload_input.h"
#include "inspect/payload_text.h"
#include "inspect/place_text.h"
#include "inspect/state.h"
#include "inspect/text_report.h"
#include "inspect/verb.h"

namespace migstream {
namespace {

bool IsText(const Arguments& arguments) { return arguments.format == "text"; }

// What is for scripts.
ExitStatus PrintReport(const Arguments& arguments, report::Report& report,
                       ExitStatus status) {
  return PrintMessage(report, "report", arguments.format, status);
}

ExitStatus InspectPayload(const Arguments& arguments) {
  PayloadReport payload;
  report::Report report;
  if (!ReadPayloadFile(arguments, payload, report)) return kUnusable;
  // A text dump is never complete, and not meant to be.
  const ExitStatus status =
      payload.whole && !payload.complete ? kFindings : kFine;
  if (!IsText(arguments)) return PrintReport(arguments, report, status);
  return Print(
      StrCat(BarePayloadText(report),
             arguments.records ? PayloadRecords(report.payload()) : ""),
      status);
}

// A file that stands beside a stream, alone.
ExitStatus InspectSide(const Arguments& arguments, const Inputs::Side& side) {
  report::Report report;
  report.set_file(Printable(side.file));
  ExitStatus status = ReportSide(side, report);
  if (status == kUnusable) return status;
  if (!IsText(arguments)) return PrintReport(arguments, report, status);
  return Print(TextReport(report), status);
}

// Nothing but the device that was named.
void KeepDevice(const std::string& device, report::Report& report) {
  if (device.empty()) return;
  auto& devices = *report.mutable_devices();
  devices.erase(std::remove_if(devices.begin(), devices.end(),
                               [&](const report::Device& row) {
                                 return row.idstr() != device;
                               }),
                devices.end());
}

ExitStatus Run(const Arguments& arguments) {
  if (arguments.payload) return InspectPayload(arguments);
  if (arguments.format == "csv" && !arguments.map) {
    PrintError("--format=csv goes with --map");
    return kUnusable;
  }
  Inputs inputs = OpenInputs(arguments);
  if (!inputs.main) return kUnusable;
  if (arguments.at) return PrintPlace(arguments, inputs);
  if (arguments.vmdesc) return PrintDescription(arguments, inputs);
  if (arguments.state) return PrintState(arguments, inputs);
  if (arguments.map) return PrintMap(arguments, inputs);
  if (!arguments.html.empty()) return WritePage(arguments, inputs);
  const std::string& file = inputs.file;
  const FileKind kind = KindOf(inputs.main->Peek(kFileKindBytes));
  if (IsSide(kind)) {
    return InspectSide(arguments, {file, kind, std::move(inputs.main)});
  }
  report::Report report;
  ReportOptions options;
  options.msix_table = !inputs.device.empty();
  std::string lines;
  RecordList list;
  ExitStatus printed = kFine;
  const bool jsonl = arguments.format == "jsonl";
  if (arguments.records && !IsText(arguments) && !jsonl) {
    options.records = true;
  } else if (arguments.records || jsonl) {
    if (!jsonl) lines = RecordList::Headings();
    options.on_record = [&](const std::string& idstr,
                            const report::Record& record) {
      if (printed != kFine) return;
      if (!inputs.device.empty() && idstr != inputs.device) return;
      if (jsonl) {
        lines += JsonLine("record", record, idstr);
      } else {
        list.Add(idstr, record);
        StrAppend(&lines, list.Take());
      }
      if (lines.size() < (64 << 10)) return;
      printed = Print(lines, kFine);
      lines.clear();
    };
  }
  Error error = ReadReport(arguments, inputs, options, report);
  list.Fold();
  StrAppend(&lines, list.Take());
  if (IsUnusable(error)) {
    if (lines != RecordList::Headings()) Print(lines, kFine);
    PrintError(inputs.file, error);
    return kUnusable;
  }
  if (printed != kFine) return printed;
  ExitStatus side_status = kFine;
  for (const Inputs::Side& side : inputs.sides) {
    side_status = std::max(side_status, ReportSide(side, report));
  }
  if (side_status == kUnusable) return side_status;
  KeepDevice(inputs.device, report);
  ExitStatus status = error.ok() ? side_status : kFindings;
  if (IsText(arguments)) {
    if (!lines.empty()) StrAppend(&lines, "\n");
    status =
        Print(StrCat(lines, TextReport(report, arguments.records)), status);
  } else {
    status = std::max(Print(lines, kFine), status);
    status = PrintReport(arguments, report, status);
  }
  status = std::max(status, SayFileFindings(file, report));
  if (!error.ok()) PrintError(inputs.file, error);
  return status;
}

const Option kOptions[] = {
    {"device",
     "NAME",
     "only that device, with its MSI-X table; a part of the\n"
     "name is enough if no other device has it",
     Set<&Arguments::device>,
     {},
     "state vmdesc payload at"},
    {"at",
     "OFFSET",
     "the bytes there instead, with the names of the fields;\n"
     "what they may have been, where reading ends; the bytes\n"
     "of payload and guest memory too. 0x10, 4M",
     [](Arguments& arguments, const std::string& value) {
       uint64_t offset = 0;
       std::string problem =
           ParseNumber("at", " of bytes", value, 0, UINT64_MAX, offset);
       arguments.at = offset;
       return problem;
     },
     {},
     "records payload state vmdesc recover"},
    {"records", "",
     "list every element of the devices' sections, and every\n"
     "record inside their payloads",
     Set<&Arguments::records>},
    kRecoverOption,
    {"format", "FORMAT",
     "text; json; jsonl, a line of JSON for each row; or\n"
     "textproto; `migstream schema` has the form. With --map\n"
     "text, csv or json",
     [](Arguments& arguments, const std::string& value) {
       if (value != "csv") return kLinesFormatOption.set(arguments, value);
       arguments.format = value;
       return std::string();
     },
     "text json jsonl textproto csv"},
    kJsonStringsOption,
    kPayloadOption,
    kSplitOption,
    {"map",
     "",
     "whose each byte of the files is instead: sections, RAM's\n"
     "rounds, what stands around the stream and what cannot\n"
     "be read; what is alike is one row",
     Set<&Arguments::map>,
     {},
     "state vmdesc records payload format=textproto format=jsonl json-strings"},
    {"html",
     "FILE",
     "write a page instead, to be looked at in a browser: the\n"
     "map, the order, the devices and the findings",
     Set<&Arguments::html>,
     {},
     "map state vmdesc records payload format json-strings"},
    {"force",
     "",
     "replace FILE if it exists",
     Set<&Arguments::force>,
     {},
     {},
     "html"},
    {"state",
     "",
     "the fields of all devices instead, as JSON in the\n"
     "shape that QEMU's analyze-migration.py prints; no\n"
     "payload and no guest memory",
     Set<&Arguments::state>,
     {},
     "vmdesc records payload format=text format=jsonl format=textproto "
     "format=csv json-strings"},
    {"vmdesc",
     "",
     "the description of the devices instead: the JSON at\n"
     "the stream's end, indented",
     Set<&Arguments::vmdesc>,
     {},
     "records payload format=text format=jsonl format=textproto format=csv "
     "json-strings"},
};

}  // namespace

const Verb kInspectVerb = {"inspect",
                           "FILE [CHANNEL]...",
                           "what is in a stream, and which VFIO devices",
                           kAnyFiles,
                           kOptions,
                           Run};

}  // namespace migstream
