#include "codec/report/device_reports.h"

#include <algorithm>

#include "codec/channels/channel_reader.h"
#include "codec/device/config_compare.h"
#include "codec/report/config_report.h"
#include "codec/report/report_findings.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "flags/multifd_flags.h"
#include "flags/tag.h"
#include "flags/trigger_flags.h"

namespace migstream {
namespace {

// A report is read by people and scripts; none wants more.
constexpr int kMaxRecords = 1 << 18;
constexpr int kMaxTriggers = 100;

void Count(report::Phase* phase) { phase->set_sections(phase->sections() + 1); }

}  // namespace

void DeviceReports::Select(int index) {
  device_ = report_.mutable_devices(index);
  device_facts_ = &facts_[index];
  detector_ = &detectors_[index];
}

void DeviceReports::OnSection(const SectionView& section) {
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
  Select(found->second);
  detector_->Section(section.type, section.offset);
  records_in_section_ = 0;
  DeviceFacts& facts = *device_facts_;
  bool late = false;
  if (section.type == SectionType::kPart) {
    Count(device_->mutable_pre_copy());
    late = facts.ends > 0;
    facts.last_part_offset = section.offset;
  } else if (section.type == SectionType::kEnd) {
    Count(device_->mutable_stop_copy());
    late = facts.ends >= options_.reader.dialect->habits.max_ends;
    if (facts.ends++ == 0) facts.first_end_offset = section.offset;
  }
  if (late && facts.after_end_offset == 0) {
    facts.after_end_offset = section.offset;
  }
}

void DeviceReports::OnEvent(const SectionView& section, const Event& event) {
  detector_->Observe(event);
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
    case EventKind::kTag:
      OnTag(section, event);
      break;
    case EventKind::kConfigEnd:
      break;
  }
  List(section, event, 0);
}

void DeviceReports::OnTag(const SectionView& section, const Event& event) {
  switch (event.element) {
    case Element::kInitDataSent:
      return OnInitDataSent(event);
    case Element::kConfigLoadReady:
      return OnConfigLoadReady(section, event);
    case Element::kEndOfState:
      if (section.type == SectionType::kPart && records_in_section_ == 0) {
        device_->set_empty_parts(device_->empty_parts() + 1);
      }
      return;
    case Element::kTrigger:
      return AddTrigger(section, event);
    case Element::kNone:
    case Element::kSetup:
    case Element::kConfig:
    case Element::kDataStateComplete:
    case Element::kData:
      return;
  }
}

void DeviceReports::OnMainRead(const StreamReader& reader) {
  for (const DeviceInChannels& device : reader.in_channels()) {
    auto found = devices_.find({device.idstr, device.instance_id});
    if (found == devices_.end()) continue;
    report_.mutable_devices(found->second)->set_multifd_device_state(true);
  }
}

void DeviceReports::OnPiece(const ReassembledPiece& piece) {
  auto found = devices_.find({std::string(piece.idstr), piece.instance_id});
  if (found == devices_.end()) return;  // The reader refuses it.
  Select(found->second);
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

std::string DeviceReports::BeginOfCut(const Error& error) const {
  if (error.code != ErrorCode::kTruncated || last_record_device_ == nullptr ||
      last_record_end_ <= error.offset) {
    return "";
  }
  return StrCat("; it begins at ", Hex(last_record_offset_));
}

void DeviceReports::TakeBackMissing(uint64_t end) {
  if (last_record_device_ == nullptr || last_record_end_ <= end) return;
  uint64_t missing = last_record_end_ - end;
  last_record_device_->set_payload_bytes(last_record_device_->payload_bytes() -
                                         missing);
  last_record_phase_->set_bytes(last_record_phase_->bytes() - missing);
  const uint64_t there = last_record_bytes_ - missing;
  last_record_device_->set_largest_record_bytes(
      std::max(largest_before_, there));
  auto& sizes = *last_record_device_->mutable_record_sizes();
  if (static_cast<uint64_t>(sizes.size()) ==
      last_record_device_->data_records()) {
    sizes.Set(sizes.size() - 1, there);
  }
}

void DeviceReports::OnRecord(const SectionView& section, const Event& event) {
  ++records_in_section_;
  report::Device& device = *device_;
  device.set_data_records(device.data_records() + 1);
  device.set_payload_bytes(device.payload_bytes() + event.record_bytes);
  if (options_.region_bytes != 0 && !packet_ &&
      event.record_bytes > options_.region_bytes &&
      device_facts_->large_record_offset == 0) {
    device_facts_->large_record_offset = event.offset;
    device_facts_->large_record_bytes = event.record_bytes;
  }
  if (event.record_bytes == 0) {
    device.set_empty_records(device.empty_records() + 1);
  }
  report::Phase* phase = section.type == SectionType::kPart
                             ? device.mutable_pre_copy()
                             : device.mutable_stop_copy();
  phase->set_records(phase->records() + 1);
  phase->set_bytes(phase->bytes() + event.record_bytes);
  if (!packet_) {
    last_record_offset_ = event.offset;
    last_record_end_ = event.offset + kRecordHeaderBytes + event.record_bytes;
    last_record_bytes_ = event.record_bytes;
    last_record_device_ = device_;
    last_record_phase_ = phase;
    largest_before_ = device.largest_record_bytes();
  }
  device.set_largest_record_bytes(
      std::max(device.largest_record_bytes(), event.record_bytes));
  if (device.record_sizes_size() < kMaxRecords) {
    device.add_record_sizes(event.record_bytes);
  }
  List(section, event, event.record_bytes);
}

void DeviceReports::OnInitDataSent(const Event& event) {
  if (device_->init_data_sent() == 0) {
    device_facts_->init_data_sent_offset = event.offset;
    if (device_->payload_bytes() == 0) {
      device_facts_->early_init_data_sent_offset = event.offset;
    }
  } else if (device_->init_data_sent() == 1) {
    device_facts_->second_init_data_sent_offset = event.offset;
  }
  device_->set_init_data_sent(device_->init_data_sent() + 1);
}

void DeviceReports::OnConfigLoadReady(const SectionView& section,
                                      const Event& event) {
  if (device_->config_load_ready()) {
    AddFinding({Severity::kError, "load-ready-twice", event.offset,
                StrCat(section.idstr, " FULL"), "duplicate CONFIG_LOAD_READY"},
               report_);
  }
  device_->set_config_load_ready(true);
}

void DeviceReports::OnConfig(const SectionView& section, const Event& event) {
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
  CheckVectors(view, config);
  if (MsixSpellsSubsection(view)) {
    device_facts_->msix_spells_offset = event.offset;
  }
  CompareWithDestination(section, event, view);
}

void DeviceReports::CheckVectors(const ConfigView& view,
                                 const report::Config& config) {
  device_facts_->msix_zero_vector = false;
  if (!config.pci().msix_enabled() || config.pci().msix_function_mask()) return;
  for (uint32_t vector = 0; vector < view.msix_vectors(); ++vector) {
    MsixEntry entry = view.msix_entry(vector);
    if (entry.masked || entry.address != 0) continue;
    device_facts_->msix_zero_vector = true;
    device_facts_->zero_vector = vector;
    return;
  }
}

void DeviceReports::CompareWithDestination(const SectionView& section,
                                           const Event& event,
                                           const ConfigView& view) {
  if (options_.destination_config.empty() ||
      (!options_.destination_device.empty() &&
       !IsNamed(section.idstr, options_.destination_device))) {
    return;
  }
  report_.set_configs_compared(report_.configs_compared() + 1);
  std::optional<ConfigMismatch> mismatch =
      CompareConfig(view.pci_config, AsBytes(options_.destination_config),
                    HeaderMasks(view.pci_config.size()));
  if (!mismatch) return;
  AddFinding({Severity::kError, "config-mismatch",
              event.offset + kBeforePciConfig + mismatch->offset,
              StrCat(section.idstr, " ", ToString(section.type)),
              ToString(*mismatch), packet_file_},
             report_);
}

void DeviceReports::AddTrigger(const SectionView& section, const Event& event) {
  if (device_->triggers_size() >= kMaxTriggers) return;
  report::Trigger& trigger = *device_->add_triggers();
  trigger.set_offset(event.offset);
  trigger.set_section(ToString(section.type));
  trigger.set_flags(TriggerFlagsToString(event.trigger_flags));
}

void DeviceReports::List(const SectionView& section, const Event& event,
                         uint64_t bytes) {
  if (!options_.records && !options_.on_record) return;
  report::Record record;
  record.set_offset(event.offset);
  record.set_section(ToString(section.type));
  record.set_element(event.kind == EventKind::kSubsection
                         ? Printable(event.subsection.name)
                         : std::string(ToString(event)));
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

}  // namespace migstream
