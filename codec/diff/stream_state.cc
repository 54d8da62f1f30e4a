#include "codec/diff/stream_state.h"

#include "absl/strings/str_cat.h"
#include "codec/device/config_view.h"
#include "codec/qemu/field_paths.h"
#include "codec/qemu/field_reader.h"

namespace migstream {
namespace {

// Tells a FieldReader of everything, and keeps what it does not.
class Collector : public FieldReader {
 public:
  Collector(StreamState& state, FieldVisitor& fields)
      : FieldReader(fields), state_(state) {}

  bool wants_payload() const override { return true; }

  void OnSection(const SectionView& section) override {
    ++state_.sections;
    if (section.vfio) {
      VfioState& device = Device(section.idstr, section.instance_id);
      if (section.type == SectionType::kPart) ++device.parts;
    }
    FieldReader::OnSection(section);
  }

  void OnDeviceEvent(const SectionView& section, const Event& event) override {
    VfioState& device = Device(section.idstr, section.instance_id);
    if (event.kind == EventKind::kData) {
      if (event.starts_record) CountRecord(device, event.record_bytes);
      AddPayload(device, event.payload);
      if (section.type == SectionType::kPart) {
        device.pre_copy_bytes += event.payload.size();
      }
    } else if (event.kind == EventKind::kInitDataSent) {
      ++device.init_data_sent;
    } else {
      AddConfig(device, event);
    }
    FieldReader::OnDeviceEvent(section, event);
  }

  void OnCommand(const CommandView& command) override {
    if (state_.commands.size() < StreamState::kMaxRecords) {
      state_.commands.push_back(absl::StrCat(ToString(command.command)));
    }
    FieldReader::OnCommand(command);
  }

  void OnPacket(const ReassembledPiece& piece) {
    VfioState& device = Device(piece.idstr, piece.instance_id);
    if (piece.config) {
      Error error = DecodeConfigPiece(
          piece, [&](const Event& event) { AddConfig(device, event); });
      if (error_.ok()) error_ = error;
    } else {
      CountRecord(device, piece.data.size());
      AddPayload(device, piece.data);
    }
    FieldReader::OnPiece(piece);
  }

  const Error& error() const { return error_; }

 private:
  VfioState& Device(absl::string_view idstr, uint32_t instance_id) {
    return state_.vfio[DeviceName(idstr, instance_id)];
  }

  void CountRecord(VfioState& device, uint64_t bytes) {
    ++device.records;
    if (device.record_bytes.size() < StreamState::kMaxRecords) {
      device.record_bytes.push_back(bytes);
    }
  }

  void AddPayload(VfioState& device, ByteSpan bytes) {
    if (bytes.empty() || !error_.ok()) return;
    uint64_t offset = state_.payload.size();
    error_ = state_.payload.Append(bytes);
    device.payload_bytes += bytes.size();
    std::vector<VfioState::Piece>& pieces = device.payload;
    if (!pieces.empty() &&
        pieces.back().offset + pieces.back().bytes == offset) {
      pieces.back().bytes += bytes.size();
    } else {
      pieces.push_back({offset, bytes.size()});
    }
  }

  void AddConfig(VfioState& device, const Event& event) {
    if (event.kind == EventKind::kSubsection) {
      device.subsections[std::string(event.subsection.name)] =
          std::string(AsText(event.payload));
    }
    if (event.kind != EventKind::kConfig || event.layout.total_bytes == 0) {
      return;
    }
    ConfigView config = ConfigView::Parse(event.payload, event.layout);
    device.has_config = true;
    device.pci_config = std::string(AsText(config.pci_config));
    device.msix_table = std::string(AsText(config.msix_table));
    device.msix_pba = std::string(AsText(config.msix_pba));
    device.irq_states.clear();
    for (uint32_t state : config.irq_state) {
      absl::StrAppend(&device.irq_states, state);
    }
  }

  StreamState& state_;
  Error error_;
};

}  // namespace

Error StreamState::Read(ByteSource& source,
                        std::vector<ChannelReader::Channel> channels,
                        const ReaderOptions& options) {
  // How often a device's path came.
  std::map<const void*, std::map<std::string, int>> seen;
  size_t count = 0;
  size_t bytes = 0;
  FieldPaths paths([&](const PathValue& value) {
    if (value.state == StateKind::kVfio) return;  // Kept byte by byte.
    bytes += value.bytes.size() + value.path.size();
    if (++count > kMaxValues || bytes > kMaxValueBytes) return;
    auto& device = values[DeviceName(value.device, value.instance_id)];
    std::string path(value.path);
    int& times = seen[&device][path];
    if (++times > 1) absl::StrAppend(&path, " (", times, ")");
    StateValue& kept = device[path];
    if (value.text.size() <= kMaxText) kept.text = std::string(value.text);
    kept.bytes = std::string(AsText(value.bytes));
  });
  Collector collector(*this, paths);
  StreamReader reader(source, collector, options);
  Error error = reader.Read();
  if (!channels.empty() && error.ok()) {
    ChannelReaderOptions channel_options;
    channel_options.page_bytes = static_cast<uint32_t>(reader.page_bytes());
    channel_options.host_endian = options.dialect->host_endian_packets;
    error = ChannelReader(std::move(channels), channel_options)
                .Read([&](const ReassembledPiece& piece) {
                  collector.OnPacket(piece);
                });
  }
  collector.Finish();
  if (error.ok()) error = collector.error();
  if (error.ok() && (count > kMaxValues || bytes > kMaxValueBytes)) {
    error = {ErrorCode::kHoldLimit, 0, "",
             absl::StrCat("more than ", kMaxValues, " values, or ",
                          kMaxValueBytes, " bytes of them, to be compared")};
  }
  return error;
}

}  // namespace migstream
