// Packets that came before SWITCHOVER_START go to their devices before those
// that come after it.

#include <algorithm>
#include <chrono>
#include <functional>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "codec/multifd/packet_bytes.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/session/load_session.h"
#include "codec/session/migration_set.h"
#include "codec/session/plain_device.h"
#include "codec/wire/text.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

constexpr size_t kDataBytes = 1000;

// Keeps what it is given.
class KeepingDevice : public PlainDevice {
 public:
  IoResult Write(ByteSpan bytes) override {
    if (auto act = std::exchange(before_first_write, nullptr)) act();
    written += AsText(bytes);
    return {bytes.size()};
  }

  std::function<void()> before_first_write;
  std::string written;
};

std::string Packets(const std::string& idstr, uint32_t first, uint32_t end) {
  std::string packets;
  for (uint32_t index = first; index < end; ++index) {
    packets += Device(Be32Text(0) + Be32Text(index) + Be32Text(0) +
                          std::string(kDataBytes, static_cast<char>(index)),
                      idstr);
  }
  return packets;
}

TEST(ChannelQueueTest, NewPacketsWaitForTheQueueAndAreNotHeld) {
  const HandlerBytes one = {.id = 1, .idstr = "0000:00:05.0/vfio"};
  const HandlerBytes other = {.id = 2, .idstr = "0000:00:06.0/vfio"};
  KeepingDevice devices[2];
  MigrationSet set;
  ASSERT_TRUE(set.Add(devices[0], one.idstr).ok());
  ASSERT_TRUE(set.Add(devices[1], other.idstr).ok());
  LoadOptions options = {.dialect = &GetDialect(DialectId::kV111M),
                         .channels = 2};
  // Not half of the packets that come late could be held.
  options.limits.multifd.held_bytes_per_device = 4 * kDataBytes;
  LoadSession session(set, options);
  ASSERT_TRUE(session.Start().ok());
  const std::string main = HeaderBytes() + one.Start(kSetupTag + kEos) +
                           other.Start(kSetupTag + kEos);
  const std::string queued =
      Init(0) + Packets(one.idstr, 0, 1) + Packets(other.idstr, 0, 5);
  const std::string late = Init(1) + Packets(other.idstr, 5, 15);
  LoadAction action;
  ByteSpan input = AsBytes(main);
  while (session.Next(input, action) == Step::kEvent) continue;
  ByteSpan first_channel = AsBytes(queued);
  ASSERT_TRUE(session.FeedChannel(0, first_channel).ok());
  EXPECT_TRUE(devices[0].written.empty());

  std::promise<bool> fed;
  std::future<bool> is_fed = fed.get_future();
  std::thread channel;
  devices[0].before_first_write = [&] {
    channel = std::thread([&] {
      ByteSpan second_channel = AsBytes(late);
      fed.set_value(session.FeedChannel(1, second_channel).ok());
    });
    // It has time to overtake the queue, in which the other device's are.
    EXPECT_EQ(is_fed.wait_for(std::chrono::milliseconds(50)),
              std::future_status::timeout);
  };
  const std::string command = CommandBytes(11);  // SWITCHOVER_START
  input = AsBytes(command);
  while (session.Next(input, action) == Step::kEvent) continue;
  EXPECT_TRUE(session.error().ok()) << ToString(session.error());
  ASSERT_TRUE(channel.joinable());
  channel.join();
  EXPECT_TRUE(is_fed.get());
  std::string expected;
  for (char index = 0; index < 15; ++index) {
    expected += std::string(kDataBytes, index);
  }
  EXPECT_TRUE(devices[1].written == expected);
}

TEST(ChannelQueueTest, APacketAfterTheEndIsRefused) {
  // More than the 64 locks that TSan lets a thread hold.
  constexpr uint32_t kDevices = 100;
  std::vector<KeepingDevice> devices(kDevices);
  MigrationSet set;
  LoadSession session(
      set, {.dialect = &GetDialect(DialectId::kV111M), .channels = 1});
  std::string main = HeaderBytes(), packets = Init(0);
  for (uint32_t i = 0; i < kDevices; ++i) {
    const HandlerBytes bytes = {.id = i, .idstr = StrCat(i, "/vfio")};
    ASSERT_TRUE(set.Add(devices[i], bytes.idstr).ok());
    main += bytes.Start(kSetupTag + kEos);
    packets += Packets(bytes.idstr, 0, 1);
  }
  main += CommandBytes(11);  // SWITCHOVER_START
  ASSERT_TRUE(session.Start().ok());
  LoadAction action;
  ByteSpan input = AsBytes(main);
  while (session.Next(input, action) == Step::kEvent) continue;
  input = AsBytes(packets);
  ByteSpan in_time = input.first(packets.size() / 2);
  ASSERT_TRUE(session.FeedChannel(0, in_time).ok());
  EXPECT_EQ(devices[0].written.size(), kDataBytes);

  EXPECT_EQ(session.Finish().kind, Outcome::kAborted);
  ByteSpan late =
      input.last(packets.size() - packets.size() / 2 + in_time.size());
  EXPECT_FALSE(session.FeedChannel(0, late).ok());
  EXPECT_TRUE(devices[kDevices - 1].written.empty());
  EXPECT_EQ(devices[kDevices - 1].state(), DeviceState::kRunning);
}

}  // namespace
}  // namespace migstream
