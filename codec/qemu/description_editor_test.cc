#include "codec/qemu/description_editor.h"

#include <string>
#include <string_view>
#include <vector>

#include "codec/wire/text.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

constexpr std::string_view kJson =
    R"({"configuration": {"size": 1}, "page_size": 4096, "devices": [)"
    R"({"name": "a/vfio", "instance_id": 0, "size": 16, "fields": )"
    R"([{"name": "data", "size": 16, "type": "buffer"}]}, )"
    R"({"name": "timer", "instance_id": 0, "version": 2, "fields": )"
    R"([{"name": "ticks", "size": 8, "struct": {"fields": )"
    R"([{"size": 4}]}}]}, )"
    R"({"name": "b/vfio", "instance_id": 1, "size": 9, "fields": )"
    R"([{"name": "data", "size": 9, "type": "buffer"}]}]})";

std::string Edited(std::string_view json,
                   const std::vector<WrittenFull>& fulls) {
  auto edited = EditDescription(json, fulls);
  return edited.ok() ? *edited : std::string(edited.status().message());
}

TEST(DescriptionEditorTest, WhatHasNotChangedKeepsEveryByte) {
  EXPECT_EQ(Edited(kJson, {{"a/vfio", 0, 16}, {"b/vfio", 1, 9}}), kJson);
}

TEST(DescriptionEditorTest, SizesOfADeviceAndItsFieldFollow) {
  EXPECT_EQ(Edited(kJson, {{"a/vfio", 0, 4213}, {"b/vfio", 1, 9}}),
            R"({"configuration": {"size": 1}, "page_size": 4096, "devices": [)"
            R"({"name": "a/vfio", "instance_id": 0, "size": 4213, "fields": )"
            R"([{"name": "data", "size": 4213, "type": "buffer"}]}, )"
            R"({"name": "timer", "instance_id": 0, "version": 2, "fields": )"
            R"([{"name": "ticks", "size": 8, "struct": {"fields": )"
            R"([{"size": 4}]}}]}, )"
            R"({"name": "b/vfio", "instance_id": 1, "size": 9, "fields": )"
            R"([{"name": "data", "size": 9, "type": "buffer"}]}]})");
}

TEST(DescriptionEditorTest, EntriesOfDevicesThatAreGoneGo) {
  EXPECT_EQ(Edited(kJson, {}),
            R"({"configuration": {"size": 1}, "page_size": 4096, "devices": [)"
            R"({"name": "timer", "instance_id": 0, "version": 2, "fields": )"
            R"([{"name": "ticks", "size": 8, "struct": {"fields": )"
            R"([{"size": 4}]}}]}]})");
}

TEST(DescriptionEditorTest, EntriesOfDevicesThatAreNewStandLast) {
  EXPECT_EQ(
      Edited(R"({"devices": []})", {{"q\"/vfio", 3, 20}}),
      R"({"devices": [{"name": "q\"/vfio", "instance_id": 3, "size": 20, )"
      R"("fields": [{"name": "data", "size": 20, "type": "buffer"}]}]})");
  EXPECT_EQ(
      Edited(R"({"devices": [{"name": "timer"}], "page_size": 4096})",
             {{"vfio", 0, 20}}),
      R"({"devices": [{"name": "timer"}, {"name": "vfio", "instance_id": 0, )"
      R"("size": 20, "fields": [{"name": "data", "size": 20, )"
      R"("type": "buffer"}]}], "page_size": 4096})");
}

// A description with one entry of the device "a/vfio".
std::string WithEntry(const std::string& members) {
  return StrCat(R"({"devices": [{"name": "a/vfio", )", members, "}]}");
}

TEST(DescriptionEditorTest, EverySizeOfAnEntryFollows) {
  EXPECT_EQ(Edited(WithEntry(R"("size": 16)"), {{"a/vfio", 0, 20}}),
            WithEntry(R"("size": 20)"));
  EXPECT_EQ(
      Edited(WithEntry(R"("fields": [{"size": 16}])"), {{"a/vfio", 0, 20}}),
      WithEntry(R"("fields": [{"size": 20}])"));
  // A reader takes the last of a key that stands there twice.
  EXPECT_EQ(Edited(WithEntry(R"("size": 1, "size": 16)"), {{"a/vfio", 0, 20}}),
            WithEntry(R"("size": 20, "size": 20)"));
}

TEST(DescriptionEditorTest, SizesThatCannotFollowAreRefused) {
  struct Row {
    const char* members;
    const char* problem;
  };
  for (const Row& row : {
           Row{R"("size": 1e3)", "has a size that is no whole number"},
           Row{R"("size": -1)", "has a size that is no whole number"},
           Row{R"("size": 16.0)", "has a size that is no whole number"},
           Row{R"("size": "16")", "has a size that is no whole number"},
           Row{R"("size": null)", "has a size that is no whole number"},
           Row{R"("size": [16])", "has a size that is no whole number"},
           Row{R"("size": 18446744073709551616)",
               "has a size that is no whole number"},
           Row{R"("fields": [{"size": 1e3}])",
               "has a size that is no whole number"},
           Row{R"("fields": [{"size": 8, "array_len": 2}])",
               "is of a field with array_len"},
           Row{R"("fields": [{"size": 8}, {"size": 8}])", "has several fields"},
           Row{R"("fields": [{"size": 8, "struct": {"fields": []}}])",
               "is of a field with a struct"},
           Row{R"("fields": [{"size": 8}], "subsections": [])",
               "has subsections"},
           Row{R"("fields": [])", "has no size"},
           Row{R"("version": 1)", "has no size"},
       }) {
    EXPECT_EQ(Edited(WithEntry(row.members), {{"a/vfio", 0, 20}}),
              StrCat("the entry of 'a/vfio' instance 0 cannot be made to "
                     "say 20 bytes: it ",
                     row.problem));
  }
}

TEST(DescriptionEditorTest, WhatIsTrueAlreadyIsKeptInAnyShape) {
  for (const std::string& json :
       {WithEntry(R"("fields": [{"size": 8, "array_len": 2}])"),
        WithEntry(R"("fields": [{"size": 8}, {"size": 8}])"),
        WithEntry(R"("size": 16, "subsections": [{}])"),
        std::string(R"({"devices": [{"name": "a/vfio", "size": 16}], )"
                    R"("devices": []})")}) {
    EXPECT_EQ(Edited(json, {{"a/vfio", 0, 16}}), json);
  }
  EXPECT_EQ(Edited("{}", {}), "{}");
}

TEST(DescriptionEditorTest, OneEntryDoesNotDescribeTwoSizes) {
  const std::string json = WithEntry(R"("size": 16)");
  EXPECT_EQ(Edited(json, {{"a/vfio", 0, 20}, {"a/vfio", 0, 24}}),
            "'a/vfio' instance 0 has FULLs of 20 and of 24 bytes, which its "
            "entry in the description cannot both describe");
  EXPECT_EQ(Edited(json, {{"a/vfio", 0, 20}, {"a/vfio", 0, 20}}),
            WithEntry(R"("size": 20)"));
}

TEST(DescriptionEditorTest, TwoListsOfDevicesAreNotChanged) {
  EXPECT_EQ(Edited(R"({"devices": [{"name": "a/vfio", "size": 16}], )"
                   R"("devices": []})",
                   {{"a/vfio", 0, 20}}),
            "the JSON has \"devices\" more than once");
}

TEST(DescriptionEditorTest, WhatIsNoJsonIsRefused) {
  EXPECT_EQ(Edited(R"({"devices": [)", {}), "JSON at byte 13: Invalid value.");
  EXPECT_EQ(Edited("[]", {{"a/vfio", 0, 20}}), "the JSON has no \"devices\"");
  EXPECT_EQ(Edited(std::string(1 << 20, '['), {}).substr(0, 4), "JSON");
}

}  // namespace
}  // namespace migstream
