#include "fuzz/device_channels.h"

#include <algorithm>

#include "codec/wire/writer.h"
#include "flags/multifd_flags.h"
#include "flags/section_type.h"

namespace migstream {
namespace {

constexpr uint32_t kUsualChannels = 2;
constexpr uint32_t kMaxChannels = 256;  // The id is one byte.
constexpr uint32_t kMaxSyncPackets = 1 << 10;
constexpr size_t kRamPacketBytes =
    kRamPacketFixedBytes + 8 * (kRamPacketPageBytes / 4096);

std::string Init(const recipe::Channels& recipe, uint8_t id) {
  std::string bytes(kMultifdInitBytes, '\0');
  Writer writer(
      absl::MakeSpan(reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()));
  writer.Be32(kMultifdMagic);
  writer.Be32(kMultifdVersion);
  std::string uuid = recipe.uuid();
  uuid.resize(16);
  writer.Bytes(AsBytes(uuid));
  writer.U8(id);
  return bytes;
}

// A RAM packet without pages.
std::string SyncPacket() {
  std::string bytes(kRamPacketBytes, '\0');
  Writer writer(
      absl::MakeSpan(reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()));
  writer.Be32(kMultifdMagic);
  writer.Be32(kMultifdVersion);
  writer.Be32(kMultifdSync);
  return bytes;
}

std::string Packet(const GeneratedDevice& device, uint32_t index,
                   const DevicePacket& packet) {
  std::string bytes(kDevicePacketOverhead, '\0');
  Writer writer(
      absl::MakeSpan(reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()));
  writer.Be32(kMultifdMagic);
  writer.Be32(kMultifdVersion);
  writer.Be32(kMultifdDeviceState);
  std::string name = device.idstr;
  name.resize(kMultifdNameBytes);
  writer.Bytes(AsBytes(name));
  writer.Be32(device.instance_id);
  writer.Be32(
      static_cast<uint32_t>(VfioPacketHeader::kBytes + packet.data.size()));
  const uint32_t words[] = {0, index,
                            packet.config ? kVfioPacketConfigState : 0u};
  for (uint32_t word : words) {
    writer.Be32(device.dialect->host_endian_packets ? __builtin_bswap32(word)
                                                    : word);
  }
  return bytes + packet.data;
}

}  // namespace

void WriteDeviceChannels(const recipe::Migration& recipe,
                         const std::vector<std::vector<DevicePacket>>& packets,
                         Random& random, Generated& out) {
  bool any = std::any_of(packets.begin(), packets.end(),
                         [](const auto& list) { return !list.empty(); });
  uint32_t count = recipe.channels().count();
  if (count == 0 && any) count = kUsualChannels;
  count = std::min(count, kMaxChannels);
  out.channels.resize(count);
  for (uint32_t id = 0; id < count; ++id) {
    std::string& bytes = out.channels[id].bytes;
    bytes = Init(recipe.channels(), static_cast<uint8_t>(id));
    uint32_t syncs =
        std::min(recipe.channels().sync_packets(), kMaxSyncPackets);
    for (uint32_t i = 0; i < syncs; ++i) bytes += SyncPacket();
  }
  size_t turn = 0;
  for (uint32_t index = 0; any; ++index) {
    any = false;
    for (const std::vector<DevicePacket>& list : packets) {
      if (index >= list.size()) continue;
      any = true;
      const DevicePacket& packet = list[index];
      size_t channel =
          recipe.channels().shuffled() ? random.Below(count) : turn++ % count;
      MarkedBytes& to = out.channels[channel];
      std::string bytes = Packet(out.devices[packet.device], index, packet);
      to.marks.push_back({MarkKind::kPacket, packet.device, SectionType::kFull,
                          to.bytes.size(), bytes.size(), index});
      to.bytes += bytes;
    }
  }
}

}  // namespace migstream
