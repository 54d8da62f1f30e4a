#include "codec/report/report_builder.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "codec/device/dialect_detector.h"
#include "codec/qemu/configuration.h"
#include "codec/report/channel_report.h"
#include "codec/report/checks.h"
#include "codec/report/device_reports.h"
#include "codec/report/report_findings.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "flags/command.h"
#include "flags/machine_type.h"
#include "flags/release.h"

namespace migstream {
namespace {

// A report is read by people and scripts; none wants more.
constexpr int kMaxCommands = 100;
constexpr int kMaxOtherDevices = 1 << 16;

bool IsInputProblem(ErrorCode code) {
  return code == ErrorCode::kNotAStream || code == ErrorCode::kUnknownVersion ||
         code == ErrorCode::kReadFailed;
}

class ReportBuilder : public StreamVisitor {
 public:
  ReportBuilder(const ReportOptions& options, report::Report& report)
      : options_(options), report_(report), devices_(options, report) {}

  void OnConfiguration(const ConfigurationView& configuration) override {
    report_.set_machine_type(Printable(configuration.machine_type));
    for (const auto& subsection : configuration.subsections) {
      if (subsection.name == kCapabilitiesSubsection) {
        for (const auto& name : ParseCapabilities(subsection.payload)) {
          report_.add_capabilities(Printable(name));
          if (name == "mapped-ram") {
            bounds_.Saw(feature::kMappedRam, configuration.offset);
          }
        }
      } else if (subsection.name == kUuidSubsection) {
        std::optional<VmUuid> uuid = FindUuid(configuration);
        if (uuid) report_.set_uuid(UuidText(*uuid));
      }
    }
    if (Release release = MachineTypeRelease(configuration.machine_type)) {
      stream_.machine_type_release = release;
      bounds_.NotBefore(
          release, configuration.offset,
          StrCat("machine type ", Printable(configuration.machine_type)));
    }
  }

  void OnSection(const SectionView& section) override {
    CountSection(section.type);
    if (section.type == SectionType::kEnd) Switchover(section.offset);
    if (section.vfio) return devices_.OnSection(section);
    if (section.idstr == "block" && section.type == SectionType::kStart) {
      bounds_.Saw(feature::kBlockHandler, section.offset);
    }
  }

  void OnDeviceEvent(const SectionView& section, const Event& event) override {
    devices_.OnEvent(section, event);
  }

  void OnSectionEnd(const SectionView& section, uint64_t content_bytes,
                    bool footer) override {
    report_.set_footers(footer);
    if (section.idstr == "ram") {
      report::Switchover& switchover = *report_.mutable_switchover();
      if (switchover.offset() == 0) {
        switchover.set_ram_bytes_before(switchover.ram_bytes_before() +
                                        content_bytes);
      } else {
        switchover.set_ram_bytes_after(switchover.ram_bytes_after() +
                                       content_bytes);
      }
    }
    if (section.vfio || section.type != SectionType::kFull) return;
    if (report_.other_devices_size() >= kMaxOtherDevices) {
      report_.set_other_devices_omitted(report_.other_devices_omitted() + 1);
      return;
    }
    report::OtherDevice& device = *report_.add_other_devices();
    device.set_idstr(Printable(section.idstr));
    device.set_instance_id(section.instance_id);
    device.set_offset(section.offset);
    device.set_bytes(content_bytes);
    device.set_guessed(std::exchange(guessed_, false));
  }

  void OnCommand(const CommandView& command) override {
    if (report_.commands_size() < kMaxCommands) {
      report::Command& row = *report_.add_commands();
      row.set_offset(command.offset);
      row.set_name(ToString(command.command));
      row.set_bytes(command.data.size());
    }
    if (command.command == Command::kOpenReturnPath) stream_.return_path = true;
    // Without data it is for dirty bitmaps alone.
    if (command.command == Command::kPostcopyAdvise && !command.data.empty()) {
      stream_.postcopy_offset = command.offset;
    }
    if (command.command == Command::kSwitchoverStart) {
      Switchover(command.offset);
      bounds_.Saw(feature::kSwitchoverStart, command.offset);
    }
    if (command.command == Command::kEnableColo) {
      bounds_.Saw(feature::kEnableColo, command.offset);
    }
  }

  void OnEof(uint64_t offset) override {
    report_.set_complete(true);
    if (report_.switchover().offset() != 0) {
      report_.mutable_switchover()->set_bytes(offset + 1 -
                                              report_.switchover().offset());
    }
  }

  void OnDescription(uint64_t offset, ByteSpan json) override {
    report_.mutable_description()->set_offset(offset);
    report_.mutable_description()->set_bytes(json.size());
  }

  void OnFinding(const Finding& finding) override {
    guessed_ |= finding.id == "guessed-end";
    AddFinding(finding, report_);
  }

  DeviceReports& devices() { return devices_; }

  void Finish(const StreamReader& reader, const Error& error) {
    if (!error.ok()) {
      report_.set_complete(false);
      if (!IsInputProblem(error.code)) {
        AddFinding(
            {Severity::kError,
             error.code == ErrorCode::kTruncated ? "truncated" : "refused",
             error.offset, error.section,
             StrCat(error.reason, devices_.BeginOfCut(error))},
            report_);
      }
    }
    FinishRam(reader.ram());
    report_.set_target_page_bytes(reader.page_bytes());
    if (const VmDescription* description = reader.description()) {
      FinishDescription(*description);
    }
    FinishDialect();
    for (const Finding& finding : CheckReport(report_, devices_.facts(),
                                              stream_, devices_.detectors())) {
      AddPrintableFinding(finding, report_);
    }
  }

 private:
  // The guest is stopped from here on.
  void Switchover(uint64_t offset) {
    if (report_.switchover().offset() != 0) return;
    report_.mutable_switchover()->set_offset(offset);
  }

  void CountSection(SectionType type) {
    report::SectionCounts& counts = *report_.mutable_sections();
    using enum SectionType;
    if (type == kStart) counts.set_start(counts.start() + 1);
    if (type == kPart) counts.set_part(counts.part() + 1);
    if (type == kEnd) counts.set_end(counts.end() + 1);
    if (type == kFull) counts.set_full(counts.full() + 1);
  }

  void FinishRam(const RamStats& stats) {
    if (stats.total_bytes == 0 && stats.pages == 0) return;
    report::Ram& ram = *report_.mutable_ram();
    ram.set_total_bytes(stats.total_bytes);
    ram.set_pages(stats.pages);
    ram.set_zero_pages(stats.zero_pages);
    ram.set_xbzrle_pages(stats.xbzrle_pages);
    ram.set_compressed_pages(stats.compressed_pages);
    ram.set_multifd_flushes(stats.multifd_flushes);
    for (const RamBlock& block : stats.blocks) {
      report::RamBlock& row = *ram.add_blocks();
      row.set_name(Printable(block.name));
      row.set_used_bytes(block.used_bytes);
      row.set_page_bytes(block.page_bytes);
      if (block.has_address) row.set_address(block.address);
      if (block.pages_offset != 0) row.set_pages_offset(block.pages_offset);
    }
    if (stats.multifd_flushes != 0) {
      stream_.multifd_flush_offset = stats.first_multifd_flush;
      bounds_.Saw(feature::kMultifdFlush, stats.first_multifd_flush);
    }
    if (stats.compressed_pages != 0) {
      bounds_.Saw(feature::kCompressPage, stats.first_compressed_page);
    }
  }

  void FinishDescription(const VmDescription& description) {
    report_.mutable_description()->set_devices(description.devices.size());
    uint64_t offset = report_.description().offset();
    if (description.has_configuration) {
      bounds_.Saw(feature::kDescribedConfiguration, offset);
    } else if (!report_.machine_type().empty()) {
      bounds_.Saw(feature::kUndescribedConfiguration, offset);
    }
    if (description.null_marker != nullptr) {
      bounds_.Saw(*description.null_marker, offset);
    }
  }

  void FinishDialect() {
    const Dialect& chosen = *options_.reader.dialect;
    std::vector<DialectDetector>& detectors = devices_.detectors();
    std::vector<const Dialect*> rows;
    if (chosen.id != DialectId::kAuto) {
      rows = {&chosen};
      report_.add_evidence()->set_what("chosen by name");
      for (report::Device& device : *report_.mutable_devices()) {
        device.set_dialect(std::string(chosen.name));
      }
      detectors.clear();
    } else {
      rows = DetectDialects(bounds_, detectors);
      for (int i = 0; i < report_.devices_size(); ++i) {
        report_.mutable_devices(i)->set_dialect(detectors[i].Name());
      }
      DialectDetector stream;
      bounds_.Apply(stream);
      AddEvidence(stream);
      for (const DialectDetector& detector : detectors) AddEvidence(detector);
    }
    for (const Dialect* row : rows) {
      report_.add_dialects(std::string(row->name));
      report_.add_writers(std::string(row->writer));
    }
    report_.set_dialect(StrJoin(report_.dialects(), " or "));
  }

  // What devices have in common is said once.
  void AddEvidence(const DialectDetector& detector) {
    for (const DialectEvidence& evidence : detector.Evidence()) {
      bool known =
          std::any_of(report_.evidence().begin(), report_.evidence().end(),
                      [&](const report::Evidence& row) {
                        return row.what() == evidence.what;
                      });
      if (known || report_.evidence_size() >= kMaxNotes) continue;
      report::Evidence& row = *report_.add_evidence();
      row.set_offset(evidence.offset);
      row.set_what(evidence.what);
      row.set_contradiction(evidence.contradiction);
    }
  }

  const ReportOptions& options_;
  report::Report& report_;
  DeviceReports devices_;
  StreamFacts stream_;
  ReleaseBounds bounds_;
  bool guessed_ = false;  // The end of the section that is read.
};

}  // namespace

Error BuildReport(ByteSource& source, const ReportOptions& options,
                  report::Report& report) {
  return BuildReport(source, {}, options, report);
}

Error BuildReport(ByteSource& source,
                  std::vector<ChannelReader::Channel> channels,
                  const ReportOptions& options, report::Report& report) {
  report.set_stream_offset(source.offset());
  ReportBuilder builder(options, report);
  StreamReader reader(source, builder, options.reader);
  Error error = reader.Read();
  builder.devices().OnMainRead(reader);
  if (error.code == ErrorCode::kTruncated) {
    builder.devices().TakeBackMissing(error.offset);
  }
  Error unreadable;
  if (!channels.empty()) {
    unreadable = ReportChannels(
        std::move(channels), ChannelOptionsOf(reader, *options.reader.dialect),
        builder.devices(), report);
  }
  report.set_bytes(source.offset() - report.stream_offset());
  builder.Finish(reader, error);
  return error.ok() ? unreadable : error;
}

bool HasFindings(const report::Report& report) {
  return std::any_of(report.findings().begin(), report.findings().end(),
                     [](const report::Finding& finding) {
                       return finding.severity() != ToString(Severity::kNote);
                     });
}

}  // namespace migstream
