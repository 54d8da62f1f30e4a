#include "codec/rewrite/description_editor.h"

#include "gtest/gtest.h"

namespace migstream {
namespace {

constexpr absl::string_view kJson =
    R"({"configuration": {"size": 1}, "page_size": 4096, "devices": [)"
    R"({"name": "a/vfio", "instance_id": 0, "size": 16, "fields": )"
    R"([{"name": "data", "size": 16, "type": "buffer"}]}, )"
    R"({"name": "timer", "instance_id": 0, "version": 2, "fields": )"
    R"([{"name": "ticks", "size": 8, "struct": {"fields": )"
    R"([{"size": 4}]}}]}, )"
    R"({"name": "b/vfio", "instance_id": 1, "size": 9, "fields": )"
    R"([{"name": "data", "size": 9, "type": "buffer"}]}]})";

std::string Edited(absl::string_view json,
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

TEST(DescriptionEditorTest, WhatIsNoJsonIsRefused) {
  EXPECT_EQ(Edited(R"({"devices": [)", {}), "JSON at byte 13: Invalid value.");
  EXPECT_EQ(Edited("[]", {}), "the JSON has no \"devices\"");
  EXPECT_EQ(Edited(std::string(1 << 20, '['), {}).substr(0, 4), "JSON");
}

}  // namespace
}  // namespace migstream
