// Writes a migration over several multifd channels. FORMAT.md section 13.
//
//   ChannelSetWriter writer({&sink0, &sink1}, {.uuid = uuid});  // The inits.
//   writer.Data(idstr, 0, bytes);       // A device's bytes, in order.
//   writer.Config(idstr, 0, config);    // Its last.
//   Error error = writer.Finish();
//
// To split the device state of a main channel, from a StreamVisitor:
//
//   void OnDeviceEvent(const SectionView& section, const Event& event) {
//     switch (event.kind) {
//       case EventKind::kData:          // Of the END: what the PARTs hold
//         if (event.starts_record) {    // stays on the main channel.
//           writer.DataStart(section.idstr, section.instance_id,
//                            event.record_bytes);
//         }
//         writer.Payload(event.payload);
//         break;
//       case EventKind::kConfig:        // Of the FULL. Kept, with the
//         …                             // subsections and END_OF_STATE, as
//                                       // a SectionEncoder writes them:
//       case EventKind::kConfigEnd:
//         writer.Config(section.idstr, section.instance_id, config);
//     }
//   }
//   // On the main channel: SWITCHOVER_START, END and FULL with a lone
//   // END_OF_STATE; section 13.8. For each MULTIFD_FLUSH of its RAM, or each
//   // RAM section without (13.7): writer.Sync().
//
// The way back is a ChannelReader: a piece is a DATA record of the END, and
// DecodeConfigPiece() gives a config piece's events to the FULL's encoder.
//
// Channel i of those given has the id i. Data is cut into packets of at most
// packet_data_bytes; no packet is empty. Payload goes to the sinks as it comes:
// nothing is held. The sinks must outlive the writer. Errors are sticky.

#ifndef MIGSTREAM_CODEC_CHANNELS_CHANNEL_SET_WRITER_H_
#define MIGSTREAM_CODEC_CHANNELS_CHANNEL_SET_WRITER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/io/byte_source.h"
#include "codec/multifd/channel_decoder.h"
#include "codec/multifd/limits.h"
#include "codec/multifd/packet_distributor.h"
#include "codec/qemu/stream_writer.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"

namespace migstream {

struct ChannelSetOptions {
  VmUuid uuid = {};  // Of the VM; zero if it has none.
  uint32_t page_bytes = 4096;
  bool host_endian = false;  // Dialects E6 and E7.
  // Data of one device-state packet; what QEMU writes.
  uint32_t packet_data_bytes = 1 << 20;
  // Which channel a device-state packet goes to; null: all in turn.
  PacketDistributor::Choice choice = nullptr;
  MultifdLimits limits = {};
};

class ChannelSetWriter {
 public:
  // At the most 256 channels; writes their init messages.
  ChannelSetWriter(const std::vector<ByteSink*>& channels,
                   const ChannelSetOptions& options = {});
  ~ChannelSetWriter();

  // A device's bytes, whole; or their number first, then all of them in pieces
  // of any size before anything else.
  Error Data(std::string_view idstr, uint32_t instance_id, ByteSpan data);
  Error DataStart(std::string_view idstr, uint32_t instance_id, uint64_t bytes);
  Error Payload(ByteSpan piece);

  // CONFIG … END_OF_STATE, in one packet.
  Error Config(std::string_view idstr, uint32_t instance_id, ByteSpan config);

  // Pages of one RAM block, uncompressed, in one packet: the channels take
  // turns. `pages` holds those at `normal`; all must fit into a packet.
  Error Ram(std::string_view block, std::span<const uint64_t> normal,
            std::span<const uint64_t> zero, ByteSpan pages);

  // A SYNC packet on every channel.
  Error Sync();

  // Is every packet whole, and every device's config there?
  Error Finish();

 private:
  struct Channel;

  Error StartPacket(uint32_t data_bytes, bool config);
  Error Write(Channel& channel, Put put);
  Error Fail(ErrorCode code, std::string reason);

  const ChannelSetOptions options_;
  std::vector<std::unique_ptr<Channel>> channels_;
  PacketDistributor distributor_;
  // What Payload() is for.
  std::string idstr_;
  uint32_t instance_id_ = 0;
  uint64_t data_left_ = 0;    // After the packet that is being written.
  uint32_t packet_left_ = 0;  // Of that packet.
  size_t current_ = 0;        // Its channel.
  uint64_t packet_number_ = 0;
  size_t ram_turn_ = 0;
  std::vector<uint8_t> offsets_;
  Error error_;
};

// Decodes a channel and encodes it again: what comes out is what went in, or
// the error says why not. A channel that is cut short is copied up to the cut,
// and the error is kTruncated. `name` is for errors.
Error RepackChannel(std::string_view name, ByteSource& source, ByteSink& sink,
                    const ChannelOptions& options);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_CHANNELS_CHANNEL_SET_WRITER_H_
