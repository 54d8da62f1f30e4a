// What no recipe may ask for (stream.proto): lists so long that writing them
// takes for ever, and values that the stream has no room for. How many bytes
// all of it makes is a limit of the generator's.

#ifndef MIGSTREAM_CODEC_GENERATE_RECIPE_BOUNDS_H_
#define MIGSTREAM_CODEC_GENERATE_RECIPE_BOUNDS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "codec/generate/stream.pb.h"

namespace migstream {

// All payload that a recipe asks for, as far as 64 bits can tell.
uint64_t RecipePayloadBytes(const recipe::Migration& recipe);

// kResourceExhausted or kInvalidArgument, which say what is too much. All
// payload together may have `max_bytes`.
absl::Status CheckRecipeBounds(const recipe::Migration& recipe,
                               uint64_t max_bytes);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_GENERATE_RECIPE_BOUNDS_H_
