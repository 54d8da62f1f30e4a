#include "codec/place/place.h"

#include <string>
#include <vector>

#include "codec/io/byte_source.h"
#include "codec/place/near_miss.h"
#include "codec/wire/text.h"
#include "flags/tag.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::StartsWith;

Place Look(const std::string& stream, uint64_t offset, bool payload = false) {
  MemorySource source(AsBytes(stream));
  PlaceOptions options;
  options.payload = payload;
  Place place = LookAt(source, offset, options);
  EXPECT_EQ(source.offset(), 0);
  return place;
}

// "tag: DATA", the fields of all items.
std::vector<std::string> FieldsOf(const Place& place) {
  std::vector<std::string> fields;
  for (const PlaceItem& item : place.items) {
    for (const PlaceField& field : item.fields) {
      fields.push_back(StrCat(field.name, ": ", field.value));
    }
  }
  return fields;
}

class PlaceTest : public testing::Test {
 protected:
  PlaceTest() : stream_(ReadCapture(GetCapture("s111-switchover-ack"))) {
    const std::string data("\xff\xff\xff\xff\xef\x10\x00\x04", 8);
    // The first one in a device's section.
    data_ = stream_.find(data);
  }

  std::string stream_;
  size_t data_ = 0;
};

TEST_F(PlaceTest, TheFieldsOfARecordAreNamed) {
  ASSERT_NE(data_, std::string::npos);
  const Place place = Look(stream_, data_);
  EXPECT_TRUE(place.error.ok());
  EXPECT_EQ(place.damage, "");
  EXPECT_THAT(FieldsOf(place), Contains("tag: DATA"));
  EXPECT_THAT(FieldsOf(place), Contains(StartsWith("payload: ")));
  EXPECT_THAT(FieldsOf(place), Contains(StartsWith("section id: 0x")));
}

TEST_F(PlaceTest, EveryOffsetHasAField) {
  for (size_t offset = 0; offset < stream_.size(); offset += 49999) {
    const Place place = Look(stream_, offset);
    ASSERT_FALSE(place.items.empty()) << Hex(offset);
    EXPECT_LE(place.items[0].offset, offset);
  }
}

TEST_F(PlaceTest, PayloadIsShownOnlyIfItIsAsked) {
  auto shown = [&](bool payload) {
    const Place place = Look(stream_, data_ + kRecordHeaderBytes + 4, payload);
    std::string bytes;
    for (const PlaceItem& item : place.items) {
      for (const PlaceField& field : item.fields) {
        if (field.name == "payload") bytes += field.first;
      }
    }
    return bytes;
  };
  EXPECT_EQ(shown(false), "");
  EXPECT_EQ(shown(true), stream_.substr(data_ + kRecordHeaderBytes + 4, 8));
}

TEST_F(PlaceTest, ATagThatLostABitIsNearTheTagThatItWas) {
  stream_[data_] ^= 4;
  const Place place = Look(stream_, data_);
  EXPECT_FALSE(place.error.ok());
  EXPECT_EQ(place.items.back().offset, data_);
  EXPECT_THAT(FieldsOf(place), Contains("tag: unknown; 1 bit from DATA"));
  EXPECT_THAT(FieldsOf(place), Contains(HasSubstr(": fits")));
}

TEST_F(PlaceTest, TheKindOfDamageIsNamed) {
  std::string hole = stream_;
  hole.replace(data_ - 100, 4096, 4096, '\0');
  EXPECT_THAT(Look(hole, data_).damage, StartsWith("a hole of zeros: "));
}

TEST(NearMissTest, ATagIsNearThatWithTheFewestOtherBits) {
  EXPECT_EQ(FindNearTag(0xfbffffffef100004).text, "1 bit from DATA");
  EXPECT_EQ(FindNearTag(0xffffffffef100011).text, "1 bit from END_OF_STATE");
  EXPECT_EQ(FindNearTag(0xff00ffffef100003).text, "one byte from SETUP");
  EXPECT_EQ(FindNearTag(0).text, "");
  EXPECT_EQ(FindNearTag(static_cast<uint64_t>(Tag::kDevDataState)).text, "");
}

TEST(NearMissTest, WhichOfTwoTagsItWasNobodyCanTell) {
  const NearTag near = FindNearTag(0xffffffffef100000);
  EXPECT_EQ(near.text, "1 bit from END_OF_STATE or CONFIG or DATA");
  EXPECT_EQ(near.value, 0);
}

TEST(NearMissTest, ANameIsNearOneThatDiffersInALetter) {
  const std::string_view names[] = {"timer", "0000:00:05.0/vfio"};
  EXPECT_EQ(FindNearName("0000:00:05.0/vfik", names),
            "differs in one letter from 0000:00:05.0/vfio");
  EXPECT_EQ(FindNearName("0000:00:05.0/ahci", names), "");
}

TEST_F(PlaceTest, APlaceFarBehindWhereReadingEndsHasItsBytes) {
  std::string stream = ReadCapture(GetCapture("s72-two"));
  const size_t tag =
      stream.find(std::string("\xff\xff\xff\xff\xef\x10\x00\x04", 8));
  ASSERT_NE(tag, stream.npos);
  stream[tag] ^= 4;
  MemorySource source(AsBytes(stream));
  const uint64_t asked = tag + 1000;
  const Place place = LookAt(source, asked, {.payload = true});
  EXPECT_FALSE(place.error.ok());
  ASSERT_FALSE(place.items.empty());
  ASSERT_EQ(place.items.back().fields.size(), 3);
  EXPECT_EQ(place.items.back().fields[0].offset, asked);
  EXPECT_EQ(place.items.back().fields[0].first, stream.substr(asked, 8));
}

}  // namespace
}  // namespace migstream
