#include "codec/report/device_reports.h"

#include <algorithm>

#include "codec/channels/channel_reader.h"
#include "codec/device/config_compare.h"
#include "codec/device/pci_register.h"
#include "codec/report/config_report.h"
#include "codec/report/payload_rows.h"
#include "codec/report/report_findings.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "flags/multifd_flags.h"
#include "flags/trigger_flags.h"

namespace migstream {
namespace {

// A device has no more of them listed.
constexpr int kMaxTriggers = 100;

// Takes one of what is left of an allowance.
bool TakeOne(size_t& left) {
  if (left == 0) return false;
  --left;
  return true;
}

report::Phase PhaseOf(const PhaseTally& tally) {
  report::Phase phase;
  phase.set_sections(tally.sections);
  phase.set_records(tally.records);
  phase.set_bytes(tally.bytes);
  return phase;
}

// The same with the register's name; or of sizes that differ, these.
std::string MismatchText(const ConfigMismatch& mismatch, ByteSpan saved,
                         ByteSpan destination) {
  if (mismatch.offset >= std::min(saved.size(), destination.size())) {
    return StrCat("the stream has ", saved.size(),
                  " bytes of config space, the destination ",
                  destination.size());
  }
  return StrCat(ToString(mismatch), ": ",
                PciRegisterAt(destination, mismatch.offset).name);
}

}  // namespace

void DeviceReports::Select(const DeviceFacts& facts) {
  index_ = facts.index;
  device_ = report_.mutable_devices(static_cast<int>(facts.index));
  device_doubts_ = &doubts_[facts.index];
}

void DeviceReports::OnSection(const SectionView& section) {
  const DeviceFacts& facts = *survey_.Find(section.idstr, section.instance_id);
  if (facts.index == doubts_.size()) {
    report_.add_devices()->set_idstr(Printable(facts.idstr));
    doubts_.emplace_back();
  }
  Select(facts);
}

void DeviceReports::OnEvent(const SectionView& section, const Event& event) {
  if (options_.payloads) payloads_.OnEvent(index_, section.type, event);
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

void DeviceReports::OnRecords(const SectionView& section,
                              const DeviceRecords& records) {
  if (options_.payloads) {
    payloads_.OnRecords(index_, section.type, records);
  }
  records.ForEach([this](uint64_t offset, ByteSpan payload) {
    CountRecord(offset, payload.size());
  });
}

void DeviceReports::OnTag(const SectionView& section, const Event& event) {
  switch (event.element) {
    case Element::kConfigLoadReady:
      if (device_->config_load_ready()) {
        AddFinding(
            {Severity::kError, "load-ready-twice", event.offset,
             StrCat(section.idstr, " FULL"), "duplicate CONFIG_LOAD_READY"},
            report_);
      }
      return device_->set_config_load_ready(true);
    case Element::kTrigger:
      return AddTrigger(section, event);
    case Element::kEndOfState:
    case Element::kInitDataSent:
    case Element::kNone:
    case Element::kSetup:
    case Element::kConfig:
    case Element::kDataStateComplete:
    case Element::kData:
      return;
  }
}

void DeviceReports::OnMainEnd() {
  if (!survey_.facts().cut_record || last_record_device_ == nullptr) return;
  auto& sizes = *last_record_device_->mutable_record_sizes();
  sizes.Set(sizes.size() - 1, survey_.facts().cut_record->bytes);
}

void DeviceReports::OnPiece(const ReassembledPiece& piece) {
  const DeviceFacts* facts = survey_.Find(piece.idstr, piece.instance_id);
  if (facts == nullptr) return;  // The reader refuses it.
  Select(*facts);
  if (options_.payloads) payloads_.OnPiece(facts->index, piece);
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
    if (!error.ok()) {
      AddFinding({Severity::kError, "multifd-config", error.offset,
                  error.section, error.reason, error.file},
                 report_);
    }
  }
  packet_.reset();
  packet_file_.clear();
}

void DeviceReports::Finish() {
  for (const DeviceFacts& facts : survey_.facts().devices) {
    report::Device& device =
        *report_.mutable_devices(static_cast<int>(facts.index));
    device.set_instance_id(facts.instance_id);
    device.set_section_id(facts.section_id);
    device.set_payload_bytes(facts.data.bytes());
    device.set_data_records(facts.data.records());
    const auto& [pre_copy, stop_copy, empty_records, largest] = facts.data;
    device.set_empty_records(empty_records);
    device.set_largest_record_bytes(largest);
    *device.mutable_pre_copy() = PhaseOf(pre_copy);
    *device.mutable_stop_copy() = PhaseOf(stop_copy);
    device.set_empty_parts(facts.empty_parts);
    device.set_init_data_sent(facts.init_data_sent);
    device.set_multifd_device_state(facts.in_channels);
    device.set_multifd_read(facts.channels_read);
    FinishPayload(facts, device);
  }
}

void DeviceReports::FinishPayload(const DeviceFacts& facts,
                                  report::Device& device) {
  const bool whole =
      facts.in_channels ? facts.channels_read : payloads_.ended(facts.index);
  std::optional<PayloadReport> payload = payloads_.Finish(facts.index, whole);
  if (!payload) return;
  FillPayload(*payload, payloads_.files(), *device.mutable_payload());
  AddPayloadFindings(*payload, payloads_.files(), device.idstr(), report_);
  if (options_.on_payload) {
    options_.on_payload(device.idstr(), *payload, payloads_.files());
  }
}

void DeviceReports::OnRecord(const SectionView& section, const Event& event) {
  CountRecord(event.offset, event.record_bytes);
  List(section, event, event.record_bytes);
}

void DeviceReports::CountRecord(uint64_t offset, uint64_t bytes) {
  if (options_.region_bytes != 0 && !packet_ && bytes > options_.region_bytes &&
      device_doubts_->large_record_offset == 0) {
    device_doubts_->large_record_offset = offset;
    device_doubts_->large_record_bytes = bytes;
  }
  const bool listed = TakeOne(sizes_left_);
  if (listed) device_->add_record_sizes(bytes);
  if (!packet_) last_record_device_ = listed ? device_ : nullptr;
}

void DeviceReports::OnConfig(const SectionView& section, const Event& event) {
  if (event.trigger_flags != 0) AddTrigger(section, event);
  List(section, event, event.layout.total_bytes);
  if (IsTriggerAlone(event)) return;
  ConfigView view = ConfigView::Parse(event.payload, event.layout);
  report::Config& config = *device_->mutable_config();
  config.Clear();
  config.set_section(ToString(section.type));
  config.set_file(Printable(packet_file_));
  FillConfig(event, view, options_.msix_table, config);
  CheckVectors(view, config);
  if (MsixSpellsSubsection(view)) {
    device_doubts_->msix_spells_offset = event.offset;
  }
  CompareWithDestination(section, event, view);
}

void DeviceReports::CheckVectors(const ConfigView& view,
                                 const report::Config& config) {
  device_doubts_->zero_vector.reset();
  if (!config.pci().msix_enabled() || config.pci().msix_function_mask()) return;
  for (uint32_t vector = 0; vector < view.msix_vectors(); ++vector) {
    MsixEntry entry = view.msix_entry(vector);
    if (entry.masked || entry.address != 0) continue;
    device_doubts_->zero_vector = vector;
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
  const ByteSpan destination = AsBytes(options_.destination_config);
  std::optional<ConfigMismatch> mismatch = CompareConfig(
      view.pci_config, destination, HeaderMasks(view.pci_config.size()));
  if (!mismatch) return;
  AddFinding(
      {Severity::kError, "config-mismatch",
       event.offset + kBeforePciConfig + mismatch->offset,
       StrCat(section.idstr, " ", ToString(section.type)),
       MismatchText(*mismatch, view.pci_config, destination), packet_file_},
      report_);
}

void DeviceReports::AddTrigger(const SectionView& section, const Event& event) {
  if (device_->triggers_size() >= kMaxTriggers || !TakeOne(triggers_left_)) {
    return;
  }
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
  if (TakeOne(records_left_)) {
    *device_->add_records() = std::move(record);
  } else {
    device_->set_records_omitted(device_->records_omitted() + 1);
  }
}

}  // namespace migstream
