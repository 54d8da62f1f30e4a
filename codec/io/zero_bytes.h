// Zeros that take no memory, to stand for a hole in a file: a source gives
// views of them instead of reading it, and a sink that is given one need not
// look.

#ifndef MIGSTREAM_CODEC_IO_ZERO_BYTES_H_
#define MIGSTREAM_CODEC_IO_ZERO_BYTES_H_

#include "codec/wire/bytes.h"

namespace migstream {

// Many of them, the same for all of the process; none if it has no addresses
// left.
ByteSpan ZeroBytes();

// Whether `bytes` are some of them.
bool AreZeroBytes(ByteSpan bytes);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_IO_ZERO_BYTES_H_
