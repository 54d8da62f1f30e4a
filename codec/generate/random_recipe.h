// Recipes by the number: of any dialect, with any number of devices, records,
// subsections, triggers and channels, and always valid.

#ifndef MIGSTREAM_CODEC_GENERATE_RANDOM_RECIPE_H_
#define MIGSTREAM_CODEC_GENERATE_RANDOM_RECIPE_H_

#include <cstdint>
#include <string>

#include "codec/generate/stream.pb.h"

namespace migstream {

// A recipe for one dialect, if that is not NEWEST.
recipe::Migration RandomRecipe(uint64_t seed,
                               recipe::Dialect dialect = recipe::NEWEST);

// Leaves out of a recipe what its frame, a file, decides.
void PutIntoFrame(const std::string& frame, recipe::Migration& recipe);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_GENERATE_RANDOM_RECIPE_H_
