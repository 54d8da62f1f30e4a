#include "codec/multifd/packet_distributor.h"

#include <string>
#include <string_view>
#include <vector>

#include "flags/multifd_flags.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

TEST(PacketDistributorTest, ChannelsTakeTurnsAndEachDeviceCountsItsOwn) {
  PacketDistributor distributor(3);
  struct Want {
    std::string idstr;
    bool config;
    uint32_t channel;
    uint32_t index;
  };
  for (const Want& want : std::vector<Want>{{"a/vfio", false, 0, 0},
                                            {"a/vfio", false, 1, 1},
                                            {"b/vfio", false, 2, 0},
                                            {"a/vfio", true, 0, 2},
                                            {"b/vfio", false, 1, 1},
                                            {"b/vfio", true, 2, 2}}) {
    DistributedPacket packet;
    Error error = want.config ? distributor.Config(want.idstr, 7, packet)
                              : distributor.Data(want.idstr, 7, packet);
    EXPECT_TRUE(error.ok()) << ToString(error);
    EXPECT_EQ(packet.channel, want.channel);
    EXPECT_EQ(packet.device.idstr, want.idstr);
    EXPECT_EQ(packet.device.instance_id, 7);
    EXPECT_EQ(packet.header.version, 0);
    EXPECT_EQ(packet.header.index, want.index);
    EXPECT_EQ(packet.header.flags, want.config ? 1 : 0);
  }
  EXPECT_TRUE(distributor.Finish().ok());
}

TEST(PacketDistributorTest, InstancesOfOneNameAreDifferentDevices) {
  PacketDistributor distributor(1);
  DistributedPacket packet;
  distributor.Data("a/vfio", 0, packet);
  distributor.Data("a/vfio", 1, packet);
  EXPECT_EQ(packet.header.index, 0);
}

TEST(PacketDistributorTest, AConfigIsTheLastPacketAndNoDeviceLacksIt) {
  DistributedPacket packet;
  PacketDistributor lacking(1);
  lacking.Data("a/vfio", 0, packet);
  EXPECT_EQ(lacking.Finish().code, ErrorCode::kMultifdGap);

  PacketDistributor data_after(1);
  data_after.Config("a/vfio", 0, packet);
  EXPECT_EQ(data_after.Data("a/vfio", 0, packet).code,
            ErrorCode::kMultifdConfigNotLast);
  EXPECT_EQ(data_after.Data("b/vfio", 0, packet).code,
            ErrorCode::kMultifdConfigNotLast)
      << "sticky";
  EXPECT_EQ(data_after.Finish().code, ErrorCode::kMultifdConfigNotLast);

  PacketDistributor config_twice(1);
  config_twice.Config("a/vfio", 0, packet);
  EXPECT_EQ(config_twice.Config("a/vfio", 0, packet).code,
            ErrorCode::kMultifdConfigNotLast);
}

TEST(PacketDistributorTest, IndexesAndDevicesAreWithinTheLimitsOfAReader) {
  MultifdLimits limits;
  limits.index = 2;
  limits.devices = 2;
  DistributedPacket packet;
  PacketDistributor many(1, nullptr, limits);
  for (int i = 0; i <= 2; ++i) {
    EXPECT_TRUE(many.Data("a/vfio", 0, packet).ok());
  }
  EXPECT_EQ(many.Config("a/vfio", 0, packet).code,
            ErrorCode::kMultifdIndexLimit);

  PacketDistributor devices(1, nullptr, limits);
  devices.Data("a/vfio", 0, packet);
  devices.Data("b/vfio", 0, packet);
  EXPECT_EQ(devices.Data("c/vfio", 0, packet).code, ErrorCode::kDeviceLimit);
}

TEST(PacketDistributorTest, AChoiceBeyondTheChannelsIsRefused) {
  DistributedPacket packet;
  PacketDistributor distributor(
      2, [](std::string_view, uint32_t, uint32_t index) { return 1 + index; });
  EXPECT_TRUE(distributor.Data("a/vfio", 0, packet).ok());
  EXPECT_EQ(packet.channel, 1);
  EXPECT_EQ(distributor.Data("a/vfio", 0, packet).code,
            ErrorCode::kNotWritable);
  PacketDistributor none(0);
  EXPECT_EQ(none.Data("a/vfio", 0, packet).code, ErrorCode::kNotWritable);
}

}  // namespace
}  // namespace migstream
