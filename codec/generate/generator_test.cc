// What the generator makes, and that it, the checks and the documented verdicts
// of QEMU's loaders agree. FORMAT.md sections 9 to 15,
// LOADERS.md.

#include "codec/generate/generator.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "codec/channels/memory_channels.h"
#include "codec/extract/payload_extractor.h"
#include "codec/generate/damage.h"
#include "codec/generate/documented_verdicts.h"
#include "codec/generate/random_recipe.h"
#include "codec/generate/recipe_dialect.h"
#include "codec/io/absl_view.h"
#include "codec/qemu/stream_writer.h"
#include "codec/report/report.pb.h"
#include "codec/report/report_builder.h"
#include "codec/survey/stream_survey.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using recipe::Expectation;
using testing::HasSubstr;

recipe::Migration Recipe(const std::string& text) {
  recipe::Migration recipe;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &recipe));
  return recipe;
}

Generated Make(const recipe::Migration& recipe, ByteSpan frame = {}) {
  auto made = Generate(recipe, {.frame = frame});
  EXPECT_TRUE(made.ok()) << made.status() << "\n" << recipe.DebugString();
  return made.ok() ? *std::move(made) : Generated{};
}

std::string Refusal(const std::string& text) {
  auto made = Generate(Recipe(text));
  return made.ok() ? "" : std::string(made.status().message());
}

report::Report Check(const Generated& made, const ReportOptions& options = {}) {
  MemorySource main(AsBytes(made.main.bytes));
  MemoryChannels channels;
  for (const MarkedBytes& channel : made.channels) {
    channels.Add(AsBytes(channel.bytes));
  }
  report::Report report;
  // What the report says of an input that is no stream is its error alone.
  Error error = BuildReport(main, channels.given(), options, report);
  if (!error.ok() && report.findings().empty()) {
    report.add_findings()->set_severity("error");
  }
  return report;
}

bool HasErrors(const report::Report& report) {
  for (const report::Finding& finding : report.findings()) {
    if (finding.severity() == "error") return true;
  }
  return false;
}

constexpr char kTwoDevices[] = R"(
  devices { parts { records { bytes: 100 } } end { bytes: 300 repeat: 3 } }
  devices { config { pci_config_bytes: 256 msix_vectors: 0 } }
)";

// ---- Recipes ----

// FNV-1a: a number to write down.
uint64_t Hash(const std::string& bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  for (unsigned char byte : bytes) hash = (hash ^ byte) * 0x100000001b3;
  return hash;
}

TEST(GeneratorTest, ChannelsAreOfTheVmThatTheConfigurationNames) {
  recipe::Migration recipe = Recipe(R"(
      dialect: V111M
      configuration { uuid: "0123456789abcdef" }
      devices { end { bytes: 1000 } })");
  for (const char* uuid : {"", "another VM's uuid"}) {
    recipe.mutable_channels()->set_uuid(uuid);
    report::Report report = Check(Make(recipe));
    bool refused =
        std::any_of(report.findings().begin(), report.findings().end(),
                    [](const report::Finding& finding) {
                      return (finding.message().find("of another VM") !=
                              std::string_view::npos);
                    });
    EXPECT_EQ(refused, *uuid != '\0') << report.DebugString();
  }
}

TEST(GeneratorTest, TheSameSeedGivesTheSameBytesOnEveryMachine) {
  uint64_t all = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Generated made = Make(RandomRecipe(seed));
    all = all * 31 + Hash(made.main.bytes);
    for (const MarkedBytes& channel : made.channels) {
      all = all * 31 + Hash(channel.bytes);
    }
  }
  EXPECT_EQ(all, 17315966981802858016u);
}

TEST(GeneratorTest, AnotherSeedGivesOtherPayloadOfTheSameLength) {
  recipe::Migration recipe = Recipe(kTwoDevices);
  Generated one = Make(recipe);
  recipe.set_seed(1);
  Generated other = Make(recipe);
  EXPECT_NE(one.main.bytes, other.main.bytes);
  EXPECT_EQ(one.main.bytes.size(), other.main.bytes.size());
}

// The names of the recipe's enum are those of the dialect table.
TEST(GeneratorTest, EveryDialectHasItsName) {
  for (const Dialect& dialect : AllDialects()) {
    std::string name = recipe::Dialect_Name(RecipeDialect(dialect));
    if (dialect.id == DialectId::kAuto) {
      EXPECT_EQ(name, "NEWEST");
      continue;
    }
    for (char& c : name) c = c == '_' ? '-' : c;
    EXPECT_EQ(FindDialect(name), &dialect) << name;
    EXPECT_EQ(&RecipeDialect(RecipeDialect(dialect), AllDialects()[0]),
              &dialect);
  }
}

TEST(GeneratorTest, RandomRecipesOfEveryDialectPassAllChecks) {
  std::map<recipe::Dialect, int> seen;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    recipe::Migration recipe = RandomRecipe(seed);
    ++seen[recipe.dialect()];
    Generated made = Make(recipe);
    const Dialect& dialect =
        RecipeDialect(recipe.dialect(), GetDialect(DialectId::kAuto));
    ReportOptions options;
    options.reader.dialect = &dialect;
    report::Report report = Check(made, options);
    EXPECT_FALSE(HasFindings(report))
        << seed << ": " << report.findings(0).message();
    EXPECT_EQ(report.devices_size(), recipe.devices_size());
    // A released one is found without being told.
    if (dialect.released()) {
      report = Check(made);
      EXPECT_FALSE(HasFindings(report))
          << seed << ": " << report.findings(0).message();
    }
    MemorySource source(AsBytes(made.main.bytes));
    StringSink sink;
    EXPECT_TRUE(Repack(source, sink, options.reader, nullptr).ok()) << seed;
    EXPECT_TRUE(sink.bytes() == made.main.bytes) << seed;
  }
  EXPECT_EQ(seen.size(), AllDialects().size() - 1);
}

TEST(GeneratorTest, TheDevicesPayloadIsInTheStream) {
  recipe::Migration recipe = Recipe(kTwoDevices);
  Generated made = Make(recipe);
  MemorySource source(AsBytes(made.main.bytes));
  StringSink sink;
  PayloadExtractor extractor(sink, made.devices[0].idstr,
                             PayloadExtractor::kPayload);
  StreamSurvey survey({}, extractor);
  EXPECT_TRUE(survey.Read(source).ok());
  EXPECT_TRUE(extractor.Finish(survey.facts()).ok());
  EXPECT_EQ(sink.bytes(), made.devices[0].payload);
  EXPECT_EQ(sink.bytes().size(), 100 + 3 * 300);
}

TEST(GeneratorTest, WhatTheDialectHasNotIsRefused) {
  EXPECT_THAT(Refusal("dialect: V80 devices { parts {} }"),
              HasSubstr("dialect V80 has no PART section"));
  EXPECT_THAT(Refusal("dialect: V60 devices { parts { init_data_sent: true "
                      "records { bytes: 1 } } }"),
              HasSubstr("dialect V60 has no INIT_DATA_SENT here"));
  EXPECT_THAT(Refusal("dialect: V81 devices { end { bytes: 0 } }"),
              HasSubstr("dialect V81 has no record of 0 bytes"));
  EXPECT_THAT(Refusal("dialect: V81 devices { end { bytes: 1048577 } }"),
              HasSubstr("no record of 1048577 bytes"));
  EXPECT_THAT(Refusal("dialect: V100M devices { end { bytes: 2000000 } }"),
              HasSubstr("no packet of 2000000 bytes"));
  EXPECT_THAT(Refusal("dialect: V100M devices { config_load_ready: true }"),
              HasSubstr("has no CONFIG_LOAD_READY here"));
  EXPECT_THAT(Refusal("dialect: V100M devices { no_config: true }"),
              HasSubstr("without its config packet"));
  EXPECT_EQ(Refusal("devices { config { msix_vectors: 2049 } }"),
            "device 0: config.msix_vectors is 2049, more than 2048");
  EXPECT_EQ(Refusal("devices {} devices { config { pci_config_bytes: 4097 } }"),
            "device 1: config.pci_config_bytes is 4097, more than 4096");
  EXPECT_EQ(Refusal("devices { config { msix_vectors: 2048 } }"), "");
  EXPECT_THAT(Refusal("devices { config { irq_state: 2 } }"),
              HasSubstr("no loader could read"));
  EXPECT_THAT(Refusal("devices { idstr: \"ram\" }"),
              HasSubstr("not a VFIO device's"));
  EXPECT_THAT(Refusal("devices { idstr: \"a/vfio\" } "
                      "devices { idstr: \"a/vfio\" }"),
              HasSubstr("a second a/vfio"));
  EXPECT_THAT(Refusal("devices { section_id: 7 } devices { section_id: 7 }"),
              HasSubstr("section id 7 is another's"));
}

TEST(GeneratorTest, ARecipeCannotAskForMoreThanItMay) {
  auto made = Generate(Recipe("dialect: V60 devices { end { bytes: "
                              "0xffffffffffffffff } }"),
                       {.frame = {}, .max_bytes = 1000});
  EXPECT_EQ(made.status().code(), absl::StatusCode::kResourceExhausted);
  made = Generate(
      Recipe("dialect: V60 devices { end { bytes: 100 repeat: 4000000000 } }"),
      {.frame = {}, .max_bytes = 1000});
  EXPECT_EQ(made.status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(GeneratorTest, NothingIsCutShortInSilence) {
  for (const char* list :
       {"devices { end { repeat: 2000000 } }",
        "devices { parts { repeat: 2000000 } }",
        "devices { end { repeat: 600000 } end { repeat: 600000 } }",
        "devices { parts { records { repeat: 2000000 } } }",
        "ram { parts: 2000000 }"}) {
    EXPECT_THAT(Refusal(list), HasSubstr("more than 1048576")) << list;
  }
  EXPECT_THAT(Refusal("ram { blocks { name: 'pc.ram' bytes: 1000000000000000 "
                      "} }"),
              HasSubstr("RAM block is larger"));
  std::string name(256, 'a');
  EXPECT_THAT(Refusal("ram { blocks { name: '" + name + "' } }"),
              HasSubstr("more than 255"));
  EXPECT_THAT(Refusal("configuration { capabilities: '" + name + "' }"),
              HasSubstr("more than 255"));
  EXPECT_THAT(Refusal("configuration { uuid: '15 bytes of one' }"),
              HasSubstr("15 bytes, not 16"));
}

// ---- Frames ----

class FrameTest : public testing::TestWithParam<const char*> {};

TEST_P(FrameTest, ItsDevicesAreReplacedAndAllElseStays) {
  std::string bytes = ReadCapture(GetCapture(GetParam()));
  recipe::Migration recipe = Recipe(kTwoDevices);
  recipe.set_frame("capture");
  Generated made = Make(recipe, AsBytes(bytes));
  Generated unframed;
  unframed.main.bytes = bytes;
  report::Report before = Check(unframed);
  report::Report after = Check(made);
  EXPECT_FALSE(HasFindings(after)) << after.findings(0).message();
  ASSERT_EQ(after.devices_size(), 2);
  EXPECT_EQ(after.devices(0).idstr(), before.devices(0).idstr());
  EXPECT_EQ(after.devices(0).config().pci().vendor_id(),
            before.devices(0).config().pci().vendor_id());
  EXPECT_EQ(after.devices(0).stop_copy().bytes(), 900);
  EXPECT_EQ(after.ram().pages(), before.ram().pages());
  EXPECT_EQ(after.machine_type(), before.machine_type());
}

INSTANTIATE_TEST_SUITE_P(Captures, FrameTest,
                         testing::Values("s111-two", "s111-tiny", "s100-mixed",
                                         "s52-two", "s72-precopy",
                                         "s72-no-footer", "s111-no-vmdesc",
                                         "s111-file-mapped-ram"),
                         [](const auto& info) {
                           std::string name = info.param;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

TEST(FramesTest, AnyDialectFitsIntoIt) {
  std::string bytes = ReadCapture(GetCapture("s111-tiny"));
  for (uint64_t seed = 0; seed < 100; ++seed) {
    recipe::Migration recipe = RandomRecipe(seed);
    PutIntoFrame("capture", recipe);
    const Dialect& dialect =
        RecipeDialect(recipe.dialect(), GetDialect(DialectId::kAuto));
    // A config of another layout cannot be the frame's.
    if (dialect.config_layout == ConfigLayoutKind::kE5V7) continue;
    Generated made = Make(recipe, AsBytes(bytes));
    ReportOptions options;
    options.reader.dialect = &dialect;
    report::Report report = Check(made, options);
    EXPECT_FALSE(HasErrors(report))
        << report.ShortDebugString() << recipe.DebugString();
  }
}

TEST(FramesTest, OneThatIsDamagedOrHasNoDeviceIsRefused) {
  std::string bytes = ReadCapture(GetCapture("s111-tiny"));
  recipe::Migration recipe = Recipe("frame: 'x' devices {}");
  auto made = Generate(recipe, {.frame = AsBytes(bytes).first(5000)});
  EXPECT_THAT(StdView(made.status().message()),
              HasSubstr("the frame is damaged"));
  made = Generate(recipe, {});
  EXPECT_THAT(StdView(made.status().message()),
              HasSubstr("the frame is damaged"));
}

// ---- Damage ----

// Recipes, one of which has what a damage needs.
const std::vector<recipe::Migration>& Victims() {
  static const auto* victims = new std::vector<recipe::Migration>{
      Recipe(StrCat("dialect: V111 description: YES ", kTwoDevices)),
      Recipe(R"(dialect: V81 devices { config { display: true } })"),
      Recipe(R"(dialect: V60 devices {
                  parts { records { bytes: 7 } } end { bytes: 300 repeat: 3 } }
             )"),
      Recipe(R"(dialect: V52 devices {
                  parts { records {} } end { bytes: 300 repeat: 3 } })"),
      Recipe(R"(dialect: V111M devices { end { bytes: 300 repeat: 5 } }
                channels { count: 3 })"),
  };
  return *victims;
}

// What a loader refuses, `check` reports; what it accepts is no error.
TEST(DamageTest, GenerateAndCheckAgreeWithTheLoaders) {
  for (const DamageRow& row : DamageRows()) {
    int done = 0;
    for (recipe::Migration recipe : Victims()) {
      recipe.add_damage()->set_kind(row.kind);
      auto made = Generate(recipe);
      if (!made.ok()) {
        EXPECT_EQ(made.status().code(), absl::StatusCode::kNotFound)
            << made.status();
        continue;
      }
      ++done;
      const Dialect& dialect = *made->devices[0].dialect;
      Release loader = std::min<Release>(dialect.last_release, 1101);
      DocumentedVerdict expected = Documented(*made, loader);
      std::string what = StrCat(DamageName(row.kind), " of ",
                                recipe::Dialect_Name(recipe.dialect()), " for ",
                                expected.message);
      ReportOptions options;
      for (const std::string& provided : expected.provided) {
        if (provided == "switchover-ack off") {
          options.reader.switchover_ack_off = true;
        }
        if ((provided.find("config space as generated") !=
             std::string_view::npos)) {
          options.destination_config = made->devices[0].pci_config;
          options.destination_device = made->devices[0].idstr;
        }
      }
      report::Report report = Check(*made, options);
      switch (expected.verdict) {
        case Expectation::REFUSES:
        case Expectation::WAITS:
          EXPECT_TRUE(HasFindings(report)) << what;
          EXPECT_EQ(expected.because, DamageName(row.kind)) << what;
          break;
        case Expectation::LOADS:
          EXPECT_FALSE(HasErrors(report))
              << what << ": " << report.findings(0).message();
          break;
        default:
          // Nobody knows, so nothing can disagree.
          EXPECT_EQ(row.kind, recipe::Damage::CONFIG_IN_END) << what;
          break;
      }
    }
    EXPECT_GT(done, 0) << DamageName(row.kind) << " was never done";
  }
}

TEST(DamageTest, EveryKindIsInTheTableOnceAndHasAName) {
  const auto* kinds = recipe::Damage::Kind_descriptor();
  EXPECT_EQ(kinds->value_count(),
            static_cast<int>(DamageRows().size()) + 1);  // NONE.
  for (const DamageRow& row : DamageRows()) {
    EXPECT_EQ(FindDamage(DamageName(row.kind)), &row);
  }
  EXPECT_EQ(FindDamage("no-such-thing"), nullptr);
}

TEST(DamageTest, TheReadmeListsThemAll) {
  std::ifstream file("fuzz/README.md");
  std::string readme(std::istreambuf_iterator<char>(file), {});
  for (const DamageRow& row : DamageRows()) {
    EXPECT_THAT(readme, HasSubstr(StrCat("| `", DamageName(row.kind), "` | ",
                                         row.what, " |")));
  }
}

// The very words of LOADERS.md.
TEST(DamageTest, TheMessageNamesWhatTheLoaderFinds) {
  const std::pair<const char*, const char*> kMessages[] = {
      {"BAD_TAG", "Unknown tag 0xffffffffef100009"},
      {"SETUP_EOS", "SETUP STATE: EOS not found 0xffffffffef100007"},
      {"CONFIG_EOS",
       "Failed loading device config space, end flag incorrect "
       "0xffffffffef100007"},
      {"FOOTER_ID",
       "Mismatched section id in footer for 0000:00:02.0/vfio - read 0xffff "
       "expected 0x3"},
      {"VENDOR_ID", "Bad config data: i=0x0 read: 87 device: 86"},
      {"TRUNCATE", "Input/output error"},
  };
  for (const auto& [kind, message] : kMessages) {
    Generated made =
        Make(Recipe(StrCat(kTwoDevices, " damage { kind: ", kind, " }")));
    DocumentedVerdict expected = Documented(made, 1101);
    EXPECT_EQ(expected.verdict, Expectation::REFUSES);
    EXPECT_EQ(expected.basis, Basis::kSeen);
    EXPECT_EQ(expected.message, message);
  }
  // The record is followed by another one, whose tag begins a byte late.
  Generated made =
      Make(Recipe(StrCat(kTwoDevices, " damage { kind: SIZE_PLUS_1 nth: 1 }")));
  EXPECT_EQ(Documented(made, 1101).message, "Unknown tag 0xffffffef10000400");
}

TEST(DamageTest, OfSeveralTheFirstInTheStreamStopsTheLoader) {
  Generated made = Make(Recipe(
      StrCat(kTwoDevices,
             "damage { kind: CONFIG_EOS } damage { kind: DROP_RECORD } "
             "damage { kind: BAD_TAG nth: 1 } damage { kind: FLIP_PAYLOAD }")));
  EXPECT_EQ(made.damages.size(), 4);
  EXPECT_EQ(Documented(made, 1101).because, "bad-tag");
}

TEST(DamageTest, OneThatHasNothingToBeDoneToLeavesTheStreamAlone) {
  Generated made = Make(Recipe("dialect: V80 devices {}"));
  std::string before = made.main.bytes;
  for (const DamageRow& row : DamageRows()) {
    recipe::Damage damage;
    damage.set_kind(row.kind);
    damage.set_nth(1000000);
    size_t done = made.damages.size();
    if (Inflict(damage, made).ok()) {
      // Those that are of the whole stream, or of the one config.
      EXPECT_EQ(made.damages.size(), done + 1);
      made.main.bytes = before;
      made.damages.pop_back();
    }
    EXPECT_EQ(made.main.bytes, before) << DamageName(row.kind);
  }
}

// ---- Without damage ----

TEST(ExpectationTest, AcrossReleases) {
  Generated v52 = Make(Recipe("dialect: V52 devices {}"));
  EXPECT_EQ(Documented(v52, 502).verdict, Expectation::LOADS);
  EXPECT_EQ(Documented(v52, 702).message,
            "Missing section footer for 0000:00:02.0/vfio");
  Generated v60 = Make(Recipe("dialect: V60 devices {}"));
  EXPECT_EQ(Documented(v60, 702).verdict, Expectation::LOADS);
  EXPECT_EQ(Documented(v60, 1101).verdict, Expectation::LOADS);
  // The footer of the FULL, id 3, and what follows, taken for a tag.
  EXPECT_THAT(Documented(v60, 502).message,
              HasSubstr("Unknown tag 0x7e000000"));
  Generated acks = Make(Recipe(
      "devices { parts { records { bytes: 1 } init_data_sent: true } }"));
  EXPECT_EQ(Documented(acks, 800).message, "Unknown tag 0xffffffffef100005");
  EXPECT_EQ(Documented(acks, 1101).verdict, Expectation::LOADS);
  // The first PART has no INIT_DATA_SENT.
  Generated later = Make(Recipe(
      "devices { parts { records { bytes: 1 } } parts { records { bytes: "
      "1 } init_data_sent: true } } damage { kind: BAD_TAG nth: 1 }"));
  EXPECT_EQ(Documented(later, 800).message, "Unknown tag 0xffffffffef100009");
  Generated ready =
      Make(Recipe("dialect: V101M devices { config_load_ready: true }"));
  EXPECT_EQ(Documented(ready, 1000).message, "Unknown tag 0xffffffffef100006");
  EXPECT_EQ(Documented(ready, 1001).verdict, Expectation::LOADS);
  Generated display =
      Make(Recipe("switchover_start: NO devices { config { display: true } }"));
  EXPECT_EQ(Documented(display, 702).message,
            "Failed to load device config space");
  EXPECT_EQ(Documented(display, 802).verdict, Expectation::LOADS);
  Generated start = Make(Recipe("switchover_start: YES devices {}"));
  EXPECT_EQ(Documented(start, 902).message, "MIG_CMD 0xb unknown (len 0x0)");
  EXPECT_EQ(Documented(start, 1000).verdict, Expectation::LOADS);
  Generated twice =
      Make(Recipe("switchover_start: NO devices { parts { records { bytes: 1 } "
                  "init_data_sent: true repeat: 2 } }"));
  EXPECT_THAT(Documented(twice, 902).message,
              HasSubstr("approve_switchover failed"));
  EXPECT_EQ(Documented(twice, 1101).verdict, Expectation::LOADS);
}

TEST(ExpectationTest, ADamageThatAnotherHasTakenAwayIsNone) {
  Generated made =
      Make(Recipe("devices { end { bytes: 9 } end { bytes: 9 } } "
                  "damage { kind: BAD_TAG } damage { kind: DROP_RECORD }"));
  EXPECT_EQ(made.damages.size(), 2);
  EXPECT_EQ(Documented(made, 1101).verdict, Expectation::LOADS);
}

TEST(ExpectationTest, NoDamageIsDoneTwice) {
  auto made = Generate(Recipe(
      "devices {} damage { kind: BAD_MAGIC } damage { kind: BAD_MAGIC }"));
  EXPECT_THAT(std::string(made.status().message()), HasSubstr("done already"));
}

}  // namespace
}  // namespace migstream
