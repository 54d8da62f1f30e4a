// The content of RAM sections, as a recipe (stream.proto) has them. FORMAT.md
// section 5.

#ifndef MIGSTREAM_CODEC_GENERATE_RAM_CONTENT_H_
#define MIGSTREAM_CODEC_GENERATE_RAM_CONTENT_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "codec/generate/random.h"
#include "codec/generate/stream.pb.h"

namespace migstream {

// The list of blocks.
std::string RamStart(const recipe::Ram& ram);

// The pages whose turn it is in the nth of `parts` PARTs.
std::string RamPart(const recipe::Ram& ram, size_t nth, size_t parts,
                    Random& random);
// How many bytes that has, or some more.
uint64_t RamPartBytes(const recipe::Ram& ram, size_t nth, size_t parts);

std::string RamEnd();

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_GENERATE_RAM_CONTENT_H_
