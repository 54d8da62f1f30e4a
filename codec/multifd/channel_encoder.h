// Encodes one multifd channel, scatter-gather: headers into a small buffer of
// the caller's, payload by reference, ready for writev(2). FORMAT.md section
// 13.
//
//   uint8_t headers[ChannelEncoder::kMinHeaderBytes];
//   iovec pieces[ChannelEncoder::kMinPieces];
//   ChannelEncoder encoder(headers, pieces);
//   encoder.Init({.uuid = uuid, .channel_id = 0});
//   auto send = [&](std::span<const iovec> all) {
//     return writev(fd, all.data(), static_cast<int>(all.size()));
//   };
//   ssize_t sent = send(encoder.pieces());
//   encoder.Clear();
//   encoder.VfioPacket({idstr, 0}, {.index = 0}, data);
//   sent += send(encoder.pieces());
//
// A call that does not fit into what is left of the two buffers gives kFull and
// changes nothing: write the pieces, Clear(), and call again. A call that may
// not stand here, or gives what no decoder would take, gives kError, and so
// does every call after it.
//
// No allocation, no copy of payload or of page offsets: those, too, must live
// until the pieces are written. packet_distributor.h says which packet goes
// where.

#ifndef MIGSTREAM_CODEC_MULTIFD_CHANNEL_ENCODER_H_
#define MIGSTREAM_CODEC_MULTIFD_CHANNEL_ENCODER_H_

#include <sys/uio.h>

#include <cstdint>
#include <span>
#include <string_view>

#include "codec/multifd/channel_decoder.h"
#include "codec/multifd/packet.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"
#include "codec/wire/gather.h"
#include "codec/wire/step.h"

namespace migstream {

struct ChannelEncoderOptions {
  // The target's page size, 256 or more: it decides how long a RAM packet is.
  uint32_t page_bytes = 4096;
  bool host_endian = false;  // VFIO packet headers of dialects E6 and E7.
};

class ChannelEncoder {
 public:
  // Both buffers that suffice for any one call.
  static constexpr size_t kMinHeaderBytes = kRamPacketFixedBytes;
  static constexpr size_t kMinPieces = 8;

  ChannelEncoder(std::span<uint8_t> headers, std::span<iovec> pieces,
                 const ChannelEncoderOptions& options = {});

  // First of all, and once.
  Put Init(const MultifdInit& init);

  // `flags` are MultifdFlags. Offsets that are fewer than the packet has room
  // for are followed by zeros. If there are normal pages, next_packet_size
  // bytes are to come by Payload() or TakeOver().
  Put Ram(uint32_t flags, const RamPacket& packet);
  // A RAM packet without pages.
  Put Sync(uint64_t packet_number);

  // payload_bytes are to come by Payload() or TakeOver().
  Put DeviceState(const DeviceStatePacket& packet, uint32_t payload_bytes);
  // The same with a VFIO device's header: data_bytes are to come.
  Put VfioPacketStart(const DeviceStatePacket& packet,
                      const VfioPacketHeader& header, uint32_t data_bytes);
  // A whole one.
  Put VfioPacket(const DeviceStatePacket& packet,
                 const VfioPacketHeader& header, ByteSpan data);

  Put Payload(ByteSpan piece);
  // The caller moves `bytes` of payload itself, once the pieces are written.
  Put TakeOver(uint32_t bytes);

  // Any event of a decoder; put in the order in which they came, they give the
  // same bytes.
  Put Append(const MultifdEvent& event);

  bool ok() const { return error_ == ErrorCode::kNone; }
  // Between two packets: here a channel may end.
  bool at_boundary() const { return init_put_ && payload_left_ == 0; }
  Error error(std::string_view channel) const;

  // What is to be written, in order, since the last Clear().
  std::span<const iovec> pieces() const { return gather_.pieces(); }
  // Forgets the pieces; the channel goes on.
  void Clear() { gather_.Clear(); }

  // Bytes put so far, those of TakeOver() too.
  uint64_t bytes() const { return bytes_; }

 private:
  bool MayStart();
  uint8_t* PacketHeader(size_t bytes, uint32_t flags);
  bool IsWritable(const DeviceStatePacket& packet) const;
  Put DeviceHeader(const DeviceStatePacket& packet, uint64_t payload_bytes,
                   const VfioPacketHeader* header, size_t pieces);
  Put Fail(ErrorCode code);

  const ChannelEncoderOptions options_;
  Gather gather_;
  uint64_t bytes_ = 0;
  uint32_t payload_left_ = 0;
  bool init_put_ = false;
  ErrorCode error_ = ErrorCode::kNone;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_MULTIFD_CHANNEL_ENCODER_H_
