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
  std::string text;    // "1 bit from DATA"; empty if it is near none.
  uint64_t value = 0;  // That tag.
};
NearTag FindNearTag(uint64_t found);

// "differs in one letter from 0000:00:05.0/vfio"; empty if it does from none.
std::string FindNearName(std::string_view found,
                         std::span<const std::string_view> names);

// What seems to have been done to the stream, from the bytes before a place and
// those from there on: zeros in the place of data, line feeds that became CR
// LF, text that was recoded as UTF-8, a page that came twice. Empty if none of
// it shows.
std::string KindOfDamage(ByteSpan before, ByteSpan at);
// With less of each, less shows.
inline constexpr size_t kDamageContextBytes = 64 << 10;

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_PLACE_NEAR_MISS_H_
