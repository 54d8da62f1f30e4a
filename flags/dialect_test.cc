#include "flags/dialect.h"

#include "gtest/gtest.h"

namespace migstream {
namespace {

bool May(DialectId id, SectionType type, Element after, Element next) {
  return GetDialect(id).Grammar(type).After(after).Contains(next);
}

constexpr uint64_t kNumber5 = kTagPrefix + 5;
constexpr uint64_t kNumber6 = kTagPrefix + 6;

TEST(DialectTest, Number5IsDecidedByTheRow) {
  EXPECT_EQ(GetDialect(DialectId::kV52).Meaning(kNumber5), Element::kNone);
  EXPECT_EQ(GetDialect(DialectId::kV80).Meaning(kNumber5), Element::kNone);
  EXPECT_EQ(GetDialect(DialectId::kV81).Meaning(kNumber5),
            Element::kInitDataSent);
  EXPECT_EQ(GetDialect(DialectId::kV111).Meaning(kNumber5),
            Element::kInitDataSent);
  EXPECT_EQ(GetDialect(DialectId::kE2).Meaning(kNumber5), Element::kTrigger);
}

TEST(DialectTest, Number6IsDecidedByTheRow) {
  EXPECT_EQ(GetDialect(DialectId::kV100M).Meaning(kNumber6), Element::kNone);
  EXPECT_EQ(GetDialect(DialectId::kV101M).Meaning(kNumber6),
            Element::kConfigLoadReady);
  EXPECT_EQ(GetDialect(DialectId::kV111M).Meaning(kNumber6),
            Element::kConfigLoadReady);
  EXPECT_EQ(GetDialect(DialectId::kE6).Meaning(kNumber6),
            Element::kDataStateComplete);
}

TEST(DialectTest, TheRestOfTheNumbersMeanTheSameInEveryRow) {
  for (const Dialect& row : AllDialects()) {
    EXPECT_EQ(row.Meaning(kTagPrefix + 0), Element::kNone) << row.name;
    EXPECT_EQ(row.Meaning(kTagPrefix + 1), Element::kEndOfState) << row.name;
    EXPECT_EQ(row.Meaning(kTagPrefix + 2), Element::kConfig) << row.name;
    EXPECT_EQ(row.Meaning(kTagPrefix + 3), Element::kSetup) << row.name;
    EXPECT_EQ(row.Meaning(kTagPrefix + 4), Element::kData) << row.name;
    EXPECT_EQ(row.Meaning(kTagPrefix + 7), Element::kNone) << row.name;
    EXPECT_EQ(row.Meaning(0), Element::kNone) << row.name;
    EXPECT_EQ(row.TagOf(Element::kData), Tag::kDevDataState) << row.name;
  }
}

TEST(DialectTest, ConfigStandsBeforeDataInEndOnlyInV52) {
  EXPECT_TRUE(May(DialectId::kV52, SectionType::kEnd, Element::kNone,
                  Element::kConfig));
  EXPECT_FALSE(GetDialect(DialectId::kV52).full.Exists());
  for (DialectId id : {DialectId::kV60, DialectId::kV80, DialectId::kV81,
                       DialectId::kV100, DialectId::kV111}) {
    EXPECT_FALSE(May(id, SectionType::kEnd, Element::kNone, Element::kConfig));
    EXPECT_TRUE(May(id, SectionType::kFull, Element::kNone, Element::kConfig));
  }
}

TEST(DialectTest, NothingFollowsTheTagsThatTakeEndOfStatesPlace) {
  for (const Dialect& row : AllDialects()) {
    for (SectionType type : {SectionType::kStart, SectionType::kPart,
                             SectionType::kEnd, SectionType::kFull}) {
      const SectionGrammar& grammar = row.Grammar(type);
      EXPECT_TRUE(grammar.After(Element::kEndOfState).empty()) << row.name;
      EXPECT_TRUE(grammar.After(Element::kInitDataSent).empty()) << row.name;
      EXPECT_TRUE(grammar.After(Element::kConfigLoadReady).empty()) << row.name;
    }
  }
}

TEST(DialectTest, InitDataSentStandsInPartOnlyAndLoadReadyInFullOnly) {
  for (const Dialect& row : AllDialects()) {
    for (SectionType type : {SectionType::kStart, SectionType::kPart,
                             SectionType::kEnd, SectionType::kFull}) {
      for (int after = 0; after < kMaxElements; ++after) {
        ElementSet next = row.Grammar(type).After(static_cast<Element>(after));
        if (type != SectionType::kPart) {
          EXPECT_FALSE(next.Contains(Element::kInitDataSent)) << row.name;
        }
        if (type != SectionType::kFull) {
          EXPECT_FALSE(next.Contains(Element::kConfigLoadReady)) << row.name;
        }
      }
    }
  }
}

TEST(DialectTest, EveryElementThatAGrammarNamesHasATagInItsRow) {
  for (const Dialect& row : AllDialects()) {
    for (SectionType type : {SectionType::kStart, SectionType::kPart,
                             SectionType::kEnd, SectionType::kFull}) {
      for (int after = 0; after < kMaxElements; ++after) {
        ElementSet next = row.Grammar(type).After(static_cast<Element>(after));
        for (int i = 1; i < kMaxElements; ++i) {
          Element element = static_cast<Element>(i);
          if (!next.Contains(element)) continue;
          EXPECT_EQ(row.Meaning(static_cast<uint64_t>(row.TagOf(element))),
                    element)
              << row.name << " " << ToString(element);
        }
      }
    }
  }
}

TEST(DialectTest, AutoTakesWhatAnyReleaseWrites) {
  const Dialect& any = GetDialect(DialectId::kAuto);
  for (const Dialect& row : AllDialects()) {
    if (!row.released()) continue;
    for (SectionType type : {SectionType::kStart, SectionType::kPart,
                             SectionType::kEnd, SectionType::kFull}) {
      for (int after = 0; after < kMaxElements; ++after) {
        Element from = static_cast<Element>(after);
        for (int i = 1; i < kMaxElements; ++i) {
          Element to = static_cast<Element>(i);
          if (row.Grammar(type).After(from).Contains(to)) {
            EXPECT_TRUE(any.Grammar(type).After(from).Contains(to))
                << row.name << " " << ToString(type) << " " << ToString(from)
                << " " << ToString(to);
          }
        }
      }
    }
  }
}

TEST(DialectTest, RecordBoundariesMatterInTheV1ProtocolOnly) {
  for (const Dialect& row : AllDialects()) {
    if (row.protocol == VfioProtocol::kEither) continue;
    EXPECT_EQ(row.record_boundaries_matter, row.protocol == VfioProtocol::kV1)
        << row.name;
    EXPECT_EQ(row.habits.empty_records, row.protocol == VfioProtocol::kV1)
        << row.name;
  }
}

TEST(DialectTest, ReleasesLieWithoutGapsAndTheNewestIsOpen) {
  EXPECT_EQ(GetDialect(DialectId::kV60).first_release, 600);
  EXPECT_EQ(GetDialect(DialectId::kV60).last_release, 702);
  EXPECT_EQ(GetDialect(DialectId::kV111).last_release, kNewestRelease);
  EXPECT_FALSE(GetDialect(DialectId::kE7).released());
}

TEST(DialectTest, TheSubflagOfE3IsAParameter) {
  Dialect row = GetDialect(DialectId::kE3);
  EXPECT_EQ(row.subflag.width, 4);
  row.subflag.width = 8;
  EXPECT_EQ(row.subflag.width, 8);
  EXPECT_EQ(GetDialect(DialectId::kE3).subflag.width, 4);
}

TEST(DialectTest, RowsAreFoundByNameInAnyCase) {
  EXPECT_EQ(FindDialect("v100m"), &GetDialect(DialectId::kV100M));
  EXPECT_EQ(FindDialect("E5-V26"), &GetDialect(DialectId::kE5V26));
  EXPECT_EQ(FindDialect("auto"), &GetDialect(DialectId::kAuto));
  EXPECT_EQ(FindDialect("V53"), nullptr);
}

TEST(DialectTest, SetsOfElementsReadAsASentence) {
  EXPECT_EQ(ToString(ElementSet{Element::kEndOfState, Element::kData,
                                Element::kConfig}),
            "CONFIG, DATA or END_OF_STATE");
  EXPECT_EQ(ToString(ElementSet{Element::kEndOfState}), "END_OF_STATE");
  EXPECT_EQ(ToString(ElementSet{}), "nothing");
}

}  // namespace
}  // namespace migstream
