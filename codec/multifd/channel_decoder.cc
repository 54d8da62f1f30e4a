#include "codec/multifd/channel_decoder.h"

#include <algorithm>
#include <string_view>

#include "codec/wire/cursor.h"
#include "codec/wire/text.h"
#include "flags/multifd_flags.h"
#include "flags/section_type.h"

namespace migstream {
namespace {

std::string_view UpToNul(ByteSpan bytes) {
  std::string_view text = AsText(bytes);
  return text.substr(0, text.find('\0'));
}

// What follows `text` and its NUL in the field that it begins.
ByteSpan TailOf(ByteSpan field, std::string_view text) {
  return field.subspan(std::min(field.size(), text.size() + 1));
}

}  // namespace

ChannelDecoder::ChannelDecoder(const ChannelOptions& options)
    : options_(options) {}

Step ChannelDecoder::Next(ByteSpan& input, MultifdEvent& event) {
  if (error_ != ErrorCode::kNone) return Step::kError;
  if (payload_left_ != 0) {
    if (input.empty()) return Need(1);
    size_t here = std::min<size_t>(payload_left_, input.size());
    event.kind = MultifdEventKind::kPayload;
    event.payload_bytes = payload_bytes_;
    event.payload_offset = payload_bytes_ - payload_left_;
    Consume(input, here, event);
    payload_left_ -= static_cast<uint32_t>(here);
    return Step::kEvent;
  }
  if (!init_seen_) return NextInit(input, event);
  if (input.size() < kMultifdHeaderBytes) return Need(kMultifdHeaderBytes);
  Cursor cursor(input);
  uint32_t magic = cursor.Be32();
  uint32_t version = cursor.Be32();
  event.flags = cursor.Be32();
  if (magic != kMultifdMagic) {
    return Fail(ErrorCode::kMultifdMagic, offset_, magic);
  }
  if (version != kMultifdVersion) {
    return Fail(ErrorCode::kMultifdVersion, offset_ + 4, version);
  }
  return (event.flags & kMultifdDeviceState) != 0
             ? NextDeviceState(input, event)
             : NextRam(input, event);
}

Step ChannelDecoder::NextInit(ByteSpan& input, MultifdEvent& event) {
  if (input.size() < kMultifdInitBytes) return Need(kMultifdInitBytes);
  Cursor cursor(input);
  uint32_t magic = cursor.Be32();
  uint32_t version = cursor.Be32();
  if (magic != kMultifdMagic) {
    return Fail(ErrorCode::kMultifdMagic, offset_, magic);
  }
  if (version != kMultifdVersion) {
    return Fail(ErrorCode::kMultifdVersion, offset_ + 4, version);
  }
  ByteSpan uuid = cursor.Bytes(event.init.uuid.size());
  std::copy(uuid.begin(), uuid.end(), event.init.uuid.begin());
  event.init.channel_id = cursor.U8();
  ByteSpan reserved = cursor.Bytes(event.init.reserved.size());
  std::copy(reserved.begin(), reserved.end(), event.init.reserved.begin());
  event.kind = MultifdEventKind::kInit;
  event.flags = 0;
  event.payload_bytes = 0;
  Consume(input, kMultifdInitBytes, event);
  init_seen_ = true;
  return Step::kEvent;
}

Step ChannelDecoder::NextRam(ByteSpan& input, MultifdEvent& event) {
  uint64_t slots = RamPacketSlots(options_.page_bytes);
  size_t size = kRamPacketFixedBytes + 8 * slots;
  if (input.size() < size) return Need(size);
  Cursor cursor(input.first(size));
  cursor.Bytes(kMultifdHeaderBytes);
  RamPacket& ram = event.ram;
  ram.allocated_pages = cursor.Be32();
  ram.normal_pages = cursor.Be32();
  ram.next_packet_size = cursor.Be32();
  ram.packet_number = cursor.Be64();
  ram.zero_pages = cursor.Be32();
  ram.unused = cursor.Bytes(kRamPacketUnusedBytes);
  ByteSpan block = cursor.Bytes(kMultifdNameBytes);
  ram.block = UpToNul(block);
  ram.block_tail = TailOf(block, ram.block);
  ram.offsets = cursor.Bytes(8 * slots);
  uint32_t payload_bytes = ram.payload_bytes();
  switch (ErrorCode code =
              CheckRamPacket(event.flags, ram, options_.page_bytes)) {
    case ErrorCode::kNone:
      break;
    case ErrorCode::kMultifdFlags:
      return Fail(code, offset_ + 8, event.flags);
    case ErrorCode::kMultifdPages:
      return Fail(code, offset_ + 16,
                  uint64_t{ram.normal_pages} + ram.zero_pages);
    default:
      return Fail(code, offset_ + 20, payload_bytes);
  }
  if (payload_bytes > options_.limits.ram_packet_bytes) {
    return Fail(ErrorCode::kMultifdPacketLimit, offset_ + 20, payload_bytes);
  }
  event.kind = MultifdEventKind::kRamPacket;
  event.payload_bytes = payload_bytes;
  payload_bytes_ = payload_left_ = payload_bytes;
  Consume(input, size, event);
  return Step::kEvent;
}

Step ChannelDecoder::NextDeviceState(ByteSpan& input, MultifdEvent& event) {
  if (event.flags != kMultifdDeviceState) {
    return Fail(ErrorCode::kMultifdFlags, offset_ + 8, event.flags);
  }
  if (input.size() < kDeviceStatePacketBytes) {
    return Need(kDeviceStatePacketBytes);
  }
  ByteSpan name = input.subspan(kMultifdHeaderBytes, kMultifdNameBytes);
  if (name.back() != 0) {
    return Fail(ErrorCode::kMultifdIdstr, offset_ + kMultifdHeaderBytes, 0);
  }
  event.device.idstr = UpToNul(name);
  event.device.idstr_tail = TailOf(name, event.device.idstr);
  Cursor cursor(input.subspan(kMultifdHeaderBytes + kMultifdNameBytes));
  event.device.instance_id = cursor.Be32();
  uint32_t payload_bytes = cursor.Be32();
  if (payload_bytes == 0 || payload_bytes > options_.limits.packet_bytes) {
    return Fail(payload_bytes == 0 ? ErrorCode::kMultifdEmptyPacket
                                   : ErrorCode::kMultifdPacketLimit,
                offset_ + kDeviceStatePacketBytes - 4, payload_bytes);
  }
  event.kind = MultifdEventKind::kDeviceState;
  event.payload_bytes = payload_bytes;
  payload_bytes_ = payload_left_ = payload_bytes;
  Consume(input, kDeviceStatePacketBytes, event);
  return Step::kEvent;
}

Step ChannelDecoder::TakeOver(uint32_t count) {
  if (error_ != ErrorCode::kNone) return Step::kError;
  if (count > payload_left_) {
    return Fail(ErrorCode::kRecordOverrun, offset_, count);
  }
  payload_left_ -= count;
  offset_ += count;
  return Step::kEvent;
}

Step ChannelDecoder::Need(size_t bytes) {
  bytes_needed_ = bytes;
  return Step::kNeedInput;
}

Step ChannelDecoder::Fail(ErrorCode code, uint64_t offset, uint64_t found) {
  error_ = code;
  error_offset_ = offset;
  error_found_ = found;
  return Step::kError;
}

void ChannelDecoder::Consume(ByteSpan& input, size_t bytes,
                             MultifdEvent& event) {
  event.offset = offset_;
  event.bytes = input.first(bytes);
  input = input.subspan(bytes);
  offset_ += bytes;
}

Error ChannelDecoder::AtEndOfInput(std::string_view channel,
                                   ByteSpan left) const {
  if (error_ != ErrorCode::kNone) return error(channel);
  Error error;
  if (left.empty() && at_boundary()) return error;
  error.code = ErrorCode::kTruncated;
  error.offset = offset_ + left.size();
  error.section = std::string(channel);
  error.reason =
      payload_left_ != 0
          ? StrCat("input ends in a payload of ", payload_bytes_, " bytes, ",
                   payload_left_ - left.size(), " of them missing")
          : StrCat("input ends in ",
                   init_seen_ ? "a packet" : "the init message");
  return error;
}

Error ChannelDecoder::error(std::string_view channel) const {
  Error error;
  if (error_ == ErrorCode::kNone) return error;
  error.code = error_;
  error.offset = error_offset_;
  error.section = std::string(channel);
  switch (error_) {
    case ErrorCode::kMultifdMagic:
      error.reason = StrCat("packet begins with ", Hex(error_found_),
                            ", expected ", Hex(kMultifdMagic));
      break;
    case ErrorCode::kMultifdVersion:
      error.reason = StrCat("packet of version ", error_found_, ", expected 1");
      break;
    case ErrorCode::kMultifdFlags:
      error.reason = StrCat(
          "packet with flags ",
          MultifdFlagsToString(static_cast<uint32_t>(error_found_)),
          ", expected DEVICE_STATE alone, or SYNC and one compression at the "
          "most");
      break;
    case ErrorCode::kMultifdIdstr:
      error.reason = "device-state packet with an unterminated idstr";
      break;
    case ErrorCode::kMultifdPages:
      error.reason =
          StrCat("RAM packet with ", error_found_, " pages, more than fit");
      break;
    case ErrorCode::kMultifdPayloadSize:
      error.reason = StrCat("RAM packet claims a payload of ", error_found_,
                            " bytes, which is not that of its pages");
      break;
    case ErrorCode::kMultifdEmptyPacket:
      error.reason = "device-state packet without payload";
      break;
    case ErrorCode::kMultifdPacketLimit:
      error.reason = StrCat("packet claims a payload of ", error_found_,
                            " bytes, beyond the limit");
      break;
    default:
      error.reason = "more payload moved than the packet has";
      break;
  }
  return error;
}

}  // namespace migstream
