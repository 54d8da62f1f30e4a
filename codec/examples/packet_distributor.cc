// The example of codec/multifd/packet_distributor.h.

#include "codec/multifd/packet_distributor.h"

#include <vector>

#include "gtest/gtest.h"

namespace migstream {
namespace {

TEST(PacketDistributorExample, ChannelsComeInTurn) {
  const std::string_view idstr = "0000:00:05.0/vfio";
  std::vector<size_t> channels;
  auto Use = [&](const DistributedPacket& packet) {  // Its encoder writes it.
    channels.push_back(packet.channel);
  };
  const int reads_of_the_device = 5;
  auto save = [&]() -> Error {
    // [example]
    PacketDistributor distributor(4);  // Channels, in turn.
    DistributedPacket packet;
    for (int i = 0; i < reads_of_the_device; ++i) {
      if (Error e = distributor.Data(idstr, 0, packet); !e.ok()) return e;
      Use(packet);  // encoders[packet.channel].VfioPacket(packet.device, …)
    }
    if (Error e = distributor.Config(idstr, 0, packet); !e.ok()) return e;
    Use(packet);                  // The device's last.
    return distributor.Finish();  // Was there a config of every device?
    // [end]
  };
  EXPECT_TRUE(save().ok());
  EXPECT_EQ(channels.size(), 6);
  EXPECT_NE(channels[0], channels[1]);
}

}  // namespace
}  // namespace migstream
