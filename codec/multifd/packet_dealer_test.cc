#include "codec/multifd/packet_dealer.h"

#include <string>
#include <string_view>
#include <vector>

#include "flags/multifd_flags.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

TEST(PacketDealerTest, ChannelsTakeTurnsAndEachDeviceCountsItsOwn) {
  PacketDealer dealer(3);
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
    DealtPacket packet;
    Error error = want.config ? dealer.Config(want.idstr, 7, packet)
                              : dealer.Data(want.idstr, 7, packet);
    EXPECT_TRUE(error.ok()) << ToString(error);
    EXPECT_EQ(packet.channel, want.channel);
    EXPECT_EQ(packet.device.idstr, want.idstr);
    EXPECT_EQ(packet.device.instance_id, 7);
    EXPECT_EQ(packet.header.version, 0);
    EXPECT_EQ(packet.header.index, want.index);
    EXPECT_EQ(packet.header.flags, want.config ? 1 : 0);
  }
  EXPECT_TRUE(dealer.Finish().ok());
}

TEST(PacketDealerTest, InstancesOfOneNameAreDifferentDevices) {
  PacketDealer dealer(1);
  DealtPacket packet;
  dealer.Data("a/vfio", 0, packet);
  dealer.Data("a/vfio", 1, packet);
  EXPECT_EQ(packet.header.index, 0);
}

TEST(PacketDealerTest, AConfigIsTheLastPacketAndNoDeviceLacksIt) {
  DealtPacket packet;
  PacketDealer lacking(1);
  lacking.Data("a/vfio", 0, packet);
  EXPECT_EQ(lacking.Finish().code, ErrorCode::kMultifdGap);

  PacketDealer data_after(1);
  data_after.Config("a/vfio", 0, packet);
  EXPECT_EQ(data_after.Data("a/vfio", 0, packet).code,
            ErrorCode::kMultifdConfigNotLast);
  EXPECT_EQ(data_after.Data("b/vfio", 0, packet).code,
            ErrorCode::kMultifdConfigNotLast)
      << "sticky";
  EXPECT_EQ(data_after.Finish().code, ErrorCode::kMultifdConfigNotLast);

  PacketDealer config_twice(1);
  config_twice.Config("a/vfio", 0, packet);
  EXPECT_EQ(config_twice.Config("a/vfio", 0, packet).code,
            ErrorCode::kMultifdConfigNotLast);
}

TEST(PacketDealerTest, IndexesAndDevicesAreWithinTheLimitsOfAReader) {
  MultifdLimits limits;
  limits.index = 2;
  limits.devices = 2;
  DealtPacket packet;
  PacketDealer many(1, nullptr, limits);
  for (int i = 0; i <= 2; ++i) {
    EXPECT_TRUE(many.Data("a/vfio", 0, packet).ok());
  }
  EXPECT_EQ(many.Config("a/vfio", 0, packet).code,
            ErrorCode::kMultifdIndexLimit);

  PacketDealer devices(1, nullptr, limits);
  devices.Data("a/vfio", 0, packet);
  devices.Data("b/vfio", 0, packet);
  EXPECT_EQ(devices.Data("c/vfio", 0, packet).code, ErrorCode::kDeviceLimit);
}

TEST(PacketDealerTest, AChoiceBeyondTheChannelsIsRefused) {
  DealtPacket packet;
  PacketDealer dealer(
      2, [](std::string_view, uint32_t, uint32_t index) { return 1 + index; });
  EXPECT_TRUE(dealer.Data("a/vfio", 0, packet).ok());
  EXPECT_EQ(packet.channel, 1);
  EXPECT_EQ(dealer.Data("a/vfio", 0, packet).code, ErrorCode::kNotWritable);
  PacketDealer none(0);
  EXPECT_EQ(none.Data("a/vfio", 0, packet).code, ErrorCode::kNotWritable);
}

}  // namespace
}  // namespace migstream
