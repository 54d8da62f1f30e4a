#include "codec/multifd/packet_distributor.h"

#include <string_view>

#include "codec/wire/text.h"
#include "flags/multifd_flags.h"

namespace migstream {

PacketDistributor::PacketDistributor(uint32_t channels, Choice choice,
                                     const MultifdLimits& limits)
    : channels_(channels), choice_(std::move(choice)), limits_(limits) {}

Error PacketDistributor::Data(std::string_view idstr, uint32_t instance_id,
                              DistributedPacket& packet) {
  return Assign(idstr, instance_id, false, packet);
}

Error PacketDistributor::Config(std::string_view idstr, uint32_t instance_id,
                                DistributedPacket& packet) {
  return Assign(idstr, instance_id, true, packet);
}

Error PacketDistributor::Assign(std::string_view idstr, uint32_t instance_id,
                                bool config, DistributedPacket& packet) {
  if (!error_.ok()) return error_;
  auto fail = [&](ErrorCode code, std::string reason) {
    return error_ = {code, 0, std::string(idstr), std::move(reason)};
  };
  auto [entry, added] = devices_.try_emplace({std::string(idstr), instance_id});
  Device& device = entry->second;
  if (added && devices_.size() > limits_.devices) {
    return fail(ErrorCode::kDeviceLimit,
                StrCat("more than ", limits_.devices, " devices"));
  }
  if (device.config_assigned) {
    return fail(ErrorCode::kMultifdConfigNotLast,
                StrCat("a ", config ? "config" : "data",
                       " packet after the config packet ", device.next - 1));
  }
  if (device.next > limits_.index) {
    return fail(ErrorCode::kMultifdIndexLimit,
                StrCat("packet index ", Hex(device.next), " is beyond ",
                       limits_.index));
  }
  uint32_t channel =
      choice_ != nullptr ? choice_(idstr, instance_id, device.next) : turn_;
  if (channel >= channels_) {
    return fail(ErrorCode::kNotWritable,
                StrCat("no channel ", channel, ", there are ", channels_));
  }
  turn_ = (channel + 1) % channels_;
  packet.channel = channel;
  packet.device = {idstr, instance_id, {}};
  packet.header = {};
  packet.header.index = device.next++;
  packet.header.flags = config ? uint32_t{kVfioPacketConfigState} : 0;
  device.config_assigned = config;
  return {};
}

Error PacketDistributor::Finish() const {
  if (!error_.ok()) return error_;
  for (const auto& [key, device] : devices_) {
    if (device.config_assigned) continue;
    return {ErrorCode::kMultifdGap, 0, key.first,
            StrCat("no config packet after ", device.next, " data packets")};
  }
  return {};
}

}  // namespace migstream
