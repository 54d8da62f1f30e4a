// What a stream is.

#include "codec/survey/stream_survey.h"

#include <string>
#include <vector>

#include "codec/channels/memory_channels.h"
#include "codec/device/config_bytes.h"
#include "codec/device/section_bytes.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::IsEmpty;

const HandlerBytes kVfio = {.id = 7, .idstr = "0000:00:05.0/vfio"};

StreamFacts Survey(const std::string& bytes,
                   DialectId dialect = DialectId::kAuto) {
  MemorySource source(AsBytes(bytes));
  StreamVisitor nobody;
  StreamSurvey survey({.dialect = &GetDialect(dialect)}, nobody);
  survey.Read(source);
  return survey.facts();
}

std::string Start() { return kVfio.Start(kSetupTag + kEos); }
std::string ConfigElement() {
  return TagBytes(2) + ConfigBytes().Payload() + kEos;
}

// Whether the state of a stream's only device is on channels.
bool InChannels(const std::string& end, const std::string& full,
                DialectId dialect = DialectId::kAuto) {
  const StreamFacts facts = Survey(
      HeaderBytes() + Start() + kVfio.End(end) + kVfio.Full(full) + EofBytes(),
      dialect);
  EXPECT_TRUE(facts.complete()) << ToString(facts.end);
  EXPECT_EQ(facts.in_channels.size(), facts.devices[0].in_channels ? 1 : 0);
  return facts.devices[0].in_channels;
}

TEST(StreamSurveyTest, AnEmptyEndAndAFullWithoutConfigLeaveTheRestToChannels) {
  EXPECT_TRUE(InChannels(kEos, kEos));
  EXPECT_TRUE(InChannels(kEos, TagBytes(6)));  // CONFIG_LOAD_READY
  EXPECT_FALSE(InChannels(kEos, ConfigElement()));
  EXPECT_FALSE(InChannels(DataBytes("x") + kEos, kEos));
  // A record without bytes is a record.
  EXPECT_FALSE(InChannels(DataBytes("") + kEos, kEos));
  // DATA_STATE_COMPLETE is not a record.
  EXPECT_TRUE(InChannels(TagBytes(6) + kEos, kEos, DialectId::kE6));
}

TEST(StreamSurveyTest, TheFullSaysWhereADeviceLeavesToChannels) {
  const std::string before = HeaderBytes() + Start() + kVfio.End(kEos);
  const StreamFacts facts = Survey(before + kVfio.Full(kEos) + EofBytes());
  ASSERT_EQ(facts.in_channels.size(), 1);
  EXPECT_EQ(facts.in_channels[0].idstr, kVfio.idstr);
  EXPECT_EQ(facts.in_channels[0].offset, before.size());
  // A stream that is cut does not say which devices there are.
  EXPECT_TRUE(ChannelOptionsOf(facts).devices.has_value());
  EXPECT_FALSE(ChannelOptionsOf(Survey(before)).devices.has_value());
}

TEST(StreamSurveyTest, RecordsCountByPhase) {
  const StreamFacts facts = Survey(
      HeaderBytes() + Start() + kVfio.Part(DataBytes("0123") + kEos) +
      kVfio.Part(kEos) + kVfio.End(DataBytes("") + DataBytes("x") + kEos) +
      kVfio.Full(ConfigElement()) + EofBytes());
  const DeviceFacts& device = facts.devices[0];
  EXPECT_EQ(device.data.pre_copy.sections, 2);
  EXPECT_EQ(device.data.pre_copy.records, 1);
  EXPECT_EQ(device.data.pre_copy.bytes, 4);
  EXPECT_EQ(device.data.stop_copy.sections, 1);
  EXPECT_EQ(device.data.stop_copy.records, 2);
  EXPECT_EQ(device.data.stop_copy.bytes, 1);
  EXPECT_EQ(device.data.empty_records, 1);
  EXPECT_EQ(device.data.largest_record_bytes, 4);
  EXPECT_EQ(device.empty_parts, 1);
  EXPECT_EQ(device.configs, 1);
}

TEST(StreamSurveyTest, ARecordThatTheInputsEndCutsCountsAsFarAsItGoes) {
  const std::string before =
      HeaderBytes() + Start() + kVfio.Part(DataBytes("x") + kEos);
  std::string bytes = before + kVfio.Part(DataBytes("0123456789"));
  bytes.resize(before.size() + 5 + 16 + 4);  // Section, header, payload.
  const StreamFacts facts = Survey(bytes);
  EXPECT_EQ(facts.end.code, ErrorCode::kTruncated);
  ASSERT_TRUE(facts.cut_record.has_value());
  EXPECT_EQ(facts.cut_record->offset, before.size() + 5);
  EXPECT_EQ(facts.cut_record->bytes, 4);
  EXPECT_EQ(facts.devices[0].data.records(), 2);
  EXPECT_EQ(facts.devices[0].data.bytes(), 1 + 4);
  EXPECT_EQ(facts.devices[0].data.largest_record_bytes, 4);
  // What is cut elsewhere has cut no record.
  EXPECT_FALSE(Survey(before).cut_record.has_value());
}

TEST(StreamSurveyTest, TheDialectIsWhatAllThatIsSeenLeaves) {
  const std::string device = Start() + kVfio.End(DataBytes("x") + kEos) +
                             kVfio.Full(ConfigElement()) + EofBytes();
  auto names = [](const StreamFacts& facts) {
    std::vector<std::string_view> names;
    for (const Dialect* row : facts.dialects) names.push_back(row->name);
    return StrJoin(names, " or ");
  };
  EXPECT_EQ(names(Survey(HeaderBytes() + ConfigurationBytes("pc-q35-8.2") +
                         CommandBytes(8) + device)),
            "V81 or V100");
  EXPECT_EQ(names(Survey(HeaderBytes() + device, DialectId::kV60)), "V60");
}

TEST(StreamSurveyTest, ChannelsAddToWhatTheMainChannelHas) {
  const testdata::Capture& capture = GetCapture("s111-multifd-precopy-ack");
  const std::string main = ReadCapture(capture);
  const std::vector<std::string> bytes = ReadChannels(capture);
  const MemoryChannels channels(bytes);
  MemorySource source(AsBytes(main));
  StreamVisitor nobody;
  StreamSurvey survey({}, nobody);
  const StreamFacts& facts = survey.facts();
  EXPECT_TRUE(survey.Read(source).ok());
  EXPECT_TRUE(facts.devices[0].in_channels);
  EXPECT_FALSE(facts.devices[0].channels_read);
  EXPECT_EQ(facts.devices[0].data.stop_copy.records, 0);
  EXPECT_TRUE(survey.ReadChannels(channels.given(), [](const auto&) {}).ok());
  EXPECT_TRUE(facts.devices[0].channels_read);
  EXPECT_GT(facts.devices[0].data.stop_copy.records, 0);
  EXPECT_EQ(facts.devices[0].configs, 1);
  EXPECT_EQ(facts.channels.size(), bytes.size());
  EXPECT_TRUE(facts.missing_channels.ok());
}

TEST(StreamSurveyTest, WhatHasNoDevicesHasNoFacts) {
  const StreamFacts facts = Survey("nonsense");
  EXPECT_EQ(facts.end.code, ErrorCode::kNotAStream);
  EXPECT_THAT(facts.devices, IsEmpty());
}

}  // namespace
}  // namespace migstream
