#include "codec/survey/stream_survey.h"

#include <algorithm>
#include <string>

#include "codec/qemu/configuration.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "flags/command.h"
#include "flags/machine_type.h"
#include "flags/release.h"
#include "flags/tag.h"
#include "flags/trigger_flags.h"

namespace migstream {

namespace {

constexpr size_t kMostListed = 100;

std::string NameOf(std::string_view idstr, uint32_t instance_id,
                   SectionType type) {
  return StrCat(Printable(idstr),
                instance_id == 0 ? "" : StrCat("#", instance_id), " ",
                ToString(type));
}

}  // namespace

Error StreamSurvey::Read(ByteSource& source) {
  facts_.start_offset = source.offset();
  StreamReader reader(source, *this, options_);
  facts_.end = reader.Read();
  Finish(reader);
  return facts_.end;
}

Error StreamSurvey::ReadChannels(std::vector<ChannelReader::Channel> channels,
                                 const OnPiece& on_piece) {
  ChannelReader reader(std::move(channels), ChannelOptionsOf(facts_));
  Error error = reader.Read([&](const ReassembledPiece& piece) {
    CountPiece(piece);
    on_piece(piece);
  });
  facts_.channels = reader.stats();
  if (error.ok()) facts_.missing_channels = reader.FindMissing();
  return error;
}

Error StreamSurvey::ReadAll(ByteSource& source,
                            std::vector<ChannelReader::Channel> channels,
                            const OnPiece& on_piece) {
  Error error = Read(source);
  if (channels.empty()) return error;
  if (!error.ok() && options_.recovery == nullptr) return error;
  Error on_channels = ReadChannels(std::move(channels), on_piece);
  return error.ok() ? on_channels : error;
}

void StreamSurvey::OnConfiguration(const ConfigurationView& configuration) {
  facts_.machine_type = std::string(configuration.machine_type);
  facts_.uuid = FindUuid(configuration);
  for (const auto& subsection : configuration.subsections) {
    if (subsection.name != kCapabilitiesSubsection) continue;
    for (std::string& name : ParseCapabilities(subsection.payload)) {
      if (name == "mapped-ram") {
        facts_.bounds.Saw(feature::kMappedRam, configuration.offset);
      }
      facts_.capabilities.push_back(std::move(name));
    }
  }
  if (Release release = MachineTypeRelease(facts_.machine_type)) {
    facts_.bounds.NotBefore(
        release, configuration.offset,
        StrCat("machine type ", Printable(facts_.machine_type)));
  }
  next().OnConfiguration(configuration);
}

void StreamSurvey::FindRepeated(const SectionView& section) {
  const uint8_t bit = 1u << static_cast<unsigned>(section.type);
  CameSection& came = came_[{std::string(section.idstr), section.instance_id}];
  std::vector<StreamLosses::Section>& repeated = facts_.losses.repeated;
  // What a VFIO device's second FULL holds is a finding of its own.
  const bool told = section.vfio && section.type == SectionType::kFull;
  if ((came.types & bit) != 0 && !told && repeated.size() < kMostListed) {
    repeated.push_back(
        {NameOf(section.idstr, section.instance_id, section.type),
         section.offset});
  }
  came.types |= bit;
  came.version_id = section.version_id;
  came.offset = section.offset;
}

void StreamSurvey::OnSection(const SectionView& section) {
  switch (section.type) {
    case SectionType::kStart:
      if (section.idstr == "ram") facts_.ram_offset = section.offset;
      [[fallthrough]];
    case SectionType::kFull:
      FindRepeated(section);
      break;
    case SectionType::kEnd:
      ++(section.idstr == "ram" ? ram_ends_ : other_ends_);
      break;
    case SectionType::kPart:
      if (section.idstr == "ram") ++facts_.ram_parts;
      break;
    case SectionType::kEof:
    case SectionType::kSubsection:
    case SectionType::kVmDescription:
    case SectionType::kConfiguration:
    case SectionType::kCommand:
    case SectionType::kSectionFooter:
      break;
  }
  if (section.vfio) {
    device_ = Known(section.idstr, section.instance_id);
    if (device_ == nullptr) {
      device_ = &facts_.devices.emplace_back();
      device_->index = facts_.devices.size() - 1;
      device_->idstr = std::string(section.idstr);
      device_->instance_id = section.instance_id;
      device_->section_id = section.id;
      device_->first_offset = section.offset;
      by_name_.insert(device_);
    }
    const bool part = section.type == SectionType::kPart;
    const bool end = section.type == SectionType::kEnd;
    if (((part && device_->ends() > 0) ||
         (end && device_->ends() >= facts_.dialect->habits.max_ends)) &&
        device_->after_end_offset == 0) {
      device_->after_end_offset = section.offset;
    }
    DataTally& data = device_->data;
    device_->last_offset = section.offset;
    if (part) device_->last_part_offset = section.offset;
    if (part) ++data.pre_copy.sections;
    if (end && data.stop_copy.sections++ == 0) {
      device_->first_end_offset = section.offset;
    }
    device_->detector.Section(section.type, section.offset);
    records_before_ = data.records();
  } else if (section.idstr == "block" && section.type == SectionType::kStart) {
    facts_.bounds.Saw(feature::kBlockHandler, section.offset);
  }
  next().OnSection(section);
}

void StreamSurvey::OnEmptyParts(const EmptyParts& parts) {
  const SectionView& section = parts.section;
  if (section.idstr == "ram") facts_.ram_parts += parts.count;
  if (section.vfio) {
    device_ = Known(section.idstr, section.instance_id);
    CountParts(*device_, parts.count, section.offset, parts.last_offset);
    device_->empty_parts += parts.count;
    device_->detector.Section(SectionType::kPart, section.offset);
    Event end;
    end.offset = section.offset + kNumberedBytes;
    device_->detector.Observe(end);
  }
  next().OnEmptyParts(parts);
}

void StreamSurvey::OnDataParts(const DataParts& parts) {
  const SectionView& section = parts.section;
  device_ = Known(section.idstr, section.instance_id);
  CountParts(*device_, parts.records.payloads.size(), section.offset,
             parts.last_offset);
  device_->detector.ObserveParts(section.offset, parts.records);
  records_.AddAll(device_->data, SectionType::kPart, parts.records);
  next().OnDataParts(parts);
}

// As OnSection() counts each of them.
void StreamSurvey::CountParts(DeviceFacts& device, uint64_t count,
                              uint64_t offset, uint64_t last_offset) {
  if (device.ends() > 0 && device.after_end_offset == 0) {
    device.after_end_offset = offset;
  }
  device.last_offset = device.last_part_offset = last_offset;
  device.data.pre_copy.sections += count;
  records_before_ = device.data.records();
}

void StreamSurvey::OnDeviceRecords(const SectionView& section,
                                   const DeviceRecords& records) {
  DeviceFacts& device = *device_;
  device.detector.ObserveRecords(records);
  records_.AddAll(device.data, section.type, records);
  next().OnDeviceRecords(section, records);
}

void StreamSurvey::OnDeviceEvent(const SectionView& section,
                                 const Event& event) {
  DeviceFacts& device = *device_;
  device.detector.Observe(event);
  records_.Add(device.data, section.type, event);
  if (event.kind == EventKind::kConfig) CountConfig(device, event);
  if (event.Is(Element::kEndOfState) && section.type == SectionType::kPart &&
      device.data.records() == records_before_) {
    ++device.empty_parts;
  }
  if (event.Is(Element::kInitDataSent)) {
    const uint32_t before = device.init_data_sent++;
    if (before == 0) device.init_data_sent_early = device.data.bytes() == 0;
    if (before < 2) device.init_data_sent_offsets[before] = event.offset;
  }
  next().OnDeviceEvent(section, event);
}

void StreamSurvey::CountConfig(DeviceFacts& device, const Event& event) {
  if (IsTriggerAlone(event)) return;
  if (++device.configs == uint32_t{facts_.dialect->habits.max_configs} + 1) {
    device.extra_config_offset = event.offset;
  }
}

// Two tags hold no record, and one no CONFIG.
void StreamSurvey::OnSectionEnd(const SectionView& section,
                                uint64_t content_bytes, bool footer) {
  footers_ |= footer;
  if (section.vfio) {
    device_->end_closed |= section.type == SectionType::kEnd;
    device_->full_closed |= section.type == SectionType::kFull;
  }
  if (section.vfio && section.type == SectionType::kEnd) {
    device_->data_in_end |= content_bytes > 2 * kTagBytes;
  } else if (section.vfio && section.type == SectionType::kFull &&
             content_bytes == kTagBytes && !device_->data_in_end &&
             !std::exchange(device_->in_channels, true)) {
    facts_.in_channels.push_back(
        {device_->idstr, device_->instance_id, section.offset});
  }
  next().OnSectionEnd(section, content_bytes, footer);
}

void StreamSurvey::OnCommand(const CommandView& command) {
  if (command.command == Command::kOpenReturnPath) facts_.return_path = true;
  // Without data it is for dirty bitmaps alone.
  if (command.command == Command::kPostcopyAdvise && !command.data.empty()) {
    facts_.postcopy_offset = command.offset;
  }
  if (command.command == Command::kSwitchoverStart) {
    facts_.bounds.Saw(feature::kSwitchoverStart, command.offset);
  }
  if (command.command == Command::kEnableColo) {
    facts_.bounds.Saw(feature::kEnableColo, command.offset);
    if (facts_.colo_offset == 0) facts_.colo_offset = command.offset;
  }
  next().OnCommand(command);
}

void StreamSurvey::OnDescription(uint64_t offset, ByteSpan json) {
  facts_.description_offset = offset;
  next().OnDescription(offset, json);
}

void StreamSurvey::Finish(const StreamReader& reader) {
  facts_.page_bytes = reader.page_bytes();
  facts_.trailing_bytes = reader.trailing_bytes();
  facts_.ram = reader.ram();
  facts_.description = reader.description();
  facts_.cut_record = records_.Cut(facts_.end);
  FindLosses();
  ReleaseBounds& bounds = facts_.bounds;
  if (facts_.ram.multifd_flushes != 0) {
    bounds.Saw(feature::kMultifdFlush, facts_.ram.first_multifd_flush);
  }
  if (facts_.ram.compressed_pages != 0) {
    bounds.Saw(feature::kCompressPage, facts_.ram.first_compressed_page);
  }
  if (const VmDescription* description = facts_.description.get()) {
    const uint64_t offset = facts_.description_offset;
    if (description->has_configuration) {
      bounds.Saw(feature::kDescribedConfiguration, offset);
    } else if (!facts_.machine_type.empty()) {
      bounds.Saw(feature::kUndescribedConfiguration, offset);
    } else {
      // Later ones would describe it.
      facts_.losses.configuration_unlike_footers =
          facts_.complete() && offset != 0 && footers_ &&
          facts_.ram.total_bytes != 0 &&
          bounds.not_before() <= feature::kUndescribedConfiguration.last;
    }
    if (description->null_marker != nullptr) {
      bounds.Saw(*description->null_marker, offset);
    }
  }
  if (!facts_.is_detected()) {
    facts_.dialects = {facts_.dialect};
    return;
  }
  std::vector<DialectDetector*> detectors;
  for (DeviceFacts& device : facts_.devices) {
    detectors.push_back(&device.detector);
  }
  facts_.dialects = DetectDialects(bounds, detectors);
}

void StreamSurvey::FindLosses() {
  if (!facts_.complete()) return;
  StreamLosses& losses = facts_.losses;
  const VmDescription* description = facts_.description.get();
  if (description != nullptr && facts_.description_offset != 0) {
    constexpr uint8_t kFullBit = 1u
                                 << static_cast<unsigned>(SectionType::kFull);
    for (const DescribedDevice& device : description->devices) {
      auto found = came_.find({device.name, device.instance_id});
      if (found != came_.end() && (found->second.types & kFullBit) != 0)
        continue;
      if (losses.missing.size() == kMostListed) break;
      losses.missing.push_back(
          {NameOf(device.name, device.instance_id, SectionType::kFull)});
    }
    losses.configuration =
        description->has_configuration && facts_.machine_type.empty();
  }
  const RamStats& ram = facts_.ram;
  if (ram.total_bytes == 0) return;
  losses.ram_end = ram_ends_ == 0 && other_ends_ != 0;
  const bool elsewhere =
      ram.multifd_flushes != 0 ||
      std::any_of(ram.blocks.begin(), ram.blocks.end(),
                  [](const RamBlock& block) {
                    return block.pages_offset != 0 || block.has_address;
                  });
  losses.ram_pages =
      facts_.ram_parts == 0 && !elsewhere && facts_.postcopy_offset == 0 &&
      ram.pages + ram.zero_pages + ram.xbzrle_pages + ram.compressed_pages == 0;
}

DeviceFacts* StreamSurvey::Known(std::string_view idstr,
                                 uint32_t instance_id) const {
  // Most sections are of the same device as the one before.
  if (device_ != nullptr && device_->instance_id == instance_id &&
      device_->idstr == idstr) {
    return device_;
  }
  auto found = by_name_.find(Name(idstr, instance_id));
  return found == by_name_.end() ? nullptr : *found;
}

void StreamSurvey::CountPiece(const ReassembledPiece& piece) {
  DeviceFacts* device = Known(piece.idstr, piece.instance_id);
  if (device == nullptr) return;
  if (!piece.config) {
    return device->data.AddRecord(SectionType::kEnd, piece.data.size());
  }
  // Whatever is in it, it is the last.
  device->channels_read = true;
  DecodeConfigPiece(piece, [&](const Event& event) {
    if (event.kind == EventKind::kConfig) CountConfig(*device, event);
  });
}

bool IsTriggerAlone(const Event& event) {
  return event.layout.total_bytes == 0 && event.trigger_flags != 0 &&
         (event.trigger_flags & kTriggerConfigFollows) == 0;
}

ChannelReaderOptions ChannelOptionsOf(const StreamFacts& main) {
  ChannelReaderOptions options;
  options.page_bytes = static_cast<uint32_t>(main.page_bytes);
  options.host_endian = main.dialect->host_endian_packets;
  options.uuid = main.uuid;
  if (main.complete()) options.devices = main.in_channels;
  return options;
}

}  // namespace migstream
