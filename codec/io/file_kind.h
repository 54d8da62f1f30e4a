// What kind of file the first bytes belong to. FORMAT.md sections 2 and 13.

#ifndef MIGSTREAM_CODEC_IO_FILE_KIND_H_
#define MIGSTREAM_CODEC_IO_FILE_KIND_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "codec/io/preempt_channel.h"
#include "codec/wire/bytes.h"

namespace migstream {

enum class FileKind {
  kMain,        // A main channel: QEVM.
  kMultifd,     // A multifd channel.
  kReturnPath,  // What the destination sent back. It has no magic: a guess.
  kLibvirt,     // A save file with libvirt's header.
  kCpr,         // CPR state.
  kPreempt,     // A postcopy-preempt channel. It has no magic: a guess.
  kEmpty,
  kUnknown,
};

// Eight bytes are enough, but for kPreempt; of a shorter file, all that there
// is.
FileKind KindOf(ByteSpan bytes);
inline constexpr size_t kFileKindBytes = kPreemptPeekBytes;

// Why these bytes do not begin a main channel, and what they seem to begin
// instead; empty if they do. Eight are enough to say whether; with more there
// is more to be said, as where in them a stream begins. `offset` is theirs.
std::string NotAStream(ByteSpan bytes, uint64_t offset = 0);
inline constexpr size_t kFileHintBytes = 64 << 10;

// Whether they have a main channel's magic or its version: where the other is
// wrong, it is damage, and not another kind of file.
bool BeginsLikeAStream(ByteSpan bytes);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_IO_FILE_KIND_H_
