// What the library's decoders tell of an input, in the words of the slow ones.

#ifndef MIGSTREAM_FUZZ_SLOW_ITEMS_H_
#define MIGSTREAM_FUZZ_SLOW_ITEMS_H_

#include "codec/wire/bytes.h"
#include "fuzz/slow_channel.h"
#include "fuzz/slow_stream.h"

namespace migstream {

// How long the content of a FULL is that begins with this byte, if a decoder
// should know: any rule will do that both can follow.
std::optional<uint64_t> FullLength(uint8_t first);

slow::SlowStream TellStream(ByteSpan bytes);
slow::SlowChannel TellChannel(ByteSpan bytes, uint32_t page_bytes);

}  // namespace migstream

#endif  // MIGSTREAM_FUZZ_SLOW_ITEMS_H_
