// Descriptions and the bytes that they describe, one kind of field a test.

#include "codec/state/field_walker.h"

#include <string>
#include <string_view>
#include <vector>

#include "codec/qemu/parse_description.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/state/field_paths.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Walked {
  std::vector<std::string> values;  // "path = text"
  std::string problem;
};

Walked WalkInPieces(const VmDescription& description,
                    const std::string& content, size_t longest) {
  Walked walked;
  FieldPaths paths([&walked](const PathValue& value) {
    walked.values.push_back(StrCat(value.path, " = ", value.text));
  });
  FieldWalker walker(description, description.devices[0], paths);
  paths.OnDevice({}, StateKind::kDescribed, walker.all());
  for (size_t at = 0; at < content.size(); at += longest) {
    walker.Take(AsBytes(std::string_view(content).substr(at, longest)));
  }
  walked.problem = walker.Finish();
  return walked;
}

// Walks a device with these members after its name. Any cut gives the same.
Walked Walk(const std::string& members, const std::string& content) {
  auto description = ParseDescription(
      R"({"devices":[{"name":"dev","instance_id":0,)" + members + "}]}",
      {.keep_fields = true});
  EXPECT_TRUE(description.ok()) << description.status();
  if (!description.ok()) return {};
  Walked whole = WalkInPieces(*description, content, content.size() + 1);
  for (size_t longest : {1, 2, 3, 7}) {
    Walked pieces = WalkInPieces(*description, content, longest);
    EXPECT_EQ(pieces.values, whole.values) << longest;
    EXPECT_EQ(pieces.problem, whole.problem) << longest;
  }
  return whole;
}

// The only field of a device: `type`, and the bytes that it has.
std::string One(const std::string& type, const std::string& bytes) {
  Walked walked = Walk(StrCat(R"("fields":[{"name":"f","type":")", type,
                              R"(","size":)", bytes.size(), "}]"),
                       bytes);
  EXPECT_EQ(walked.problem, "");
  return StrJoin(walked.values, "; ");
}

TEST(FieldWalkerTest, UnsignedNumbersAreBigEndian) {
  EXPECT_EQ(One("uint8", "\xfe"), "f = 0xfe");
  EXPECT_EQ(One("uint16", "\xfe\x01"), "f = 0xfe01");
  EXPECT_EQ(One("uint32", "\x80\x01\x02\x03"), "f = 0x80010203");
  EXPECT_EQ(One("uint64", BeBytes(~uint64_t{1}, 8)), "f = 0xfffffffffffffffe");
  EXPECT_EQ(One("uint8 equal", "\xfe"), "f = 0xfe");
  EXPECT_EQ(One("uint16 equal", "\xfe\x01"), "f = 0xfe01");
  EXPECT_EQ(One("uint32 equal", "\xfe\x01\x02\x03"), "f = 0xfe010203");
}

TEST(FieldWalkerTest, NegativeNumbersAreShownInDecimalToo) {
  EXPECT_EQ(One("int8", "\x7f"), "f = 0x7f");
  EXPECT_EQ(One("int8", "\x80"), "f = 0x80 (-128)");
  EXPECT_EQ(One("int16", "\xff\xfe"), "f = 0xfffe (-2)");
  EXPECT_EQ(One("int32", "\xff\xff\xff\xff"), "f = 0xffffffff (-1)");
  EXPECT_EQ(One("int64", BeBytes(uint64_t{1} << 63, 8)),
            "f = 0x8000000000000000 (-9223372036854775808)");
  EXPECT_EQ(One("int32 equal", "\xff\xff\xff\xff"), "f = 0xffffffff (-1)");
  EXPECT_EQ(One("int64 equal", BeBytes(7, 8)), "f = 0x0000000000000007");
}

TEST(FieldWalkerTest, LeIsLessOrEqualAndNotLittleEndian) {
  EXPECT_EQ(One("int32 le", Be32Bytes(2)), "f = 0x00000002");
}

TEST(FieldWalkerTest, ANumberIsAsWideAsItsSizeSays) {
  // Releases before 10.0 call the marker of a null pointer so.
  EXPECT_EQ(One("uint64", "0"), "f = 0x30");
  EXPECT_EQ(One("uint64", "123456789"), "f = 31 32 33 34 35 36 37 38 39");
}

TEST(FieldWalkerTest, AnyByteButZeroIsTrue) {
  EXPECT_EQ(One("bool", std::string(1, '\0')), "f = false");
  EXPECT_EQ(One("bool", "\x01"), "f = true");
  EXPECT_EQ(One("bool", "\x80"), "f = true");
}

TEST(FieldWalkerTest, ANullPointerIsTheDigitZero) {
  EXPECT_EQ(One("nullptr", "0"), "f = null-ptr");
  EXPECT_EQ(One("ptr-marker", "0"), "f = null-ptr");
  EXPECT_EQ(One("ptr-marker", "1"), "f = valid-ptr");
}

TEST(FieldWalkerTest, EverythingElseIsItsBytes) {
  for (const char* type :
       {"buffer", "unused_buffer", "timer", "bitmap", "float64", "pci config",
        "pci irq state", "qtailq", "virtio", "from the future"}) {
    EXPECT_EQ(One(type, std::string("\0\x01\xff", 3)), "f = 00 01 ff") << type;
  }
  EXPECT_EQ(One("buffer", ""), "f = ");
}

TEST(FieldWalkerTest, AnOldStyleDeviceIsOneBuffer) {
  EXPECT_THAT(Walk(R"("size":3,"fields":[
                {"name":"data","size":3,"type":"buffer"}])",
                   "abc")
                  .values,
              ElementsAre("data = 61 62 63"));
  EXPECT_THAT(Walk(R"("size":3)", "abc").values,
              ElementsAre("data = 61 62 63"));
}

TEST(FieldWalkerTest, AnArrayHasSoManyElementsOfItsSize) {
  EXPECT_THAT(Walk(R"("fields":[
                {"name":"irq","array_len":3,"type":"uint16","size":2},
                {"name":"one","array_len":1,"type":"uint8","size":1},
                {"name":"end","type":"uint8","size":1}])",
                   "\x01\x02\x03\x04\x05\x06\x07\x08")
                  .values,
              ElementsAre("irq[0] = 0x0102", "irq[1] = 0x0304",
                          "irq[2] = 0x0506", "one = 0x07", "end = 0x08"));
}

TEST(FieldWalkerTest, AnIndexIsOneElementOfAList) {
  EXPECT_THAT(Walk(R"("fields":[{"name":"a","index":0,"type":"uint8","size":1},
                        {"name":"a","index":1,"type":"uint8","size":1}])",
                   "\x01\x02")
                  .values,
              ElementsAre("a[0] = 0x01", "a[1] = 0x02"));
}

TEST(FieldWalkerTest, OneNameIsOneListWhereverItStands) {
  // An array of pointers, with a null between.
  EXPECT_THAT(
      Walk(R"("fields":[{"name":"p","array_len":2,"type":"uint8","size":1},
                        {"name":"p","type":"nullptr","size":1},
                        {"name":"q","type":"uint8","size":1},
                        {"name":"p","array_len":1,"type":"uint8","size":1}])",
           "\x01\x02"
           "0"
           "\x04\x05")
          .values,
      ElementsAre("p[0] = 0x01", "p[1] = 0x02", "p[2] = null-ptr", "q = 0x04",
                  "p[3] = 0x05"));
}

TEST(FieldWalkerTest, AStructsFieldsStandInline) {
  EXPECT_THAT(
      Walk(R"("fields":[{"name":"s","array_len":2,"type":"struct",
                "size":3,"struct":{"vmsd_name":"v","version":1,"fields":[
                  {"name":"a","type":"uint8","size":1},
                  {"name":"b","array_len":2,"type":"uint8","size":1}]}}])",
           "\x01\x02\x03\x11\x12\x13")
          .values,
      ElementsAre("s[0].a = 0x01", "s[0].b[0] = 0x02", "s[0].b[1] = 0x03",
                  "s[1].a = 0x11", "s[1].b[0] = 0x12", "s[1].b[1] = 0x13"));
}

TEST(FieldWalkerTest, ATmpHasItsFieldsInItself) {
  EXPECT_THAT(Walk(R"("fields":[{"name":"tmp","type":"tmp","vmsd_name":"t",
                "version":0,"fields":[{"name":"mant","type":"uint64","size":8},
                {"name":"exp","type":"uint16","size":2}],"size":10}])",
                   BeBytes(1, 8) + Be16Bytes(2))
                  .values,
              ElementsAre("tmp.mant = 0x0000000000000001", "tmp.exp = 0x0002"));
}

TEST(FieldWalkerTest, SubsectionsFollowTheFieldsWithAHead) {
  // 05, str8 name, be32 version, and what is in it.
  EXPECT_THAT(
      Walk(R"("vmsd_name":"v","fields":[{"name":"a","type":"uint8","size":1}],
              "subsections":[{"vmsd_name":"v/x","version":1,"fields":[
                {"name":"b","type":"uint8","size":1}],"subsections":[
                  {"vmsd_name":"v/x/y","version":1,"fields":[]}]}])",
           "\x01"
           "\x05\x03v/x" +
               Be32Bytes(1) + "\x02" + "\x05\x05v/x/y" + Be32Bytes(1))
          .values,
      ElementsAre("a = 0x01", "v/x.b = 0x02"));
}

TEST(FieldWalkerTest, FieldsComeFirstHoweverTheJsonHasThem) {
  EXPECT_THAT(Walk(R"("subsections":[{"vmsd_name":"v/x","fields":[
                {"name":"b","type":"uint8","size":1}]}],
              "fields":[{"name":"a","type":"uint8","size":1}])",
                   "\x01\x05\x03v/x" + Be32Bytes(1) + "\x02")
                  .values,
              ElementsAre("a = 0x01", "v/x.b = 0x02"));
}

TEST(FieldWalkerTest, ASubsectionThatIsNotThereEndsTheDecoding) {
  const char* members = R"("fields":[{"name":"a","type":"uint8","size":1}],
      "subsections":[{"vmsd_name":"v/x","fields":[
        {"name":"b","type":"uint8","size":1}]}])";
  Walked walked = Walk(members, "\x01\x05\x03v/z" + Be32Bytes(1) + "\x02");
  EXPECT_THAT(walked.problem, HasSubstr("no subsection v/x, at 0x1"));
  // What was not understood is given as it is.
  EXPECT_THAT(walked.values,
              ElementsAre("a = 0x01", testing::StartsWith("undecoded = ")));
}

TEST(FieldWalkerTest, AStructThatIsNotTheSumOfItsFieldsIsBytes) {
  // As releases before 10.0 describe arrays of pointers with holes.
  EXPECT_THAT(Walk(R"("fields":[{"name":"s","type":"struct","size":3,
                "struct":{"fields":[{"name":"a","type":"uint8","size":1}]}},
                {"name":"b","type":"uint8","size":1}])",
                   "\x01\x02\x03\x04")
                  .values,
              ElementsAre("s = 01 02 03", "b = 0x04"));
  EXPECT_THAT(
      Walk(R"("size":2,"fields":[{"name":"a","type":"uint8","size":1}])",
           "\x01\x02")
          .values,
      ElementsAre("data = 01 02"));
}

TEST(FieldWalkerTest, MoreOrLessThanIsDescribedIsAProblem) {
  const char* members = R"("fields":[{"name":"a","type":"uint16","size":2}])";
  EXPECT_EQ(Walk(members, "\x01\x02").problem, "");
  EXPECT_THAT(Walk(members, "\x01").problem, HasSubstr("ends within the 2"));
  EXPECT_THAT(Walk(members, "").problem, HasSubstr("ends within the 2"));
  EXPECT_THAT(Walk(members, "123").problem, HasSubstr("more than the 2"));
}

TEST(FieldWalkerTest, AnArrayOfNothingHasNoElementsHoweverManyItClaims) {
  EXPECT_THAT(Walk(R"("fields":[
             {"name":"z","array_len":4294967295,"type":"struct","size":0,
              "struct":{"fields":[]}},
             {"name":"y","array_len":1000000000000,"type":"buffer","size":0},
             {"name":"a","type":"uint8","size":1}])",
                   "\x01")
                  .values,
              ElementsAre("a = 0x01"));
}

TEST(FieldWalkerTest, FieldsWithoutBytesAreBounded) {
  // Each of 1000 elements has 100 fields of no bytes, and one of one.
  std::vector<std::string> fields(100, R"({"name":"z","type":"b","size":0})");
  fields.push_back(R"({"name":"a","type":"uint8","size":1})");
  auto description = ParseDescription(
      R"({"devices":[{"name":"d","fields":[{"name":"s","array_len":1000,
          "type":"struct","size":1,"struct":{"fields":[)" +
          StrJoin(fields, ",") + "]}}]}]}",
      {.keep_fields = true});
  ASSERT_TRUE(description.ok()) << description.status();
  size_t values = 0;
  FieldPaths paths([&values](const PathValue&) { ++values; });
  FieldWalker walker(*description, description->devices[0], paths, 5000);
  walker.Take(AsBytes(std::string(1000, 'x')));
  EXPECT_THAT(walker.Finish(), HasSubstr("too many fields without bytes"));
  EXPECT_LT(values, 6000);
}

TEST(FieldWalkerTest, SixtyFourNestedSubsectionsAreRead) {
  std::string json, content, name = "v";
  for (int i = 0; i < 64; ++i) name += "/s";
  for (int i = 64; i > 0; --i) {
    name.resize(1 + 2 * i);
    json = StrCat(R"({"vmsd_name":")", name, R"(","fields":[
        {"name":"a","type":"uint8","size":1}],"subsections":[)",
                  json, "]}");
    content = "\x05" + Str8Bytes(name) + Be32Bytes(1) +
              std::string(1, static_cast<char>(i)) + content;
  }
  Walked walked = Walk(R"("fields":[],"subsections":[)" + json + "]", content);
  EXPECT_EQ(walked.problem, "");
  ASSERT_EQ(walked.values.size(), 64);
  EXPECT_THAT(walked.values[63], HasSubstr(".a = 0x40"));
}

TEST(FieldPathsTest, BytesComeInChunksOfOneSize) {
  std::string bytes(2 * FieldPaths::kChunkBytes + 1, 'x');
  Walked walked = Walk(StrCat(R"("fields":[{"name":"f","type":"buffer",
                                       "size":)",
                              bytes.size(), "}]"),
                       bytes);
  ASSERT_EQ(walked.values.size(), 3);
  EXPECT_THAT(walked.values[0], testing::StartsWith("f = 78 78"));
  EXPECT_THAT(walked.values[1], testing::StartsWith("f+0x1000 = 78 78"));
  EXPECT_EQ(walked.values[2], "f+0x2000 = 78");
}

}  // namespace
}  // namespace migstream
