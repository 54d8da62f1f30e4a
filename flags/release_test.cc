#include "flags/release.h"

#include "flags/dialect.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

TEST(ReleaseTest, ReleasesHaveNames) {
  EXPECT_EQ(ParseRelease("qemu-11.1"), 1101);
  EXPECT_EQ(ParseRelease("QEMU-11.1"), 1101);
  EXPECT_EQ(ParseRelease("5.2"), 502);
  EXPECT_EQ(ReleaseName(1002), "qemu-10.2");
  for (const char* wrong : {"", "qemu", "5.1", "5.3", "11.2", "11", "7.x",
                            "-7.2", "99.0", "7.2.0", "8.02x"}) {
    EXPECT_EQ(ParseRelease(wrong), 0) << wrong;
  }
  for (const ReleaseRow& row : kReleases) {
    EXPECT_EQ(ParseRelease(ReleaseName(row.release)), row.release);
  }
}

TEST(ReleaseTest, AFeatureIsInTheReleasesFromItsFirstToItsLast) {
  EXPECT_FALSE(feature::kMappedRam.In(802));
  EXPECT_TRUE(feature::kMappedRam.In(900));
  EXPECT_TRUE(feature::kMappedRam.In(1101));
  EXPECT_TRUE(feature::kEnableColo.In(502));
  EXPECT_TRUE(feature::kEnableColo.In(1002));
  EXPECT_FALSE(feature::kEnableColo.In(1100));
}

TEST(ReleaseTest, ReleasesRiseAndKeepMoreOrLessOfTheirMachineTypes) {
  const ReleaseRow* before = nullptr;
  for (const ReleaseRow& row : kReleases) {
    if (before != nullptr) {
      EXPECT_LT(before->release, row.release);
      EXPECT_LE(before->oldest_machine_type, row.oldest_machine_type);
    }
    before = &row;
  }
}

TEST(ReleaseTest, EachReleaseHasADialect) {
  for (const ReleaseRow& row : kReleases) {
    int plain = 0;
    for (const Dialect& dialect : AllDialects()) {
      plain += dialect.released() && !dialect.multifd_device_state &&
               row.release >= dialect.first_release &&
               row.release <= dialect.last_release;
    }
    EXPECT_EQ(plain, 1) << row.release;
  }
}

}  // namespace
}  // namespace migstream
