#include "codec/multifd/reassembler.h"

#include <algorithm>
#include <string_view>

#include "codec/wire/text.h"
#include "flags/multifd_flags.h"

namespace migstream {
namespace {

constexpr uint32_t kVfioPacketVersion = 0;

Error At(const PacketPlace& place, Error error) {
  error.offset = place.offset;
  error.file = std::string(place.file);
  return error;
}

// What a header's number would be in the dialects of the other byte order;
// nothing if that is no more likely.
std::string OtherEndianHint(uint32_t number, uint32_t most, bool host_endian) {
  const uint32_t swapped = __builtin_bswap32(number);
  if (number <= most || swapped > most) return "";
  return StrCat("; in ",
                host_endian ? "released dialects" : "dialects E6 and E7",
                " it is ", swapped);
}

// What a packet that waits counts for.
uint64_t HeldBytes(size_t data_bytes) {
  return data_bytes + MultifdLimits::kHeldPacketBytes;
}

}  // namespace

void Reassembler::Expect(std::string_view idstr, uint32_t instance_id) {
  closed_ = true;
  auto [entry, added] =
      index_.try_emplace({std::string(idstr), instance_id}, devices_.size());
  if (!added) return;
  devices_.push_back(std::make_unique<Device>());
  devices_.back()->idstr = std::string(idstr);
  devices_.back()->instance_id = instance_id;
}

Error Reassembler::Add(const DeviceStatePacket& packet, ByteSpan payload,
                       const PacketPlace& place) {
  std::vector<uint8_t>* held;
  Error error = Accept(packet, payload, place, held);
  if (held != nullptr) held->assign(payload.begin(), payload.end());
  return error;
}

Error Reassembler::Take(const DeviceStatePacket& packet,
                        std::vector<uint8_t>& payload,
                        const PacketPlace& place) {
  std::vector<uint8_t>* held;
  Error error = Accept(packet, payload, place, held);
  if (held != nullptr) {
    held->swap(payload);
    payload.clear();
  }
  return error;
}

Error Reassembler::Accept(const DeviceStatePacket& packet, ByteSpan payload,
                          const PacketPlace& place,
                          std::vector<uint8_t>*& held) {
  held = nullptr;
  if (!error_.ok()) return error_;
  place_ = place;
  if (due_ != nullptr) {
    return Fail(ErrorCode::kMultifdNotTaken, packet.idstr,
                "what was due before this packet has not been taken");
  }
  std::pair<std::string, uint32_t> key(packet.idstr, packet.instance_id);
  auto found = index_.find(key);
  if (found == index_.end() && closed_) {
    return Fail(ErrorCode::kMultifdUnknownDevice, packet.idstr,
                StrCat("device-state packet for instance ", packet.instance_id,
                       ", whose state no FULL leaves to the channels"));
  }
  if (payload.size() < VfioPacketHeader::kBytes) {
    return Fail(ErrorCode::kMultifdShortPacket, packet.idstr,
                StrCat("packet too short at ", payload.size(), " (min is 12)"));
  }
  VfioPacketHeader header =
      VfioPacketHeader::Parse(payload.data(), host_endian_);
  ByteSpan data = payload.subspan(VfioPacketHeader::kBytes);
  if (Error error = Check(packet.idstr, header); !error.ok()) return error;
  if (found == index_.end()) {
    if (devices_.size() >= limits_.devices) {
      return Fail(ErrorCode::kDeviceLimit, packet.idstr,
                  StrCat("more than ", limits_.devices, " devices"));
    }
    found = index_.try_emplace(key, devices_.size()).first;
    devices_.push_back(std::make_unique<Device>());
    devices_.back()->idstr = key.first;
    devices_.back()->instance_id = packet.instance_id;
  }
  Device& device = *devices_[found->second];
  if (Error error = CheckPlace(device, header, data.size()); !error.ok()) {
    return error;
  }
  bool config = (header.flags & kVfioPacketConfigState) != 0;
  if (config) {
    device.config_seen = true;
    device.config_index = header.index;
  }
  device.any_seen = true;
  device.last_place = place;
  device.highest = std::max(device.highest, header.index);
  if (header.index == device.next) {
    due_ = &device;
    direct_ = true;
    direct_config_ = config;
    direct_data_ = data;
    ++device.next;
    return {};
  }
  device.held_bytes += HeldBytes(data.size());
  held_bytes_ += HeldBytes(data.size());
  Held& waiting = device.held[header.index];
  waiting.config = config;
  waiting.place = place;
  if (!spare_buffers_.empty()) {
    waiting.payload = std::move(spare_buffers_.back());
    spare_buffers_.pop_back();
  }
  held = &waiting.payload;
  return {};
}

bool Reassembler::IsDue(const DeviceStatePacket& packet,
                        ByteSpan payload) const {
  if (payload.size() < VfioPacketHeader::kBytes) return false;
  auto found = index_.find({std::string(packet.idstr), packet.instance_id});
  uint32_t next = found == index_.end() ? 0 : devices_[found->second]->next;
  return VfioPacketHeader::Parse(payload.data(), host_endian_).index == next;
}

// What can be wrong with a packet of any device.
Error Reassembler::Check(std::string_view idstr,
                         const VfioPacketHeader& header) {
  uint32_t index = header.index;
  if (header.version != kVfioPacketVersion) {
    return Fail(ErrorCode::kMultifdVersion, idstr,
                StrCat("packet has unknown version ", header.version));
  }
  if (index == kInvalidVfioPacketIndex || index > limits_.index) {
    return Fail(
        ErrorCode::kMultifdIndexLimit, idstr,
        StrCat("packet index ", Hex(index), " is beyond ", limits_.index,
               OtherEndianHint(index, limits_.index, host_endian_)));
  }
  if ((header.flags & ~uint32_t{kVfioPacketConfigState}) != 0) {
    return Fail(ErrorCode::kMultifdFlags, idstr,
                StrCat("packet ", index, " has flags ",
                       VfioPacketFlagsToString(header.flags),
                       OtherEndianHint(header.flags, kVfioPacketConfigState,
                                       host_endian_)));
  }
  return {};
}

// What can be wrong with it beside those that came before, before a byte of it
// is kept.
Error Reassembler::CheckPlace(const Device& device,
                              const VfioPacketHeader& header,
                              size_t data_bytes) {
  uint32_t index = header.index;
  if (index < device.next || device.held.contains(index)) {
    return Fail(ErrorCode::kMultifdDuplicate, device.idstr,
                StrCat("packet ", index, " came before"));
  }
  if (index - device.next > limits_.gap) {
    return Fail(ErrorCode::kMultifdGapLimit, device.idstr,
                StrCat("packet ", index, " is ", index - device.next,
                       " ahead of packet ", device.next, ", the limit is ",
                       limits_.gap));
  }
  bool config = header.flags != 0;
  if (config && device.config_seen) {
    return Fail(ErrorCode::kMultifdConfigNotLast, device.idstr,
                StrCat("packets ", device.config_index, " and ", index,
                       " are both config packets"));
  }
  if ((config && device.any_seen && index < device.highest) ||
      (!config && device.config_seen && index > device.config_index)) {
    return Fail(ErrorCode::kMultifdConfigNotLast, device.idstr,
                StrCat("packet ", config ? device.highest : index,
                       " comes after the config packet ",
                       config ? index : device.config_index));
  }
  if (index == device.next) return {};
  // Only what has to wait is held.
  auto held_limit = [&](ErrorCode code, std::string_view whose) {
    return Fail(
        code, device.idstr,
        StrCat("queuing state buffer ", index, " would exceed the bytes held ",
               whose, " while packet ", device.next, " is missing"));
  };
  uint64_t bytes = HeldBytes(data_bytes);
  if (bytes > limits_.held_bytes_per_device - device.held_bytes) {
    return held_limit(ErrorCode::kMultifdHeldLimit, "for the device");
  }
  if (bytes > limits_.held_bytes - held_bytes_) {
    return held_limit(ErrorCode::kMultifdTotalHeldLimit, "in all");
  }
  return {};
}

bool Reassembler::Next(ReassembledPiece& piece) {
  if (!error_.ok()) return false;
  auto give = [&piece](const Device& device, uint32_t index, bool config,
                       ByteSpan data, const PacketPlace& place) {
    piece = {device.idstr, device.instance_id, index, config, data, place};
    return true;
  };
  if (direct_) {
    direct_ = false;
    return give(*due_, due_->next - 1, direct_config_, direct_data_, place_);
  }
  // Only the device whose packet came last can have become due.
  if (due_ == nullptr) return false;
  auto found = due_->held.find(due_->next);
  if (found == due_->held.end()) {
    due_ = nullptr;
    return false;
  }
  if (current_.payload.capacity() != 0) {
    spare_buffers_.push_back(std::move(current_.payload));
  }
  current_ = std::move(found->second);
  due_->held.erase(found);
  ByteSpan data = current_.data();
  due_->held_bytes -= HeldBytes(data.size());
  held_bytes_ -= HeldBytes(data.size());
  return give(*due_, due_->next++, current_.config, data, current_.place);
}

Error Reassembler::Finish() const {
  if (!error_.ok()) return error_;
  for (const auto& device : devices_) {
    if (!device->held.empty() || direct_) {
      auto next = device->held.begin();
      return At(next == device->held.end() ? place_ : next->second.place,
                {ErrorCode::kMultifdGap, 0, device->idstr,
                 StrCat("packet ", device->next, " is missing, ",
                        device->held.size(), " after it are there")});
    }
    if (!device->config_seen) {
      return At(device->last_place, {ErrorCode::kMultifdGap, 0, device->idstr,
                                     StrCat("no config packet, ", device->next,
                                            " data packets are there")});
    }
  }
  return {};
}

Error Reassembler::Fail(ErrorCode code, std::string_view idstr,
                        std::string reason) {
  error_ = At(place_, {code, 0, std::string(idstr), std::move(reason)});
  return error_;
}

}  // namespace migstream
