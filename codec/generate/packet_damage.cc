#include <algorithm>

#include "absl/status/status.h"
#include "codec/generate/damage_marks.h"
#include "codec/generate/damages.h"
#include "codec/generate/device_channels.h"
#include "codec/multifd/packet.h"
#include "flags/tag.h"

namespace migstream {
namespace {

// Finds one of the device's packets by its index, or the config packet.
template <typename Edit>
absl::Status EditPacket(Generated& stream, DoneDamage& done, bool config,
                        Edit edit) {
  uint32_t last = 0;
  for (const MarkedBytes& channel : stream.channels) {
    for (const Mark& mark : channel.marks) {
      if (mark.kind == MarkKind::kPacket &&
          mark.device == static_cast<int>(done.damage.device())) {
        last = std::max(last, mark.number);
      }
    }
  }
  for (MarkedBytes& channel : stream.channels) {
    for (const Mark& mark : channel.marks) {
      if (mark.kind != MarkKind::kPacket ||
          mark.device != static_cast<int>(done.damage.device()) ||
          mark.number != (config ? last : done.damage.nth())) {
        continue;
      }
      const Mark packet = mark;
      uint64_t data = packet.offset + kDevicePacketOverhead;
      if (config && NumberAt(channel.bytes, data, 8) !=
                        static_cast<uint64_t>(Tag::kDevConfigState)) {
        return NothingThere("no config packet");
      }
      edit(channel, packet);
      MarkDamage(channel, stream, packet.offset);
      return absl::OkStatus();
    }
  }
  return NothingThere("no such packet");
}

}  // namespace

absl::Status DropPacket(Generated& stream, DoneDamage& done) {
  return EditPacket(stream, done, false, [](MarkedBytes& to, const Mark& at) {
    to.Replace(at.offset, at.bytes, "");
  });
}

absl::Status RepeatPacket(Generated& stream, DoneDamage& done) {
  return EditPacket(stream, done, false, [](MarkedBytes& to, const Mark& at) {
    to.Replace(at.offset + at.bytes, 0, to.bytes.substr(at.offset, at.bytes));
  });
}

absl::Status PacketVersion(Generated& stream, DoneDamage& done) {
  return EditPacket(stream, done, false, [](MarkedBytes& to, const Mark& at) {
    to.Replace(at.offset + kDeviceStatePacketBytes, 4, Be32Text(1));
  });
}

absl::Status PacketDevice(Generated& stream, DoneDamage& done) {
  return EditPacket(stream, done, false, [](MarkedBytes& to, const Mark& at) {
    to.bytes[at.offset + kMultifdHeaderBytes] ^= 1;
  });
}

absl::Status ShortPacket(Generated& stream, DoneDamage& done) {
  return EditPacket(stream, done, false, [](MarkedBytes& to, const Mark& at) {
    uint64_t payload = at.offset + kDeviceStatePacketBytes;
    to.Replace(payload + 8, at.bytes - kDeviceStatePacketBytes - 8, "");
    to.Replace(payload - 4, 4, Be32Text(8));
  });
}

absl::Status PacketEos(Generated& stream, DoneDamage& done) {
  return EditPacket(stream, done, true, [](MarkedBytes& to, const Mark& at) {
    to.Replace(at.offset + at.bytes - kTagBytes, kTagBytes,
               TagText(kNoEndOfState));
  });
}

absl::Status FlipPacket(Generated& stream, DoneDamage& done) {
  absl::Status status = absl::OkStatus();
  absl::Status found =
      EditPacket(stream, done, false, [&](MarkedBytes& to, const Mark& at) {
        uint64_t data = at.offset + kDevicePacketOverhead;
        if (NumberAt(to.bytes, data, 8) ==
            static_cast<uint64_t>(Tag::kDevConfigState)) {
          status = NothingThere("no data in the config packet");
          return;
        }
        to.bytes[data] = static_cast<char>(~to.bytes[data]);
      });
  return found.ok() ? status : found;
}

}  // namespace migstream
