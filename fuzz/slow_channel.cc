#include "fuzz/slow_channel.h"

namespace slow {
namespace {

using std::string;

uint64_t Number(std::string_view bytes, uint64_t at, int width) {
  uint64_t number = 0;
  for (int i = 0; i < width; ++i) {
    number = number * 256 + static_cast<unsigned char>(bytes[at + i]);
  }
  return number;
}

string UpToNul(std::string_view bytes) {
  return string(bytes.substr(0, bytes.find('\0')));
}

// FORMAT.md 13.2: SYNC, and one compression at most; or DEVICE_STATE alone.
bool AreFlags(uint64_t flags) {
  if (flags == 0x40) return true;
  uint64_t compression = flags & ~uint64_t{1};
  return compression == 0 || compression == 2 || compression == 4 ||
         compression == 8 || compression == 0x10 || compression == 0x20;
}

}  // namespace

SlowChannel DecodeChannelSlowly(std::string_view bytes, uint64_t page_bytes) {
  // Bytes of a packet's payload, at most.
  constexpr uint64_t kLimit = 2 << 20;
  SlowChannel channel;
  uint64_t at = 0;
  auto cut = [&] {
    channel.end = SlowChannel::kCut;
    channel.at = bytes.size();
    return channel;
  };
  auto wrong = [&](uint64_t where) {
    channel.end = SlowChannel::kWrong;
    channel.at = where;
    return channel;
  };

  // FORMAT.md 13.1.
  if (bytes.size() < 64) return cut();
  if (Number(bytes, 0, 4) != 0x11223344) return wrong(0);
  if (Number(bytes, 4, 4) != 1) return wrong(4);
  channel.packets.push_back(
      {"init",
       0,
       {Number(bytes, 24, 1)},
       {string(bytes.substr(8, 16)), string(bytes.substr(25, 39))}});
  at = 64;

  while (at < bytes.size()) {
    if (bytes.size() - at < 12) return cut();
    if (Number(bytes, at, 4) != 0x11223344) return wrong(at);
    if (Number(bytes, at + 4, 4) != 1) return wrong(at + 4);
    uint64_t flags = Number(bytes, at + 8, 4);
    uint64_t slots = 524288 / page_bytes;
    // FORMAT.md 13.3 and 13.5.
    bool device = (flags & 0x40) != 0;
    if (device && !AreFlags(flags)) return wrong(at + 8);
    uint64_t head = device ? 276 : 320 + 8 * slots;
    if (bytes.size() - at < head) return cut();
    if (!AreFlags(flags)) return wrong(at + 8);
    uint64_t payload = 0;
    if (device) {
      if (bytes[at + 267] != 0) return wrong(at + 12);
      payload = Number(bytes, at + 272, 4);
      if (payload == 0 || payload > kLimit) return wrong(at + 272);
      channel.packets.push_back({"device",
                                 at,
                                 {flags, Number(bytes, at + 268, 4), payload},
                                 {UpToNul(bytes.substr(at + 12, 256))}});
    } else {
      uint64_t normal = Number(bytes, at + 16, 4);
      uint64_t next = Number(bytes, at + 20, 4);
      uint64_t zero = Number(bytes, at + 32, 4);
      if (normal + zero > slots) return wrong(at + 16);
      if (normal > 0) {
        payload = next;
        bool plain = (flags & 0x3e) == 0;
        if (plain && payload != normal * page_bytes) return wrong(at + 20);
        if (payload > kLimit) return wrong(at + 20);
      }
      channel.packets.push_back(
          {"ram",
           at,
           {flags, Number(bytes, at + 12, 4), normal, zero,
            Number(bytes, at + 24, 8), next, payload},
           {UpToNul(bytes.substr(at + 64, 256)),
            string(bytes.substr(at + 320, 8 * slots))}});
    }
    at += head;
    if (bytes.size() - at < payload) return cut();
    at += payload;
  }
  channel.at = at;
  return channel;
}

}  // namespace slow
