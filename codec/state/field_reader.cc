#include "codec/state/field_reader.h"

#include <string_view>

#include "codec/channels/channel_reader.h"
#include "codec/device/config_view.h"
#include "codec/qemu/configuration.h"

namespace migstream {

void FieldReader::OnConfiguration(const ConfigurationView& configuration) {
  SectionView section;
  section.offset = configuration.offset;
  section.idstr = "configuration";
  visitor_.OnDevice(section, StateKind::kConfiguration, {});
  Number("len", "uint32", 4, configuration.machine_type.size());
  Bytes("name", "buffer", AsBytes(configuration.machine_type));
  for (const auto& subsection : configuration.subsections) {
    Struct(subsection.name, FieldKind::kSubsection, subsection.payload.size());
    if (subsection.name == kPageBitsSubsection) {
      Number("target_page_bits", "uint32", 4,
             LoadBe32(subsection.payload.data()));
    } else if (subsection.name == kCapabilitiesSubsection) {
      std::vector<std::string> names = ParseCapabilities(subsection.payload);
      Number("caps_count", "uint32", 4, names.size());
      for (size_t i = 0; i < names.size(); ++i) {
        Bytes("capabilities", "capability", AsBytes(names[i]), i, names.size());
      }
    } else {
      Bytes("data", "buffer", subsection.payload);
    }
    StructEnd(subsection.name, FieldKind::kSubsection);
  }
  visitor_.OnDeviceEnd(section);
}

void FieldReader::OnSection(const SectionView& section) {
  if (section.vfio) {
    Vfio*& known =
        vfio_by_name_[{std::string(section.idstr), section.instance_id}];
    if (known == nullptr) {
      known = vfio_.emplace_back(std::make_unique<Vfio>(section)).get();
    }
    open_vfio_ = known;
    return;
  }
  if (section.type == SectionType::kStart && section.idstr != "ram") {
    visitor_.OnDevice(section, StateKind::kHandler, {});
    visitor_.OnDeviceEnd(section);
  }
}

void FieldReader::OnDescribed(const SectionView& section,
                              const VmDescription* description,
                              const DescribedDevice* device) {
  open_ = std::make_unique<OwnedSection>(section);
  content_bytes_ = 0;
  if (device == nullptr) {
    undescribed_ = true;
    ++undescribed_sections_;
    visitor_.OnDevice(open_->view, StateKind::kUndescribed, {});
    return;
  }
  description_ = description->weak_from_this().lock();
  walker_ = std::make_unique<FieldWalker>(*description, *device, visitor_);
  visitor_.OnDevice(open_->view, StateKind::kDescribed, walker_->all());
}

void FieldReader::OnContent(ByteSpan bytes) {
  if (walker_) walker_->Take(bytes);
  if (undescribed_ && !bytes.empty()) GiveUndescribed(bytes, false);
}

// How long it is shows only when it has ended.
void FieldReader::GiveUndescribed(ByteSpan bytes, bool last) {
  visitor_.OnValue({.name = "undescribed",
                    .type = "buffer",
                    .bytes = last ? content_bytes_ : Field::kUnknownBytes},
                   {.bytes = bytes, .offset = content_bytes_});
  content_bytes_ += bytes.size();
}

void FieldReader::EndDevice(const SectionView& section) {
  if (walker_) {
    std::string problem = walker_->Finish();
    if (!problem.empty()) {
      findings_.push_back({Severity::kWarning, "fields", section.offset,
                           std::string(section.idstr), problem});
    }
  }
  if (undescribed_) GiveUndescribed({}, true);
  visitor_.OnDeviceEnd(section);
  walker_.reset();
  undescribed_ = false;
  open_.reset();
}

void FieldReader::OnSectionEnd(const SectionView& section, uint64_t, bool) {
  if (open_) return EndDevice(open_->view);
  if (section.vfio) {
    // 5.2 has it in END, and others in FULL. Data comes later where proposals
    // have it before.
    bool last =
        section.type == SectionType::kEnd || section.type == SectionType::kFull;
    if (last && open_vfio_->has_config) GiveVfio(*open_vfio_);
  } else if (section.type == SectionType::kStart && section.idstr == "ram") {
    GiveRam(section);
  }
}

void FieldReader::GiveRam(const SectionView& section) {
  visitor_.OnDevice(section, StateKind::kRam, {});
  Struct("section sizes", FieldKind::kStruct, 0);
  for (const RamBlock& block : ram_blocks_) {
    Number(block.name, "uint64", 8, block.used_bytes);
  }
  StructEnd("section sizes", FieldKind::kStruct);
  visitor_.OnDeviceEnd(section);
  ram_blocks_.clear();
}

void FieldReader::OnGap(const StreamGap&) {
  if (open_) EndDevice(open_->view);
}

void FieldReader::OnDeviceEvent(const SectionView& section,
                                const Event& event) {
  records_.Add(open_vfio_->data, section.type, event);
  OnConfigEvent(*open_vfio_, event);
}

void FieldReader::OnDeviceRecords(const SectionView& section,
                                  const DeviceRecords& records) {
  records_.AddAll(open_vfio_->data, section.type, records);
}

void FieldReader::OnConfigEvent(Vfio& vfio, const Event& event) {
  if (event.kind == EventKind::kConfig) {
    if (event.layout.total_bytes == 0) return;  // E3: only a trigger.
    vfio.has_config = true;
    vfio.config = std::string(AsText(event.payload));
    vfio.layout = event.layout;
    vfio.subsections.clear();
  } else if (event.kind == EventKind::kSubsection) {
    vfio.subsections.emplace_back(event.subsection.name,
                                  AsText(event.subsection.payload));
  }
}

void FieldReader::OnPiece(const ReassembledPiece& piece) {
  auto known =
      vfio_by_name_.find({std::string(piece.idstr), piece.instance_id});
  if (known == vfio_by_name_.end()) return;
  Vfio& vfio = *known->second;
  if (!piece.config) {
    return vfio.data.AddRecord(SectionType::kEnd, piece.data.size());
  }
  Error error = DecodeConfigPiece(
      piece, [&](const Event& event) { OnConfigEvent(vfio, event); });
  if (!error.ok()) {
    findings_.push_back({Severity::kError, "fields", error.offset,
                         vfio.section.idstr, error.reason});
  }
  GiveVfio(vfio);
}

void FieldReader::Finish(const Error& error) {
  records_.Cut(error);
  if (open_) EndDevice(open_->view);
  for (const std::unique_ptr<Vfio>& vfio : vfio_) GiveVfio(*vfio);
}

void FieldReader::GiveVfio(Vfio& vfio) {
  if (vfio.given) return;
  vfio.given = true;
  visitor_.OnDevice(vfio.section.view, StateKind::kVfio, {});
  Struct("data", FieldKind::kStruct, 0);
  Number("pre_copy_records", "uint64", 8, vfio.data.pre_copy.records);
  Number("pre_copy_bytes", "uint64", 8, vfio.data.pre_copy.bytes);
  Number("stop_copy_records", "uint64", 8, vfio.data.stop_copy.records);
  Number("stop_copy_bytes", "uint64", 8, vfio.data.stop_copy.bytes);
  StructEnd("data", FieldKind::kStruct);
  if (vfio.has_config) GiveConfig(vfio);
  visitor_.OnDeviceEnd(vfio.section.view);
  vfio.config = {};
  vfio.subsections = {};
}

void FieldReader::GiveConfig(const Vfio& vfio) {
  ByteSpan fixed = AsBytes(vfio.config);
  Struct("config", FieldKind::kStruct, fixed.size());
  if (vfio.layout.kind != ConfigLayoutKind::kReleased || fixed.empty()) {
    Bytes("data", "buffer", fixed);
  } else {
    ConfigView view = ConfigView::Parse(fixed, vfio.layout);
    Number("version_id", "int32 le", 4, view.version);
    Bytes("config", "pci config", view.pci_config);
    for (size_t i = 0; i < view.irq_state.size(); ++i) {
      Number("irq_state", "uint32", 4, view.irq_state[i], i,
             view.irq_state.size());
    }
    Bytes("msix_table", "buffer", view.msix_table);
    Bytes("msix_pending", "buffer", view.msix_pba);
  }
  for (const auto& [name, payload] : vfio.subsections) {
    Struct(name, FieldKind::kSubsection, payload.size());
    if (name == kDisplaySubsection && payload.size() == kRamfbBytes) {
      RamfbConfig ramfb = RamfbConfig::Parse(AsBytes(payload));
      Number("address", "uint64", 8, ramfb.address);
      Number("fourcc", "uint32", 4, ramfb.fourcc);
      Number("flags", "uint32", 4, ramfb.flags);
      Number("width", "uint32", 4, ramfb.width);
      Number("height", "uint32", 4, ramfb.height);
      Number("stride", "uint32", 4, ramfb.stride);
    } else {
      Bytes("data", "buffer", AsBytes(payload));
    }
    StructEnd(name, FieldKind::kSubsection);
  }
  StructEnd("config", FieldKind::kStruct);
}

void FieldReader::Struct(std::string_view name, FieldKind kind,
                         uint64_t bytes) {
  visitor_.OnStruct({.name = name, .kind = kind, .bytes = bytes});
}

void FieldReader::StructEnd(std::string_view name, FieldKind kind) {
  visitor_.OnStructEnd({.name = name, .kind = kind});
}

void FieldReader::Number(std::string_view name, std::string_view type,
                         size_t bytes, uint64_t number, uint64_t index,
                         uint64_t elements) {
  uint8_t stored[8];
  StoreBe(stored, number, static_cast<int>(bytes));
  visitor_.OnValue({name, type, FieldKind::kUnsigned, index, elements, bytes},
                   {.number = number, .bytes = ByteSpan(stored, bytes)});
}

void FieldReader::Bytes(std::string_view name, std::string_view type,
                        ByteSpan bytes, uint64_t index, uint64_t elements) {
  visitor_.OnValue(
      {name, type, FieldKind::kBytes, index, elements, bytes.size()},
      {.bytes = bytes});
}

}  // namespace migstream
