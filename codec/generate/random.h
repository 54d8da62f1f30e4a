// Numbers that look random and are the same on every machine: the standard
// library's generators are, but its distributions are not. SplitMix64.
//
//   Random random(seed);
//   uint64_t sides = 1 + random.Below(6);

#ifndef MIGSTREAM_CODEC_GENERATE_RANDOM_H_
#define MIGSTREAM_CODEC_GENERATE_RANDOM_H_

#include <cstdint>
#include <string>

namespace migstream {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }

  // 0 to limit - 1; 0 for a limit of 0. A little uneven, which nobody minds.
  uint64_t Below(uint64_t limit) { return limit == 0 ? 0 : Next() % limit; }

  // True once in `times`.
  bool OneIn(uint64_t times) { return Below(times) == 0; }

  std::string Bytes(uint64_t count) {
    std::string bytes;
    bytes.reserve(count);
    while (bytes.size() < count) {
      uint64_t value = Next();
      for (int i = 0; i < 8 && bytes.size() < count; ++i, value >>= 8) {
        bytes.push_back(static_cast<char>(value & 0xff));
      }
    }
    return bytes;
  }

 private:
  uint64_t state_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_GENERATE_RANDOM_H_
