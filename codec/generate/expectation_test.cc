// What `generate --expect` says of a stream, and what `check --for` says of its
// bytes: two ways to the same answer.

#include "codec/generate/expectation.h"

#include <string>
#include <vector>

#include "codec/channels/memory_channels.h"
#include "codec/generate/damage.h"
#include "codec/generate/generator.h"
#include "codec/generate/random_recipe.h"
#include "codec/loader/loader.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

using recipe::Expectation;

LoadVerdict Predict(const Generated& made, const Expectation& expected,
                    Release release) {
  LoaderOptions options;
  options.release = release;
  // Whatever it is called: each release is asked about each stream.
  options.machine_type = made.machine_type;
  for (const std::string& provided : expected.provided()) {
    if (provided == "switchover-ack off") {
      options.switchover_ack = LoaderOptions::kOff;
    }
    if ((provided.find("config space as generated") !=
         std::string_view::npos)) {
      options.destination_config = made.devices[0].pci_config;
      options.destination_device = made.devices[0].idstr;
    }
  }
  MemorySource main(AsBytes(made.main.bytes));
  MemoryChannels channels;
  for (const MarkedBytes& channel : made.channels) {
    channels.Add(AsBytes(channel.bytes));
  }
  return PredictLoad(main, channels.given(), options);
}

Expectation::Verdict VerdictOf(const LoadVerdict& verdict) {
  switch (verdict.outcome) {
    case LoadVerdict::kLoads:
      return Expectation::LOADS;
    case LoadVerdict::kWaits:
      return Expectation::WAITS;
    default:
      return Expectation::REFUSES;
  }
}

TEST(ExpectationTest, TheModelOfTheLoaderAgrees) {
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
      const Expectation expected = Expect(*made, release);
      if (expected.verdict() == Expectation::UNKNOWN) continue;
      ++compared;
      const LoadVerdict verdict = Predict(*made, expected, release);
      const std::string what =
          StrCat("seed ", seed, ", ", release, ": ",
                 expected.ShortDebugString(), ", but ", verdict.message);
      EXPECT_EQ(VerdictOf(verdict), expected.verdict()) << what;
      // Without its first footer a stream may have none; what is wrong then
      // is told later.
      if (expected.verdict() == Expectation::REFUSES &&
          expected.because() != "drop-footer") {
        EXPECT_THAT(verdict.message, testing::HasSubstr(expected.message()))
            << what;
      }
    }
  }
  EXPECT_GT(compared, 500);
}

}  // namespace
}  // namespace migstream
