// What `generate --expect` predicts from a stream's bytes, and what is
// documented of the same recipe and damage: two ways to the same answer.

#include "codec/generate/expectation.h"

#include <string>

#include "codec/generate/damage.h"
#include "codec/generate/documented_verdicts.h"
#include "codec/generate/generator.h"
#include "codec/generate/random_recipe.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

using recipe::Expectation;

TEST(ExpectationTest, TheLoadersPredictionIsWhatIsDocumented) {
  int compared = 0;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    recipe::Migration recipe = RandomRecipe(seed);
    if (seed % 3 != 0) {
      recipe.add_damage()->set_kind(
          DamageRows()[seed % DamageRows().size()].kind);
    }
    auto made = Generate(recipe);
    if (!made.ok()) continue;  // There was nothing to damage.
    for (Release release : {502, 702, 802, 902, 1000, 1001, 1101}) {
      const DocumentedVerdict documented = Documented(*made, release);
      if (documented.verdict == Expectation::UNKNOWN) continue;
      ++compared;
      const Expectation expected = Expect(*made, release);
      const std::string what =
          StrCat("seed ", seed, ", ", release, ": ",
                 expected.ShortDebugString(), ", but ", documented.message);
      EXPECT_EQ(expected.verdict(), documented.verdict) << what;
      // Without its first footer a stream may have none; what is wrong then
      // shows later.
      if (documented.verdict == Expectation::REFUSES &&
          documented.because != "drop-footer") {
        EXPECT_THAT(expected.message(), testing::HasSubstr(documented.message))
            << what;
      }
    }
  }
  EXPECT_GT(compared, 500);
}

}  // namespace
}  // namespace migstream
