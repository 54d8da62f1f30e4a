// The encoder of a multifd channel, for C.

#include "codec/multifd/channel_encoder.h"

#include <algorithm>
#include <string>

#include "codec/c/encode.h"
#include "codec/c/handle.h"
#include "codec/c/migstream.h"
#include "flags/multifd_flags.h"

using namespace migstream;     // NOLINT: this file is the C side.
using namespace migstream::c;  // NOLINT

struct migstream_channel_encoder : Handle {
  static constexpr uint32_t kKind = kKinds | 15;

  migstream_channel_encoder(const char* given_name,
                            const ChannelEncoderOptions& options)
      : Handle(kKind), name(given_name), encoder(headers, pieces, options) {}

  migstream_status FailEncoder() { return Fail(encoder.error(name)); }

  migstream_status GetPieces(std::span<const iovec>* all) override {
    *all = encoder.pieces();
    return MIGSTREAM_OK;
  }
  migstream_status ClearPieces() override {
    encoder.Clear();
    return MIGSTREAM_OK;
  }

  const std::string name;
  // Many packets' worth, so that a caller need not write after each.
  uint8_t headers[8 * ChannelEncoder::kMinHeaderBytes];
  iovec pieces[4 * ChannelEncoder::kMinPieces];
  ChannelEncoder encoder;
};

namespace {

// A packet's device and the header of its data.
struct Packet {
  DeviceStatePacket device;
  VfioPacketHeader header;
};

migstream_status PacketOf(const migstream_piece& given, Packet* packet) {
  if (!IsBytes(given.idstr, given.idstr_bytes)) return MIGSTREAM_BAD_ARGUMENT;
  packet->device.idstr = AsText(Bytes(given.idstr, given.idstr_bytes));
  packet->device.instance_id = given.instance_id;
  packet->header.index = given.index;
  packet->header.flags =
      given.config != 0 ? uint32_t{kVfioPacketConfigState} : 0;
  return MIGSTREAM_OK;
}

}  // namespace

extern "C" {

migstream_status migstream_channel_encoder_create(
    const migstream_channel_options* options,
    migstream_channel_encoder** encoder) {
  if (encoder == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *encoder = nullptr;
  migstream_channel_options given;
  migstream_status status = ReadOptions(options, &given);
  if (status != MIGSTREAM_OK) return status;
  ChannelEncoderOptions channel;
  if (given.page_bytes != 0) channel.page_bytes = given.page_bytes;
  channel.host_endian = given.host_endian != 0;
  return Make(given.allocator, encoder,
              given.name == nullptr ? "channel" : given.name, channel);
}

migstream_status migstream_channel_encoder_init(
    migstream_channel_encoder* encoder, const uint8_t* uuid,
    uint32_t channel_id) {
  return EncodeWith(encoder, [&](ChannelEncoder& to, Put* put) {
    if (channel_id > UINT8_MAX) return MIGSTREAM_BAD_ARGUMENT;
    MultifdInit init;
    if (uuid != nullptr) std::copy_n(uuid, init.uuid.size(), init.uuid.begin());
    init.channel_id = static_cast<uint8_t>(channel_id);
    *put = to.Init(init);
    return MIGSTREAM_OK;
  });
}

migstream_status migstream_channel_encoder_packet(
    migstream_channel_encoder* encoder, const migstream_piece* packet) {
  return EncodeWith(encoder,
                    [&](ChannelEncoder& to, Put* put) -> migstream_status {
                      if (packet == nullptr) return MIGSTREAM_BAD_ARGUMENT;
                      migstream_piece given;
                      migstream_status status = ReadOptions(packet, &given);
                      if (status != MIGSTREAM_OK) return status;
                      if (!IsBytes(given.data, given.data_bytes)) {
                        return MIGSTREAM_BAD_ARGUMENT;
                      }
                      Packet of;
                      status = PacketOf(given, &of);
                      if (status != MIGSTREAM_OK) return status;
                      *put = to.VfioPacket(of.device, of.header,
                                           Bytes(given.data, given.data_bytes));
                      return MIGSTREAM_OK;
                    });
}

migstream_status migstream_channel_encoder_packet_header(
    migstream_channel_encoder* encoder, const migstream_piece* packet) {
  return EncodeWith(
      encoder, [&](ChannelEncoder& to, Put* put) -> migstream_status {
        if (packet == nullptr) return MIGSTREAM_BAD_ARGUMENT;
        migstream_piece given;
        migstream_status status = ReadOptions(packet, &given);
        if (status != MIGSTREAM_OK) return status;
        if (given.data_bytes > UINT32_MAX) return MIGSTREAM_BAD_ARGUMENT;
        Packet of;
        status = PacketOf(given, &of);
        if (status != MIGSTREAM_OK) return status;
        *put = to.VfioPacketStart(of.device, of.header,
                                  static_cast<uint32_t>(given.data_bytes));
        return MIGSTREAM_OK;
      });
}

migstream_status migstream_channel_encoder_ram(
    migstream_channel_encoder* encoder, const migstream_ram_packet* packet) {
  return EncodeWith(
      encoder, [&](ChannelEncoder& to, Put* put) -> migstream_status {
        if (packet == nullptr) return MIGSTREAM_BAD_ARGUMENT;
        migstream_ram_packet given;
        migstream_status status = ReadOptions(packet, &given);
        if (status != MIGSTREAM_OK) return status;
        if (!IsBytes(given.block, given.block_bytes) ||
            !IsBytes(given.offsets, given.offsets_bytes)) {
          return MIGSTREAM_BAD_ARGUMENT;
        }
        *put = to.Ram(given.flags,
                      {.allocated_pages = given.allocated_pages,
                       .normal_pages = given.normal_pages,
                       .next_packet_size = given.payload_bytes,
                       .packet_number = given.packet_number,
                       .zero_pages = given.zero_pages,
                       .block = AsText(Bytes(given.block, given.block_bytes)),
                       .offsets = Bytes(given.offsets, given.offsets_bytes)});
        return MIGSTREAM_OK;
      });
}

migstream_status migstream_channel_encoder_sync(
    migstream_channel_encoder* encoder, uint64_t packet_number) {
  return EncodeWith(encoder, [&](ChannelEncoder& to, Put* put) {
    *put = to.Sync(packet_number);
    return MIGSTREAM_OK;
  });
}

migstream_status migstream_channel_encoder_payload(
    migstream_channel_encoder* encoder, const void* payload, size_t bytes) {
  return EncodeWith(encoder, [&](ChannelEncoder& to, Put* put) {
    if (!IsBytes(payload, bytes)) return MIGSTREAM_BAD_ARGUMENT;
    *put = to.Payload(Bytes(payload, bytes));
    return MIGSTREAM_OK;
  });
}

migstream_status migstream_channel_encoder_take_over(
    migstream_channel_encoder* encoder, uint64_t bytes) {
  return EncodeWith(encoder, [&](ChannelEncoder& to, Put* put) {
    // More than any packet has is more than this one has left.
    *put = to.TakeOver(
        static_cast<uint32_t>(std::min<uint64_t>(bytes, UINT32_MAX)));
    return MIGSTREAM_OK;
  });
}

migstream_status migstream_channel_encoder_append(
    migstream_channel_encoder* encoder, const migstream_channel_event* event) {
  return EncodeWith(encoder, [&](ChannelEncoder& to, Put* put) {
    if (event == nullptr || event->internal == nullptr) {
      return MIGSTREAM_BAD_ARGUMENT;
    }
    *put = to.Append(*static_cast<const MultifdEvent*>(event->internal));
    return MIGSTREAM_OK;
  });
}

}  // extern "C"
