// What bytes that cannot be read may have been: the damage that would explain
// them. A guess, for people; nothing is decoded by it.

#ifndef MIGSTREAM_CODEC_PLACE_NEAR_MISS_H_
#define MIGSTREAM_CODEC_PLACE_NEAR_MISS_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "codec/wire/bytes.h"

namespace migstream {

struct NearTag {
  // "1 bit from DATA", "1 bit from CONFIG or SETUP"; empty if it is near none.
  std::string text;
  uint64_t value = 0;  // That tag, if it is one alone.
  int bits = 0;        // That differ.
};
NearTag FindNearTag(uint64_t found);

// What a tag or the stream's magic at the beginning of `bytes` lost one bit
// of: "1 bit from QEVM". Empty if that is not so.
std::string NearMiss(ByteSpan bytes);

// "differs in one letter from 0000:00:05.0/vfio"; empty if it does from none.
std::string FindNearName(std::string_view found,
                         std::span<const std::string_view> names);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_PLACE_NEAR_MISS_H_
