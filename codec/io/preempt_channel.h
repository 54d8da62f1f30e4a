// The channel on which pages that the destination waits for overtake others in
// postcopy. It has no magic, and holds records of RAM from its first byte on.
// FORMAT.md sections 2.6 and 5.8.

#ifndef MIGSTREAM_CODEC_IO_PREEMPT_CHANNEL_H_
#define MIGSTREAM_CODEC_IO_PREEMPT_CHANNEL_H_

#include "codec/wire/bytes.h"

namespace migstream {

// Whether these bytes begin one: a guess. So many are enough.
inline constexpr size_t kPreemptPeekBytes = 8 + 1 + 255;
bool LooksLikePreemptChannel(ByteSpan bytes);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_IO_PREEMPT_CHANNEL_H_
