#include "codec/diff/stream_state.h"

#include <span>
#include <string_view>

#include "codec/device/config_view.h"
#include "codec/diff/keyed_lists.h"
#include "codec/extract/ram_extractor.h"
#include "codec/state/field_paths.h"
#include "codec/state/field_reader.h"
#include "codec/survey/stream_survey.h"
#include "codec/wire/text.h"
#include "flags/tag.h"

namespace migstream {
namespace {

// What one more of these takes in memory, beside its own bytes: nodes, strings
// and what is lost between them.
constexpr size_t kVfioDeviceBytes = 2048;
constexpr size_t kOtherDeviceBytes = 320;
constexpr size_t kConfigBytes = 512;
constexpr size_t kValueBytes = 176;
constexpr size_t kNodeBytes = 64;

// Memory that may still be taken.
class Budget {
 public:
  explicit Budget(size_t bytes) : left_(bytes) {}

  // False, and nothing is taken, if there is not so much.
  bool Take(size_t bytes) {
    const bool fits = bytes <= left_;
    if (fits) left_ -= bytes;
    fits_ = fits_ && fits;
    return fits;
  }
  void GiveBack(size_t bytes) { left_ += bytes; }
  // Whether all fitted that was ever asked for.
  bool fits() const { return fits_; }

 private:
  size_t left_;
  bool fits_ = true;
};

// The numbers that a layout has and its registers do not show.
std::map<std::string, uint64_t> NumbersOf(const ConfigView& config,
                                          ConfigLayoutKind kind) {
  if (kind == ConfigLayoutKind::kReleased) return {{"version", config.version}};
  std::map<std::string, uint64_t> numbers = {
      {"interrupt type", config.interrupt_type}};
  if (kind == ConfigLayoutKind::kE5V26) {
    numbers["version"] = config.version;
    numbers["VFIO version"] = config.vfio_version;
    return numbers;
  }
  for (size_t i = 0; i < config.bars.size(); ++i) {
    numbers[StrCat("BAR ", i)] = config.bars[i];
  }
  numbers["command"] = config.command;
  if (config.interrupt_type == kInterruptMsi) {
    numbers["MSI address low"] = config.msi[0];
    numbers["MSI address high"] = config.msi[1];
    numbers["MSI data"] = config.msi[2];
  }
  if (config.interrupt_type == kInterruptMsix) {
    numbers["MSI-X flags"] = config.msix_flags;
  }
  return numbers;
}

// Tells a FieldReader of everything, and keeps what it does not.
class Collector : public FieldReader {
 public:
  // `ram` is null if guest memory is not wanted.
  Collector(StreamState& state, Budget& budget, RamExtractor* ram,
            FieldVisitor& fields)
      : FieldReader(fields), state_(state), budget_(budget), ram_(ram) {}

  bool wants_payload() const override { return true; }
  bool wants_content() const override {
    return FieldReader::wants_content() || content_ != nullptr ||
           (ram_ != nullptr && ram_->wants_content());
  }

  void OnConfiguration(const ConfigurationView& configuration) override {
    if (ram_ != nullptr) ram_->OnConfiguration(configuration);
    FieldReader::OnConfiguration(configuration);
  }

  void OnSection(const SectionView& section) override {
    ++state_.sections;
    content_ = nullptr;
    const DeviceName name(section.idstr, section.instance_id);
    if (section.vfio) {
      vfio_ = &Vfio(name);
      AddVersion(vfio_->versions, section.version_id);
    } else {
      const auto [device_at, added] = state_.devices.try_emplace(name);
      DeviceState& device = device_at->second;
      if (added) budget_.Take(kOtherDeviceBytes + name.first.size());
      AddVersion(device.versions, section.version_id);
      bool ram = section.idstr == "ram" && section.type != SectionType::kFull;
      if (!ram) content_ = &device.content;
      state_.has_ram |= ram;
    }
    if (ram_ != nullptr) ram_->OnSection(section);
    FieldReader::OnSection(section);
  }

  void OnContent(ByteSpan bytes) override {
    if (content_ != nullptr) Keep(*content_, bytes);
    if (ram_ != nullptr) ram_->OnContent(bytes);
    FieldReader::OnContent(bytes);
  }

  void OnRamRecord(const RamRecordView& record) override {
    if (ram_ != nullptr) ram_->OnRamRecord(record);
    FieldReader::OnRamRecord(record);
  }

  void OnRamBlocks(std::span<const RamBlock> blocks) override {
    if (ram_ != nullptr) ram_->OnRamBlocks(blocks);
    FieldReader::OnRamBlocks(blocks);
  }

  void OnMappedRam(const RamBlock& block, uint64_t offset) override {
    if (ram_ != nullptr) ram_->OnMappedRam(block, offset);
    FieldReader::OnMappedRam(block, offset);
  }

  void OnSectionEnd(const SectionView& section, uint64_t content_bytes,
                    bool footer) override {
    if (!section.vfio) {
      state_.devices[DeviceName(section.idstr, section.instance_id)].is_known =
          true;
    }
    if (ram_ != nullptr) ram_->OnSectionEnd(section, content_bytes, footer);
    FieldReader::OnSectionEnd(section, content_bytes, footer);
  }

  void OnDeviceEvent(const SectionView& section, const Event& event) override {
    VfioState& device = *vfio_;
    switch (event.kind) {
      case EventKind::kData:
        if (event.starts_record) AddRecord(device, event.record_bytes);
        if (error_.ok())
          error_ = device.payload.AppendPiece(state_.kept, event);
        break;
      case EventKind::kTag:
        // Every section has the two left out.
        if (event.element != Element::kSetup &&
            event.element != Element::kEndOfState) {
          ++device.counts[std::string(ToString(event))];
        }
        break;
      case EventKind::kConfig:
      case EventKind::kSubsection:
      case EventKind::kConfigEnd:
        AddConfig(device, ToString(section.type), event);
    }
    FieldReader::OnDeviceEvent(section, event);
  }

  bool takes_runs() const override {
    return ram_ == nullptr || ram_->takes_runs();
  }

  // Each is one of a handler that was started.
  void OnEmptyParts(const EmptyParts& parts) override {
    state_.sections += parts.count;
  }

  void OnDeviceRecords(const SectionView& section,
                       const DeviceRecords& records) override {
    for (const iovec& payload : records.payloads) {
      AddRecord(*vfio_, payload.iov_len);
    }
    if (error_.ok()) {
      error_ = vfio_->payload.AppendRecords(state_.kept, records);
    }
    FieldReader::OnDeviceRecords(section, records);
  }

  void OnDataParts(const DataParts& parts) override {
    state_.sections += parts.records.payloads.size();
    vfio_ =
        &state_
             .vfio[DeviceName(parts.section.idstr, parts.section.instance_id)];
    FieldReader::OnSection(parts.section);
    OnDeviceRecords(parts.section, parts.records);
  }

  void OnRamPages(const RamPages& row) override {
    if (ram_ != nullptr) ram_->OnRamPages(row);
  }

  void OnCommand(const CommandView& command) override {
    if (budget_.Take(kNodeBytes + command.data.size())) {
      state_.commands.push_back(
          {command.command, std::string(AsText(command.data))});
    }
    FieldReader::OnCommand(command);
  }

  void OnDescription(uint64_t offset, ByteSpan json) override {
    Keep(state_.description.emplace(), json);
    FieldReader::OnDescription(offset, json);
  }

  void OnPacket(const ReassembledPiece& piece) {
    VfioState& device = Vfio(DeviceName(piece.idstr, piece.instance_id));
    if (piece.config) {
      Error error = DecodeConfigPiece(piece, [&](const Event& event) {
        AddConfig(device, "packet", event);
      });
      if (error_.ok()) error_ = error;
    } else {
      AddRecord(device, piece.data.size());
      Keep(device.payload, piece.data);
    }
    FieldReader::OnPiece(piece);
  }

  const Error& error() const { return error_; }

 private:
  VfioState& Vfio(const DeviceName& name) {
    const auto [device, added] = state_.vfio.try_emplace(name);
    if (added) budget_.Take(kVfioDeviceBytes + name.first.size());
    return device->second;
  }

  void AddVersion(std::set<uint32_t>& versions, uint32_t version) {
    if (versions.contains(version) || !budget_.Take(kNodeBytes)) return;
    versions.insert(version);
  }

  void AddRecord(VfioState& device, uint64_t bytes) {
    if (records_ == StreamState::kMaxRecords) return;
    ++records_;
    device.record_bytes.push_back(bytes);
  }

  void Keep(StoredBytes& kept, ByteSpan bytes) {
    if (error_.ok()) error_ = kept.Append(state_.kept, bytes);
  }

  void AddConfig(VfioState& device, std::string_view place,
                 const Event& event) {
    bool subsection = event.kind == EventKind::kSubsection;
    if (event.kind != EventKind::kConfig && !subsection) return;
    if (!budget_.Take(kConfigBytes + event.payload.size())) return;
    if (subsection) {
      if (device.configs.empty()) return;
      device.configs.back().subsections[std::string(event.subsection.name)] = {
          event.subsection.version, std::string(AsText(event.payload))};
      return;
    }
    ConfigState& kept = device.configs.emplace_back();
    kept.place = std::string(place);
    kept.subflag = event.subflag;
    kept.has_payload = event.layout.total_bytes != 0;
    if (!kept.has_payload) return;
    ConfigView config = ConfigView::Parse(event.payload, event.layout);
    kept.numbers = NumbersOf(config, event.layout.kind);
    kept.pci_config = std::string(AsText(config.pci_config));
    kept.msix_table = std::string(AsText(config.msix_table));
    kept.msix_pba = std::string(AsText(config.msix_pba));
    if (event.layout.kind == ConfigLayoutKind::kE5V7) return;
    for (uint32_t state : config.irq_state) {
      StrAppend(&kept.irq_states, state);
    }
  }

  StreamState& state_;
  Budget& budget_;
  RamExtractor* const ram_;
  StoredBytes* content_ = nullptr;  // Where this section's goes.
  VfioState* vfio_ = nullptr;       // Whose section it is.
  size_t records_ = 0;              // Whose sizes are kept.
  Error error_;
};

}  // namespace

Error StreamState::Read(ByteSource& source,
                        std::vector<ChannelReader::Channel> channels,
                        const StateOptions& options) {
  if (options.open_again) {
    kept.SetStream(options.open_again());
    if (options.ram) ram_store.SetStream(options.open_again());
  }
  Budget budget(kMaxOtherBytes), values_budget(kMaxValueBytes);
  // How often a device's path came, of those that came again.
  std::map<const DeviceState*, std::map<std::string, int>> times;
  FieldPaths paths([&](const PathValue& value) {
    // VFIO is kept byte by byte; and what nothing describes is one value.
    if (value.state == StateKind::kVfio ||
        value.state == StateKind::kUndescribed) {
      return;
    }
    DeviceState& device = devices[DeviceName(value.device, value.instance_id)];
    if (device.too_many) return;
    device.too_many = !values_budget.Take(kValueBytes + value.path.size() +
                                          value.bytes.size());
    if (device.too_many) {
      for (const auto& [path, kept] : device.values) {
        values_budget.GiveBack(kValueBytes + path.size() + kept.bytes.size());
      }
      device.values.clear();
      times.erase(&device);
      return;
    }
    std::string path(value.path);
    const bool again = device.values.contains(path);
    if (again) {
      int& came = times[&device].try_emplace(path, 1).first->second;
      StrAppend(&path, " (", ++came, ")");
    }
    StateValue& kept = device.values[path];
    if (!again) {
      kept.offset = value.offset;
      kept.offset_characters = value.offset_characters;
    }
    if (value.text.size() <= kMaxText) kept.text = std::string(value.text);
    kept.bytes = std::string(AsText(value.bytes));
  });
  std::optional<RamExtractor> memory;
  if (options.ram) {
    memory.emplace(ram_store.ImageOf(), options.ram_channels,
                   options.reader.limits, options.threads);
  }
  Collector collector(*this, budget, memory ? &*memory : nullptr, paths);
  StreamSurvey survey(options.reader, collector);
  end = survey.ReadAll(
      source, std::move(channels),
      [&](const ReassembledPiece& piece) { collector.OnPacket(piece); });
  for (const DeviceFacts& device : survey.facts().devices) {
    auto& counts = vfio[DeviceName(device.idstr, device.instance_id)].counts;
    counts["PART sections"] = device.data.pre_copy.sections;
    counts["END sections"] = device.data.stop_copy.sections;
    counts["DATA records"] = device.data.records();
    counts["pre-copy bytes"] = device.data.pre_copy.bytes;
  }
  collector.Finish(end);
  for (auto& [name, device] : devices) NameByKey(device.values);
  if (memory) {
    if (end.ok()) end = memory->Finish();
    if (end.ok()) end = memory->FindMissingChannel();
    if (end.ok()) end = ram_store.error();
    for (const auto& [name, block] : ram_store.blocks()) {
      const RamExtractor::Memory& came = *memory->Find(name);
      ram[name] = {came.page_bytes, came.missing_pages()};
    }
  }
  if (end.ok()) end = collector.error();
  if (end.ok() && !budget.fits()) {
    end = {ErrorCode::kHoldLimit, 0, "",
           StrCat("more than ", kMaxOtherBytes >> 20,
                  " MiB of devices, configs, commands and versions, to be "
                  "compared")};
  }
  return end;
}

}  // namespace migstream
