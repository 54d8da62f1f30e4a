// Packets that came before SWITCHOVER_START go to their devices before those
// that come after it.

#include <algorithm>
#include <chrono>
#include <functional>
#include <future>
#include <string>
#include <thread>
#include <utility>

#include "codec/multifd/packet_bytes.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/session/load_session.h"
#include "codec/session/migration_device.h"
#include "codec/session/migration_set.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

constexpr size_t kDataBytes = 1000;

// Keeps what it is given.
class KeepingDevice : public MigrationDevice {
 public:
  uint64_t flags() const override { return 7; }
  int SetState(DeviceState state, bool* new_session) override {
    *new_session = GivesDataFd(state_, state);
    state_ = state;
    return 0;
  }
  int GetState(DeviceState* state) override {
    *state = state_;
    return 0;
  }
  void DropSession() override {}
  int Reset() override {
    state_ = DeviceState::kRunning;
    return 0;
  }
  IoResult Read(std::span<uint8_t>) override { return {}; }
  IoResult Write(ByteSpan bytes) override {
    if (auto act = std::exchange(before_first_write, nullptr)) act();
    written += AsText(bytes);
    return {bytes.size()};
  }
  int WaitForData(bool) override { return 0; }
  int GetPrecopyBytes(PrecopyBytes*) override { return 0; }
  int GetStopCopyBytes(uint64_t*) override { return 0; }

  std::function<void()> before_first_write;
  std::string written;

 private:
  DeviceState state_ = DeviceState::kRunning;
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

}  // namespace
}  // namespace migstream
