#include "codec/channels/channel_stats.h"

#include <algorithm>
#include <set>

#include "codec/channels/channel_source.h"
#include "codec/wire/text.h"
#include "flags/multifd_flags.h"

namespace migstream {

void ChannelStats::Count(const MultifdEvent& event) {
  switch (event.kind) {
    case MultifdEventKind::kInit:
      id = event.init.channel_id;
      uuid = event.init.uuid;
      break;
    case MultifdEventKind::kRamPacket:
      ++ram_packets;
      if (event.ram.packet_number >= highest_packet_number) {
        highest_packet_number = event.ram.packet_number;
        highest_offset = event.offset;
      }
      if ((event.flags & kMultifdSync) != 0) ++sync_packets;
      normal_pages += event.ram.normal_pages;
      zero_pages += event.ram.zero_pages;
      break;
    case MultifdEventKind::kDeviceState:
      ++device_packets;
      break;
    case MultifdEventKind::kPayload:
      break;
  }
}

Error FindMissingId(const std::vector<ChannelStats>& channels) {
  std::set<int> ids;
  const ChannelStats* highest = nullptr;
  for (const ChannelStats& channel : channels) {
    if (channel.bytes == 0) continue;
    if (highest == nullptr || channel.id > highest->id) highest = &channel;
    ids.insert(channel.id);
  }
  std::string missing;
  for (int id = 0; highest != nullptr && id < highest->id; ++id) {
    if (ids.count(id) != 0) continue;
    StrAppend(&missing, missing.empty() ? "" : ", ", id);
  }
  if (missing.empty()) return {};
  return OfChannel(highest->file,
                   {ErrorCode::kMultifdGap, kMultifdIdOffset, kMultifdSection,
                    StrCat("channels not given: ", missing)});
}

Error FindMissingChannel(const std::vector<ChannelStats>& channels) {
  if (Error error = FindMissingId(channels); !error.ok()) return error;
  if (channels.empty()) return {};
  uint64_t packets = 0;
  for (const ChannelStats& channel : channels) packets += channel.ram_packets;
  const auto last = std::max_element(
      channels.begin(), channels.end(), [](const auto& a, const auto& b) {
        return a.highest_packet_number < b.highest_packet_number;
      });
  if (packets != 0 && last->highest_packet_number >= packets) {
    return OfChannel(
        last->file,
        {ErrorCode::kMultifdGap, last->highest_offset, kMultifdSection,
         StrCat("RAM packet number ", last->highest_packet_number,
                ", but there are only ", packets,
                " RAM packets in the channels given")});
  }
  const auto [fewest, most] = std::minmax_element(
      channels.begin(), channels.end(), [](const auto& a, const auto& b) {
        return a.sync_packets < b.sync_packets;
      });
  if (fewest->sync_packets == most->sync_packets) return {};
  return OfChannel(
      fewest->file,
      {ErrorCode::kMultifdGap, fewest->bytes, kMultifdSection,
       StrCat("ends after ", fewest->sync_packets, " SYNC packets, and ",
              most->file, " has ", most->sync_packets)});
}

}  // namespace migstream
