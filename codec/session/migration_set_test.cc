#include "codec/session/migration_set.h"

#include <cerrno>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "codec/session/fake_vfio.h"
#include "codec/session/plain_device.h"
#include "codec/session/session_rig.h"
#include "codec/wire/text.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

using enum DeviceState;

std::vector<FakeDevice> Devices(size_t count, uint64_t flags = 7) {
  return std::vector<FakeDevice>(
      count, FakeDevice{.flags = flags, .initial = "i", .stop = "s"});
}

std::string States(RigSide& side) {
  std::string text;
  for (size_t i = 0; i < side.fds.size(); ++i) {
    StrAppend(&text, i == 0 ? "" : " ", ToString(side.fake(i).state));
  }
  return text;
}

TEST(MigrationSetTest, SeveralDevicesNeedP2p) {
  RigSide one;
  one.Open(Devices(1, 5));
  EXPECT_TRUE(one.set.CheckMigratable().ok());
  RigSide two;
  two.Open(Devices(2, 5));
  EXPECT_EQ(ToString(two.set.CheckMigratable()),
            "0000:00:05.0/vfio: it does not have P2P, which several devices "
            "need");
}

TEST(MigrationSetTest, NoDeviceIsReadBeforeAllHaveStopped) {
  RigSide side;
  side.Open(Devices(2, 3));  // No PRE_COPY.
  uint8_t buffer[8];
  EXPECT_EQ(side.set.Collect(0).code, ErrorCode::kSessionOrder);
  EXPECT_EQ(side.set.Read(0, buffer).error.code, ErrorCode::kSessionOrder);
  ASSERT_TRUE(side.set.Quiesce().ok());
  EXPECT_EQ(States(side), "STOP STOP");
  ASSERT_TRUE(side.set.Collect(0).ok());
  EXPECT_EQ(side.set.Read(0, buffer).kind, ReadResult::kData);
  ASSERT_TRUE(side.set.Abort().ok());
  EXPECT_EQ(side.set.Read(0, buffer).error.code, ErrorCode::kSessionOrder);
}

// Which device's state was set, in the order of the calls.
class Watched : public PlainDevice {
 public:
  Watched(int name, std::string* log) : name_(name), log_(log) {}
  int SetState(DeviceState state, bool* new_session) override {
    StrAppend(log_, name_, ":", ToString(state), " ");
    return PlainDevice::SetState(state, new_session);
  }

 private:
  const int name_;
  std::string* const log_;
};

TEST(MigrationSetTest, DevicesStopInQemusOrder) {
  std::string log;
  Watched a(1, &log), b(2, &log);
  MigrationSet set;
  ASSERT_TRUE(set.Add(a, "a/vfio").ok());
  ASSERT_TRUE(set.Add(b, "b/vfio").ok());
  ASSERT_TRUE(set.StartPreCopy().ok());
  ASSERT_TRUE(set.Quiesce().ok());
  ASSERT_TRUE(set.Commit().ok());
  EXPECT_EQ(log,
            "1:PRE_COPY 2:PRE_COPY 2:PRE_COPY_P2P 1:PRE_COPY_P2P 2:STOP_COPY "
            "1:STOP_COPY 1:STOP 2:STOP ");
  log.clear();
  ASSERT_TRUE(set.Run().ok());
  EXPECT_EQ(log, "1:RUNNING_P2P 2:RUNNING_P2P 1:RUNNING 2:RUNNING ");
}

TEST(MigrationSetTest, OneThatFailsTakesTheOthersBackAndIsNamed) {
  for (size_t call = 0; call < 6; ++call) {
    RigSide side;
    side.Open(Devices(3));
    ASSERT_TRUE(side.set.StartPreCopy().ok());
    side.vfio.Fail({side.vfio.calls() + call, EIO});
    Error error = side.set.Quiesce();
    EXPECT_EQ(error.code, ErrorCode::kDeviceFailed) << call;
    EXPECT_EQ(States(side), "RUNNING RUNNING RUNNING") << call;
    size_t failed = 0;
    for (const DeviceReport& report : side.set.report()) {
      EXPECT_EQ(report.is, kRunning);
      EXPECT_FALSE(report.was_reset) << "the guest need not notice";
      if (report.failed_call == DeviceCall::kNone) continue;
      ++failed;
      EXPECT_EQ(report.failed_call, DeviceCall::kSetState);
      EXPECT_EQ(report.failed_errno, EIO);
    }
    EXPECT_EQ(failed, 1u);
  }
}

TEST(MigrationSetTest, AThousandDevicesTakeAThousandTimesTheCallsOfOne) {
  size_t calls[2];
  size_t counts[] = {1, 1000};
  for (int i = 0; i < 2; ++i) {
    RigSide side;
    side.Open(Devices(counts[i]));
    const size_t before = side.vfio.calls();
    ASSERT_TRUE(side.set.StartPreCopy().ok());
    ASSERT_TRUE(side.set.Quiesce().ok());
    ASSERT_TRUE(side.set.Commit().ok());
    calls[i] = side.vfio.calls() - before;
  }
  EXPECT_EQ(calls[1], 1000 * calls[0]);
}

TEST(MigrationSetTest, AnExecutorMayRunThemAtTheSameTime) {
  FakeVfio vfio;
  std::vector<std::unique_ptr<KernelDevice>> devices(20);
  MigrationSet set([](size_t count, const std::function<void(size_t)>& run) {
    std::vector<std::thread> threads;
    for (size_t i = 0; i < count; ++i) threads.emplace_back(run, i);
    for (std::thread& thread : threads) thread.join();
  });
  for (size_t i = 0; i < devices.size(); ++i) {
    int fd = vfio.Add({.stop = "s"});
    ASSERT_TRUE(KernelDevice::Open(fd, &devices[i], {.calls = &vfio}).ok());
    ASSERT_TRUE(set.Add(*devices[i], StrCat(i, "/vfio")).ok());
  }
  ASSERT_TRUE(set.StartPreCopy().ok());
  ASSERT_TRUE(set.Quiesce().ok());
  for (const DeviceReport& report : set.report()) {
    EXPECT_EQ(report.is, kStopCopy);
  }
  ASSERT_TRUE(set.Abort().ok());
  EXPECT_EQ(set.device(7).state(), kRunning);
}

TEST(MigrationSetTest, TwoDevicesOfOneNameAreRefused) {
  std::string log;
  Watched a(1, &log);
  MigrationSet set;
  ASSERT_TRUE(set.Add(a, "a/vfio").ok());
  EXPECT_EQ(set.Add(a, "a/vfio").code, ErrorCode::kBadOptions);
  EXPECT_TRUE(set.Add(a, "a/vfio", 1).ok());
  EXPECT_EQ(set.Find("a/vfio", 1), 1u);
  EXPECT_EQ(set.Find("b/vfio", 0), 2u);
}

}  // namespace
}  // namespace migstream
