#include "flags/machine_type.h"

#include "gtest/gtest.h"

namespace migstream {
namespace {

TEST(MachineTypeTest, TheVersionAtTheEndIsTheOldestRelease) {
  EXPECT_EQ(MachineTypeRelease("pc-q35-8.2"), 802);
  EXPECT_EQ(MachineTypeRelease("pc-i440fx-11.1"), 1101);
  EXPECT_EQ(MachineTypeRelease("virt-5.2"), 502);
}

TEST(MachineTypeTest, OtherNamesTellNothing) {
  EXPECT_EQ(MachineTypeRelease(""), 0);
  EXPECT_EQ(MachineTypeRelease("microvm"), 0);
  EXPECT_EQ(MachineTypeRelease("pc-q35-rhel9.2.0"), 0);
  EXPECT_EQ(MachineTypeRelease("pc-q35-"), 0);
  EXPECT_EQ(MachineTypeRelease("pc-q35-8.2.1"), 0);
  EXPECT_EQ(MachineTypeRelease("pc-q35-99999.1"), 0);
}

TEST(MachineTypeTest, ANameHasNoOtherBytesThanNamesHave) {
  EXPECT_TRUE(IsMachineName("pc-q35-rhel9.2.0"));
  EXPECT_TRUE(IsMachineName("leon3_generic"));
  EXPECT_FALSE(IsMachineName("pc-q35-11.1\x01"));
  EXPECT_FALSE(IsMachineName("pc q35"));
}

TEST(MachineTypeTest, LegacySwitchoverAckIsOfTypesUpTo110) {
  EXPECT_TRUE(HasSwitchoverAckLegacy("pc-q35-11.0"));
  EXPECT_FALSE(HasSwitchoverAckLegacy("pc-q35-11.1"));
  EXPECT_FALSE(HasSwitchoverAckLegacy("microvm"));
}

}  // namespace
}  // namespace migstream
