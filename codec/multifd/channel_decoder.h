// Decodes one multifd channel. FORMAT.md section 13.
//
//   ChannelDecoder decoder({.page_bytes = 4096});
//   for (MultifdEvent event;;) {
//     switch (decoder.Next(input, event)) {  // As SectionDecoder's.
//       case Step::kEvent:
//         Use(event);
//         break;
//       case Step::kNeedInput:
//       case Step::kDone:
//         return decoder.AtEndOfInput("channel 1", input);
//       case Step::kError:
//         return decoder.error("channel 1");
//     }
//   }
//
// A channel has no end of its own: it ends well where decoder.at_boundary().
// Payload comes in pieces that are views into the input; nothing is allocated.

#ifndef MIGSTREAM_CODEC_MULTIFD_CHANNEL_DECODER_H_
#define MIGSTREAM_CODEC_MULTIFD_CHANNEL_DECODER_H_

#include <cstdint>
#include <string_view>

#include "codec/multifd/limits.h"
#include "codec/multifd/packet.h"
#include "codec/wire/error.h"
#include "codec/wire/step.h"

namespace migstream {

enum class MultifdEventKind : uint8_t {
  kInit,         // `init`
  kRamPacket,    // `ram`; kPayload follows if there are normal pages.
  kDeviceState,  // `device`; kPayload follows, always.
  // A piece of the packet's payload, `payload_offset` bytes into it.
  kPayload,
};

struct MultifdEvent {
  MultifdEventKind kind = MultifdEventKind::kInit;
  uint64_t offset = 0;  // Of the event's first byte in the channel.
  uint32_t flags = 0;   // MultifdFlag, of the packet.
  ByteSpan bytes;       // As they stand in the channel.
  MultifdInit init;
  RamPacket ram;
  DeviceStatePacket device;
  uint32_t payload_bytes = 0;   // Of the whole packet's payload.
  uint32_t payload_offset = 0;  // kPayload.
};

struct ChannelOptions {
  // The target's page size: it decides how long a RAM packet is.
  uint32_t page_bytes = 4096;
  MultifdLimits limits = {};
};

class ChannelDecoder {
 public:
  explicit ChannelDecoder(const ChannelOptions& options = {});

  Step Next(ByteSpan& input, MultifdEvent& event);

  size_t bytes_needed() const { return bytes_needed_; }
  uint64_t offset() const { return offset_; }
  uint32_t payload_left() const { return payload_left_; }

  // The caller moved `count` bytes of payload itself.
  Step TakeOver(uint32_t count);

  // Between two packets, with the init message seen.
  bool at_boundary() const { return init_seen_ && payload_left_ == 0; }

  // The input has ended here: no error if `left` is empty and this is a
  // boundary.
  Error AtEndOfInput(std::string_view channel, ByteSpan left) const;
  Error error(std::string_view channel) const;

 private:
  Step NextInit(ByteSpan& input, MultifdEvent& event);
  Step NextRam(ByteSpan& input, MultifdEvent& event);
  Step NextDeviceState(ByteSpan& input, MultifdEvent& event);
  Step Need(size_t bytes);
  Step Fail(ErrorCode code, uint64_t offset, uint64_t found);
  void Consume(ByteSpan& input, size_t bytes, MultifdEvent& event);

  const ChannelOptions options_;
  uint64_t offset_ = 0;
  size_t bytes_needed_ = kMultifdInitBytes;
  uint32_t payload_left_ = 0;
  uint32_t payload_bytes_ = 0;
  bool init_seen_ = false;
  ErrorCode error_ = ErrorCode::kNone;
  uint64_t error_offset_ = 0;
  uint64_t error_found_ = 0;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_MULTIFD_CHANNEL_DECODER_H_
