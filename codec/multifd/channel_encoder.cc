#include "codec/multifd/channel_encoder.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>

#include "codec/wire/text.h"
#include "codec/wire/writer.h"
#include "flags/multifd_flags.h"
#include "flags/section_type.h"

namespace migstream {
namespace {

// What unused offsets are written from.
constexpr uint8_t kZeros[4096] = {};
constexpr uint32_t kMinPageBytes = 256;
static_assert(8 * RamPacketSlots(kMinPageBytes) / sizeof kZeros + 3 <=
              ChannelEncoder::kMinPieces);

// Whether `text`, a NUL and `tail` can fill a field for a name, which a decoder
// then takes apart the same way. No tail stands for zeros.
bool FillsName(std::string_view text, ByteSpan tail) {
  size_t left = kMultifdNameBytes - std::min(text.size(), kMultifdNameBytes);
  return text.size() <= kMultifdNameBytes &&
         text.find('\0') == std::string_view::npos &&
         (tail.empty() || tail.size() + 1 == left);
}

void PutName(Writer& writer, std::string_view text, ByteSpan tail) {
  uint8_t name[kMultifdNameBytes] = {};
  std::copy(text.begin(), text.end(), name);
  std::copy(tail.begin(), tail.end(), name + (kMultifdNameBytes - tail.size()));
  writer.Bytes(name);
}

}  // namespace

ChannelEncoder::ChannelEncoder(std::span<uint8_t> headers,
                               std::span<iovec> pieces,
                               const ChannelEncoderOptions& options)
    : options_(options), gather_(headers, pieces) {}

bool ChannelEncoder::MayStart() {
  if (!ok()) return false;
  if (init_put_ && payload_left_ == 0) return true;
  Fail(init_put_ ? ErrorCode::kMissingPayload : ErrorCode::kNotWritable);
  return false;
}

// Room for `bytes`, of which the first are filled in.
uint8_t* ChannelEncoder::PacketHeader(size_t bytes, uint32_t flags) {
  uint8_t* header = gather_.Header(bytes);
  StoreBe32(header, kMultifdMagic);
  StoreBe32(header + 4, kMultifdVersion);
  StoreBe32(header + 8, flags);
  bytes_ += bytes;
  return header;
}

Put ChannelEncoder::Init(const MultifdInit& init) {
  if (!ok()) return Put::kError;
  if (init_put_) return Fail(ErrorCode::kNotWritable);
  if (!gather_.Room(kMultifdInitBytes, 1)) return Put::kFull;
  Writer writer(
      std::span(gather_.Header(kMultifdInitBytes), kMultifdInitBytes));
  writer.Be32(kMultifdMagic);
  writer.Be32(kMultifdVersion);
  writer.Bytes(init.uuid);
  writer.U8(init.channel_id);
  writer.Bytes(init.reserved);
  bytes_ += kMultifdInitBytes;
  init_put_ = true;
  return Put::kDone;
}

Put ChannelEncoder::Ram(uint32_t flags, const RamPacket& packet) {
  if (!MayStart()) return Put::kError;
  ErrorCode wrong = CheckRamPacket(flags, packet, options_.page_bytes);
  if (wrong != ErrorCode::kNone) return Fail(wrong);
  size_t slot_bytes = 8 * RamPacketSlots(options_.page_bytes);
  size_t pages = size_t{packet.normal_pages} + packet.zero_pages;
  bool fits =
      options_.page_bytes >= kMinPageBytes &&
      packet.offsets.size() <= slot_bytes && packet.offsets.size() % 8 == 0 &&
      packet.offsets.size() / 8 >= pages &&
      FillsName(packet.block, packet.block_tail) &&
      (packet.unused.empty() || packet.unused.size() == kRamPacketUnusedBytes);
  if (!fits) return Fail(ErrorCode::kNotWritable);
  size_t padding = slot_bytes - packet.offsets.size();
  size_t pieces = 2 + (padding + sizeof kZeros - 1) / sizeof kZeros;
  if (!gather_.Room(kRamPacketFixedBytes, pieces)) return Put::kFull;

  uint8_t* header = PacketHeader(kRamPacketFixedBytes, flags);
  Writer writer(std::span(header + kMultifdHeaderBytes,
                          kRamPacketFixedBytes - kMultifdHeaderBytes));
  writer.Be32(packet.allocated_pages);
  writer.Be32(packet.normal_pages);
  writer.Be32(packet.next_packet_size);
  writer.Be64(packet.packet_number);
  writer.Be32(packet.zero_pages);
  writer.Bytes(packet.unused.empty() ? ByteSpan(kZeros, kRamPacketUnusedBytes)
                                     : packet.unused);
  PutName(writer, packet.block, packet.block_tail);
  gather_.Piece(packet.offsets);
  for (size_t left = padding; left != 0;) {
    size_t here = std::min(left, sizeof kZeros);
    gather_.Piece(ByteSpan(kZeros, here));
    left -= here;
  }
  bytes_ += slot_bytes;
  payload_left_ = packet.payload_bytes();
  return Put::kDone;
}

Put ChannelEncoder::Sync(uint64_t packet_number) {
  RamPacket packet;
  packet.packet_number = packet_number;
  return Ram(kMultifdSync, packet);
}

bool ChannelEncoder::IsWritable(const DeviceStatePacket& packet) const {
  return packet.idstr.size() < kMultifdNameBytes &&
         FillsName(packet.idstr, packet.idstr_tail) &&
         (packet.idstr_tail.empty() || packet.idstr_tail.back() == 0);
}

// `payload_bytes` are with those of `header`, if there is one.
Put ChannelEncoder::DeviceHeader(const DeviceStatePacket& packet,
                                 uint64_t payload_bytes,
                                 const VfioPacketHeader* header,
                                 size_t pieces) {
  if (!MayStart()) return Put::kError;
  if (!IsWritable(packet)) return Fail(ErrorCode::kMultifdIdstr);
  if (payload_bytes == 0) return Fail(ErrorCode::kMultifdEmptyPacket);
  if (payload_bytes > std::numeric_limits<uint32_t>::max()) {
    return Fail(ErrorCode::kMultifdPacketLimit);
  }
  size_t vfio_bytes = header != nullptr ? VfioPacketHeader::kBytes : 0;
  size_t header_bytes = kDeviceStatePacketBytes + vfio_bytes;
  if (!gather_.Room(header_bytes, pieces)) return Put::kFull;
  uint8_t* at = PacketHeader(header_bytes, kMultifdDeviceState);
  Writer writer(std::span(at + kMultifdHeaderBytes,
                          kDeviceStatePacketBytes - kMultifdHeaderBytes));
  PutName(writer, packet.idstr, packet.idstr_tail);
  writer.Be32(packet.instance_id);
  writer.Be32(static_cast<uint32_t>(payload_bytes));
  if (header != nullptr) {
    header->Store(at + kDeviceStatePacketBytes, options_.host_endian);
  }
  payload_left_ = static_cast<uint32_t>(payload_bytes - vfio_bytes);
  return Put::kDone;
}

Put ChannelEncoder::DeviceState(const DeviceStatePacket& packet,
                                uint32_t payload_bytes) {
  return DeviceHeader(packet, payload_bytes, nullptr, 1);
}

Put ChannelEncoder::VfioPacketStart(const DeviceStatePacket& packet,
                                    const VfioPacketHeader& header,
                                    uint32_t data_bytes) {
  return DeviceHeader(packet, uint64_t{data_bytes} + VfioPacketHeader::kBytes,
                      &header, 1);
}

Put ChannelEncoder::VfioPacket(const DeviceStatePacket& packet,
                               const VfioPacketHeader& header, ByteSpan data) {
  Put put =
      DeviceHeader(packet, data.size() + VfioPacketHeader::kBytes, &header, 2);
  return put == Put::kDone ? Payload(data) : put;
}

Put ChannelEncoder::Payload(ByteSpan piece) {
  if (!ok()) return Put::kError;
  if (piece.size() > payload_left_) return Fail(ErrorCode::kRecordOverrun);
  if (!gather_.Room(0, 1)) return Put::kFull;
  gather_.Piece(piece);
  payload_left_ -= static_cast<uint32_t>(piece.size());
  bytes_ += piece.size();
  return Put::kDone;
}

Put ChannelEncoder::TakeOver(uint32_t bytes) {
  if (!ok()) return Put::kError;
  if (bytes > payload_left_) return Fail(ErrorCode::kRecordOverrun);
  payload_left_ -= bytes;
  bytes_ += bytes;
  return Put::kDone;
}

Put ChannelEncoder::Append(const MultifdEvent& event) {
  switch (event.kind) {
    case MultifdEventKind::kInit:
      return Init(event.init);
    case MultifdEventKind::kRamPacket:
      return Ram(event.flags, event.ram);
    case MultifdEventKind::kDeviceState:
      return DeviceState(event.device, event.payload_bytes);
    case MultifdEventKind::kPayload:
      return Payload(event.bytes);
  }
  return Put::kError;
}

Put ChannelEncoder::Fail(ErrorCode code) {
  error_ = code;
  return Put::kError;
}

Error ChannelEncoder::error(std::string_view channel) const {
  Error error;
  if (ok()) return error;
  error.code = error_;
  error.offset = bytes_;
  error.section = std::string(channel);
  switch (error_) {
    case ErrorCode::kRecordOverrun:
      error.reason = "more payload than the packet's header says";
      break;
    case ErrorCode::kMissingPayload:
      error.reason = StrCat("a packet, but the one before lacks ",
                            payload_left_, " bytes of payload");
      break;
    case ErrorCode::kMultifdIdstr:
      error.reason = "an idstr that does not fit, terminated, into its field";
      break;
    case ErrorCode::kMultifdEmptyPacket:
      error.reason = "a device-state packet without payload";
      break;
    case ErrorCode::kMultifdPacketLimit:
      error.reason = "a payload longer than its size can say";
      break;
    case ErrorCode::kMultifdFlags:
      error.reason = "flags that no RAM packet has";
      break;
    case ErrorCode::kMultifdPages:
      error.reason = "more pages than a RAM packet has room for";
      break;
    case ErrorCode::kMultifdPayloadSize:
      error.reason = "a payload that is not as long as its pages";
      break;
    default:
      error.reason = init_put_ ? "a packet that no decoder could read here"
                               : "a packet before the init message";
      break;
  }
  return error;
}

}  // namespace migstream
