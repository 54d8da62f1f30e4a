#include "codec/destination/loadable_state.h"

#include <algorithm>
#include <string_view>

#include "codec/channels/channel_reader.h"
#include "codec/device/config_view.h"
#include "codec/device/pci_config.h"
#include "codec/wire/bytes.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "flags/section_type.h"

namespace migstream {
namespace {

constexpr uint64_t kSectionHeadBytes = 1 + 4 + 1 + 4 + 4;  // And the idstr.
constexpr uint32_t kPciVersion = 2;
constexpr size_t kPciVersionBytes = 4;
constexpr size_t kVirtioHeadBytes = kPciVersionBytes + kPciConfigBytes;
constexpr uint16_t kVirtioVendor = 0x1af4;

// Type names of the description.
constexpr std::string_view kConfigType = "pci config";
constexpr std::string_view kVirtioType = "virtio";
constexpr std::string_view kEqualType = " equal";
constexpr std::string_view kOrLessType = " le";
// In the states of hotplugged CPUs and memory.
constexpr std::string_view kPlaces = "devs";
// Whose elements are keys, and the values in their order.
constexpr std::string_view kKeys = "cpreg_vmstate_indexes";
constexpr std::string_view kValues = "cpreg_vmstate_values";

bool IsPciName(std::string_view idstr) {
  return idstr.find(':') != idstr.npos && idstr.find('/') != idstr.npos;
}

// A virtio device's state begins with that of its PCI device, if it is one.
std::string VirtioConfig(const std::string& head) {
  if (head.size() < kVirtioHeadBytes ||
      LoadBe32(AsBytes(head).data()) != kPciVersion) {
    return "";
  }
  std::string config = head.substr(kPciVersionBytes, kPciConfigBytes);
  return LoadLe16(AsBytes(config).data()) == kVirtioVendor ? config : "";
}

}  // namespace

std::string LoadableSection::Shown() const {
  return Printable(is_known ? idstr : UnknownName(idstr));
}

std::string LoadableSection::Name() const {
  return instance_id == 0 ? Shown() : StrCat(Shown(), "#", instance_id);
}

const LoadableSection* LoadableState::Find(const std::string& idstr,
                                           uint32_t instance_id) const {
  auto found = by_name.find({idstr, instance_id});
  return found == by_name.end() ? nullptr : &sections[found->second];
}

void LoadableReader::OnSectionEnd(const SectionView& section,
                                  uint64_t content_bytes, bool footer) {
  LoadableSection* kept = Section(section.idstr, section.instance_id);
  if (kept != nullptr) kept->is_known = true;
  FieldReader::OnSectionEnd(section, content_bytes, footer);
}

LoadableSection* LoadableReader::Section(std::string_view idstr,
                                         uint32_t instance_id) {
  auto found = state_.by_name.find({std::string(idstr), instance_id});
  return found == state_.by_name.end() ? nullptr
                                       : &state_.sections[found->second];
}

void LoadableReader::OnConfiguration(const ConfigurationView& configuration) {
  state_.machine_type = std::string(configuration.machine_type);
  FieldReader::OnConfiguration(configuration);
}

void LoadableReader::OnSection(const SectionView& section) {
  if ((section.type == SectionType::kStart ||
       section.type == SectionType::kFull) &&
      state_.sections.size() < kMaxSections) {
    auto [at, added] = state_.by_name.try_emplace(
        {std::string(section.idstr), section.instance_id},
        state_.sections.size());
    if (added) {
      LoadableSection& kept = state_.sections.emplace_back();
      kept.idstr = std::string(section.idstr);
      kept.instance_id = section.instance_id;
      kept.is_known = section.vfio;
      kept.type = section.type;
      kept.offset = section.offset;
      kept.version = section.version_id;
      kept.vfio = section.vfio;
    }
    if (section.idstr == "ram" && state_.ram_offset == 0) {
      state_.ram_offset = section.offset;
    }
  }
  FieldReader::OnSection(section);
}

void LoadableReader::OnRamBlocks(std::span<const RamBlock> blocks) {
  if (state_.blocks.empty()) {
    for (const RamBlock& block : blocks) {
      state_.blocks.push_back({block.name, block.used_bytes});
    }
  }
  FieldReader::OnRamBlocks(blocks);
}

void LoadableReader::TakeConfig(LoadableSection& section, const Event& event) {
  if (event.kind != EventKind::kConfig || event.layout.total_bytes == 0 ||
      !section.pci_config.empty()) {
    return;
  }
  const ConfigView view = ConfigView::Parse(event.payload, event.layout);
  section.pci_config = std::string(AsText(view.pci_config));
}

void LoadableReader::OnDeviceEvent(const SectionView& section,
                                   const Event& event) {
  LoadableSection* kept = Section(section.idstr, section.instance_id);
  if (kept != nullptr && kept->pci_config.empty()) {
    TakeConfig(*kept, event);
    kept->pci_config_offset = event.offset + kBeforePciConfig;
    kept->pci_config_in = section.type;
  }
  FieldReader::OnDeviceEvent(section, event);
}

void LoadableReader::OnConfigPiece(const ReassembledPiece& piece) {
  LoadableSection* kept = Section(piece.idstr, piece.instance_id);
  if (!piece.config || kept == nullptr || !kept->pci_config.empty()) return;
  kept->pci_config_offset = 0;
  // What is wrong with it is found by who reads it for that.
  (void)DecodeConfigPiece(
      piece, [&](const Event& event) { TakeConfig(*kept, event); });
}

void LoadableReader::Fields::OnDevice(const SectionView& section,
                                      StateKind state, const Field&) {
  device_ = state == StateKind::kDescribed
                ? reader_.Section(section.idstr, section.instance_id)
                : nullptr;
  head_.clear();
  keys_.clear();
  content_ = section.offset + kSectionHeadBytes + section.idstr.size();
}

void LoadableReader::Fields::OnStruct(const Field& field) {
  if (device_ != nullptr && field.name == kPlaces) {
    device_->places = std::max(device_->places, field.elements);
  }
}

void LoadableReader::Fields::OnValue(const Field& field,
                                     const FieldValue& value) {
  if (device_ == nullptr) return;
  if (field.type == kConfigType) {
    if (!Hold(field, value, kPcieConfigBytes)) return;
    device_->pci_config = head_;
    device_->pci_config_offset = content_ + field.offset;
  } else if (field.type == kVirtioType && IsPciName(device_->idstr)) {
    if (!Hold(field, value, kVirtioHeadBytes)) return;
    device_->pci_config = VirtioConfig(head_);
    device_->pci_config_offset = content_ + field.offset + kPciVersionBytes;
  } else if (const bool or_less = field.type.ends_with(kOrLessType);
             or_less || field.type.ends_with(kEqualType)) {
    if (values_ == kMaxValues) return;
    ++values_;
    device_->equal.push_back({std::string(field.name), value.number,
                              content_ + field.offset, or_less});
  } else if (field.name == kKeys && field.kind == FieldKind::kUnsigned) {
    if (values_ == kMaxValues) return;
    ++values_;
    keys_.push_back(value.number);
    device_->registers.try_emplace(value.number);
  } else if (field.name == kValues && field.index < keys_.size()) {
    device_->registers[keys_[field.index]] = value.number;
  }
}

// Bytes come in pieces of any length; those of a device's first such field are
// put together.
bool LoadableReader::Fields::Hold(const Field& field, const FieldValue& value,
                                  size_t limit) {
  if (head_.empty()) head_offset_ = field.offset;
  if (field.offset != head_offset_ || value.offset != head_.size() ||
      head_.size() == limit) {
    return false;
  }
  const ByteSpan bytes =
      value.bytes.first(std::min(value.bytes.size(), limit - head_.size()));
  head_ += AsText(bytes);
  return true;
}

}  // namespace migstream
