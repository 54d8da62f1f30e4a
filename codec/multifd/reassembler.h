// Puts one device's packets, which come over several channels in any order,
// back into the order in which the device gave them. FORMAT.md section 13.
//
//   Reassembler reassembler(limits);
//   for (const std::string& payload : payloads) {  // Of any channel.
//     Error error = reassembler.Add(packet, AsBytes(payload));
//     if (!error.ok()) return error;
//     for (ReassembledPiece piece; reassembler.Next(piece);) Use(piece);
//   }
//   return reassembler.Finish();  // Is anything missing?
//
// A packet that is due is handed out as a view of what the caller gave; one
// that is ahead is held, within the limits: as a copy, or, given by Take(), in
// the caller's own buffer. A real QEMU waits in silence for a packet that never
// comes; Finish() names it. Errors are sticky.

#ifndef MIGSTREAM_CODEC_MULTIFD_REASSEMBLER_H_
#define MIGSTREAM_CODEC_MULTIFD_REASSEMBLER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/multifd/limits.h"
#include "codec/multifd/packet.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"

namespace migstream {

struct ReassembledPiece {
  std::string_view idstr;  // Good as long as the reassembler.
  uint32_t instance_id = 0;
  uint32_t index = 0;
  bool config = false;  // CONFIG … END_OF_STATE, and the device's last.
  ByteSpan data;        // Good until the next call of Add() or Next().
  PacketPlace place = {};

  // The offset of `data` in its channel.
  uint64_t data_offset() const {
    return place.offset + kDeviceStatePacketBytes + VfioPacketHeader::kBytes;
  }
};

class Reassembler {
 public:
  // `host_endian` for the packet headers of dialects E6 and E7.
  explicit Reassembler(const MultifdLimits& limits = {},
                       bool host_endian = false)
      : limits_(limits), host_endian_(host_endian) {}

  // Only these devices may have packets; without a call any may.
  void Expect(std::string_view idstr, uint32_t instance_id);

  // No device beyond those of Expect() may have packets, even if there is none.
  void Close() { closed_ = true; }

  // One whole packet's payload, which must live until Next() gives false, as
  // it must have done since the packet before. The place's file must outlive
  // the reassembler; an error names it.
  Error Add(const DeviceStatePacket& packet, ByteSpan payload,
            const PacketPlace& place = {});

  // The same for a payload in a buffer of its own. One that has to wait is not
  // copied: its buffer is kept, and `payload` is an empty one then, mostly with
  // room from a packet before.
  Error Take(const DeviceStatePacket& packet, std::vector<uint8_t>& payload,
             const PacketPlace& place = {});

  // Whether Add() would find it due: false for one that has to wait, or is
  // wrong.
  bool IsDue(const DeviceStatePacket& packet, ByteSpan payload) const;

  // The next piece that is due, of any device.
  bool Next(ReassembledPiece& piece);

  // No packet will follow: the first that is missing, if any is. The place is
  // that of the packet after it, or of the device's last.
  Error Finish() const;

  // As limits.held_bytes counts them.
  uint64_t held_bytes() const { return held_bytes_; }

 private:
  struct Held {
    ByteSpan data() const {
      return ByteSpan(payload).subspan(VfioPacketHeader::kBytes);
    }

    std::vector<uint8_t> payload;
    bool config = false;
    PacketPlace place;
  };
  struct Device {
    std::string idstr;
    uint32_t instance_id = 0;
    uint32_t next = 0;  // The index that is due.
    bool config_given = false;
    uint32_t config_index = 0;  // With config_seen.
    bool config_seen = false;
    uint32_t highest = 0;  // With any_seen.
    bool any_seen = false;
    PacketPlace last_place;  // Of the packet that came last.
    uint64_t held_bytes = 0;
    std::map<uint32_t, Held> held;
  };

  // `held` is where to keep a payload that has to wait, else null.
  Error Accept(const DeviceStatePacket& packet, ByteSpan payload,
               const PacketPlace& place, std::vector<uint8_t>*& held);
  Error Fail(ErrorCode code, std::string_view idstr, std::string reason);
  Error Check(std::string_view idstr, const VfioPacketHeader& header);
  Error CheckPlace(const Device& device, const VfioPacketHeader& header,
                   size_t data_bytes);

  const MultifdLimits limits_;
  const bool host_endian_;
  bool closed_ = false;  // By Expect().
  std::map<std::pair<std::string, uint32_t>, size_t> index_;
  std::vector<std::unique_ptr<Device>> devices_;
  uint64_t held_bytes_ = 0;
  PacketPlace place_;  // Of the packet that was added last.
  Error error_;

  // What Next() gives first: the packet that Add() was just given.
  Device* due_ = nullptr;
  bool direct_ = false;
  bool direct_config_ = false;
  ByteSpan direct_data_;
  Held current_;  // Keeps what the last piece views.
  // Buffers of packets that were held, never more than at one time: fresh
  // memory costs more than the copy into it.
  std::vector<std::vector<uint8_t>> spare_buffers_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_MULTIFD_REASSEMBLER_H_
