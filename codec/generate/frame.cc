#include "codec/generate/frame.h"

#include <algorithm>
#include <string_view>

#include "codec/io/byte_source.h"
#include "codec/qemu/stream_reader.h"
#include "codec/qemu/vm_description.h"
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

// Where the elements of the array that is the top object's "devices" begin and
// end. The JSON has been read before, so it is whole.
std::vector<std::pair<size_t, size_t>> DeviceEntries(std::string_view json) {
  constexpr std::string_view kKey = "\"devices\"";
  std::vector<std::pair<size_t, size_t>> entries;
  int depth = 0;
  bool in_devices = false;
  size_t begin = 0;
  for (size_t i = 0; i < json.size(); ++i) {
    switch (json[i]) {
      case '"': {
        if (depth == 1) in_devices = json.substr(i).starts_with(kKey);
        for (++i; i < json.size() && json[i] != '"'; ++i) {
          if (json[i] == '\\') ++i;
        }
        break;
      }
      case '{':
      case '[':
        if (depth++ == 2 && in_devices) begin = i;
        break;
      case '}':
      case ']':
        if (--depth == 2 && in_devices) entries.emplace_back(begin, i + 1);
        break;
      default:
        break;
    }
  }
  return entries;
}

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

std::string ReplaceVfioEntries(std::string_view json,
                               const std::vector<std::string>& entries) {
  auto places = DeviceEntries(json);
  auto parsed = VmDescription::Parse(std::string(json));
  if (!parsed.ok() || parsed->devices.size() != places.size()) {
    return std::string(json);
  }
  std::string edited;
  size_t copied = 0;
  bool written = false;
  for (size_t i = 0; i < places.size(); ++i) {
    if (!IsVfioIdstr(parsed->devices[i].name)) continue;
    auto [begin, end] = places[i];
    std::string_view before = json.substr(copied, begin - copied);
    copied = end;
    if (!written && !entries.empty()) {
      StrAppend(&edited, before, StrJoin(entries, ", "));
      written = true;
      continue;
    }
    // Without the comma that stood before or, of a first one, behind it.
    size_t comma = before.rfind(',');
    if (i != 0 && comma != before.npos) {
      StrAppend(&edited, before.substr(0, comma));
    } else {
      StrAppend(&edited, before);
      if (i + 1 < places.size()) copied = json.find(',', end) + 1;
    }
  }
  std::string_view rest = json.substr(copied);
  if (written || entries.empty()) return StrCat(edited, rest);
  // The frame has no such entries: behind the last one.
  size_t at = places.empty() ? json.find('[', json.find("\"devices\"")) + 1
                             : places.back().second;
  return StrCat(json.substr(0, at), places.empty() ? "" : ", ",
                StrJoin(entries, ", "), json.substr(at));
}

}  // namespace migstream
