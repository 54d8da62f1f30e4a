#include "codec/rewrite/channel_merger.h"

#include <string>

#include "codec/channels/channel_reader.h"
#include "codec/channels/channel_source.h"
#include "codec/wire/text.h"

namespace migstream {

void ChannelMerger::OnSection(const SectionView& section) {
  if (section.vfio) complete_ = false;
  next().OnSection(section);
}

void ChannelMerger::Finish() {
  for (const auto& device : pieces_.Devices()) {
    bool data = pieces_.DataPieces(device.first, device.second) > 0;
    if ((data && !merged_.contains(device)) || !configured_.contains(device)) {
      PacketPlace place = pieces_.FirstPlace(device.first, device.second);
      Fail(OfChannel(
          place.file,
          {ErrorCode::kNotWritable, place.offset, device.first,
           "the channels have packets of the device, and the main channel no "
           "sections to put them into"}));
    }
  }
}

void ChannelMerger::OnDeviceEvent(const SectionView& section,
                                  const Event& event) {
  complete_ |= event.Is(Element::kDataStateComplete);
  bool ends = event.kind == EventKind::kTag && EndsSection(event.element);
  if (!ends || !pieces_.Has(section.idstr, section.instance_id)) {
    return next().OnDeviceEvent(section, event);
  }
  if (section.type == SectionType::kEnd && TakesData(section)) {
    PutData(section);
  }
  if (section.type == SectionType::kFull) {
    return PutConfig(section, event.element);
  }
  next().OnDeviceEvent(section, event);
}

// A device's data goes to one END. In E6 that is not the one before it, which
// only says that there will be no data on the main channel.
bool ChannelMerger::TakesData(const SectionView& section) {
  if (complete_) return false;
  return merged_.emplace(std::string(section.idstr), section.instance_id)
      .second;
}

void ChannelMerger::PutData(const SectionView& section) {
  size_t count = pieces_.DataPieces(section.idstr, section.instance_id);
  for (size_t i = 0; i < count && error().ok(); ++i) {
    Event record;
    record.kind = EventKind::kData;
    record.starts_record = true;
    Fail(pieces_.ReadData(section.idstr, section.instance_id, i,
                          record.payload));
    record.record_bytes = record.payload.size();
    if (error().ok()) next().OnDeviceEvent(section, record);
  }
}

void ChannelMerger::PutConfig(const SectionView& section, Element ending) {
  ReassembledPiece piece;
  configured_.emplace(std::string(section.idstr), section.instance_id);
  Fail(pieces_.ReadConfig(section.idstr, section.instance_id, piece));
  if (!error().ok()) return;
  Fail(DecodeConfigPiece(piece, [&](const Event& event) {
    Event config = event;
    if (event.kind == EventKind::kConfigEnd) config.element = ending;
    next().OnDeviceEvent(section, config);
  }));
}

}  // namespace migstream
