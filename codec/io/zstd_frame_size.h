// How large a frame of a zstd file is, told from its block headers alone: of
// what they stand between, nothing is read. RFC 8878, section 3.1.
//
//   std::optional<ZstdFrameSize> size = ZstdFrameSizeAt(file, offset, kMost);
//   if (size) DecodeAt(offset, size->packed, size->most);
//
// zstd has a function for it that wants the whole frame in memory.

#ifndef MIGSTREAM_CODEC_IO_ZSTD_FRAME_SIZE_H_
#define MIGSTREAM_CODEC_IO_ZSTD_FRAME_SIZE_H_

#include <cstdint>
#include <optional>

#include "codec/io/byte_source.h"

namespace migstream {

struct ZstdFrameSize {
  uint64_t packed = 0;  // In the file, from its magic number to its checksum.
  // There is no more in it than so many bytes, which it states itself, or which
  // its blocks can have.
  uint64_t most = 0;
  bool stated = false;
  bool operator==(const ZstdFrameSize&) const = default;
};

// The frame, which may be a skippable one, begins at `offset` of what ReadAt()
// can read. Null if none does, if it has more than `most` bytes, or if the file
// ends within it. What is in its blocks may be damaged still.
std::optional<ZstdFrameSize> ZstdFrameSizeAt(const ByteSource& source,
                                             uint64_t offset, uint64_t most);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_IO_ZSTD_FRAME_SIZE_H_
