#include "codec/destination/stream_check.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "codec/io/byte_source.h"
#include "codec/qemu/parse_description.h"
#include "codec/qemu/stream_reader.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"
#include "testdata/dumps.h"

namespace migstream {
namespace {

using testing::Contains;
using testing::Not;

class DescriptionOf : public StreamVisitor {
 public:
  explicit DescriptionOf(const std::string& stream) {
    MemorySource source(AsBytes(stream));
    (void)StreamReader(source, *this, {}).Read();
  }
  void OnDescription(uint64_t, ByteSpan json) override { json_ = AsText(json); }
  const std::string& json() const { return json_; }

 private:
  std::string json_;
};

VmstateDump Dump(std::string_view release) {
  VmstateDump dump;
  EXPECT_EQ(ParseDump(ReadDump(release), dump), "");
  return dump;
}

DumpVerdict Check(const std::string& json, const VmstateDump& dump) {
  auto description = ParseDescription(json, {.keep_fields = true});
  EXPECT_TRUE(description.ok()) << json;
  return CheckAgainstDump(*description, dump);
}

std::string First(const DumpVerdict& verdict) {
  if (verdict.refusals.empty()) return "";
  return StrCat(verdict.refusals[0].section, ": ", verdict.refusals[0].message);
}

// A release loads what it wrote: all sections, fields and subsections of it are
// in its own dump.
TEST(StreamCheckTest, NothingIsSaidAgainstAReleasesOwnStreams) {
  for (std::string_view release : {"7.2", "10.0", "11.1"}) {
    const VmstateDump dump = Dump(release);
    std::string prefix(release);
    prefix.erase(std::remove(prefix.begin(), prefix.end(), '.'), prefix.end());
    int streams = 0;
    for (const testdata::Capture& capture : AllCaptures()) {
      if (!capture.name().starts_with("s" + prefix + "-")) continue;
      DescriptionOf description(ReadCapture(capture));
      if (description.json().empty()) continue;
      DumpVerdict verdict = Check(description.json(), dump);
      EXPECT_EQ(First(verdict), "") << capture.name();
      EXPECT_GT(verdict.compared, 10u) << capture.name();
      EXPECT_THAT(verdict.unknown, Contains("timer")) << capture.name();
      ++streams;
    }
    EXPECT_GT(streams, 3) << release;
  }
}

// A device of the stream, described by this.
std::string Stream(std::string_view members, int version = 1) {
  return StrCat(R"({"page_size": 4096, "devices": [{
      "name": "0000:00:02.0/e1000e", "instance_id": 0, "version": )",
                version, members, "}]}");
}

constexpr char kDump[] = R"({"vmschkmachine": {"Name": "pc"}, "e1000e": {
    "Name": "e1000e", "version_id": 2, "minimum_version_id": 1,
    "Description": {"name": "e1000e", "version_id": 2, "minimum_version_id": 1,
      "Fields": [
        {"field": "x", "version_id": 0, "field_exists": false, "size": 4},
        {"field": "s", "version_id": 0, "field_exists": false, "size": 96,
         "Description": {"name": "inner", "version_id": 1,
           "minimum_version_id": 1, "Subsections": [
             {"name": "inner/a", "version_id": 1, "minimum_version_id": 1}]}}],
      "Subsections": [
        {"name": "e1000e/a", "version_id": 1, "minimum_version_id": 1}]}}})";

std::string Answer(std::string_view members, int version = 1) {
  VmstateDump dump;
  EXPECT_EQ(ParseDump(kDump, dump), "");
  return First(Check(Stream(members, version), dump));
}

TEST(StreamCheckTest, AVersionMustBeTaken) {
  EXPECT_EQ(Answer("", 1), "");
  EXPECT_EQ(Answer("", 2), "");
  EXPECT_EQ(Answer("", 3),
            "0000:00:02.0/e1000e: savevm: unsupported version 3 for "
            "'0000:00:02.0/e1000e' v2");
  EXPECT_EQ(Answer("", 0),
            "0000:00:02.0/e1000e: e1000e: incoming version_id 0 is too old for "
            "local minimum version_id  1");
}

TEST(StreamCheckTest, ASubsectionMustBeKnown) {
  auto with = [](std::string_view name) {
    return StrCat(R"(, "subsections": [{"vmsd_name": ")", name,
                  R"(", "version": 1, "fields": []}])");
  };
  EXPECT_EQ(Answer(with("e1000e/a")), "");
  EXPECT_EQ(Answer(with("e1000e/b")),
            "0000:00:02.0/e1000e: VM subsection 'e1000e/b' in 'e1000e' does "
            "not exist");
}

TEST(StreamCheckTest, ASubsectionOfAStructMustBeKnown) {
  auto with = [](std::string_view name) {
    return StrCat(R"(, "fields": [{"name": "s", "type": "struct", "size": )",
                  6 + name.size(),
                  R"(, "struct": {"vmsd_name": "inner", "version": 1,
                      "fields": [], "subsections": [{"vmsd_name": ")",
                  name, R"(", "version": 1, "fields": []}]}}])");
  };
  EXPECT_EQ(Answer(with("inner/a")), "");
  EXPECT_EQ(Answer(with("inner/b")),
            "0000:00:02.0/e1000e: VM subsection 'inner/b' in 'inner' does not "
            "exist");
}

TEST(StreamCheckTest, ANumberMustHaveItsSize) {
  auto with = [](int bytes) {
    return StrCat(R"(, "fields": [{"name": "x", "type": "uint32", "size": )",
                  bytes, "}]");
  };
  EXPECT_EQ(Answer(with(4)), "");
  EXPECT_EQ(Answer(with(8)),
            "0000:00:02.0/e1000e: 'x' of 'e1000e' has 8 bytes, the "
            "destination's 4");
}

TEST(StreamCheckTest, WhatTheDumpDoesNotHaveIsUnknown) {
  VmstateDump dump;
  ASSERT_EQ(ParseDump(kDump, dump), "");
  DumpVerdict verdict = Check(
      R"({"devices": [{"name": "timer", "instance_id": 0, "version": 9}]})",
      dump);
  EXPECT_EQ(First(verdict), "");
  EXPECT_THAT(verdict.unknown, Contains("timer"));
  EXPECT_EQ(verdict.compared, 0u);
}

}  // namespace
}  // namespace migstream
