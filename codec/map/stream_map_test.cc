#include "codec/map/stream_map.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "codec/io/open_stream.h"
#include "codec/map/folded_map.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

struct Mapped {
  std::vector<MapRange> ranges;
  StreamFacts facts;
  Error error;
};

// `prefix` bytes of something else stand before the stream.
Mapped Map(const std::string& bytes, uint64_t prefix = 0) {
  Mapped mapped;
  MemorySource source(AsBytes(bytes));
  source.Skip(prefix);
  mapped.error = MapStream(
      source, {}, "before",
      [&](const MapRange& range) { mapped.ranges.push_back(range); },
      mapped.facts);
  return mapped;
}

// Each byte has one owner.
void ExpectTiles(const std::vector<MapRange>& ranges, uint64_t bytes,
                 const std::string& what) {
  uint64_t at = 0;
  for (const MapRange& range : ranges) {
    ASSERT_EQ(range.offset, at) << what;
    ASSERT_GT(range.bytes, 0U) << what;
    ASSERT_FALSE(range.owner.empty()) << what;
    ASSERT_FALSE(range.what.empty()) << what;
    at += range.bytes;
  }
  EXPECT_EQ(at, bytes) << what;
}

uint64_t BytesOf(const std::vector<MapRange>& ranges, MapKind kind) {
  uint64_t bytes = 0;
  for (const MapRange& range : ranges) {
    if (range.kind == kind) bytes += range.bytes;
  }
  return bytes;
}

class MapTest : public testing::TestWithParam<testdata::Capture> {};

TEST_P(MapTest, EveryByteHasOneOwner) {
  const std::string bytes = ReadCapture(GetParam());
  Mapped mapped = Map(bytes);
  ExpectTiles(mapped.ranges, bytes.size(), GetParam().name());
  EXPECT_EQ(BytesOf(mapped.ranges, MapKind::kUnread), 0U);
  EXPECT_GT(BytesOf(mapped.ranges, MapKind::kRam), 0U);
  for (const std::string& channel : ReadChannels(GetParam())) {
    MemorySource source(AsBytes(channel));
    std::vector<MapRange> ranges;
    Error error =
        MapChannel("channel", source, ChannelOptionsOf(mapped.facts),
                   [&](const MapRange& range) { ranges.push_back(range); });
    EXPECT_TRUE(error.ok()) << error.reason;
    ExpectTiles(ranges, channel.size(), GetParam().name());
  }
}

TEST_P(MapTest, OfAStreamThatIsCutToo) {
  const std::string bytes = ReadCapture(GetParam());
  for (size_t cut = 1; cut < bytes.size(); cut += 1 + bytes.size() / 4) {
    const std::string start = bytes.substr(0, cut);
    ExpectTiles(Map(start).ranges, cut, StrCat(GetParam().name(), " ", cut));
  }
}

INSTANTIATE_TEST_SUITE_P(AllCaptures, MapTest, testing::ValuesIn(AllCaptures()),
                         CaptureName());

TEST(MapTest, EveryByteOfABadInputHasAnOwner) {
  int unread = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator("testdata/inputs")) {
    const std::string path = entry.path();
    OpenedStream opened = OpenStream(path);
    if (!opened.source) continue;
    std::vector<MapRange> ranges;
    StreamFacts facts;
    MapStream(
        *opened.source, {}, "before",
        [&](const MapRange& range) { ranges.push_back(range); }, facts);
    ExpectTiles(ranges, opened.source->offset(), path);
    if (BytesOf(ranges, MapKind::kUnread) != 0) ++unread;
  }
  EXPECT_GT(unread, 10);
}

TEST(MapTest, WhatStandsAroundTheStreamIsNamed) {
  const std::string stream = ReadCapture(GetCapture("s111-switchover-ack"));
  Mapped mapped = Map(StrCat("seven b", stream, std::string(5, '\0')), 7);
  EXPECT_EQ(mapped.ranges.front().what, "before");
  EXPECT_EQ(mapped.ranges.front().bytes, 7U);
  EXPECT_EQ(mapped.ranges.back().kind, MapKind::kTrailing);
  EXPECT_EQ(mapped.ranges.back().bytes, 5U);
}

TEST(MapTest, TheGuestStopsWhereTheCommandSaysSo) {
  Mapped mapped = Map(ReadCapture(GetCapture("s111-switchover-ack")));
  const auto stop =
      std::find_if(mapped.ranges.begin(), mapped.ranges.end(),
                   [](const MapRange& range) { return range.stopped; });
  ASSERT_NE(stop, mapped.ranges.end());
  EXPECT_EQ(stop->what, "COMMAND SWITCHOVER_START");
  EXPECT_TRUE(std::all_of(stop, mapped.ranges.end(),
                          [](const MapRange& r) { return r.stopped; }));
}

TEST(MapTest, WhatIsBehindAnErrorIsUnread) {
  std::string bytes = ReadCapture(GetCapture("s111-switchover-ack"));
  bytes[0x17837] = 0x33;  // A PART's type.
  Mapped mapped = Map(bytes);
  EXPECT_EQ(mapped.error.offset, 0x17837U);
  EXPECT_EQ(mapped.ranges.back().kind, MapKind::kUnread);
  EXPECT_EQ(mapped.ranges.back().bytes, bytes.size() - 0x17837);
  // What came before it was whole.
  EXPECT_FALSE(std::any_of(mapped.ranges.begin(), mapped.ranges.end(),
                           [](const MapRange& r) { return r.cut; }));
}

TEST(MapTest, FoldingKeepsEachOwnersSum) {
  const std::string bytes = ReadCapture(GetCapture("s111-precopy"));
  std::map<std::string, uint64_t> sums;
  FoldedMap folded(20);
  Mapped mapped = Map(bytes);
  for (const MapRange& range : mapped.ranges) {
    sums[range.owner] += range.bytes;
    folded.Add(range);
  }
  folded.Fold();
  EXPECT_LE(folded.rows().size(), 20U);
  EXPECT_GT(folded.folded_ranges(), 0U);
  for (const FoldedMap::Share& total : folded.Totals(100)) {
    EXPECT_EQ(total.bytes, sums[total.owner]) << total.owner;
    sums.erase(total.owner);
  }
  EXPECT_TRUE(sums.empty());
  uint64_t at = 0;
  for (const FoldedMap::Row& row : folded.rows()) {
    EXPECT_EQ(row.range.offset, at);
    at += row.range.bytes;
  }
  EXPECT_EQ(at, bytes.size());
}

TEST(MapTest, AsManyOwnersAsThereAreTakeNoMoreMemoryThanManyDo) {
  constexpr uint64_t kOwners = 30000;
  FoldedMap folded(20);
  for (uint64_t i = 0; i < kOwners; ++i) {
    MapRange range;
    range.offset = i;
    range.bytes = 1;
    range.owner = StrCat("owner ", i);
    folded.Add(range);
  }
  EXPECT_EQ(folded.Totals(kOwners).size(), 10001U);
  const std::vector<FoldedMap::Share> few = folded.Totals(3);
  ASSERT_EQ(few.size(), 4U);
  EXPECT_EQ(few.back().owner, "others");
  uint64_t bytes = 0;
  for (const FoldedMap::Share& share : few) bytes += share.bytes;
  EXPECT_EQ(bytes, kOwners);
}

TEST(MapTest, RoundsAreCountedByTheOrderOfPages) {
  constexpr uint64_t kPage = 4096;
  Mapped mapped = Map(ReadCapture(GetCapture("s111-xbzrle")));
  uint32_t most = 0;
  for (const MapRange& range : mapped.ranges) {
    EXPECT_GE(range.round + 1, most);
    most = std::max(most, range.round);
  }
  EXPECT_GE(most, 1U);
  EXPECT_LT(most * kPage, mapped.ranges.back().offset);
}

}  // namespace
}  // namespace migstream
