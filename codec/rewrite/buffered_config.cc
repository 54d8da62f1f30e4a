#include "codec/rewrite/buffered_config.h"

#include "codec/device/config_view.h"

namespace migstream {

void BufferedConfig::Add(const Event& event) {
  Held held = {event, std::string(AsText(event.payload)),
               std::string(event.subsection.name)};
  bytes_ += sizeof held + held.payload.size() + held.name.size();
  events_.push_back(std::move(held));
}

void BufferedConfig::Replay(const SectionView& section,
                            StreamVisitor& visitor) const {
  for (const Held& held : events_) {
    Event event = held.event;
    event.payload = AsBytes(held.payload);
    event.subsection.name = held.name;
    event.subsection.payload = event.payload;
    visitor.OnDeviceEvent(section, event);
  }
}

std::optional<PciId> BufferedConfig::pci_id() const {
  for (const Held& held : events_) {
    const ConfigLayout& layout = held.event.layout;
    if (held.event.kind != EventKind::kConfig || layout.total_bytes == 0) {
      continue;
    }
    ByteSpan config =
        ConfigView::Parse(AsBytes(held.payload), layout).pci_config;
    if (config.size() < 4) continue;
    return PciId{LoadLe16(config.data()), LoadLe16(config.data() + 2)};
  }
  return std::nullopt;
}

}  // namespace migstream
