// Whether a file is read faster by copying than by a mapping, here and now.
//
// The first touch of a mapped page costs a fifth of copying it on most
// machines. Where a hypervisor keeps page tables of its own it costs several
// times as much as copying.

#ifndef MIGSTREAM_CODEC_IO_MAPPING_COST_H_
#define MIGSTREAM_CODEC_IO_MAPPING_COST_H_

#include <cstdint>

#include "codec/wire/bytes.h"

namespace migstream {

// `mapped` is what the file has at `offset`, where a page starts; nothing of it
// was looked at yet. It takes one to three milliseconds. If there is less
// than 1 MiB, or it cannot be read, false.
bool IsReadFaster(int fd, uint64_t offset, ByteSpan mapped);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_IO_MAPPING_COST_H_
