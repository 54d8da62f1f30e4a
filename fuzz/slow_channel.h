// A second decoder of a multifd channel, for comparison: slow, plain, and
// written from FORMAT.md section 13 alone. It shares no code with codec/ or
// flags/; keep it so.

#ifndef MIGSTREAM_FUZZ_SLOW_CHANNEL_H_
#define MIGSTREAM_FUZZ_SLOW_CHANNEL_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace slow {

// The init or a packet. `numbers` and `texts`, by `what`:
//   init    channel id | uuid, reserved bytes
//   ram     flags, allocated pages, normal pages, zero pages, packet number,
//           next packet size, payload length | block, offsets
//   device  flags, instance, payload length | idstr
struct Packet {
  std::string what;
  uint64_t at = 0;
  std::vector<uint64_t> numbers;
  std::vector<std::string> texts;

  bool operator==(const Packet&) const = default;
};

struct SlowChannel {
  std::vector<Packet> packets;
  enum { kWhole, kCut, kWrong } end = kWhole;
  uint64_t at = 0;  // Of what is wrong, or of the end.
};

SlowChannel DecodeChannelSlowly(std::string_view bytes, uint64_t page_bytes);

}  // namespace slow

#endif  // MIGSTREAM_FUZZ_SLOW_CHANNEL_H_
