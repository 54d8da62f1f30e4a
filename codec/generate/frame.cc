#include "codec/generate/frame.h"

#include <algorithm>

#include "codec/io/byte_source.h"
#include "codec/qemu/stream_reader.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

class FrameVisitor : public StreamVisitor {
 public:
  void OnConfiguration(const ConfigurationView& configuration) override {
    frame.machine_type = std::string(configuration.machine_type);
  }

  void OnSection(const SectionView& section) override {
    frame.highest_id = std::max(frame.highest_id, section.id);
    if (section.vfio && section.type == SectionType::kStart) {
      FrameDevice& device = frame.devices.emplace_back();
      device.idstr = std::string(section.idstr);
      device.instance_id = section.instance_id;
      device.section_id = section.id;
    }
  }

  void OnDeviceEvent(const SectionView& section, const Event& event) override {
    auto device = std::find_if(
        frame.devices.begin(), frame.devices.end(),
        [&](const FrameDevice& d) { return d.section_id == section.id; });
    if (device == frame.devices.end()) return;
    if (event.kind == EventKind::kConfig) {
      device->has_config = true;
      device->config =
          ConfigParts::Copy(ConfigView::Parse(event.payload, event.layout));
    }
    if (event.kind == EventKind::kSubsection) {
      device->config.AddSubsection(event.subsection);
    }
  }

  void OnSectionEnd(const SectionView&, uint64_t, bool footer) override {
    frame.footers = footer;
  }

  void OnCommand(const CommandView& command) override {
    frame.return_path |= command.command == Command::kOpenReturnPath;
    frame.switchover_start |= command.command == Command::kSwitchoverStart;
  }

  Frame frame;
};

}  // namespace

absl::StatusOr<Frame> Frame::Read(ByteSpan bytes) {
  FrameVisitor visitor;
  MemorySource source(bytes);
  Error error = StreamReader(source, visitor).Read();
  if (!error.ok()) {
    return absl::InvalidArgumentError(
        StrCat("the frame is damaged: ", ToString(error)));
  }
  if (visitor.frame.devices.empty()) {
    return absl::InvalidArgumentError("the frame has no VFIO device");
  }
  return std::move(visitor.frame);
}

}  // namespace migstream
