// Reads a migration's multifd channels, and gives each device's packets in the
// order in which the device gave them. FORMAT.md section 13.
//
//   ChannelReader reader(sources, options);
//   auto on_piece = [&](const ReassembledPiece& piece) { Use(piece); };
//   Error error = reader.Read(on_piece);
//
// The channels may come in any order. A writer deals packets out in order, so
// the one that is due is always the next of some channel; that channel is read
// on, and next to nothing has to be held.

#ifndef MIGSTREAM_CODEC_CHANNELS_CHANNEL_READER_H_
#define MIGSTREAM_CODEC_CHANNELS_CHANNEL_READER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codec/channels/channel_stats.h"
#include "codec/device/event.h"
#include "codec/io/byte_source.h"
#include "codec/multifd/channel_decoder.h"
#include "codec/multifd/limits.h"
#include "codec/multifd/packet.h"
#include "codec/multifd/reassembler.h"
#include "codec/wire/error.h"

namespace migstream {

// A device whose state is on multifd channels.
struct DeviceInChannels {
  std::string idstr;
  uint32_t instance_id = 0;
  uint64_t offset = 0;  // Of its FULL on the main channel.
};

struct ChannelReaderOptions {
  uint32_t page_bytes = 4096;
  // Each channel has its packets in order: few have to wait for others.
  MultifdLimits limits = {.held_bytes_per_device = 24 << 20,
                          .held_bytes = 32 << 20};
  bool host_endian = false;  // Dialects E6 and E7.
  // The VM's, if the main channel has it.
  std::optional<VmUuid> uuid = std::nullopt;
  // The devices whose state is not on the main channel: all of it must be in
  // the channels, and no other device may have packets. Unset: any may.
  std::optional<std::vector<DeviceInChannels>> devices = std::nullopt;
};

class ChannelReader {
 public:
  // The names are for errors: "FILE" of each channel. All must outlive the
  // reader.
  struct Channel {
    std::string name;
    ByteSource* source;
  };
  ChannelReader(std::vector<Channel> channels,
                const ChannelReaderOptions& options);
  ~ChannelReader();

  // The error's file is the channel whose byte it is. Only where a device has
  // no packets at all there is none, and the offset is that of its FULL.
  // kMultifdOtherVm, kMultifdChannelId: not the channels of one migration; then
  // no piece is given.
  Error Read(const std::function<void(const ReassembledPiece&)>& on_piece);

  // What shows, after Read(), that a channel was not given, or not all of it:
  // kMultifdGap, at the byte that shows it. An error of Read() says it as well.
  // FORMAT.md sections 13.1, 13.4 and 13.7.
  Error FindMissing() const;

  // As the channels were given.
  std::vector<ChannelStats> stats() const;

 private:
  class Reading;

  Error CheckIds() const;

  std::vector<std::unique_ptr<Reading>> channels_;
  const ChannelReaderOptions options_;
};

// Decodes a config piece: `on_event` is given the events of a FULL section that
// holds a CONFIG. Offsets are those of the piece's channel.
Error DecodeConfigPiece(const ReassembledPiece& piece,
                        const std::function<void(const Event&)>& on_event);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_CHANNELS_CHANNEL_READER_H_
