#include "codec/report/report_builder.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "codec/device/config_compare.h"
#include "codec/device/config_view.h"
#include "codec/device/dialect_detector.h"
#include "codec/qemu/configuration.h"
#include "codec/report/checks.h"
#include "codec/report/config_report.h"
#include "codec/report/finding_ids.h"
#include "flags/machine_type.h"
#include "flags/command.h"
#include "flags/trigger_flags.h"

namespace migstream {
namespace {

// A report is read by people and scripts; none wants more.
constexpr int kMaxCommands = 100;
constexpr int kMaxRecords = 1 << 18;
constexpr int kMaxNotes = 1000;
constexpr int kMaxOtherDevices = 1 << 16;
constexpr int kMaxTriggers = 100;
constexpr uint64_t kChannelIdOffset = 24;  // In a channel's first message.

void AddFinding(const Finding& finding, report::Report& report) {
  // What is wrong is never left out.
  if (finding.severity == Severity::kNote &&
      report.findings_size() >= kMaxNotes) {
    return report.set_notes_omitted(report.notes_omitted() + 1);
  }
  report::Finding& row = *report.add_findings();
  const FindingKind* kind = FindFinding(finding.id);
  row.set_severity(std::string(
      ToString(kind == nullptr ? finding.severity : kind->severity)));
  row.set_id(finding.id);
  row.set_offset(finding.offset);
  row.set_section(Printable(finding.section));
  row.set_message(Printable(finding.message));
  row.set_file(Printable(finding.file));
}

bool IsInputProblem(ErrorCode code) {
  return code == ErrorCode::kNotAStream || code == ErrorCode::kUnknownVersion ||
         code == ErrorCode::kReadFailed;
}

class ReportBuilder : public StreamVisitor {
 public:
  ReportBuilder(const ReportOptions& options, report::Report& report)
      : options_(options), report_(report) {}

  void OnConfiguration(const ConfigurationView& configuration) override {
    report_.set_machine_type(Printable(configuration.machine_type));
    for (const auto& subsection : configuration.subsections) {
      if (subsection.name == kCapabilitiesSubsection) {
        for (const auto& name : ParseCapabilities(subsection.payload)) {
          report_.add_capabilities(Printable(name));
          if (name == "mapped-ram") {
            bounds_.NotBefore(900, configuration.offset,
                              "capability mapped-ram");
          }
        }
      } else if (subsection.name == kUuidSubsection) {
        uuid_ = FindUuid(configuration);
        if (uuid_) report_.set_uuid(UuidText(*uuid_));
      }
    }
    if (Release release = MachineTypeRelease(configuration.machine_type)) {
      stream_.machine_type_release = release;
      bounds_.NotBefore(
          release, configuration.offset,
          absl::StrCat("machine type ", Printable(configuration.machine_type)));
    }
  }

  void OnSection(const SectionView& section) override {
    CountSection(section.type);
    if (section.type == SectionType::kEnd) Switchover(section.offset);
    if (!section.vfio) {
      device_ = nullptr;
      if (section.idstr == "block" && section.type == SectionType::kStart) {
        bounds_.NotAfter(900, section.offset, "handler block");
      }
      return;
    }
    auto [found, added] =
        devices_.try_emplace({std::string(section.idstr), section.instance_id},
                             report_.devices_size());
    if (added) {
      report::Device& device = *report_.add_devices();
      device.set_idstr(Printable(section.idstr));
      device.set_instance_id(section.instance_id);
      device.set_section_id(section.id);
      detectors_.emplace_back();
      facts_.emplace_back();
      facts_.back().first_offset = section.offset;
    }
    device_ = report_.mutable_devices(found->second);
    device_facts_ = &facts_[found->second];
    records_in_section_ = 0;
    events_in_section_ = 0;
    if (section.type == SectionType::kPart) {
      Count(device_->mutable_pre_copy());
    } else if (section.type == SectionType::kEnd) {
      Count(device_->mutable_stop_copy());
    }
    const WriterHabits& habits = options_.reader.dialect->habits;
    bool late =
        (section.type == SectionType::kPart && device_facts_->ends > 0) ||
        (section.type == SectionType::kEnd &&
         device_facts_->ends >= habits.max_ends);
    if (late && device_facts_->after_end_offset == 0) {
      device_facts_->after_end_offset = section.offset;
    }
    if (section.type == SectionType::kPart) {
      device_facts_->last_part_offset = section.offset;
    }
    if (section.type == SectionType::kEnd && device_facts_->ends++ == 0) {
      device_facts_->first_end_offset = section.offset;
    }
    detector_ = &detectors_[found->second];
    detector_->Section(section.type, section.offset);
  }

  void OnDeviceEvent(const SectionView& section, const Event& event) override {
    detector_->Observe(event);
    ++events_in_section_;
    switch (event.kind) {
      case EventKind::kData:
        if (event.starts_record) OnRecord(section, event);
        return;
      case EventKind::kConfig:
        return OnConfig(section, event);
      case EventKind::kSubsection:
        FillSubsection(event.subsection,
                       *device_->mutable_config()->add_subsections());
        return List(section, event, event.subsection.payload.size());
      case EventKind::kInitDataSent:
        if (device_->init_data_sent() == 0) {
          device_facts_->init_data_sent_offset = event.offset;
          if (device_->payload_bytes() == 0) {
            device_facts_->early_init_data_sent_offset = event.offset;
          }
        } else if (device_->init_data_sent() == 1) {
          device_facts_->second_init_data_sent_offset = event.offset;
        }
        device_->set_init_data_sent(device_->init_data_sent() + 1);
        break;
      case EventKind::kConfigLoadReady:
        if (device_->config_load_ready()) {
          AddFinding({Severity::kError, "load-ready-twice", event.offset,
                      absl::StrCat(section.idstr, " FULL"),
                      "duplicate CONFIG_LOAD_READY"},
                     report_);
        }
        device_->set_config_load_ready(true);
        device_->set_multifd_device_state(true);
        break;
      case EventKind::kEndOfState:
        if (section.type == SectionType::kPart && records_in_section_ == 0) {
          device_->set_empty_parts(device_->empty_parts() + 1);
        }
        if (section.type == SectionType::kFull && events_in_section_ == 1) {
          device_->set_multifd_device_state(true);
        }
        break;
      case EventKind::kTrigger:
        AddTrigger(section, event);
        break;
      default:
        break;
    }
    List(section, event, 0);
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
      bounds_.NotBefore(1000, command.offset, "COMMAND SWITCHOVER_START");
    }
    if (command.command == Command::kEnableColo) {
      bounds_.NotAfter(1002, command.offset, "COMMAND ENABLE_COLO");
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

  // The packets of the devices whose state is not on the main channel. An error
  // only if a channel could not be read.
  Error ReadChannels(std::vector<ChannelReader::Channel> channels,
                     uint64_t page_bytes) {
    ChannelReaderOptions options;
    options.page_bytes = static_cast<uint32_t>(page_bytes);
    options.host_endian = options_.reader.dialect->host_endian_packets;
    options.only_devices = report_.complete();
    options.uuid = uuid_;
    for (const auto& [name, index] : devices_) {
      if (report_.devices(index).multifd_device_state()) {
        options.devices.push_back(name);
      }
    }
    std::vector<std::string> files;
    for (const auto& channel : channels) files.push_back(channel.name);
    ChannelReader reader(std::move(channels), options);
    Error error =
        reader.Read([this](const ReassembledPiece& piece) { OnPiece(piece); });
    std::vector<ChannelStats> stats = reader.stats();
    for (size_t i = 0; i < stats.size(); ++i) {
      report::Channel& row = *report_.add_channels();
      row.set_file(Printable(files[i]));
      row.set_id(stats[i].id);
      row.set_bytes(stats[i].bytes);
      row.set_ram_packets(stats[i].ram_packets);
      row.set_sync_packets(stats[i].sync_packets);
      row.set_normal_pages(stats[i].normal_pages);
      row.set_zero_pages(stats[i].zero_pages);
      row.set_device_packets(stats[i].device_packets);
    }
    if (error.code == ErrorCode::kReadFailed) return error;
    if (error.ok()) {
      if (std::string missing = reader.MissingIds(); !missing.empty()) {
        // The highest id tells of the others.
        auto highest = std::max_element(
            stats.begin(), stats.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
        AddFinding(
            {Severity::kWarning, "multifd-missing", kChannelIdOffset,
             kMultifdSection, absl::StrCat("channels not given: ", missing),
             files[highest - stats.begin()]},
            report_);
      }
      return {};
    }
    if (error.file.empty()) error.offset = FirstOffset(error.section);
    AddFinding({Severity::kError, "multifd", error.offset, error.section,
                error.reason, error.file},
               report_);
    return {};
  }

  void Finish(const StreamReader& reader, const Error& error) {
    if (!error.ok()) {
      report_.set_complete(false);
      if (!IsInputProblem(error.code)) {
        AddFinding(
            {Severity::kError,
             error.code == ErrorCode::kTruncated ? "truncated" : "refused",
             error.offset, error.section,
             absl::StrCat(error.reason, MissingInRecord(error))},
            report_);
      }
    }
    if (error.code == ErrorCode::kTruncated) TakeBackMissing(error.offset);
    FinishRam(reader.ram());
    report_.set_target_page_bytes(reader.page_bytes());
    if (const VmDescription* description = reader.description()) {
      FinishDescription(*description);
    }
    FinishDialect();
    for (const Finding& finding :
         CheckReport(report_, facts_, stream_, detectors_)) {
      AddFinding(finding, report_);
    }
  }

 private:
  static void Count(report::Phase* phase) {
    phase->set_sections(phase->sections() + 1);
  }

  void OnPiece(const ReassembledPiece& piece) {
    auto found = devices_.find({std::string(piece.idstr), piece.instance_id});
    if (found == devices_.end()) return;  // The reader refuses it.
    device_ = report_.mutable_devices(found->second);
    device_facts_ = &facts_[found->second];
    SectionView section;
    section.idstr = piece.idstr;
    section.instance_id = piece.instance_id;
    section.vfio = true;
    packet_ = piece.index;
    packet_file_ = std::string(piece.place.file);
    if (!piece.config) {
      section.type = SectionType::kEnd;
      Event event;
      event.kind = EventKind::kData;
      event.offset = piece.data_offset();
      event.record_bytes = piece.data.size();
      OnRecord(section, event);
    } else {
      Error error = DecodeConfigPiece(piece, [&](const Event& event) {
        if (event.kind == EventKind::kConfig) OnConfig(section, event);
        if (event.kind == EventKind::kSubsection) {
          FillSubsection(event.subsection,
                         *device_->mutable_config()->add_subsections());
        }
      });
      device_->mutable_config()->set_section("multifd packet");
      // All packets have come, whatever is in the last.
      device_->set_multifd_read(true);
      if (!error.ok()) {
        AddFinding({Severity::kError, "multifd-config", error.offset,
                    error.section, error.reason, error.file},
                   report_);
      }
    }
    packet_.reset();
    packet_file_.clear();
  }

  // Where a device's first section stands; 0 if it has none.
  uint64_t FirstOffset(const std::string& idstr) const {
    for (const auto& [name, index] : devices_) {
      if (name.first == idstr) return facts_[index].first_offset;
    }
    return 0;
  }

  // The guest is stopped from here on.
  void Switchover(uint64_t offset) {
    if (report_.switchover().offset() != 0) return;
    report_.mutable_switchover()->set_offset(offset);
  }

  void CountSection(SectionType type) {
    report::SectionCounts& counts = *report_.mutable_sections();
    switch (type) {
      case SectionType::kStart:
        return counts.set_start(counts.start() + 1);
      case SectionType::kPart:
        return counts.set_part(counts.part() + 1);
      case SectionType::kEnd:
        return counts.set_end(counts.end() + 1);
      default:
        return counts.set_full(counts.full() + 1);
    }
  }

  void OnRecord(const SectionView& section, const Event& event) {
    ++records_in_section_;
    report::Device& device = *device_;
    device.set_data_records(device.data_records() + 1);
    device.set_payload_bytes(device.payload_bytes() + event.record_bytes);
    if (!packet_) {
      last_record_offset_ = event.offset;
      last_record_end_ = event.offset + 16 + event.record_bytes;
      last_record_device_ = device_;
    }
    if (options_.region_bytes != 0 && !packet_ &&
        event.record_bytes > options_.region_bytes &&
        device_facts_->large_record_offset == 0) {
      device_facts_->large_record_offset = event.offset;
      device_facts_->large_record_bytes = event.record_bytes;
    }
    if (event.record_bytes == 0) {
      device.set_empty_records(device.empty_records() + 1);
    }
    device.set_largest_record_bytes(
        std::max(device.largest_record_bytes(), event.record_bytes));
    report::Phase* phase = section.type == SectionType::kPart
                               ? device.mutable_pre_copy()
                               : device.mutable_stop_copy();
    phase->set_records(phase->records() + 1);
    phase->set_bytes(phase->bytes() + event.record_bytes);
    if (device.record_sizes_size() < kMaxRecords) {
      device.add_record_sizes(event.record_bytes);
    }
    List(section, event, event.record_bytes);
  }

  void OnConfig(const SectionView& section, const Event& event) {
    if (event.trigger_flags != 0) AddTrigger(section, event);
    List(section, event, event.layout.total_bytes);
    if (event.layout.total_bytes == 0 &&
        (event.trigger_flags & kTriggerConfigFollows) == 0 &&
        event.trigger_flags != 0) {
      return;  // E3: only a trigger.
    }
    if (++device_facts_->configs ==
        uint32_t{options_.reader.dialect->habits.max_configs} + 1) {
      device_facts_->extra_config_offset = event.offset;
    }
    ConfigView view = ConfigView::Parse(event.payload, event.layout);
    report::Config& config = *device_->mutable_config();
    config.Clear();
    config.set_section(ToString(section.type));
    config.set_file(Printable(packet_file_));
    FillConfig(event, view, config);
    device_facts_->msix_zero_vector = false;
    for (uint32_t vector = 0;
         config.pci().msix_enabled() && !config.pci().msix_function_mask() &&
         vector < view.msix_vectors() && !device_facts_->msix_zero_vector;
         ++vector) {
      MsixEntry entry = view.msix_entry(vector);
      device_facts_->msix_zero_vector = !entry.masked && entry.address == 0;
      device_facts_->zero_vector = vector;
    }
    if (MsixSpellsSubsection(view)) {
      device_facts_->msix_spells_offset = event.offset;
    }
    CompareWithDestination(section, event, view);
  }

  void CompareWithDestination(const SectionView& section, const Event& event,
                              const ConfigView& view) {
    if (options_.destination_config.empty() ||
        (!options_.destination_device.empty() &&
         options_.destination_device != section.idstr &&
         options_.destination_device != Printable(section.idstr))) {
      return;
    }
    report_.set_configs_compared(report_.configs_compared() + 1);
    std::optional<ConfigMismatch> mismatch =
        CompareConfig(view.pci_config, AsBytes(options_.destination_config),
                      HeaderMasks(view.pci_config.size()));
    if (!mismatch) return;
    constexpr uint64_t kBeforePciConfig = 8 + 4;  // Tag, version.
    AddFinding({Severity::kError, "config-mismatch",
                event.offset + kBeforePciConfig + mismatch->offset,
                absl::StrCat(section.idstr, " ", ToString(section.type)),
                ToString(*mismatch), packet_file_},
               report_);
  }

  void AddTrigger(const SectionView& section, const Event& event) {
    if (device_->triggers_size() >= kMaxTriggers) return;
    report::Trigger& trigger = *device_->add_triggers();
    trigger.set_offset(event.offset);
    trigger.set_section(ToString(section.type));
    trigger.set_flags(TriggerFlagsToString(event.trigger_flags));
  }

  void List(const SectionView& section, const Event& event, uint64_t bytes) {
    if (!options_.records && !options_.on_record) return;
    report::Record record;
    record.set_offset(event.offset);
    record.set_section(ToString(section.type));
    record.set_element(event.kind == EventKind::kSubsection
                           ? Printable(event.subsection.name)
                           : std::string(ToString(event.kind)));
    record.set_bytes(bytes);
    if (packet_) {
      record.set_section(kMultifdSection);
      record.set_packet(*packet_);
      record.set_file(Printable(packet_file_));
    }
    if (options_.on_record) options_.on_record(device_->idstr(), record);
    if (!options_.records) return;
    if (device_->records_size() < kMaxRecords) {
      *device_->add_records() = std::move(record);
    } else {
      device_->set_records_omitted(device_->records_omitted() + 1);
    }
  }

  // What a record that the input's end has cut still needs.
  std::string MissingInRecord(const Error& error) const {
    if (error.code != ErrorCode::kTruncated || last_record_device_ == nullptr ||
        last_record_end_ <= error.offset) {
      return "";
    }
    return absl::StrCat(": ", last_record_device_->idstr(), " needs ",
                        last_record_end_ - error.offset,
                        " more bytes in the record at ",
                        Hex(last_record_offset_));
  }

  // A record that the input's end has cut holds less than it says.
  void TakeBackMissing(uint64_t end) {
    if (last_record_device_ == nullptr || last_record_end_ <= end) return;
    uint64_t missing = last_record_end_ - end;
    last_record_device_->set_payload_bytes(
        last_record_device_->payload_bytes() - missing);
    report::Phase* phase = last_record_device_->stop_copy().records() > 0
                               ? last_record_device_->mutable_stop_copy()
                               : last_record_device_->mutable_pre_copy();
    phase->set_bytes(phase->bytes() - missing);
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
      bounds_.NotBefore(801, stats.first_multifd_flush, "RAM MULTIFD_FLUSH");
    }
    if (stats.compressed_pages != 0) {
      bounds_.NotAfter(900, stats.first_compressed_page, "RAM COMPRESS_PAGE");
    }
  }

  void FinishDescription(const VmDescription& description) {
    report_.mutable_description()->set_devices(description.devices.size());
    uint64_t offset = report_.description().offset();
    if (description.has_configuration) {
      bounds_.NotBefore(800, offset, "VMDESCRIPTION describes CONFIGURATION");
    } else if (!report_.machine_type().empty()) {
      bounds_.NotAfter(801, offset,
                       "VMDESCRIPTION does not describe CONFIGURATION");
    }
    if (description.not_before != 0) {
      bounds_.NotBefore(description.not_before, offset,
                        "VMDESCRIPTION has NULL markers");
    }
  }

  void FinishDialect() {
    const Dialect& chosen = *options_.reader.dialect;
    std::vector<const Dialect*> rows;
    if (chosen.id != DialectId::kAuto) {
      rows = {&chosen};
      report_.add_evidence()->set_what("chosen by name");
      for (report::Device& device : *report_.mutable_devices()) {
        device.set_dialect(std::string(chosen.name));
      }
      detectors_.clear();
    } else {
      rows = DetectDialects(bounds_, detectors_);
      for (int i = 0; i < report_.devices_size(); ++i) {
        report_.mutable_devices(i)->set_dialect(detectors_[i].Name());
      }
      DialectDetector stream;
      bounds_.Apply(stream);
      AddEvidence(stream);
      for (const DialectDetector& detector : detectors_) AddEvidence(detector);
    }
    for (const Dialect* row : rows) {
      report_.add_dialects(std::string(row->name));
      report_.add_writers(std::string(row->writer));
    }
    report_.set_dialect(absl::StrJoin(report_.dialects(), " or "));
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
  std::optional<VmUuid> uuid_;
  StreamFacts stream_;
  // By idstr and instance id.
  absl::flat_hash_map<std::pair<std::string, uint32_t>, int> devices_;
  std::vector<DeviceFacts> facts_;
  std::vector<DialectDetector> detectors_;  // As report_.devices.
  ReleaseBounds bounds_;
  report::Device* device_ = nullptr;
  DialectDetector* detector_ = nullptr;
  DeviceFacts* device_facts_ = nullptr;
  uint64_t records_in_section_ = 0;
  uint64_t events_in_section_ = 0;
  bool guessed_ = false;
  report::Device* last_record_device_ = nullptr;
  uint64_t last_record_offset_ = 0;
  uint64_t last_record_end_ = 0;  // Offset; where its size says it ends.
  // While one is looked at: its index, and its channel.
  std::optional<uint32_t> packet_;
  std::string packet_file_;
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
  Error unreadable;
  if (!channels.empty()) {
    unreadable = builder.ReadChannels(std::move(channels), reader.page_bytes());
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
