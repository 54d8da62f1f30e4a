#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "codec/io/file_kind.h"
#include "codec/loader/loader.h"
#include "codec/loader/loader_row.h"
#include "codec/payload/formats.h"
#include "codec/payload/payload_verdict.h"
#include "codec/place/damage_kind.h"
#include "codec/report/check.pb.h"
#include "codec/report/finding_ids.h"
#include "codec/report/message_json.h"
#include "codec/report/report.pb.h"
#include "codec/report/report_builder.h"
#include "codec/report/report_findings.h"
#include "codec/report/verdict.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "flags/qemu_version.h"
#include "flags/release.h"
#include "inspect/check_text.h"
#include "inspect/destination.h"
#include "inspect/inputs.h"
#include "inspect/json_output.h"
#include "inspect/loader_table.h"
#include "inspect/payload_input.h"
#include "inspect/place_text.h"
#include "inspect/progress.h"
#include "inspect/table.h"
#include "inspect/terminal.h"
#include "inspect/text_report.h"
#include "inspect/verb.h"

namespace migstream {
namespace {

// What one release's loader would do.
ExitStatus AskLoader(const Arguments& arguments) {
  LoaderOptions options;
  if (!LoaderOptionsOf(arguments, options)) return kUnusable;
  Inputs inputs = OpenInputs(arguments);
  if (!inputs.main) return kUnusable;
  options.destination_device = inputs.device;
  LoadVerdict verdict;
  {
    Progress progress(*inputs.main, arguments.quiet);
    verdict = PredictLoad(*inputs.main, inputs.Channels(), options);
  }
  std::string file = Printable(inputs.file);
  if (verdict.outcome == LoadVerdict::kUnreadable) {
    PrintError(StrCat(file, ": ", verdict.message));
    return kUnusable;
  }
  if (arguments.format != "text") {
    report::Check check;
    check.set_file(file);
    AddLoad({options.release, options.stable}, verdict, check);
    return PrintMessage(
        check, "check", arguments.format,
        verdict.outcome == LoadVerdict::kLoads ? kFine : kFindings);
  }
  std::string loader =
      StrCat(ToString(QemuVersion{options.release, options.stable}), " would ");
  std::string lines;
  if (verdict.outcome != LoadVerdict::kLoads) {
    SayContainerDamage(inputs, Error(ErrorCode::kTruncated, 0));
  }
  if (verdict.outcome == LoadVerdict::kLoads) {
    lines = StrCat(file, ": ", loader, "load it\n");
  } else {
    lines = StrCat(verdict.file.empty() ? file : Printable(verdict.file), ":",
                   Hex(verdict.offset), ": ", verdict.section, ": ", loader,
                   verdict.outcome == LoadVerdict::kWaits
                       ? "wait for ever with no message: "
                       : "refuse it: ",
                   Printable(verdict.message), "\n");
  }
  for (const std::string& given : verdict.given) {
    StrAppend(&lines, file, ": given ", given, "\n");
  }
  return Print(WrappedLines(lines, LineColumns(STDOUT_FILENO)),
               verdict.outcome == LoadVerdict::kLoads ? kFine : kFindings);
}

std::string_view FateText(PayloadFate fate) {
  switch (fate) {
    case PayloadFate::kAccepted:
      return "accepts";
    case PayloadFate::kAcceptedWithLoss:
      return "accepts with loss";
    case PayloadFate::kRefused:
      return "refuses";
    case PayloadFate::kDeviceDecides:
      return "device decides";
    case PayloadFate::kNoDriver:
      return "no driver";
    case PayloadFate::kUnknown:
      break;
  }
  return "unknown";
}

// What the destination's driver says to one payload; `check` gets it as data.
std::string VerdictLine(const Arguments& arguments, const std::string& idstr,
                        const PayloadReport& payload,
                        const std::vector<std::string>& files,
                        report::Check& check, ExitStatus& status) {
  if (arguments.kernel_driver != nullptr &&
      arguments.kernel_driver != payload.format) {
    return "";
  }
  PayloadVerdict verdict = Judge(payload, *arguments.kernel);
  std::string where = arguments.files[0];
  bool refused = false;
  switch (verdict.fate) {
    case PayloadFate::kAcceptedWithLoss:
    case PayloadFate::kRefused:
      refused = true;
      break;
    case PayloadFate::kNoDriver:
      status = kFindings;
      break;
    case PayloadFate::kAccepted:
    case PayloadFate::kDeviceDecides:
    case PayloadFate::kUnknown:
      break;
  }
  report::PayloadAnswer& answer = *check.add_payload_answers();
  answer.set_idstr(idstr);
  answer.set_driver(std::string(payload.format->name));
  answer.set_fate(std::string(FateText(verdict.fate)));
  answer.set_text(Printable(verdict.text));
  answer.set_whole(payload.whole);
  std::string section = idstr;
  if (refused) {
    status = kFindings;
    PayloadPlace place =
        FindPlace(payload, std::min(verdict.offset, payload.runs_end))
            .value_or(PayloadPlace());
    answer.set_offset(verdict.offset);
    answer.set_stream_offset(place.stream_offset);
    if (place.channel != 0) {
      where = files[place.channel - 1];
      answer.set_file(Printable(where));
    }
    where = StrCat(where, ":", Hex(place.stream_offset));
    StrAppend(&section, section.empty() ? "" : " ", "payload ",
              Hex(verdict.offset));
  }
  return StrCat(Printable(where), ": ", section, section.empty() ? "" : ": ",
                Printable(verdict.text),
                payload.whole ? "" : " (not all of it was given)", "\n");
}

// What the drivers of one kernel would say to the devices' payloads.
ExitStatus AskKernel(const Arguments& arguments) {
  ExitStatus status = kFine;
  std::string lines;
  report::Report report;
  report::Check check;
  check.set_file(Printable(arguments.files[0]));
  Error error;
  if (arguments.payload) {
    PayloadReport payload;
    if (!ReadPayloadFile(arguments, payload, report)) return kUnusable;
    lines = VerdictLine(arguments, "", payload, {}, check, status);
  } else {
    Inputs inputs = OpenInputs(arguments);
    if (!inputs.main) return kUnusable;
    ReportOptions options;
    options.payload_records = 0;
    options.on_payload = [&](const std::string& idstr,
                             const PayloadReport& payload,
                             const std::vector<std::string>& files) {
      StrAppend(&lines,
                VerdictLine(arguments, idstr, payload, files, check, status));
    };
    error = ReadReport(arguments, inputs, options, report);
    if (!error.ok()) PrintError(inputs.file, error);
    if (IsUnusable(error)) return kUnusable;
  }
  if (arguments.format != "text") {
    return PrintMessage(check, "check", arguments.format,
                        error.ok() ? status : kFindings);
  }
  if (lines.empty()) {
    lines = StrCat(Printable(arguments.files[0]),
                   ": no payload of a driver that is asked\n");
  }
  return Print(WrappedLines(lines, LineColumns(STDOUT_FILENO)),
               error.ok() ? status : kFindings);
}

std::string SetDestination(Arguments& arguments, const std::string& value) {
  if (value == "all") {
    arguments.all_loaders = true;
    return "";
  }
  const QemuVersion version = ParseQemuVersion(value);
  arguments.loader = version.release;
  arguments.stable = version.stable;
  if (arguments.loader != 0) return "";
  size_t colon = value.find(':');
  bool linux_named = colon == std::string::npos && value.starts_with("linux-");
  if (colon != std::string::npos) {
    arguments.kernel_driver = FormatNamed(value.substr(0, colon));
  }
  if (linux_named || arguments.kernel_driver != nullptr) {
    arguments.kernel =
        ParseKernelRelease(linux_named ? value : value.substr(colon + 1));
  }
  if (arguments.kernel) return "";
  return StrCat("no loader of '", value, "' is known, but of ",
                ReleaseName(kReleases->release), " to ",
                ReleaseName(kNextRelease.release),
                ", and all; or of a kernel: linux-6.12, mlx5:6.1");
}

ExitStatus PrintFindingKinds(const Arguments& arguments) {
  report::Check check;
  for (const FindingKind& kind : AllFindings()) {
    report::Kind& row = *check.add_kinds();
    row.set_id(std::string(kind.id));
    row.set_severity(std::string(SeverityText(kind)));
    row.set_meaning(std::string(kind.meaning));
    row.set_advice(std::string(kind.advice));
    row.set_kernel(std::string(kind.kernel));
  }
  return PrintMessage(check, "check", arguments.format, kFine);
}

std::string FindingList() {
  Table table("llw");
  table.Row({"ID", "SEVERITY", "MEANING; WHAT TO DO"});
  for (const FindingKind& kind : AllFindings()) {
    table.Row(
        {std::string(kind.id), std::string(SeverityText(kind)),
         StrCat(kind.meaning, "; ", kind.advice,
                kind.kernel.empty() ? "" : "; the kernel ", kind.kernel)});
  }
  return table.Text();
}

ExitStatus PrintFindings(const Arguments& arguments,
                         const report::Report& report, bool failed) {
  const ExitStatus status = failed || HasFindings(report) ? kFindings : kFine;
  report::Check check = MakeCheck(report);
  std::string places;  // As text.
  if (arguments.explain_places) {
    ForEachErrorPlace(arguments, report, [&](const Place& place) {
      StrAppend(&places, "\n", PlaceText(place));
      report::Place& row = *check.add_places();
      row = MakePlace(check.file(), place);
      NameMessage(row, "place");
    });
  }
  if (arguments.format == "jsonl") {
    std::string lines;
    for (const report::Finding& finding : check.findings()) {
      StrAppend(&lines, JsonLine("finding", finding));
    }
    for (const report::Place& place : check.places()) {
      StrAppend(&lines, JsonLine("place", place));
    }
    const ExitStatus printed = Print(lines, kFine);
    if (printed != kFine) return printed;
    return Print(JsonLine("verdict", check.verdict()), status);
  }
  if (arguments.format != "text") {
    return PrintMessage(check, "check", arguments.format, status);
  }
  const CheckStyle style = {.all = arguments.list_all,
                            .min_severity = arguments.min_severity,
                            .columns = LineColumns(STDOUT_FILENO),
                            .color = WantsColor(arguments.color)};
  return Print(CheckText(check, style) + places, status);
}

ExitStatus CheckPayload(const Arguments& arguments) {
  PayloadReport payload;
  report::Report report;
  if (!ReadPayloadFile(arguments, payload, report)) return kUnusable;
  return PrintFindings(arguments, report, false);
}

ExitStatus Run(const Arguments& arguments) {
  if (arguments.list_findings && arguments.all_loaders) {
    return PrintLoaderList(arguments);
  }
  if (arguments.list_findings)
    return arguments.format == "text" ? Print(FindingList(), kFine)
                                      : PrintFindingKinds(arguments);
  if (arguments.all_loaders) return AskAllLoaders(arguments);
  if (!arguments.destination.empty()) return CheckDestination(arguments);
  if (arguments.loader != 0) return AskLoader(arguments);
  if (arguments.kernel) return AskKernel(arguments);
  if (arguments.payload) return CheckPayload(arguments);
  ReportOptions options;
  options.payload_records = 0;
  options.region_bytes = arguments.region_bytes;
  if (!ReadConfigSpace(arguments.destination_config,
                       options.destination_config)) {
    return kUnusable;
  }
  Inputs inputs = OpenInputs(arguments);
  if (!inputs.main) return kUnusable;
  options.destination_device = inputs.device;
  const std::string& file = inputs.file;
  const std::string header(AsText(inputs.main->Peek(8)).substr(0, 8));
  report::Report report;
  Error error = ReadReport(arguments, inputs, options, report);
  if (BeginsLikeAStream(AsBytes(header)) &&
      (error.code == ErrorCode::kNotAStream ||
       error.code == ErrorCode::kUnknownVersion)) {
    const std::string kind = DamageKind(AsBytes(header), 0, 0);
    AddFinding({Severity::kError, "refused", error.offset, error.section,
                StrCat(error.reason, kind.empty() ? "" : "; ", kind)},
               report);
  } else if (IsUnusable(error)) {
    PrintError(inputs.file, error);
    return kUnusable;
  }
  if (error.ok() && !options.destination_config.empty() &&
      report.configs_compared() == 0) {
    PrintError(StrCat(file, ": no config space of ",
                      inputs.device.empty() ? "any device" : inputs.device,
                      " to compare with"));
    return kUnusable;
  }
  return PrintFindings(arguments, report, !error.ok());
}

std::string Misused(const Arguments& arguments) {
  if (arguments.payload && (arguments.loader != 0 || arguments.all_loaders)) {
    return "--for=qemu-X.Y asks about a stream, not about a payload";
  }
  if (arguments.list_findings && (arguments.loader != 0 || arguments.kernel)) {
    return "--list goes with --for=all, or without --for";
  }
  if (arguments.list_findings == arguments.files.empty()) return "";
  return arguments.list_findings ? "--list takes no FILE" : kWhichFile;
}

const Option kOptions[] = {
    {"min-severity", "SEVERITY",
     "show only what is at least that; the verdict counts all",
     [](Arguments& arguments, const std::string& value) {
       arguments.min_severity = value;
       return OneOf("min-severity", value, {"note", "warning", "error"});
     },
     "note warning error", "for destination list"},
    {"all",
     "",
     "each finding, not the first ones of a kind and a count",
     Set<&Arguments::list_all>,
     {},
     "for destination list"},
    {"color", "WHEN", "auto, always or never; auto obeys NO_COLOR",
     [](Arguments& arguments, const std::string& value) {
       arguments.color = value;
       return OneOf("color", value, {"auto", "always", "never"});
     },
     "auto always never", "list"},
    {"each",
     "",
     "each FILE is a migration of its own, not a channel of the\n"
     "first; --threads of them at a time",
     Set<&Arguments::each_file>,
     {},
     "list"},
    {"switchover-ack", "on/off",
     "off: refuse INIT_DATA_SENT, as a destination without\n"
     "the capability does",
     [](Arguments& arguments, const std::string& value) {
       arguments.switchover_ack = value;
       return OneOf("switchover-ack", value, {"on", "off"});
     },
     "on off"},
    {"destination-config", "FILE",
     "compare the device's config space with this one, as a\n"
     "loader does (see extract --what=config)",
     Set<&Arguments::destination_config>},
    {"device",
     "IDSTR",
     "compare only that device's",
     Set<&Arguments::device>,
     {},
     {},
     "destination-config destination"},
    {"for", "RELEASE",
     "whether the loader of qemu-X.Y would take the stream, and\n"
     "its message if not; of each release with all; or what the\n"
     "drivers of linux-X.Y do with the payloads, or one driver\n"
     "of it, as in mlx5:6.1; instead of the findings",
     SetDestination, kLoaderChoices, "region-size dialect"},
    kLinesFormatOption,
    kJsonStringsOption,
    kPayloadOption,
    kSplitOption,
    {"explain",
     "",
     "under each error the bytes at its place, as inspect --at\n"
     "shows them, but no payload",
     Set<&Arguments::explain_places>,
     {},
     "for destination payload list"},
    {"recover",
     kRecoverOption.value,
     kRecoverOption.help,
     kRecoverOption.set,
     {},
     "for destination"},
    {"destination",
     "FILE",
     "whether a destination would take the stream that FILE is\n"
     "of: the stream that it saved while it was idle (-S), what\n"
     "its QEMU wrote for -dump-vmstate, or of a PCI device what\n"
     "describe or lspci -xxxx printed; instead of the findings",
     Set<&Arguments::destination>,
     {},
     "for=all payload region-size destination-config"},
    {"region-size", "BYTES",
     "what the destination's v1 migration region holds; larger\n"
     "records are found",
     [](Arguments& arguments, const std::string& value) {
       return ParseNumber("region-size", " of bytes", value, 1, UINT64_MAX,
                          arguments.region_bytes);
     }},
    {"list",
     "",
     "every finding there can be, and what to do about it; with\n"
     "--for=all what each release knows",
     Set<&Arguments::list_findings>,
     {},
     "payload split destination switchover-ack destination-config device "
     "region-size machine past-machine-type multifd-device-state "
     "load-config-after-iter min-severity all color dialect offset window "
     "page-size"},
    {"machine",
     "TYPE",
     "with --for: the destination's machine type, if it is not\n"
     "what the stream names",
     Set<&Arguments::machine_type>,
     {},
     {},
     "for"},
    {"multifd-device-state",
     "on/off",
     "with --for: its x-migration-multifd-transfer",
     [](Arguments& arguments, const std::string& value) {
       arguments.multifd_device_state = value;
       return OneOf("multifd-device-state", value, {"on", "off"});
     },
     "on off",
     {},
     "for"},
    {"load-config-after-iter",
     "on/off",
     "with --for: its x-migration-load-config-after-iter",
     [](Arguments& arguments, const std::string& value) {
       arguments.load_config_after_iter = value;
       return OneOf("load-config-after-iter", value, {"on", "off"});
     },
     "on off",
     {},
     "for"},
    {"past-machine-type",
     "",
     "with --for: go on where only the stream's machine type is\n"
     "refused, to see what else would be",
     Set<&Arguments::past_machine_type>,
     {},
     "machine",
     "for"},
};

}  // namespace

const Verb kCheckVerb = {"check",
                         "FILE [CHANNEL]...",
                         "what is wrong with a stream: the cause first, the "
                         "verdict last",
                         kAnyFiles,
                         kOptions,
                         Run,
                         "--list",
                         Misused};

}  // namespace migstream
