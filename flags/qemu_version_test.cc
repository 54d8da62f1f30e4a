#include "flags/qemu_version.h"

#include <iterator>
#include <optional>

#include "gtest/gtest.h"

namespace migstream {
namespace {

TEST(QemuVersionTest, IsAReleaseAndWhichStableOneOfIt) {
  EXPECT_EQ(ParseQemuVersion("10.0.13").release, 1000);
  EXPECT_EQ(ParseQemuVersion("10.0.13").stable, 13);
  EXPECT_EQ(ParseQemuVersion("qemu-11.1.0").stable, 0);
  EXPECT_EQ(ParseQemuVersion("qemu-11.1").release, 1101);
  EXPECT_EQ(ParseQemuVersion("qemu-11.1").stable, std::nullopt);
  EXPECT_EQ(ParseQemuVersion("11.2").release, kNextRelease.release);
  EXPECT_EQ(ToString(ParseQemuVersion("10.0.13")), "qemu-10.0.13");
  for (const char* wrong : {"", "10", "10.0.", "10.0.x", "10.0.1.2", "5.1.1",
                            "10.0.-1", "10.0.70000", "10..1", "11.3"}) {
    EXPECT_EQ(ParseQemuVersion(wrong).release, 0) << wrong;
  }
}

TEST(QemuVersionTest, StableReleasesHaveLearntToCheckAPacketsSize) {
  for (const char* checks : {"10.0.13", "11.1.3", "11.1", "11.2"}) {
    EXPECT_TRUE(ChecksPacketSize(ParseQemuVersion(checks))) << checks;
  }
  for (const char* not_yet : {"5.2", "7.2.22", "10.0.0", "10.1", "11.1.0"}) {
    EXPECT_FALSE(ChecksPacketSize(ParseQemuVersion(not_yet))) << not_yet;
  }
}

TEST(QemuVersionTest, EveryFeatureIsInSomeReleasesAndNotInOthers) {
  for (const Feature* feature : feature::kAll) {
    size_t in = feature->In(kNextRelease.release);
    for (const ReleaseRow& row : kReleases) in += feature->In(row.release);
    EXPECT_GT(in, 0) << feature->name;
    EXPECT_LE(in, std::size(kReleases)) << feature->name;
  }
}

}  // namespace
}  // namespace migstream
