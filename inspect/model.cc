#include <algorithm>
#include <string>
#include <vector>

#include "codec/io/byte_source.h"
#include "codec/model/compatibility.h"
#include "codec/model/device_config.h"
#include "codec/model/model_json.h"
#include "codec/model/model_lint.h"
#include "codec/payload/kernel_release.h"
#include "codec/report/answers.pb.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "inspect/inputs.h"
#include "inspect/json_output.h"
#include "inspect/model_describe.h"
#include "inspect/table.h"
#include "inspect/verb.h"

namespace migstream {
namespace {

// False, with a message, if it is no description.
bool Read(const std::string& file, OfferedModels& offered) {
  std::unique_ptr<ByteSource> source = OpenRaw(file);
  if (!source) return false;
  const ModelLimits limits;
  std::string json(AsText(source->Peek(limits.json_bytes + 1)));
  std::string problem = source->failure();
  if (problem.empty()) problem = ParseModels(json, offered, limits);
  if (problem.empty()) return true;
  PrintError(StrCat(file, ": ", problem));
  return false;
}

// Null if there is no such model, or several and none is named.
const ModelDescription* Find(const OfferedModels& offered,
                             std::string_view name) {
  if (name.empty()) {
    return offered.models.size() == 1 ? &offered.models[0] : nullptr;
  }
  for (const ModelDescription& model : offered.models) {
    if (model.model == name) return &model;
  }
  return nullptr;
}

// The configuration that `text` stands for by what `file` offers; an empty one
// is that of a new device. False, with a message, if it stands for nothing.
bool ResolveBy(const std::string& file, const std::string& text,
               DeviceConfig& config) {
  OfferedModels offered;
  if (!Read(file, offered)) return false;
  DeviceText device;
  ConfigError error = ParseDevice(text, device);
  if (!error.ok()) {
    PrintError(StrCat(Printable(text), ": ", ToString(error)));
    return false;
  }
  const ModelDescription* model = Find(offered, device.model);
  if (model == nullptr) {
    std::vector<std::string_view> names;
    for (const ModelDescription& each : offered.models) {
      names.push_back(each.model);
    }
    PrintError(StrCat(file, ": which model? It offers ",
                      names.empty() ? "none" : StrJoin(names, ", ")));
    return false;
  }
  const bool plain = !device.version && device.items.empty();
  if (plain && device.model.empty()) {
    config = InitialConfig(*model);
    return true;
  }
  error = Resolve(device, *model, config);
  if (error.ok()) return true;
  PrintError(StrCat(text, ": ", ToString(error)));
  return false;
}

ExitStatus Canonicalize(const Arguments& arguments) {
  DeviceConfig config;
  std::string text = arguments.files.size() > 2 ? arguments.files[2] : "";
  if (!ResolveBy(arguments.files[1], text, config)) return kUnusable;
  const std::string device = CanonicalDevice(config);
  if (arguments.format == "text") return Print(device + "\n", kFine);
  report::Model answer;
  answer.set_canonical(device);
  return PrintMessage(answer, "model", arguments.format, kFine);
}

std::string OrDash(std::string text) { return text.empty() ? "-" : text; }

std::string Shown(const ModelDescription& model) {
  std::string text = StrCat(model.model, "\n");
  std::string_view label = "  versions    ";
  for (const ModelVersion& version : model.versions) {
    const bool latest = model.latest == version.number;
    StrAppend(&text, label, version.number, ": ",
              OrDash(Canonical({"", version.settings})),
              latest ? " (latest)\n" : "\n");
    label = "              ";
  }
  StrAppend(&text, "  new device  ", OrDash(Canonical(InitialConfig(model))),
            "\n");
  if (model.params.empty()) return text + "  no parameters\n";
  Table table("llllww");
  table.Row({"  PARAMETER", "TYPE", "INIT", "OFF", "ALLOWED", "DESCRIPTION"});
  for (const ModelParam& param : model.params) {
    table.Row({"  " + param.name, std::string(ToString(param.type)),
               Spell(param.init_value),
               param.off_value ? Spell(*param.off_value) : "-",
               param.AllowedText(), Printable(param.description)});
  }
  return text + table.Text();
}

ExitStatus Show(const Arguments& arguments) {
  OfferedModels offered;
  if (!Read(arguments.files[1], offered)) return kUnusable;
  if (arguments.json || arguments.format == "json")
    return Print(ToJson(offered), kFine);
  std::vector<std::string> models;
  for (const ModelDescription& model : offered.models) {
    models.push_back(Shown(model));
  }
  return Print(models.empty() ? "no models\n" : StrJoin(models, "\n"), kFine);
}

// What to set at a destination that takes it, a parameter each.
std::string Settings(const DeviceConfig& config) {
  std::vector<std::string> settings;
  for (const ParamSetting& setting : config.settings) {
    settings.push_back(StrCat(setting.name, "=", Spell(setting.value)));
  }
  return settings.empty() ? "nothing" : StrJoin(settings, ",");
}

void AddWhyNot(const Incompatible& why_not, report::ModelDestination& row) {
  row.set_reason(std::string(ToString(why_not.reason)));
  row.set_name(why_not.name);
  row.set_source(why_not.source);
  row.set_destination(why_not.destination);
  row.set_message(ToString(why_not));
}

ExitStatus Check(const Arguments& arguments) {
  const std::string& source = arguments.files[1];
  DeviceText text;
  DeviceConfig config;
  if (!arguments.source_models.empty()) {
    if (!ResolveBy(arguments.source_models, source, config)) return kUnusable;
  } else if (ConfigError error = ParseDevice(source, text); !error.ok()) {
    PrintError(StrCat(Printable(source), ": ", ToString(error)));
    return kUnusable;
  } else if (text.model.empty()) {
    PrintError(StrCat(source, ": column 1: which model?"));
    return kUnusable;
  }
  std::string spaces[2];
  if (!ReadConfigSpace(arguments.source_config, spaces[0]) ||
      !ReadConfigSpace(arguments.destination_config, spaces[1])) {
    return kUnusable;
  }
  const ConfigSpaces compared = {AsBytes(spaces[0]), AsBytes(spaces[1])};
  std::string lines;
  report::Model all;
  ExitStatus status = kFindings;
  for (size_t i = 2; i < arguments.files.size(); ++i) {
    OfferedModels offered;
    if (!Read(arguments.files[i], offered)) return kUnusable;
    Compatibility answer =
        arguments.source_models.empty()
            ? CheckCompatible(text, offered.models, compared)
            : CheckCompatible(config, offered.models, compared);
    report::ModelDestination& row = *all.add_destinations();
    row.set_file(Printable(arguments.files[i]));
    row.set_takes(!answer.why_not);
    StrAppend(&lines, row.file(), ": ");
    if (answer.why_not) {
      AddWhyNot(*answer.why_not, row);
      StrAppend(&lines, ToString(*answer.why_not), " [",
                ToString(answer.why_not->reason), "]\n");
    } else {
      StrAppend(&lines, "takes it; there, set ", Settings(answer.destination),
                "\n");
      for (const ParamSetting& setting : answer.destination.settings) {
        report::ModelSetting& set = *row.add_settings();
        set.set_name(setting.name);
        set.set_value(Spell(setting.value));
      }
      status = kFine;
    }
  }
  if (arguments.format == "text") return Print(lines, status);
  return PrintMessage(all, "model", arguments.format, status);
}

ExitStatus LintFiles(const Arguments& arguments) {
  OfferedModels offered, older;
  if (!Read(arguments.files[1], offered)) return kUnusable;
  if (arguments.files.size() > 2 && !Read(arguments.files[2], older)) {
    return kUnusable;
  }
  report::Model answer;
  ExitStatus status = kFine;
  auto add = [&](const ModelDescription& model) -> report::ModelFinding& {
    report::ModelFinding& row = *answer.add_findings();
    row.set_file(Printable(arguments.files[1]));
    row.set_model(model.model);
    return row;
  };
  for (const ModelDescription& model : offered.models) {
    for (const LintFinding& finding : Lint(model, Find(older, model.model))) {
      const LintRule& rule = finding.rule();
      if (rule.severity != Severity::kNote) status = kFindings;
      report::ModelFinding& row = add(model);
      row.set_param(finding.param);
      row.set_severity(std::string(ToString(rule.severity)));
      row.set_id(std::string(rule.name));
      row.set_message(finding.message);
      row.set_meaning(std::string(rule.meaning));
    }
  }
  for (const ModelDescription& model : older.models) {
    if (Find(offered, model.model) != nullptr) continue;
    report::ModelFinding& row = add(model);
    row.set_severity(std::string(ToString(Severity::kError)));
    row.set_id("model-gone");
    row.set_message("it was there before");
    row.set_meaning("its devices can no longer be migrated here");
    status = kFindings;
  }
  if (arguments.format != "text") {
    return PrintMessage(answer, "model", arguments.format, status);
  }
  std::string lines;
  for (const report::ModelFinding& row : answer.findings()) {
    StrAppend(&lines, row.file(), ": ", row.model(), ": ");
    if (!row.param().empty()) StrAppend(&lines, row.param(), ": ");
    if (row.severity() != ToString(Severity::kError)) {
      StrAppend(&lines, row.severity(), ": ");
    }
    StrAppend(&lines, row.message(), ": ", row.meaning(), " [", row.id(),
              "]\n");
  }
  return Print(lines, status);
}

struct Action {
  std::string_view name;
  size_t least;  // Files and texts behind it.
  size_t most;
  ExitStatus (*run)(const Arguments& arguments);
};

ExitStatus Describe(const Arguments& arguments) {
  Arguments stream = arguments;
  stream.files.erase(stream.files.begin());
  return DescribeModel(stream);
}

constexpr Action kActions[] = {
    {"check", 2, kAnyFiles, Check},       {"show", 1, 1, Show},
    {"canonical", 1, 2, Canonicalize},    {"lint", 1, 2, LintFiles},
    {"describe", 1, kAnyFiles, Describe},
};

const Action* FindAction(const Arguments& arguments) {
  if (arguments.files.empty()) return nullptr;
  for (const Action& action : kActions) {
    if (action.name == arguments.files[0]) return &action;
  }
  return nullptr;
}

std::string Misused(const Arguments& arguments) {
  const Action* action = FindAction(arguments);
  if (action == nullptr) {
    std::vector<std::string_view> names;
    for (const Action& each : kActions) names.push_back(each.name);
    return StrCat("model is followed by one of ", StrJoin(names, ", "));
  }
  const size_t given = arguments.files.size() - 1;
  if (given < action->least) return StrCat("model ", action->name, " of what?");
  if (given > action->most) {
    return StrCat("model ", action->name, " does not take '",
                  arguments.files.back(), "' as well");
  }
  struct Use {
    bool given;
    std::string_view option;
    std::string_view action;
  };
  const Use kUses[] = {
      {arguments.json, "--json", "show"},
      {!arguments.source_models.empty(), "--source", "check"},
      {!arguments.source_config.empty(), "--source-config", "check"},
      {!arguments.device.empty(), "--device", "describe"},
      {arguments.kernel.has_value(), "--kernel", "describe"},
  };
  const bool description = action->name == "show" || action->name == "describe";
  if (description && arguments.format != "text" && arguments.format != "json") {
    return StrCat("model ", action->name, " has no --format=", arguments.format,
                  ", but json");
  }
  for (const Use& use : kUses) {
    if (!use.given || use.action == action->name) continue;
    return StrCat(use.option, " is for model ", use.action);
  }
  return "";
}

ExitStatus Run(const Arguments& arguments) {
  return FindAction(arguments)->run(arguments);
}

const Option kOptions[] = {
    {"source", "FILE",
     "check: what the source's host offers. SOURCE is then\n"
     "what that says; without, what the destination's says",
     Set<&Arguments::source_models>},
    {"source-config",
     "FILE",
     "check: the device's config space, to be compared last\n"
     "with --destination-config, as a loader does",
     Set<&Arguments::source_config>,
     {},
     {},
     "destination-config"},
    {"destination-config",
     "FILE",
     "check: that of the destination's device (see extract\n"
     "--what=config)",
     Set<&Arguments::destination_config>,
     {},
     {},
     "source-config"},
    {"format", "FORMAT",
     "text, json or textproto; `migstream schema model` has the\n"
     "form. show and describe: json, the description itself",
     kFormatOption.set, kFormatOption.choices, "json"},
    kJsonStringsOption,
    {"json", "", "show: as --format=json", Set<&Arguments::json>},
    {"device", "IDSTR", "describe: which device, if there are several",
     Set<&Arguments::device>},
    {"kernel", "X.Y",
     "describe: the Linux that the device's host runs, and so\n"
     "what its driver reads",
     [](Arguments& arguments, const std::string& value) {
       arguments.kernel = ParseKernelRelease(value);
       return arguments.kernel
                  ? ""
                  : StrCat("--kernel is a release like 6.12, not '", value,
                           "'");
     }},
};

}  // namespace

const Verb kModelVerb = {
    "model",
    "check SOURCE DESTINATION...",
    "whether a destination can have a device, by descriptions in JSON",
    kAnyFiles,
    kOptions,
    Run,
    "show FILE\n"
    "       migstream model canonical FILE [CONFIG]\n"
    "       migstream model lint FILE [OLDER]\n"
    "       migstream model describe STREAM [CHANNEL]...",
    Misused,
    /*reads_stream=*/false};

}  // namespace migstream
