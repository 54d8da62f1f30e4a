#include "codec/device/dialect_detector.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

using enum SectionType;

Event Tag(EventKind kind) {
  Event event;
  event.kind = kind;
  return event;
}

Event Tag(Element element) {
  Event event;
  event.element = element;
  return event;
}

Event Data(uint64_t bytes) {
  Event event;
  event.kind = EventKind::kData;
  event.starts_record = true;
  event.record_bytes = bytes;
  return event;
}

void See(DialectDetector& detector, SectionType type,
         std::initializer_list<Event> events) {
  detector.Section(type, 0);
  for (const Event& event : events) detector.Observe(event);
}

TEST(DialectDetectorTest, ConfigInEndIsV52) {
  DialectDetector detector;
  See(detector, kEnd,
      {Tag(EventKind::kConfig), Tag(EventKind::kConfigEnd), Data(5),
       Tag(Element::kEndOfState)});
  EXPECT_EQ(detector.Name(), "V52");
  ASSERT_EQ(detector.Evidence().size(), 1);
  EXPECT_EQ(detector.Evidence()[0].what, "CONFIG in END");
}

TEST(DialectDetectorTest, AnEmptyRecordBeforeConfigInFullIsV60) {
  DialectDetector detector;
  See(detector, kPart, {Data(0), Tag(Element::kEndOfState)});
  EXPECT_EQ(detector.Name(), "V52 or V60");
  See(detector, kFull, {Tag(EventKind::kConfig), Tag(EventKind::kConfigEnd)});
  EXPECT_EQ(detector.Name(), "V60");
}

TEST(DialectDetectorTest, APartOfEndOfStateAloneIsV2WithPreCopy) {
  DialectDetector detector;
  See(detector, kPart, {Tag(Element::kEndOfState)});
  See(detector, kFull, {Tag(EventKind::kConfig), Tag(EventKind::kConfigEnd)});
  EXPECT_EQ(detector.Name(), "V81 or V100 or V111");
}

TEST(DialectDetectorTest, DataInEndOnlyLeavesTheWholeSet) {
  DialectDetector detector;
  See(detector, kEnd, {Data(5), Tag(Element::kEndOfState)});
  See(detector, kFull, {Tag(EventKind::kConfig), Tag(EventKind::kConfigEnd)});
  EXPECT_EQ(detector.Name(), "V60 or V80 or V81 or V100 or V111");
}

TEST(DialectDetectorTest, EndAndFullOfEndOfStateAloneAreMultifdMode) {
  DialectDetector detector;
  See(detector, kEnd, {Tag(Element::kEndOfState)});
  See(detector, kFull, {Tag(Element::kEndOfState)});
  EXPECT_EQ(detector.Name(), "V100M or V101M or V111M");
}

TEST(DialectDetectorTest, LoadReadyIsNotOf100) {
  DialectDetector detector;
  See(detector, kFull, {Tag(Element::kConfigLoadReady)});
  EXPECT_EQ(detector.Name(), "V101M or V111M");
}

TEST(DialectDetectorTest, LargeRecordsAreV1) {
  DialectDetector detector;
  See(detector, kEnd, {Data((1 << 20) + 1), Tag(Element::kEndOfState)});
  See(detector, kFull, {Tag(EventKind::kConfig)});
  EXPECT_EQ(detector.Name(), "V60");
}

TEST(DialectDetectorTest, InitDataSentASecondTimeIsV111) {
  DialectDetector detector;
  See(detector, kPart, {Data(5), Tag(Element::kInitDataSent)});
  EXPECT_THAT(detector.Name(), testing::HasSubstr("V81 or V100"));
  See(detector, kPart, {Data(5), Tag(Element::kInitDataSent)});
  EXPECT_EQ(detector.Name(), "V111 or V111M");
}

TEST(DialectDetectorTest, BoundsOnTheReleaseExcludeRows) {
  DialectDetector detector;
  detector.NotBefore(1000, 7, "COMMAND SWITCHOVER_START");
  EXPECT_EQ(detector.Name(), "V100 or V111");
  detector.NotBefore(1101, 8, "machine type pc-q35-11.1");
  EXPECT_EQ(detector.Name(), "V111");
  ASSERT_EQ(detector.Evidence().size(), 2);
  EXPECT_EQ(detector.Evidence()[0].offset, 7);
}

TEST(DialectDetectorTest,
     WhatNoReleaseWritesIsAContradictionAndExcludesNothing) {
  DialectDetector detector;
  detector.NotBefore(1000, 0, "COMMAND SWITCHOVER_START");
  See(detector, kEnd, {Data(0), Tag(Element::kEndOfState)});
  EXPECT_EQ(detector.Name(), "V100 or V111");
  EXPECT_TRUE(detector.Evidence().back().contradiction);
  EXPECT_EQ(detector.Evidence().back().what, "DATA of size 0");
}

TEST(DialectDetectorTest, DevicesOfOneStreamMayDifferInMultifdOnly) {
  std::vector<DialectDetector> detectors(2);
  See(detectors[0], kFull, {Tag(Element::kConfigLoadReady)});
  See(detectors[1], kFull, {Tag(EventKind::kConfig)});
  ReleaseBounds bounds;
  bounds.NotBefore(1101, 0, "machine type pc-q35-11.1");
  auto rows = DetectDialects(bounds, {&detectors[0], &detectors[1]});
  ASSERT_EQ(rows.size(), 2);
  EXPECT_EQ(rows[0]->name, "V111");
  EXPECT_EQ(rows[1]->name, "V111M");
  EXPECT_EQ(detectors[0].Name(), "V111M");
  EXPECT_EQ(detectors[1].Name(), "V111");
}

TEST(DialectDetectorTest, TheReleaseThatOneDeviceShowsHoldsForAll) {
  std::vector<DialectDetector> detectors(2);
  See(detectors[0], kFull, {Tag(Element::kConfigLoadReady)});
  See(detectors[1], kFull, {Tag(EventKind::kConfig)});
  DetectDialects(ReleaseBounds(), {&detectors[0], &detectors[1]});
  EXPECT_EQ(detectors[1].Name(), "V100 or V111");
}

}  // namespace
}  // namespace migstream
