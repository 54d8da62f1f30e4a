// Reads a migration's multifd channels, and gives each device's packets in the
// order in which the device gave them. FORMAT.md section 13.
//
//   ChannelReader reader(sources, options);
//   Error error = reader.Read([](const ReassembledPiece& piece) { … });
//
// The channels may come in any order. A writer deals packets out in order, so
// the one that is due is always the next of some channel; that channel is read
// on, and next to nothing has to be held.

#ifndef MIGSTREAM_CODEC_QEMU_CHANNEL_READER_H_
#define MIGSTREAM_CODEC_QEMU_CHANNEL_READER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codec/device/event.h"
#include "codec/multifd/channel_decoder.h"
#include "codec/multifd/reassembler.h"
#include "codec/qemu/byte_source.h"
#include "codec/qemu/stream_reader.h"
#include "codec/wire/error.h"
#include "flags/dialect.h"

namespace migstream {

struct ChannelStats {
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

struct ChannelReaderOptions {
  uint32_t page_bytes = 4096;
  MultifdLimits limits = {};
  bool host_endian = false;  // Dialects E6 and E7.
  // Of the VM, if the main channel says it.
  std::optional<VmUuid> uuid = std::nullopt;
  // The devices whose state is not on the main channel, by idstr and instance
  // id; no other may have packets. Empty: any may.
  std::vector<std::pair<std::string, uint32_t>> devices = {};
  // There are no other devices, even if `devices` is empty.
  bool only_devices = false;
};

// What a main channel that has been read says of its channels.
ChannelReaderOptions ChannelOptionsOf(const StreamReader& main,
                                      const Dialect& dialect);

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
  // no packets at all there is none.
  // kMultifdOtherVm, kMultifdChannelId: not the channels of one migration; then
  // no piece is given.
  Error Read(const std::function<void(const ReassembledPiece&)>& on_piece);

  // The channels that others' ids tell of, and that were not given: "1, 3".
  std::string MissingIds() const;

  // How many RAM packets are in no channel that was given, as packet_num tells.
  // FORMAT.md section 13.4.
  uint64_t MissingPackets() const;

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

#endif  // MIGSTREAM_CODEC_QEMU_CHANNEL_READER_H_
