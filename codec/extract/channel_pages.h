// The pages of guest memory on all multifd channels, up to one sync point after
// the other: a SYNC packet stands on every channel at each. FORMAT.md sections
// 13.3 and 13.7.

#ifndef MIGSTREAM_CODEC_EXTRACT_CHANNEL_PAGES_H_
#define MIGSTREAM_CODEC_EXTRACT_CHANNEL_PAGES_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codec/channels/channel_source.h"
#include "codec/channels/channel_stats.h"
#include "codec/extract/page_inflater.h"
#include "codec/io/byte_source.h"
#include "codec/wire/error.h"

namespace migstream {

class ChannelPages {
 public:
  // With the place of the packet that holds it, for errors.
  using OnPage = std::function<void(const ChannelPage&, const PacketPlace&)>;

  // The sources must outlive this. The windows of all channels together take no
  // more than that of one may, and a little: kMultifdWindowLimit otherwise.
  void AddChannel(std::string name, ByteSource& source,
                  const ChannelOptions& options);

  // The uuid of the VM: a channel of another VM is kMultifdOtherVm.
  void Expect(const VmUuid& uuid) { uuid_ = uuid; }

  // Gives the pages before the next SYNC packet of each channel, one channel
  // after the other: between two sync points no page comes twice.
  Error ReadToSync(const OnPage& on_page);

  // No sync point will follow: kOutOfStep if a page does.
  Error Finish();

  // After Finish(), as ChannelReader::FindMissing(): kMultifdGap if a channel
  // was not given, or not all of it.
  Error FindMissing() const;

 private:
  struct Channel {
    ChannelSource source;
    PageInflater inflater;
    ChannelStats stats = {};
    uint64_t inflating_bytes = 0;  // That are counted.
  };
  // False at the channel's end, or with an error.
  bool ReadPacket(Channel& channel, const OnPage& on_page, bool& sync,
                  Error& error);

  Error CountMemory(Channel& channel);

  std::vector<std::unique_ptr<Channel>> channels_;
  uint64_t inflating_limit_ = 0;
  uint64_t inflating_bytes_ = 0;  // Of all channels.
  std::optional<VmUuid> uuid_;
  bool ram_seen_ = false;  // A RAM packet, on any channel.
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_EXTRACT_CHANNEL_PAGES_H_
