#include "inspect/loader_table.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/channels/channel_reader.h"
#include "codec/io/byte_source.h"
#include "codec/loader/loader_row.h"
#include "codec/report/report.pb.h"
#include "codec/rewrite/rewrite.h"
#include "codec/wire/error.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "flags/dialect.h"
#include "flags/qemu_version.h"
#include "flags/release.h"
#include "inspect/inputs.h"
#include "inspect/json_output.h"
#include "inspect/table.h"
#include "inspect/terminal.h"

namespace migstream {
namespace {

// Texts of which each is printed once, by a number from 1 on.
class Notes {
 public:
  std::string Number(const std::string& text) {
    auto found = std::find(texts_.begin(), texts_.end(), text);
    if (found == texts_.end()) found = texts_.insert(found, text);
    return StrCat(found - texts_.begin() + 1);
  }

  std::string Text() const {
    std::string all;
    for (size_t i = 0; i < texts_.size(); ++i) {
      std::string label = StrCat("[", i + 1, "] ");
      if (label.size() < kIndent) label.resize(kIndent, ' ');
      StrAppend(&all, WrappedLines(label + texts_[i], TableColumns(), kIndent),
                "\n");
    }
    return all;
  }

 private:
  static constexpr size_t kIndent = 5;
  std::vector<std::string> texts_;
};

// The same words for all releases that say the same.
std::string WithoutName(std::string text, Release release) {
  const std::string name = ReleaseName(release);
  for (size_t at; (at = text.find(name)) != std::string::npos;) {
    text.replace(at, name.size(), "the release");
  }
  return text;
}

struct ReleaseVerdict {
  Release release;
  LoadVerdict verdict;
};

// One release's, of files that are opened anew; nothing, with a message, if
// that cannot be.
std::optional<LoadVerdict> AskOne(const RewriteInput& input,
                                  const std::string& file,
                                  const LoaderOptions& options) {
  std::vector<std::unique_ptr<ByteSource>> sources = {};
  std::vector<ChannelReader::Channel> channels;
  auto open = [&](const std::string& name, const Reopen& reopen) {
    sources.push_back(reopen());
    if (!sources.back()) {
      PrintError(StrCat(name,
                        ": it can be read only once, and each release reads "
                        "it anew"));
    }
    return sources.back().get();
  };
  ByteSource* main = open(file, input.main);
  if (main == nullptr) return std::nullopt;
  for (const RewriteInput::Channel& channel : input.channels) {
    channels.push_back({channel.name, open(channel.name, channel.open)});
    if (channels.back().source == nullptr) return std::nullopt;
  }
  LoadVerdict verdict = PredictLoad(*main, std::move(channels), options);
  if (verdict.outcome != LoadVerdict::kUnreadable) return verdict;
  PrintError(StrCat(Printable(file), ": ", verdict.message));
  return std::nullopt;
}

// What every release that loads it takes for given.
std::vector<std::string> CommonGiven(
    const std::vector<ReleaseVerdict>& verdicts) {
  std::optional<std::vector<std::string>> common;
  for (const ReleaseVerdict& each : verdicts) {
    const std::vector<std::string>& own = each.verdict.given;
    if (each.verdict.outcome != LoadVerdict::kLoads) continue;
    if (!common) common = own;
    std::erase_if(*common, [&own](const std::string& given) {
      return std::find(own.begin(), own.end(), given) == own.end();
    });
  }
  return common.value_or(std::vector<std::string>());
}

std::string VerdictTable(const std::string& file,
                         const std::vector<ReleaseVerdict>& verdicts) {
  const std::vector<std::string> common = CommonGiven(verdicts);
  Notes notes;
  Table table("lllll");
  table.Row({"RELEASE", "VERDICT", "OFFSET", "WHY", ""});
  for (const auto& [release, verdict] : verdicts) {
    const bool loads = verdict.outcome == LoadVerdict::kLoads;
    std::string why;
    if (loads) {
      for (const std::string& given : verdict.given) {
        if (std::find(common.begin(), common.end(), given) != common.end()) {
          continue;
        }
        StrAppend(&why, why.empty() ? "" : ",",
                  notes.Number(StrCat("given ", given)));
      }
    } else {
      why = notes.Number(
          WithoutName(StrCat(verdict.file.empty() || verdict.file == file
                                 ? ""
                                 : Printable(verdict.file) + ": ",
                             verdict.section, ": ", Printable(verdict.message)),
                      release));
    }
    table.Row({ReleaseName(release),
               !loads        ? verdict.outcome == LoadVerdict::kWaits
                                   ? "waits for ever"
                                   : "refuses"
               : why.empty() ? "loads"
                             : "loads if",
               loads ? "" : Hex(verdict.offset),
               why.empty() ? "" : StrCat("[", why, "]"),
               release == kNextRelease.release ? "(in development)" : ""});
  }
  std::string text = StrCat(table.Text(), notes.Text());
  if (!common.empty()) {
    StrAppend(&text, "Given, wherever it loads:\n");
    for (const std::string& given : common) {
      StrAppend(&text, WrappedLines("  " + given, TableColumns(), 4), "\n");
    }
  }
  return text;
}

// "2.4"
std::string NumberOf(Release release) { return ReleaseName(release).substr(5); }

std::string LoaderList() {
  Table table("lll");
  table.Row({"RELEASE", "", "WHAT"});
  Release before = 0;
  for (const LoaderRow& row : AllLoaders()) {
    std::string name = ReleaseName(row.release);
    auto add = [&](const char* how, std::string what) {
      table.Row({std::move(name), how, std::move(what)});
      name.clear();
    };
    for (const Feature* feature : feature::kAll) {
      const bool was = before != 0 && feature->In(before);
      if (feature->In(row.release) == was) continue;
      add(was           ? "no longer"
          : before == 0 ? "has"
                        : "new",
          std::string(feature->name));
    }
    const LoaderRow* last = before == 0 ? nullptr : FindLoader(before);
    if (last == nullptr ||
        last->oldest_machine_type != row.oldest_machine_type) {
      add("from",
          StrCat("machine types of ", NumberOf(row.oldest_machine_type)));
    }
    for (bool multifd : {false, true}) {
      const Dialect& dialect = LoaderDialect(row.release, multifd);
      if (multifd && !dialect.multifd_device_state) continue;
      if (last != nullptr && &dialect == &LoaderDialect(before, multifd)) {
        continue;
      }
      add("takes", StrCat("VFIO sections of dialect ", dialect.name));
    }
    if (!name.empty()) add("", "as before");
    before = row.release;
  }
  return StrCat(table.Text(), ReleaseName(kNextRelease.release),
                " is in development.\n");
}

}  // namespace

bool LoaderOptionsOf(const Arguments& arguments, LoaderOptions& options) {
  options.release = arguments.loader;
  options.stable = arguments.stable;
  options.machine_type = arguments.machine_type;
  options.any_machine_type = arguments.past_machine_type;
  options.page_bytes = arguments.page_bytes;
  auto set = [](const std::string& value) {
    return value.empty()   ? LoaderOptions::kAsNeeded
           : value == "on" ? LoaderOptions::kOn
                           : LoaderOptions::kOff;
  };
  options.switchover_ack = set(arguments.switchover_ack);
  options.multifd_transfer = set(arguments.multifd_device_state);
  options.load_config_after_iter = set(arguments.load_config_after_iter);
  return ReadConfigSpace(arguments.destination_config,
                         options.destination_config);
}

ExitStatus AskAllLoaders(const Arguments& arguments) {
  LoaderOptions options;
  if (!LoaderOptionsOf(arguments, options)) return kUnusable;
  Inputs inputs = OpenInputs(arguments);
  if (!inputs.main) return kUnusable;
  options.destination_device = inputs.device;
  const RewriteInput input = inputs.Reopenable(true);
  std::vector<ReleaseVerdict> verdicts;
  size_t loading = 0;
  for (const LoaderRow& row : AllLoaders()) {
    options.release = row.release;
    std::optional<LoadVerdict> verdict = AskOne(input, inputs.file, options);
    if (!verdict) return kUnusable;
    loading += verdict->outcome == LoadVerdict::kLoads;
    verdicts.push_back({row.release, *std::move(verdict)});
  }
  if (loading != verdicts.size()) {
    SayContainerDamage(inputs, Error(ErrorCode::kTruncated, 0));
  }
  const ExitStatus status = loading != 0 ? kFine : kFindings;
  if (arguments.format != "text") {
    report::Check check;
    check.set_file(Printable(inputs.file));
    for (const auto& [release, verdict] : verdicts) {
      AddLoad({release}, verdict, check);
    }
    return PrintMessage(check, "check", arguments.format, status);
  }
  return Print(
      StrCat(Printable(inputs.file), ": ", loading, " of ", verdicts.size(),
             " releases would load it\n", VerdictTable(inputs.file, verdicts)),
      status);
}

void AddLoad(const QemuVersion& version, const LoadVerdict& verdict,
             report::Check& check) {
  report::Load& load = *check.add_loads();
  load.set_release(ToString(version));
  load.set_in_development(version.release == kNextRelease.release);
  switch (verdict.outcome) {
    case LoadVerdict::kLoads:
      load.set_outcome("loads");
      break;
    case LoadVerdict::kRefuses:
      load.set_outcome("refuses");
      break;
    case LoadVerdict::kWaits:
      load.set_outcome("waits");
      break;
    case LoadVerdict::kUnreadable:
      break;
  }
  load.set_offset(verdict.offset);
  load.set_section(Printable(verdict.section));
  load.set_message(Printable(verdict.message));
  load.set_file(Printable(verdict.file));
  for (const std::string& given : verdict.given) load.add_given(given);
}

ExitStatus PrintLoaderList(const Arguments& arguments) {
  if (arguments.format == "text") return Print(LoaderList(), kFine);
  report::Check check;
  Release before = 0;
  for (const LoaderRow& row : AllLoaders()) {
    report::KnownRelease& known = *check.add_releases();
    known.set_release(ReleaseName(row.release));
    known.set_in_development(row.release == kNextRelease.release);
    for (const Feature* feature : feature::kAll) {
      const bool was = before != 0 && feature->In(before);
      if (feature->In(row.release) == was) continue;
      (was ? known.add_lost() : known.add_gained())->assign(feature->name);
    }
    known.set_oldest_machine_type(NumberOf(row.oldest_machine_type));
    for (bool multifd : {false, true}) {
      const Dialect& dialect = LoaderDialect(row.release, multifd);
      if (multifd && !dialect.multifd_device_state) continue;
      known.add_dialects(std::string(dialect.name));
    }
    before = row.release;
  }
  return PrintMessage(check, "check", arguments.format, kFine);
}

}  // namespace migstream
