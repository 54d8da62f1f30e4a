#include "codec/report/verdict.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "codec/report/finding_ids.h"
#include "codec/wire/finding.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

constexpr std::string_view kError = "error";
constexpr std::string_view kWarning = "warning";

// What follows from something else that was found.
constexpr std::string_view kConsequences[] = {
    "config-missing",     "end-missing", "multifd-device-state",
    "multifd-incomplete", "multifd-ram", "ram-missing"};

// A compressed file that is damaged explains whatever else is found in it.
constexpr std::string_view kFirstCause = "file-damaged";

// The order of findings: the least comes first.
std::array<uint64_t, 4> Rank(const report::Finding& finding) {
  const bool consequence =
      std::find(std::begin(kConsequences), std::end(kConsequences),
                finding.id()) != std::end(kConsequences);
  return {finding.severity() == kError     ? 0u
          : finding.severity() == kWarning ? 1u
                                           : 2u,
          finding.id() == kFirstCause ? 0u
          : consequence               ? 2u
                                      : 1u,
          finding.file().empty() ? 0u : 1u, finding.offset()};
}

std::string Counted(uint64_t count, std::string_view what) {
  return StrCat(count, " ", what, count == 1 ? "" : "s");
}

class VerdictMaker {
 public:
  VerdictMaker(const report::Report& report, report::Check& check)
      : report_(report), check_(check), verdict_(*check.mutable_verdict()) {
    if (check.findings_size() != 0) first_ = &check.findings(0);
  }

  void Make() {
    Count();
    if (report_.has_payload()) return MakeOfPayload();
    FindPhase();
    FindDevices();
    verdict_.set_outcome(Outcome());
    verdict_.set_text(Text());
    verdict_.set_next(Next());
  }

 private:
  bool Is(std::string_view severity) const {
    return first_ != nullptr && first_->severity() == severity;
  }

  void Count() {
    auto count = [this](std::string_view severity, uint64_t number) {
      if (severity == kError) {
        verdict_.set_errors(verdict_.errors() + number);
      } else if (severity == kWarning) {
        verdict_.set_warnings(verdict_.warnings() + number);
      } else {
        verdict_.set_notes(verdict_.notes() + number);
      }
    };
    for (const report::Finding& finding : check_.findings()) {
      count(finding.severity(), 1);
    }
    for (const report::OmittedFindings& more : check_.omitted_findings()) {
      count(more.severity(), more.count());
    }
  }

  void MakeOfPayload() {
    const bool sound = first_ == nullptr || !(Is(kError) || Is(kWarning));
    verdict_.set_phase("end");
    verdict_.set_outcome(sound ? "sound" : Is(kError) ? "refused" : "loads");
    verdict_.set_text(sound ? "sound, as far as its driver's format is known"
                      : Is(kError)
                          ? "the destination's driver refuses this payload"
                          : "the payload loads, but not as it was meant");
    if (!sound) verdict_.set_next(Advice());
  }

  bool HasCommand(std::string_view name) const {
    return std::any_of(
        report_.commands().begin(), report_.commands().end(),
        [&](const report::Command& row) { return row.name() == name; });
  }

  void FindPhase() {
    const report::SectionCounts& sections = report_.sections();
    const uint64_t stopped = report_.switchover().offset();
    verdict_.set_guest_stopped(stopped != 0);
    if (stopped != 0) verdict_.set_stopped_at(stopped);
    verdict_.set_phase(
        report_.complete()                                          ? "end"
        : sections.start() + sections.full() == 0                   ? "header"
        : first_ != nullptr && first_->section() == "VMDESCRIPTION" ? "end"
        : HasCommand("POSTCOPY_RUN")                                ? "postcopy"
        : stopped != 0                           ? "stop-copy"
        : sections.part() + sections.full() == 0 ? "setup"
                                                 : "pre-copy");
  }

  void FindDevices() {
    for (const report::Device& device : report_.devices()) {
      report::DeviceState& state = *verdict_.add_devices();
      state.set_idstr(device.idstr());
      state.set_elsewhere(device.multifd_device_state() &&
                          !device.multifd_read() &&
                          report_.channels_size() == 0);
      const bool in_it = first_ != nullptr && !report_.complete() &&
                         first_->section().starts_with(device.idstr());
      state.set_data_whole(
          device.has_payload()
              ? device.payload().whole()
              : device.multifd_read() ||
                    (device.stop_copy().sections() != 0 && !in_it));
      state.set_config_whole(device.config().bytes() != 0 && !in_it);
    }
  }

  std::string Outcome() const {
    if (!Is(kError)) return Is(kWarning) ? "loads" : "sound";
    if (report_.complete() && first_->id() != kFirstCause) {
      return first_->id() == "truncated" ? "cut" : "refused";
    }
    return first_->id() == "truncated" ? "cut" : "damaged";
  }

  // The names of those for which `is` holds; empty if for none.
  template <typename Predicate>
  std::string Named(std::string_view what, Predicate is) const {
    constexpr size_t kMost = 4;
    std::vector<std::string> names;
    size_t count = 0;
    for (const report::DeviceState& device : verdict_.devices()) {
      if (is(device) && ++count <= kMost) names.push_back(device.idstr());
    }
    if (count == 0) return "";
    if (count > kMost) {
      names.resize(1);
      names.push_back(StrCat(count - 1, " more"));
    }
    return StrCat(what, ": ", StrJoin(names, ", "));
  }

  std::string Devices() const {
    if (verdict_.devices_size() == 0) {
      return verdict_.phase() == "end" ? "no VFIO device"
                                       : "no VFIO device up to there";
    }
    std::vector<std::string> groups;
    auto add = [&](std::string text) {
      if (!text.empty()) groups.push_back(std::move(text));
    };
    add(Named("data and config whole", [](const report::DeviceState& d) {
      return d.data_whole() && d.config_whole();
    }));
    add(Named("data whole, config missing", [](const report::DeviceState& d) {
      return !d.elsewhere() && d.data_whole() && !d.config_whole();
    }));
    add(Named("data incomplete", [](const report::DeviceState& d) {
      return !d.elsewhere() && !d.data_whole();
    }));
    add(Named("on channels that were not given",
              [](const report::DeviceState& d) { return d.elsewhere(); }));
    return StrJoin(groups, "; ");
  }

  std::string Phase() const {
    const std::string& phase = verdict_.phase();
    if (phase == "header") return "before the first section";
    if (phase == "setup") return "in setup, before the guest was stopped";
    if (phase == "pre-copy") return "in pre-copy, before the guest was stopped";
    if (phase == "postcopy") {
      return "in postcopy, when the guest ran at the destination";
    }
    if (phase == "stop-copy") {
      return StrCat("in stop-copy, with the guest stopped since ",
                    Hex(verdict_.stopped_at()));
    }
    return "in the description, behind all devices";
  }

  std::string Text() const {
    const std::string& outcome = verdict_.outcome();
    if (outcome == "sound") return StrCat("sound; ", Devices());
    if (outcome == "loads") {
      return StrCat(
          "whole, but not as a release writes it, or something is "
          "lost; ",
          Devices());
    }
    if (outcome == "refused") {
      return StrCat("whole, but a loader refuses it; ", Devices());
    }
    if (report_.complete()) {
      return StrCat(outcome, ", though the main channel is whole; ", Devices());
    }
    return StrCat(outcome, " ", Phase(), "; ", Devices());
  }

  std::string Advice() const {
    const FindingKind* kind = FindFinding(first_->id());
    return kind == nullptr ? "" : std::string(kind->advice);
  }

  std::string Next() const {
    const std::string& outcome = verdict_.outcome();
    if (outcome == "sound") return "";
    if (first_->id() == kFirstCause || report_.complete()) return Advice();
    if (verdict_.phase() == "end") {
      return "load it: no loader looks at the description";
    }
    if (outcome == "damaged") {
      return "compare this file with the source's copy, or capture it again";
    }
    if (verdict_.phase() == "postcopy") {
      return "recover the postcopy migration (migrate-recover)";
    }
    if (verdict_.guest_stopped()) {
      return "do not start a destination from it; a source that still lives "
             "resumes its guest: read its log, then migrate or save again";
    }
    return "the guest runs on at the source: read its log, then migrate or "
           "save again";
  }

  const report::Report& report_;
  report::Check& check_;
  report::Verdict& verdict_;
  const report::Finding* first_ = nullptr;
};

}  // namespace

report::Check MakeCheck(const report::Report& report) {
  report::Check check;
  check.set_file(report.file());
  std::vector<const report::Finding*> order;
  for (const report::Finding& finding : report.findings()) {
    order.push_back(&finding);
  }
  std::stable_sort(
      order.begin(), order.end(),
      [](const auto* a, const auto* b) { return Rank(*a) < Rank(*b); });
  for (const report::Finding* finding : order) {
    report::Finding& row = *check.add_findings();
    row = *finding;
    const FindingKind* kind = FindFinding(finding->id());
    if (kind != nullptr) row.set_advice(std::string(kind->advice));
  }
  *check.mutable_omitted_findings() = report.omitted_findings();
  VerdictMaker(report, check).Make();
  return check;
}

std::string CountsText(const report::Verdict& verdict) {
  std::vector<std::string> counts;
  if (verdict.errors() != 0)
    counts.push_back(Counted(verdict.errors(), "error"));
  if (verdict.warnings() != 0) {
    counts.push_back(Counted(verdict.warnings(), "warning"));
  }
  if (verdict.notes() != 0) counts.push_back(Counted(verdict.notes(), "note"));
  return counts.empty() ? "no findings" : StrJoin(counts, ", ");
}

}  // namespace migstream
