// Mutates a recipe (stream.proto) by protobuf's reflection: a field of one
// message in it is changed, or an element of a list is added, removed, doubled
// or moved.
//
// A target whose input is a recipe as text links recipe_fuzzing, which gives
// libFuzzer this mutator.

#ifndef MIGSTREAM_FUZZ_RECIPE_MUTATOR_H_
#define MIGSTREAM_FUZZ_RECIPE_MUTATOR_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "codec/generate/random.h"
#include "codec/generate/stream.pb.h"
#include "codec/wire/bytes.h"

namespace migstream {

// What libFuzzer does to a few bytes. Returns how many there are then, `limit`
// at the most.
using MutateBytes = size_t (*)(uint8_t* data, size_t size, size_t limit);

void MutateRecipe(recipe::Migration& recipe, Random& random,
                  MutateBytes mutate);
// Takes over parts of another one.
void CrossRecipes(recipe::Migration& recipe, const recipe::Migration& other,
                  Random& random);

// Empty, and false, for what is no recipe.
bool ParseRecipe(ByteSpan text, recipe::Migration& recipe);
std::string RecipeText(const recipe::Migration& recipe);

}  // namespace migstream

#endif  // MIGSTREAM_FUZZ_RECIPE_MUTATOR_H_
