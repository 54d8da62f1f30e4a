// What the bytes around an error look like: a hole of zeros, a text conversion,
// a block that came twice, one bit that is wrong. A guess for people, which
// decides nothing.
//
//   DamageKind(bytes, 0x17000, 0x17ffc)
//   // "a hole of zeros: 4096 bytes from 0x17ffc on"

#ifndef MIGSTREAM_CODEC_PLACE_DAMAGE_KIND_H_
#define MIGSTREAM_CODEC_PLACE_DAMAGE_KIND_H_

#include <cstdint>
#include <string>

#include "codec/wire/bytes.h"

namespace migstream {

// As much as is of use on both sides of the error.
inline constexpr uint64_t kDamageBytesBefore = 128 << 10;
inline constexpr uint64_t kDamageBytesAfter = 128 << 10;

// `bytes` begin at `start`, an offset as the error's is. Empty if nothing is
// known.
std::string DamageKind(ByteSpan bytes, uint64_t start, uint64_t error_offset);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_PLACE_DAMAGE_KIND_H_
