#include "codec/loader/every_loader.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "codec/loader/loader_configuration.h"
#include "codec/loader/loader_handlers.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "flags/machine_type.h"
#include "flags/release.h"

namespace migstream {
namespace {

constexpr size_t kReleaseCount = std::size(kReleases);

const LoaderRow& RowOf(size_t number) {
  return *FindLoader(kReleases[number].release);
}

bool TakesSameCommands(const LoaderRow& a, const LoaderRow& b) {
  return a.last_command == b.last_command && a.colo == b.colo &&
         a.savevm_words == b.savevm_words;
}

// The type, the number, the length.
constexpr uint64_t kCommandHeadBytes = 5;

}  // namespace

EveryLoader::EveryLoader(const StreamLimits& limits)
    : limits_(limits),
      left_((Releases{1} << kReleaseCount) - 1),
      pages_(RowOf(0), limits_) {
  for (size_t i = 0; i < kReleaseCount; ++i) {
    const LoaderRow& row = RowOf(i);
    if (i == 0 || !TakesSameCommands(RowOf(i - 1), row)) {
      commands_.push_back({.commands = LoaderCommands(row)});
    }
    commands_.back().releases |= Releases{1} << i;
  }
}

template <typename Judge>
void EveryLoader::Ask(std::string_view section, Judge judge) {
  // The newest is asked last, and its words are the ones that stay.
  for (size_t i = 0; i < kReleaseCount; ++i) {
    const Releases bit = Releases{1} << i;
    if ((left_ & bit) == 0) continue;
    if (std::optional<LoaderRefusal> refusal = judge(RowOf(i))) {
      Lose(bit, section, *refusal);
    }
  }
}

void EveryLoader::Lose(Releases bits, std::string_view section,
                       const LoaderRefusal& refusal) {
  bits &= left_;
  if (bits == 0) return;
  left_ &= ~bits;
  if (left_ != 0) return;
  size_t newest = kReleaseCount - 1;
  while ((bits >> newest & 1) == 0) --newest;
  refusal_ = Finding{
      Severity::kError, "unloadable", refusal.offset, std::string(section),
      StrCat("no release takes it; ", ReleaseName(kReleases[newest].release),
             " would say: ", Printable(refusal.message))};
}

void EveryLoader::OnConfiguration(const ConfigurationView& configuration) {
  // What later releases do is not known here.
  const Release machine = MachineTypeRelease(configuration.machine_type);
  if (machine > std::rbegin(kReleases)->release) return;
  Ask("CONFIGURATION", [&](const LoaderRow& row) {
    return CheckConfiguration(configuration, {}, row);
  });
}

void EveryLoader::OnSection(const SectionView& section) {
  EndPackage(section.offset);
  if (section.idstr != "ram") return;
  ram_type_ = section.type;
}

std::string EveryLoader::RamSection() const {
  return StrCat("ram ", ToString(ram_type_));
}

void EveryLoader::OnCommand(const CommandView& command) {
  EndPackage(command.offset);
  // What no release knows is a finding of the reader's.
  if (left_ == 0 || command.command > kLastCommand) return;
  const std::string section = StrCat("COMMAND ", ToString(command.command));
  for (Commands& each : commands_) {
    if ((each.releases & left_) == 0) continue;
    auto refusal = each.commands.Judge(command.offset, command.command,
                                       command.data, std::nullopt);
    if (refusal) Lose(each.releases, section, *refusal);
    if (package_end_ != 0 && each.commands.postcopy_running()) {
      package_end_ = 0;
    }
  }
  if (command.command == Command::kPackaged && command.data.size() >= 4) {
    package_end_ = command.offset + kCommandHeadBytes + command.data.size() +
                   LoadBe32(command.data.data());
  }
}

// A package that is over without POSTCOPY_RUN or EOF.
void EveryLoader::EndPackage(uint64_t offset) {
  if (package_end_ == 0 || offset < package_end_) return;
  const uint64_t end = std::exchange(package_end_, 0);
  Lose(left_, "COMMAND PACKAGED", {end, "Input/output error"});
}

void EveryLoader::OnEof(uint64_t offset) {
  EndPackage(offset);
  package_end_ = 0;
}

void EveryLoader::OnRamRecord(const RamRecordView& record) {
  const uint64_t kind = record.flags & kTellingRecords;
  Ask(RamSection(), [&](const LoaderRow& row) -> std::optional<LoaderRefusal> {
    if ((row.ram_records & kind) != 0) return std::nullopt;
    return LoaderRefusal{
        record.offset,
        StrCat("Unknown combination of migration flags: ", Hex(record.flags))};
  });
}

void EveryLoader::OnPagePayload(const RamRecordView& record, ByteSpan payload) {
  if (left_ == 0 || payload.size() < record.payload_bytes) return;
  // Releases differ only in what they say to zero pages.
  std::string problem;
  const bool zero = (record.flags & kRamZero) != 0;
  if (!zero) {
    problem = pages_.PageProblem(record.flags, payload, record.page_bytes,
                                 RowOf(kReleaseCount - 1));
    if (problem.empty()) return;
  }
  Ask(RamSection(), [&](const LoaderRow& row) -> std::optional<LoaderRefusal> {
    if (zero) {
      problem =
          pages_.PageProblem(record.flags, payload, record.page_bytes, row);
    }
    if (problem.empty()) return std::nullopt;
    return LoaderRefusal{record.offset, problem};
  });
}

std::vector<Finding> EveryLoader::Finish(const CameSections& came,
                                         const VmDescription* description) {
  std::vector<Finding> found;
  LoaderHandlers handlers;
  handlers.Describe(description);
  LoaderRefusal first = {.offset = UINT64_MAX, .message = {}};
  std::string section;
  auto refuse = [&](const std::string& name, LoaderRefusal refusal) {
    if (refusal.offset >= first.offset) return;
    first = std::move(refusal);
    section = name;
  };
  const LoaderRow& row = RowOf(kReleaseCount - 1);
  for (const auto& [key, section_that_came] : came) {
    LoaderHandler handler;
    handler.idstr = key.first;
    handler.instance_id = key.second;
    handler.version_id = section_that_came.version_id;
    const uint64_t at = section_that_came.offset;
    const std::string name = Printable(handler.idstr);
    LoaderVersions versions;
    // Other names may be the description's fault; they are missing there.
    if (!handlers.Exists(handler, SectionType::kFull, versions) &&
        (handler.vfio || handler.idstr == "ram")) {
      refuse(name, {at, StrCat("Unknown section or instance '", handler.idstr,
                               "' ", handler.instance_id)});
    } else if (handler.vfio || handler.idstr == "ram") {
      continue;  // Their versions are findings of the reader's.
    } else if (handler.older) {
      found.push_back(
          {Severity::kWarning, "section-older", at, name,
           StrCat("version ", handler.version_id,
                  ", and the description gives ", *versions.newest)});
    } else if (auto refusal = CheckVersion(handler, versions, at, row)) {
      refuse(name, *std::move(refusal));
    }
  }
  std::sort(found.begin(), found.end(), [](const Finding& a, const Finding& b) {
    return a.offset < b.offset;
  });
  if (first.offset != UINT64_MAX) Lose(left_, section, first);
  if (refusal_) found.insert(found.begin(), *refusal_);
  return found;
}

}  // namespace migstream
