// Gives libFuzzer recipe_mutator.h's mutator, for targets whose input is a
// recipe.

#include <algorithm>

#include "fuzz/recipe_mutator.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t limit);

namespace migstream {
namespace {

size_t Store(const recipe::Migration& recipe, uint8_t* data, size_t size,
             size_t limit) {
  std::string text = RecipeText(recipe);
  if (text.size() > limit) return size;
  std::copy(text.begin(), text.end(), data);
  return text.size();
}

}  // namespace
}  // namespace migstream

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size,
                                          size_t limit, unsigned seed) {
  migstream::recipe::Migration recipe;
  migstream::ParseRecipe(migstream::ByteSpan(data, size), recipe);
  migstream::Random random(seed);
  do {
    migstream::MutateRecipe(recipe, random, LLVMFuzzerMutate);
  } while (random.OneIn(3));
  return migstream::Store(recipe, data, size, limit);
}

extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t* one, size_t one_size,
                                            const uint8_t* other,
                                            size_t other_size, uint8_t* out,
                                            size_t limit, unsigned seed) {
  migstream::recipe::Migration recipe;
  migstream::recipe::Migration second;
  migstream::ParseRecipe(migstream::ByteSpan(one, one_size), recipe);
  migstream::ParseRecipe(migstream::ByteSpan(other, other_size), second);
  migstream::Random random(seed);
  migstream::CrossRecipes(recipe, second, random);
  return migstream::Store(recipe, out, 0, limit);
}
