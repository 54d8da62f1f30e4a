#include "codec/generate/device_channels.h"

#include <algorithm>
#include <memory>
#include <span>

#include "codec/generate/recipe_dialect.h"
#include "codec/multifd/channel_encoder.h"
#include "codec/wire/text.h"
#include "flags/multifd_flags.h"

namespace migstream {
namespace {

constexpr uint32_t kUsualChannels = 2;
constexpr uint32_t kMaxChannels = 256;  // The id is one byte.
constexpr uint64_t kSyncPacketBytes =
    kRamPacketFixedBytes + 8 * (kRamPacketPageBytes / 4096);
constexpr uint32_t kMaxSyncPackets = 1 << 10;

// One channel, while it is written.
class Channel {
 public:
  Channel(const Dialect& dialect, MarkedBytes& to)
      : to_(to),
        encoder_(headers_, pieces_,
                 {.host_endian = dialect.host_endian_packets}) {}

  // What `put` puts goes to the channel.
  template <typename Function>
  absl::Status Write(Function put) {
    if (put(encoder_) != Put::kDone) {
      return absl::InvalidArgumentError(encoder_.error("channel").reason);
    }
    for (const iovec& piece : encoder_.pieces()) {
      to_.bytes.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
    }
    encoder_.Clear();
    return absl::OkStatus();
  }

  absl::Status Packet(const GeneratedDevice& device, uint32_t index,
                      const DevicePacket& packet) {
    uint64_t at = to_.bytes.size();
    absl::Status status = Write([&](ChannelEncoder& encoder) {
      return encoder.VfioPacket(
          {device.idstr, device.instance_id},
          {0, index, packet.config ? kVfioPacketConfigState : 0u},
          AsBytes(packet.data));
    });
    to_.marks.push_back({MarkKind::kPacket, packet.device, SectionType::kFull,
                         at, to_.bytes.size() - at, index});
    return status;
  }

 private:
  MarkedBytes& to_;
  uint8_t headers_[ChannelEncoder::kMinHeaderBytes];
  iovec pieces_[ChannelEncoder::kMinPieces];
  ChannelEncoder encoder_;
};

MultifdInit Init(const recipe::Migration& recipe, uint32_t id) {
  MultifdInit init;
  // A destination refuses channels that are not of the CONFIGURATION's VM.
  const std::string& own = recipe.channels().uuid();
  const std::string& uuid = own.empty() ? recipe.configuration().uuid() : own;
  if (!own.empty() || uuid.size() == init.uuid.size()) {
    std::copy_n(uuid.begin(), std::min(uuid.size(), init.uuid.size()),
                init.uuid.begin());
  }
  init.channel_id = static_cast<uint8_t>(id);
  return init;
}

}  // namespace

absl::Status WriteDeviceChannels(
    const recipe::Migration& recipe,
    const std::vector<std::vector<DevicePacket>>& packets, uint64_t max_bytes,
    Random& random, Generated& out) {
  bool any = std::any_of(packets.begin(), packets.end(),
                         [](const auto& list) { return !list.empty(); });
  uint32_t count = recipe.channels().count();
  if (count == 0 && any) count = kUsualChannels;
  count = std::min(count, kMaxChannels);
  uint64_t syncs = std::min(recipe.channels().sync_packets(), kMaxSyncPackets);
  // One for each section of RAM: START, PARTs and END.
  if (syncs != 0 && recipe.has_ram()) {
    syncs = uint64_t{recipe.ram().parts()} + 2;
  }
  const Dialect& dialect =
      RecipeDialect(recipe.dialect(), GetDialect(DialectId::kV111));
  if (uint64_t{count} * (kMultifdInitBytes + syncs * kSyncPacketBytes) >
      max_bytes) {
    return absl::ResourceExhaustedError(
        StrCat("the recipe's channels hold more than ", max_bytes, " bytes"));
  }
  out.channels.resize(count);
  std::vector<std::unique_ptr<Channel>> channels;
  absl::Status status;
  for (uint32_t id = 0; id < count; ++id) {
    channels.push_back(std::make_unique<Channel>(dialect, out.channels[id]));
    status.Update(channels[id]->Write([&](ChannelEncoder& encoder) {
      return encoder.Init(Init(recipe, id));
    }));
    for (uint64_t i = 0; i < syncs; ++i) {
      status.Update(channels[id]->Write(
          [&](ChannelEncoder& encoder) { return encoder.Sync(i); }));
    }
  }
  size_t turn = 0;
  for (uint32_t index = 0; any && status.ok(); ++index) {
    any = false;
    for (const std::vector<DevicePacket>& list : packets) {
      if (index >= list.size()) continue;
      any = true;
      const DevicePacket& packet = list[index];
      size_t channel =
          recipe.channels().shuffled() ? random.Below(count) : turn++ % count;
      status.Update(
          channels[channel]->Packet(out.devices[packet.device], index, packet));
    }
  }
  return status;
}

}  // namespace migstream
