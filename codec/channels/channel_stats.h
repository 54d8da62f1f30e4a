// What was read of one multifd channel, and what that tells of the others.
// FORMAT.md section 13.

#ifndef MIGSTREAM_CODEC_CHANNELS_CHANNEL_STATS_H_
#define MIGSTREAM_CODEC_CHANNELS_CHANNEL_STATS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "codec/multifd/channel_decoder.h"
#include "codec/multifd/packet.h"
#include "codec/wire/error.h"

namespace migstream {

struct ChannelStats {
  void Count(const MultifdEvent& event);

  std::string file;  // Its name.
  uint8_t id = 0;
  VmUuid uuid = {};
  uint64_t bytes = 0;
  uint64_t ram_packets = 0;
  uint64_t sync_packets = 0;
  uint64_t normal_pages = 0;
  uint64_t zero_pages = 0;
  uint64_t device_packets = 0;
  // The highest packet_num of the RAM packets, and the offset of its packet.
  uint64_t highest_packet_number = 0;
  uint64_t highest_offset = 0;
};

// kMultifdGap, at the byte that shows it, if an id shows that a channel was not
// given. Section 13.1.
Error FindMissingId(const std::vector<ChannelStats>& channels);

// The same; and if RAM packets or SYNC packets show that a channel was not
// given, or not all of it. Only where all channels of a migration that was
// completed were read to their ends. Sections 13.4 and 13.7.
Error FindMissingChannel(const std::vector<ChannelStats>& channels);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_CHANNELS_CHANNEL_STATS_H_
