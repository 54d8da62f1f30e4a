// The state of devices as JSON, against what QEMU's own script prints.

#include "codec/state/state_json.h"

#include <algorithm>
#include <string>
#include <vector>

#include "codec/io/open_stream.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/qemu/stream_reader.h"
#include "codec/qemu/stream_recording.h"
#include "codec/state/field_reader.h"
#include "codec/wire/json.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::HasSubstr;

std::string State(ByteSource& source, Error* error = nullptr) {
  StringSink sink;
  StateJson json(sink);
  FieldReader fields(json);
  Error result = StreamReader(source, fields).Read();
  fields.Finish(result);
  json.Finish();
  EXPECT_FALSE(json.cut());
  EXPECT_TRUE(fields.findings().empty());
  if (error != nullptr) *error = result;
  return sink.bytes();
}

std::string State(const std::string& stream, Error* error = nullptr) {
  MemorySource source(AsBytes(stream));
  return State(source, error);
}

bool IsJson(const std::string& text) {
  rapidjson::MemoryStream stream(text.data(), text.size());
  rapidjson::BaseReaderHandler<> handler;
  return !rapidjson::Reader().Parse(stream, handler).IsError();
}

std::string Golden(const std::string& name) {
  OpenedStream source =
      OpenStream("testdata/captures/expected/" + name + ".analyze.json.zst");
  EXPECT_TRUE(source.error.ok()) << source.error.reason;
  if (!source.error.ok()) return "";
  std::string text;
  for (ByteSpan bytes = source.source->Peek(1); !bytes.empty();
       bytes = source.source->Peek(1)) {
    text.append(AsText(bytes).data(), bytes.size());
    source.source->Consume(bytes.size());
  }
  return text;
}

TEST(StateJsonTest, IsWhatQemusScriptPrintsToTheLastByte) {
  for (const char* name : {"s52-plain", "s72-plain", "s111-plain"}) {
    std::string expected = Golden(name);
    ASSERT_GT(expected.size(), 100'000);
    std::string state = State(ReadCapture(GetCapture(name)));
    auto differ = std::mismatch(state.begin(), state.end(), expected.begin(),
                                expected.end());
    EXPECT_EQ(state.size(), expected.size());
    EXPECT_TRUE(differ.first == state.end())
        << name << " differs at byte " << differ.first - state.begin();
  }
}

class StateCaptureTest : public testing::TestWithParam<testdata::Capture> {};

TEST_P(StateCaptureTest, IsJsonAndTheSameFromAPipe) {
  std::string stream = ReadCapture(GetParam());
  Error error;
  std::string state = State(stream, &error);
  EXPECT_EQ(error.ok(), GetParam().completed()) << ToString(error);
  EXPECT_TRUE(IsJson(state));
  EXPECT_THAT(state, HasSubstr("\"section sizes\": {"));
  ShortReadSource pipe(AsBytes(stream), 5000);
  EXPECT_TRUE(State(pipe) == state);
  for (const testdata::Device& device : GetParam().devices()) {
    EXPECT_THAT(state, HasSubstr(StrCat("\"", device.idstr(), " (")));
  }
}

TEST_P(StateCaptureTest, ACutStreamGivesJsonOfWhatIsThere) {
  std::string stream = ReadCapture(GetParam());
  for (size_t part : {40, 99}) {
    EXPECT_TRUE(IsJson(State(stream.substr(0, stream.size() * part / 100))));
  }
}

INSTANTIATE_TEST_SUITE_P(AllCaptures, StateCaptureTest,
                         testing::ValuesIn(AllCaptures()), CaptureName());

TEST(StateJsonTest, AVfioDeviceIsItsConfigAndHowMuchItSent) {
  std::string state = State(ReadCapture(GetCapture("s111-switchover-ack")));
  EXPECT_THAT(state, HasSubstr("\"pre_copy_records\": \"0x0000000000000004\""));
  EXPECT_THAT(state, HasSubstr("\"pre_copy_bytes\": \"0x000000000000cd14\""));
  EXPECT_THAT(state, HasSubstr("\"stop_copy_bytes\": \"0x00000000000009c4\""));
  EXPECT_THAT(state, HasSubstr("\"config\": \"86 80 89 18 "));
  EXPECT_THAT(State(ReadCapture(GetCapture("s111-ramfb"))),
              HasSubstr("\"VFIOPCIDevice/VFIODisplay\": {"));
}

TEST(StateJsonTest, AStateThatNothingDescribesIsItsBytes) {
  std::string state = State(ReadCapture(GetCapture("s111-no-vmdesc")));
  EXPECT_THAT(state, HasSubstr("\"undescribed\": \""));
  EXPECT_THAT(state, testing::Not(HasSubstr("cpu_ticks_offset")));
}

// A stream with one device "dev", described by `members`.
std::string OneDevice(const std::string& members, const std::string& content) {
  const HandlerBytes dev = {.id = 7, .idstr = "dev"};
  return HeaderBytes() + dev.Full(content) + EofBytes() +
         DescriptionBytes(DescriptionJson(
             {R"({"name":"dev","instance_id":0,)" + members + "}"}));
}

TEST(StateJsonTest, ListsStructsAndEmptyOnesAreIndented) {
  EXPECT_EQ(State(OneDevice(R"("fields":[
                {"name":"a","array_len":2,"type":"struct","size":1,"struct":{
                  "fields":[{"name":"b","type":"bool","size":1}]}},
                {"name":"none","array_len":0,"type":"uint8","size":1},
                {"name":"e","type":"struct","size":0,"struct":{"fields":[]}},
                {"name":"f","type":"buffer","size":0}])",
                            std::string("\x01\0", 2))),
            R"text({
    "dev (7)": {
        "a": [
            {
                "b": true
            },
            {
                "b": false
            }
        ],
        "none": [],
        "e": {},
        "f": ""
    }
}
)text");
}

TEST(StateJsonTest, FieldsOfOneNameAreOneMemberAtThePlaceOfTheFirst) {
  EXPECT_EQ(State(OneDevice(R"("fields":[
                {"name":"u","type":"uint8","size":1},
                {"name":"x","type":"struct","size":1,"struct":{
                  "fields":[{"name":"b","type":"uint8","size":1}]}},
                {"name":"u","array_len":2,"type":"uint8","size":1}])",
                            "\x01\x02\x03\x04")),
            R"text({
    "dev (7)": {
        "u": [
            "0x01",
            "0x03",
            "0x04"
        ],
        "x": {
            "b": "0x02"
        }
    }
}
)text");
}

TEST(StateJsonTest, ATmpIsShownAsItsBytes) {
  EXPECT_THAT(State(OneDevice(R"("fields":[{"name":"t","type":"tmp","size":3,
                "fields":[{"name":"a","type":"uint16","size":2},
                          {"name":"b","type":"buffer","size":1}]}])",
                              "abc")),
              HasSubstr("\"t\": \"61 62 63\"\n"));
}

TEST(StateJsonTest, NamesAreMadeFitForJson) {
  std::string state = State(OneDevice(
      R"("fields":[{"name":"a\"\\\u0007","type":"uint8","size":1}])", "\x01"));
  EXPECT_TRUE(IsJson(state)) << state;
  EXPECT_THAT(state, HasSubstr(R"("a\"\\\\x07": "0x01")"));
  // As are values that are text.
  state = State(OneDevice(
      R"("fields":[{"name":"c","type":"capability","size":1}])", "\xc8"));
  EXPECT_TRUE(IsJson(state)) << state;
  EXPECT_THAT(state, HasSubstr(R"("c": "\\xc8")"));
}

TEST(StateJsonTest, AStructThatIsTooLargeToBeHeldHasNamesTwice) {
  // 4040 bytes of state in a struct whose names mix.
  std::string members = R"("fields":[)", content;
  for (int i = 0; i < 40; ++i) {
    StrAppend(&members, i == 0 ? "" : ",", R"({"name":"u","type":"uint8",
        "size":1},{"name":"n)",
              i, R"(","type":"buffer","size":100})");
    content += std::string(101, 'x');
  }
  std::string stream = OneDevice(members + "]", content);
  MemorySource source(AsBytes(stream));
  StringSink sink;
  StateJson json(sink, 4040 * 64 + 64);
  FieldReader fields(json);
  EXPECT_TRUE(StreamReader(source, fields).Read().ok());
  json.Finish();
  EXPECT_TRUE(IsJson(sink.bytes()));
  EXPECT_FALSE(json.cut());
  // Too large at once: the name stands as often as it comes.
  MemorySource again(AsBytes(stream));
  StringSink small_sink;
  StateJson small(small_sink, 1000);
  FieldReader small_fields(small);
  EXPECT_TRUE(StreamReader(again, small_fields).Read().ok());
  small.Finish();
  EXPECT_THAT(small_sink.bytes(), HasSubstr("\"n39\": \"78 78"));
  EXPECT_FALSE(small.cut());
}

}  // namespace
}  // namespace migstream
