#include "codec/rewrite/piece_store.h"

#include <cassert>
#include <span>
#include <string_view>

namespace migstream {

Error PieceStore::Add(const ReassembledPiece& piece) {
  auto [found, added] =
      devices_.try_emplace({std::string(piece.idstr), piece.instance_id});
  Device& device = found->second;
  if (added) device.first_origin = Origin(piece.place);
  Place place = {file_.size(), piece.data.size()};
  Error error = file_.Append(piece.data);
  if (!error.ok()) return error;
  if (piece.config) {
    device.config = place;
    device.config_origin = Origin(piece.place);
  } else {
    device.data.push_back(place);
  }
  return {};
}

const PieceStore::Device* PieceStore::Find(std::string_view idstr,
                                           uint32_t instance_id) const {
  auto found =
      devices_.find(std::pair<std::string, uint32_t>(idstr, instance_id));
  return found == devices_.end() ? nullptr : &found->second;
}

std::vector<std::pair<std::string, uint32_t>> PieceStore::Devices() const {
  std::vector<std::pair<std::string, uint32_t>> names;
  for (const auto& [name, device] : devices_) names.push_back(name);
  return names;
}

size_t PieceStore::DataPieces(std::string_view idstr,
                              uint32_t instance_id) const {
  const Device* device = Find(idstr, instance_id);
  return device == nullptr ? 0 : device->data.size();
}

Error PieceStore::ReadData(std::string_view idstr, uint32_t instance_id,
                           size_t index, ByteSpan& data) {
  assert(index < DataPieces(idstr, instance_id));
  return Read(Find(idstr, instance_id)->data[index], data);
}

Error PieceStore::ReadConfig(std::string_view idstr, uint32_t instance_id,
                             ReassembledPiece& config) {
  const Device* device = Find(idstr, instance_id);
  config = {};
  if (device == nullptr) return {};
  config.idstr = idstr;
  config.instance_id = instance_id;
  config.config = true;
  config.place = device->config_origin.place();
  return Read(device->config, config.data);
}

PacketPlace PieceStore::FirstPlace(std::string_view idstr,
                                   uint32_t instance_id) const {
  const Device* device = Find(idstr, instance_id);
  return device == nullptr ? PacketPlace() : device->first_origin.place();
}

Error PieceStore::Read(const Place& place, ByteSpan& bytes) {
  buffer_.resize(place.bytes);
  Error error = file_.ReadAt(place.offset, buffer_);
  bytes = buffer_;
  return error;
}

}  // namespace migstream
