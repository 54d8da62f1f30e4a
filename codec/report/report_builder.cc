#include "codec/report/report_builder.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codec/device/dialect_detector.h"
#include "codec/loader/every_loader.h"
#include "codec/qemu/configuration.h"
#include "codec/report/checks.h"
#include "codec/report/device_reports.h"
#include "codec/report/report.pb.h"
#include "codec/report/report_findings.h"
#include "codec/survey/stream_survey.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "flags/command.h"

namespace migstream {
namespace {

// A report is read by people and scripts; none wants more.
constexpr int kMaxCommands = 100;
constexpr int kMaxEvidence = 1000;
constexpr int kMaxOtherDevices = 1 << 16;

bool IsInputProblem(ErrorCode code) {
  return code == ErrorCode::kNotAStream || code == ErrorCode::kUnknownVersion ||
         code == ErrorCode::kReadFailed;
}

class ReportBuilder : public StreamVisitor {
 public:
  ReportBuilder(const ReportOptions& options, report::Report& report)
      : options_(options),
        report_(report),
        devices_(options, survey_, report) {}

  bool wants_payload() const override { return options_.payloads; }
  uint64_t unwanted_payload() const override {
    return options_.payloads ? devices_.unwanted_payload() : UINT64_MAX;
  }
  void OnPayloadSkipped(uint64_t count) override {
    devices_.OnPayloadSkipped(count);
  }

  bool wants_page_payloads() const override { return true; }
  void OnConfiguration(const ConfigurationView& configuration) override {
    loaders_.OnConfiguration(configuration);
  }
  void OnRamRecord(const RamRecordView& record) override {
    if ((record.flags & EveryLoader::kTellingRecords) != 0) {
      loaders_.OnRamRecord(record);
    }
  }
  void OnPagePayload(const RamRecordView& record, ByteSpan payload) override {
    loaders_.OnPagePayload(record, payload);
  }

  void OnSection(const SectionView& section) override {
    loaders_.OnSection(section);
    CountSection(section.type);
    if (section.type == SectionType::kEnd) Switchover(section.offset);
    if (section.idstr == "ram") {
      const bool named = section.type == SectionType::kStart ||
                         section.type == SectionType::kFull;
      ram_content_ =
          section.offset + 5 + (named ? 9 + section.idstr.size() : 0);
    }
    if (section.vfio) devices_.OnSection(section);
  }

  void OnDeviceEvent(const SectionView& section, const Event& event) override {
    devices_.OnEvent(section, event);
  }

  void OnSectionEnd(const SectionView& section, uint64_t content_bytes,
                    bool footer) override {
    report_.set_footers(footer);
    if (ram_content_) EndRam(*ram_content_ + content_bytes);
    const bool guessed = std::exchange(guessed_, false);
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
    device.set_guessed(guessed);
  }

  bool takes_runs() const override {
    return !options_.records && !options_.on_record;
  }
  void OnEmptyParts(const EmptyParts& parts) override {
    CountParts(parts.section, parts.count, parts.footer);
    if (parts.section.vfio) return devices_.OnSection(parts.section);
    AddRam(parts.count * EmptyParts::kContentBytes);
  }
  void OnDeviceRecords(const SectionView& section,
                       const DeviceRecords& records) override {
    devices_.OnRecords(section, records);
  }
  void OnDataParts(const DataParts& parts) override {
    CountParts(parts.section, parts.records.payloads.size(), parts.footer);
    devices_.OnSection(parts.section);
    devices_.OnRecords(parts.section, parts.records);
  }

  void OnGap(const StreamGap& gap) override { EndRam(gap.from); }

  void OnCommand(const CommandView& command) override {
    loaders_.OnCommand(command);
    if (report_.commands_size() < kMaxCommands) {
      report::Command& row = *report_.add_commands();
      row.set_offset(command.offset);
      row.set_name(ToString(command.command));
      row.set_bytes(command.data.size());
    }
    if (command.command == Command::kSwitchoverStart) {
      Switchover(command.offset);
    }
  }

  void OnEof(uint64_t offset) override {
    loaders_.OnEof(offset);
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
    guessed_ |=
        finding.id == "guessed-end" || finding.id == "description-wrong";
    AddFinding(finding, report_);
  }

  // The main channel. The error is its, or that a channel cannot be read.
  Error Read(ByteSource& source, std::vector<ChannelReader::Channel> channels) {
    report_.set_stream_offset(source.offset());
    Error error = survey_.Read(source);
    if (!error.ok()) EndRam(std::min(error.offset, source.offset()));
    devices_.OnMainEnd();
    Error unreadable;
    report_.set_channels_complete(channels.empty());
    if (!channels.empty()) unreadable = ReadChannels(std::move(channels));
    report_.set_bytes(source.offset() - facts_.trailing_bytes -
                      report_.stream_offset());
    Finish();
    return error.ok() ? unreadable : error;
  }

 private:
  void CountParts(const SectionView& section, uint64_t count, bool footer) {
    loaders_.OnSection(section);
    report::SectionCounts& counts = *report_.mutable_sections();
    counts.set_part(counts.part() + count);
    report_.set_footers(footer);
  }

  // What is wrong is a finding; an error only if a channel could not be read.
  Error ReadChannels(std::vector<ChannelReader::Channel> channels) {
    const std::vector<ChannelReader::Channel> paddable = channels;
    Error error = survey_.ReadChannels(
        std::move(channels),
        [this](const ReassembledPiece& piece) { devices_.OnPiece(piece); });
    for (const ChannelStats& channel : facts_.channels) {
      report::Channel& row = *report_.add_channels();
      row.set_file(Printable(channel.file));
      row.set_id(channel.id);
      row.set_bytes(channel.bytes);
      row.set_ram_packets(channel.ram_packets);
      row.set_sync_packets(channel.sync_packets);
      row.set_normal_pages(channel.normal_pages);
      row.set_zero_pages(channel.zero_pages);
      row.set_device_packets(channel.device_packets);
    }
    for (const ChannelReader::Channel& channel : paddable) {
      const uint64_t bytes = channel.source->padding_bytes();
      if (bytes == 0) continue;
      AddFinding({Severity::kNote, "trailing-bytes", channel.source->offset(),
                  "channel", StrCat(bytes, " bytes follow the compressed data"),
                  channel.name},
                 report_);
    }
    if (error.code == ErrorCode::kReadFailed) return error;
    const bool damaged = !error.ok();
    if (!damaged) error = facts_.missing_channels;
    report_.set_channels_complete(error.ok());
    if (!error.ok()) {
      AddFinding({damaged ? Severity::kError : Severity::kWarning,
                  error.code == ErrorCode::kTruncated ? "truncated"
                  : damaged                           ? "multifd"
                                                      : "multifd-missing",
                  error.offset, error.section, error.reason, error.file},
                 report_);
    }
    return {};
  }

  // What came of RAM's section counts, though it be cut.
  void EndRam(uint64_t offset) {
    const std::optional<uint64_t> content = std::exchange(ram_content_, {});
    if (content && offset >= *content) AddRam(offset - *content);
  }

  void AddRam(uint64_t bytes) {
    report::Switchover& switchover = *report_.mutable_switchover();
    if (switchover.offset() == 0) {
      switchover.set_ram_bytes_before(switchover.ram_bytes_before() + bytes);
    } else {
      switchover.set_ram_bytes_after(switchover.ram_bytes_after() + bytes);
    }
  }

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

  void Finish() {
    report_.set_complete(facts_.complete());
    if (const Error& end = facts_.end; !end.ok() && !IsInputProblem(end.code)) {
      AddFinding({Severity::kError,
                  end.code == ErrorCode::kTruncated ? "truncated" : "refused",
                  end.offset, end.section,
                  facts_.cut_record ? StrCat(end.reason, "; it begins at ",
                                             Hex(facts_.cut_record->offset))
                                    : end.reason},
                 report_);
    }
    report_.set_machine_type(Printable(facts_.machine_type));
    for (const std::string& name : facts_.capabilities) {
      report_.add_capabilities(Printable(name));
    }
    if (facts_.uuid) report_.set_uuid(UuidText(*facts_.uuid));
    report_.set_target_page_bytes(facts_.page_bytes);
    FinishRam(facts_.ram);
    if (facts_.description) {
      report_.mutable_description()->set_devices(
          facts_.description->devices.size());
    }
    devices_.Finish();
    FinishDialect();
    for (const Finding& finding :
         loaders_.Finish(survey_.came(), facts_.description.get())) {
      AddFinding(finding, report_);
    }
    for (const Finding& finding :
         CheckReport(report_, facts_, devices_.doubts(), options_.with_cpr)) {
      AddPrintableFinding(finding, report_);
    }
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
  }

  void FinishDialect() {
    for (const DeviceFacts& device : facts_.devices) {
      report_.mutable_devices(static_cast<int>(device.index))
          ->set_dialect(facts_.is_detected()
                            ? device.detector.Name()
                            : std::string(facts_.dialect->name));
    }
    if (!facts_.is_detected()) {
      report_.add_evidence()->set_what("chosen by name");
    } else {
      DialectDetector stream;
      facts_.bounds.Apply(stream);
      AddEvidence(stream);
      for (const DeviceFacts& device : facts_.devices) {
        AddEvidence(device.detector);
      }
    }
    for (const Dialect* row : facts_.dialects) {
      report_.add_dialects(std::string(row->name));
      report_.add_writers(std::string(row->writer));
    }
    report_.set_dialect(StrJoin(report_.dialects(), " or "));
  }

  // What devices have in common is listed once.
  void AddEvidence(const DialectDetector& detector) {
    for (const DialectEvidence& evidence : detector.Evidence()) {
      bool known =
          std::any_of(report_.evidence().begin(), report_.evidence().end(),
                      [&](const report::Evidence& row) {
                        return row.what() == evidence.what;
                      });
      if (known || report_.evidence_size() >= kMaxEvidence) continue;
      report::Evidence& row = *report_.add_evidence();
      row.set_offset(evidence.offset);
      row.set_what(evidence.what);
      row.set_contradiction(evidence.contradiction);
    }
  }

  const ReportOptions& options_;
  report::Report& report_;
  StreamSurvey survey_{options_.reader, *this};
  const StreamFacts& facts_ = survey_.facts();
  DeviceReports devices_;
  EveryLoader loaders_{options_.reader.limits};
  std::optional<uint64_t> ram_content_;  // Where that of the open one begins.
  bool guessed_ = false;                 // The end of the section that is read.
};

}  // namespace

Error BuildReport(ByteSource& source, const ReportOptions& options,
                  report::Report& report) {
  return BuildReport(source, {}, options, report);
}

Error BuildReport(ByteSource& source,
                  std::vector<ChannelReader::Channel> channels,
                  const ReportOptions& options, report::Report& report) {
  return ReportBuilder(options, report).Read(source, std::move(channels));
}

bool HasFindings(const report::Report& report) {
  return std::any_of(report.findings().begin(), report.findings().end(),
                     [](const report::Finding& finding) {
                       return finding.severity() != ToString(Severity::kNote);
                     });
}

}  // namespace migstream
