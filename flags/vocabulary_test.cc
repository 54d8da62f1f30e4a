#include "flags/command.h"
#include "flags/multifd_flags.h"
#include "flags/ram_flags.h"
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

TEST(VocabularyTest, TwoTagsHaveTwoMeanings) {
  EXPECT_EQ(Tag::kDevInitDataSent, Tag::kStateTrigger);
  EXPECT_EQ(Tag::kDevConfigLoadReady, Tag::kDataStateComplete);
}

TEST(VocabularyTest, WhatHasNoNameIsShownAsItsNumber) {
  EXPECT_EQ(ToString(static_cast<SectionType>(0x42)), "0x42");
  EXPECT_EQ(ToString(static_cast<Command>(12)), "0xc");
  EXPECT_EQ(ToString(static_cast<ReturnMessage>(8)), "0x8");
}

TEST(VocabularyTest, NamesAreQemus) {
  EXPECT_EQ(ToString(SectionType::kSectionFooter), "FOOTER");
  EXPECT_EQ(ToString(Command::kSwitchoverStart), "SWITCHOVER_START");
  EXPECT_EQ(ToString(ReturnMessage::kSwitchoverAck), "SWITCHOVER_ACK");
}

TEST(VocabularyTest, FlagsAreNamedBitByBit) {
  EXPECT_EQ(TriggerFlagsToString(0), "0");
  EXPECT_EQ(MultifdFlagsToString(kMultifdSync | kMultifdZstd), "SYNC|ZSTD");
  EXPECT_EQ(MultifdFlagsToString(kMultifdSync | 0x400), "SYNC|0x400");
  EXPECT_EQ(MultifdFlagsToString(0), "0");
  EXPECT_EQ(VfioPacketFlagsToString(3), "CONFIG_STATE|0x2");
  EXPECT_EQ(TriggerFlagsToString(3), "ENABLE_INTERRUPTS|CONFIG_FOLLOWS");
}

TEST(VocabularyTest, LengthsOfCommandsAndMessagesAreRight) {
  EXPECT_TRUE(IsCommandLength(Command::kPostcopyAdvise, 0));
  EXPECT_FALSE(IsCommandLength(Command::kPostcopyAdvise, 8));
  EXPECT_TRUE(IsCommandLength(Command::kPostcopyAdvise, 16));
  EXPECT_EQ(CommandLengths(Command::kPostcopyAdvise), "0 or 16");
  EXPECT_FALSE(IsCommandLength(Command::kRecvBitmap, 0));
  EXPECT_TRUE(IsCommandLength(Command::kRecvBitmap, 0xffff));
  EXPECT_TRUE(IsCommandLength(Command::kSwitchoverStart, 0));
  for (uint16_t length : {0, 1}) {
    EXPECT_FALSE(IsCommandLength(static_cast<Command>(0), length));
    EXPECT_FALSE(IsCommandLength(static_cast<Command>(12), length));
    EXPECT_FALSE(IsReturnMessageLength(static_cast<ReturnMessage>(8), length));
  }
  EXPECT_EQ(CommandLengths(static_cast<Command>(12)), "");
  EXPECT_TRUE(IsReturnMessageLength(ReturnMessage::kReqPagesId, 268));
  EXPECT_FALSE(IsReturnMessageLength(ReturnMessage::kReqPagesId, 269));
}

TEST(VocabularyTest, OnlySomeBlocksHaveAPageSize) {
  EXPECT_TRUE(IsBlockPageSize(1 << 21, 4096, 1 << 21 | 4096));
  EXPECT_FALSE(IsBlockPageSize(1 << 21, 4096, 0));
  EXPECT_FALSE(IsBlockPageSize(1 << 21, 4096, 1 << 30 | 4096));
  EXPECT_FALSE(IsBlockPageSize(4096, 4096, 1 << 21 | 4096));
  EXPECT_FALSE(IsBlockPageSize(3 << 20, 4096, 1 << 21 | 4096));
}

}  // namespace
}  // namespace migstream
