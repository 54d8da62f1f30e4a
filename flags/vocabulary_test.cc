#include "flags/command.h"
#include "flags/multifd_flags.h"
#include "flags/section_type.h"
#include "flags/tag.h"
#include "flags/trigger_flags.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

TEST(VocabularyTest, TagsHaveTheNumbersOfTheWire) {
  EXPECT_EQ(static_cast<uint64_t>(Tag::kEndOfState), kTagPrefix + 1);
  EXPECT_EQ(static_cast<uint64_t>(Tag::kDevConfigState), kTagPrefix + 2);
  EXPECT_EQ(static_cast<uint64_t>(Tag::kDevSetupState), kTagPrefix + 3);
  EXPECT_EQ(static_cast<uint64_t>(Tag::kDevDataState), kTagPrefix + 4);
  EXPECT_EQ(static_cast<uint64_t>(Tag::kDevInitDataSent), kTagPrefix + 5);
  EXPECT_EQ(static_cast<uint64_t>(Tag::kDevConfigLoadReady), kTagPrefix + 6);
}

TEST(VocabularyTest, ATagWithTwoMeaningsIsNamedByBoth) {
  EXPECT_EQ(Tag::kDevInitDataSent, Tag::kStateTrigger);
  EXPECT_EQ(Tag::kDevConfigLoadReady, Tag::kDataStateComplete);
  EXPECT_EQ(ToString(Tag::kStateTrigger),
            "DEV_INIT_DATA_SENT or STATE_TRIGGER");
  EXPECT_EQ(ToString(Tag::kDataStateComplete),
            "DEV_CONFIG_LOAD_READY or DATA_STATE_COMPLETE");
}

TEST(VocabularyTest, WhatHasNoNameIsShownAsItsNumber) {
  EXPECT_EQ(ToString(static_cast<Tag>(kTagPrefix + 9)), "0xffffffffef100009");
  EXPECT_EQ(ToString(static_cast<SectionType>(0x42)), "0x42");
  EXPECT_EQ(ToString(static_cast<Command>(12)), "0xc");
  EXPECT_EQ(ToString(static_cast<ReturnMessage>(8)), "0x8");
}

TEST(VocabularyTest, NamesAreQemus) {
  EXPECT_EQ(ToString(Tag::kDevDataState), "DEV_DATA_STATE");
  EXPECT_EQ(ToString(SectionType::kSectionFooter), "FOOTER");
  EXPECT_EQ(ToString(Command::kSwitchoverStart), "SWITCHOVER_START");
  EXPECT_EQ(ToString(ReturnMessage::kSwitchoverAck), "SWITCHOVER_ACK");
}

TEST(VocabularyTest, FlagsAreNamedBitByBit) {
  EXPECT_EQ(MultifdFlagsToString(kMultifdSync | kMultifdZstd), "SYNC|ZSTD");
  EXPECT_EQ(MultifdFlagsToString(kMultifdSync | 0x400), "SYNC|0x400");
  EXPECT_EQ(MultifdFlagsToString(0), "0");
  EXPECT_EQ(VfioPacketFlagsToString(3), "CONFIG_STATE|0x2");
  EXPECT_EQ(TriggerFlagsToString(3), "ENABLE_INTERRUPTS|CONFIG_FOLLOWS");
}

}  // namespace
}  // namespace migstream
