// XBZRLE: a page as what has changed in it. FORMAT.md section 5.6.

#ifndef MIGSTREAM_CODEC_QEMU_XBZRLE_H_
#define MIGSTREAM_CODEC_QEMU_XBZRLE_H_

#include <cstdint>
#include <span>

#include "codec/wire/bytes.h"

namespace migstream {

// Puts what has changed into the page. False if it is not encoded so, or
// reaches past the page's end; the page may then have some of it.
bool ApplyXbzrle(ByteSpan delta, std::span<uint8_t> page);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_XBZRLE_H_
