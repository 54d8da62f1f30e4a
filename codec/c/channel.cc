// Multifd channels and the reassembly of their packets, for C.

#include <optional>
#include <string>

#include "codec/c/handle.h"
#include "codec/c/migstream.h"
#include "codec/multifd/channel_receiver.h"
#include "codec/multifd/reassembler.h"

using namespace migstream;     // NOLINT: this file is the C side.
using namespace migstream::c;  // NOLINT

namespace {

constexpr int32_t NumberOf(MultifdEventKind kind) {
  return static_cast<int32_t>(kind);
}
static_assert(NumberOf(MultifdEventKind::kInit) == MIGSTREAM_CHANNEL_INIT);
static_assert(NumberOf(MultifdEventKind::kRamPacket) ==
              MIGSTREAM_CHANNEL_RAM_PACKET);
static_assert(NumberOf(MultifdEventKind::kDeviceState) ==
              MIGSTREAM_CHANNEL_DEVICE_STATE);
static_assert(NumberOf(MultifdEventKind::kPayload) ==
              MIGSTREAM_CHANNEL_PAYLOAD);

migstream_channel_event EventOf(const MultifdEvent& event) {
  migstream_channel_event out = {};
  out.struct_size = sizeof out;
  out.kind = NumberOf(event.kind);
  out.flags = event.flags;
  out.offset = event.offset;
  out.bytes = event.bytes.data();
  out.byte_count = event.bytes.size();
  out.payload_bytes = event.payload_bytes;
  out.payload_offset = event.payload_offset;
  const bool device = event.kind == MultifdEventKind::kDeviceState;
  const std::string_view name = device ? event.device.idstr : event.ram.block;
  out.name = name.data();
  out.name_bytes = name.size();
  out.instance_id = event.device.instance_id;
  out.uuid = event.init.uuid.data();
  out.channel_id = event.init.channel_id;
  out.normal_pages = event.ram.normal_pages;
  out.zero_pages = event.ram.zero_pages;
  return out;
}

}  // namespace

struct migstream_channel_decoder : Handle {
  static constexpr uint32_t kKind = kKinds | 7;

  migstream_channel_decoder(const char* given_name,
                            const ChannelOptions& options)
      : Handle(kKind), name(given_name), receiver(options) {}

  migstream_status GetPosition(const migstream_position** out) override {
    position = {sizeof position, offset, 0, receiver.bytes_needed()};
    *out = &position;
    return MIGSTREAM_OK;
  }
  migstream_status AtEndOfInput(ByteSpan left) override {
    return Check(receiver.AtEndOfInput(name, left));
  }

  const std::string name;
  ChannelReceiver receiver;
  MultifdEvent event;
  migstream_channel_event out = {};
  uint64_t offset = 0;
  migstream_position position = {};
};

struct migstream_reassembler : Handle {
  static constexpr uint32_t kKind = kKinds | 8;

  migstream_reassembler(const MultifdLimits& limits, bool host_endian)
      : Handle(kKind), reassembler(limits, host_endian) {}

  Reassembler reassembler;
  migstream_piece out = {};
};

extern "C" {

migstream_status migstream_channel_decoder_create(
    const migstream_channel_options* options,
    migstream_channel_decoder** decoder) {
  if (decoder == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *decoder = nullptr;
  migstream_channel_options given;
  migstream_status status = ReadOptions(options, &given);
  if (status != MIGSTREAM_OK) return status;
  ChannelOptions channel;
  if (given.page_bytes != 0) channel.page_bytes = given.page_bytes;
  if (given.max_packet_bytes != 0) {
    channel.limits.packet_bytes = given.max_packet_bytes;
  }
  return Make(given.allocator, decoder,
              given.name == nullptr ? "channel" : given.name, channel);
}

migstream_status migstream_channel_decoder_next(
    migstream_channel_decoder* decoder, iovec* input,
    const migstream_channel_event** event) {
  if (!IsInput(input) || event == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *event = nullptr;
  return Call(decoder, [&]() -> migstream_status {
    const size_t before = input->iov_len;
    const Step step = TakeFrom(*input, [&](ByteSpan& rest) {
      return decoder->receiver.Next(rest, decoder->event);
    });
    decoder->offset += before - input->iov_len;
    if (step == Step::kError) {
      return decoder->Fail(decoder->receiver.error(decoder->name));
    }
    if (step != Step::kEvent) return StatusOf(step);
    decoder->out = EventOf(decoder->event);
    decoder->out.internal = &decoder->event;
    if (decoder->receiver.has_packet()) {
      const DeviceStatePacket device = decoder->receiver.device();
      decoder->out.name = device.idstr.data();
      decoder->out.name_bytes = device.idstr.size();
      decoder->out.instance_id = device.instance_id;
      decoder->out.packet = decoder->receiver.payload().data();
      decoder->out.packet_bytes = decoder->receiver.payload().size();
    }
    *event = &decoder->out;
    return MIGSTREAM_EVENT;
  });
}

migstream_status migstream_reassembler_create(
    const migstream_reassembler_options* options,
    migstream_reassembler** reassembler) {
  if (reassembler == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *reassembler = nullptr;
  migstream_reassembler_options given;
  migstream_status status = ReadOptions(options, &given);
  if (status != MIGSTREAM_OK) return status;
  MultifdLimits limits;
  if (given.max_index != 0) limits.index = given.max_index;
  if (given.max_gap != 0) limits.gap = given.max_gap;
  if (given.max_devices != 0) limits.devices = given.max_devices;
  if (given.max_held_bytes != 0) limits.held_bytes = given.max_held_bytes;
  return Make(given.allocator, reassembler, limits, given.host_endian != 0);
}

migstream_status migstream_reassembler_add(migstream_reassembler* reassembler,
                                           const char* idstr,
                                           uint32_t instance_id,
                                           const void* packet, size_t bytes) {
  if (idstr == nullptr || !IsBytes(packet, bytes)) {
    return MIGSTREAM_BAD_ARGUMENT;
  }
  return Call(reassembler, [&] {
    DeviceStatePacket device;
    device.idstr = idstr;
    device.instance_id = instance_id;
    return reassembler->Check(
        reassembler->reassembler.Add(device, Bytes(packet, bytes)));
  });
}

migstream_status migstream_reassembler_next(migstream_reassembler* reassembler,
                                            const migstream_piece** piece) {
  if (piece == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *piece = nullptr;
  return Call(reassembler, [&] {
    ReassembledPiece given;
    if (!reassembler->reassembler.Next(given)) return MIGSTREAM_DONE;
    reassembler->out = {.struct_size = sizeof(migstream_piece),
                        .idstr = given.idstr.data(),
                        .idstr_bytes = given.idstr.size(),
                        .instance_id = given.instance_id,
                        .index = given.index,
                        .config = given.config ? 1 : 0,
                        .data = given.data.data(),
                        .data_bytes = given.data.size()};
    *piece = &reassembler->out;
    return MIGSTREAM_EVENT;
  });
}

migstream_status migstream_reassembler_finish(
    migstream_reassembler* reassembler) {
  return Call(reassembler, [&] {
    return reassembler->Check(reassembler->reassembler.Finish());
  });
}

}  // extern "C"
