#include "codec/rewrite/buffered_config.h"

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

}  // namespace migstream
