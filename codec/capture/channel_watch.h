// Follows a multifd channel while it comes, and counts the packets of each
// device on all channels: whether its state has come as a whole. FORMAT.md
// section 13.

#ifndef MIGSTREAM_CODEC_CAPTURE_CHANNEL_WATCH_H_
#define MIGSTREAM_CODEC_CAPTURE_CHANNEL_WATCH_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "codec/multifd/channel_decoder.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"

namespace migstream {

// The packets that came of one device.
struct PacketCount {
  uint64_t data = 0;
  std::optional<uint32_t> config_index;  // Of its last packet.
  bool whole() const { return config_index && data >= *config_index; }
};
using PacketCounts = std::map<std::string, PacketCount>;  // By idstr.

class ChannelWatch {
 public:
  // `counts` must outlive it, and is shared by the channels.
  ChannelWatch(std::string name, uint64_t page_bytes, PacketCounts& counts)
      : name_(std::move(name)),
        decoder_({.page_bytes = static_cast<uint32_t>(page_bytes)}),
        counts_(counts) {}

  void Feed(ByteSpan bytes);
  // It is not followed any further.
  const Error& error() const { return error_; }
  bool at_boundary() const { return decoder_.at_boundary() && held_.empty(); }

 private:
  void TakePayload(ByteSpan bytes);

  const std::string name_;
  ChannelDecoder decoder_;
  PacketCounts& counts_;
  std::string held_;    // Not decoded yet.
  std::string device_;  // Whose packet it is; empty: RAM's.
  std::string head_;    // Of that packet's payload.
  Error error_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_CAPTURE_CHANNEL_WATCH_H_
