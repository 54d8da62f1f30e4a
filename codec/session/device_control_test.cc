// The rules of the v2 protocol, with a kernel that keeps to them.

#include "codec/session/device_control.h"

#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "codec/session/fake_vfio.h"
#include "codec/session/kernel_device.h"
#include "codec/wire/text.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

using enum DeviceState;

class DeviceControlTest : public testing::Test {
 protected:
  DeviceControl& Open(FakeDevice fake) {
    fd_ = vfio_.Add(std::move(fake));
    Error error = KernelDevice::Open(fd_, &device_, {.calls = &vfio_});
    EXPECT_TRUE(error.ok()) << ToString(error);
    control_ = std::make_unique<DeviceControl>(*device_, "nic/vfio", 0);
    EXPECT_TRUE(control_->Open().ok());
    return *control_;
  }
  FakeDevice& fake() { return vfio_.device(fd_); }
  // The next call of the kernel fails.
  void FailNext(int error, FakeFault::Effect effect = FakeFault::kNothing,
                size_t after = 0) {
    vfio_.Fail({vfio_.calls() + after, error, effect});
  }
  std::string Text(const Error& error) { return ToString(error); }

  FakeVfio vfio_;
  int fd_ = -1;
  std::unique_ptr<KernelDevice> device_;
  std::unique_ptr<DeviceControl> control_;
  uint8_t buffer_[64];
};

TEST_F(DeviceControlTest, WhatTheKernelWouldRefuseIsNotAsked) {
  DeviceControl& control = Open({.flags = 3});
  const size_t calls = vfio_.calls();
  for (DeviceState to : {kError, kPreCopy, static_cast<DeviceState>(8)}) {
    EXPECT_EQ(control.SetState(to).code, ErrorCode::kDeviceRefused);
  }
  EXPECT_EQ(Text(control.SetState(kPreCopy)),
            "nic/vfio: the driver does not have PRE_COPY");
  EXPECT_EQ(vfio_.calls(), calls);
}

TEST_F(DeviceControlTest, NothingIsAskedForAStateThatIsThere) {
  DeviceControl& control = Open({});
  const size_t calls = vfio_.calls();
  EXPECT_TRUE(control.SetState(kRunning).ok());
  EXPECT_EQ(vfio_.calls(), calls);
}

TEST_F(DeviceControlTest, ADeviceThatIsSavedIsNotLoadedAndTheOtherWayRound) {
  DeviceControl& control = Open({});
  ASSERT_TRUE(control.SetState(kPreCopy).ok());
  EXPECT_EQ(control.SetState(kResuming).code, ErrorCode::kDeviceRefused);
  EXPECT_EQ(control.Write(buffer_).code, ErrorCode::kDeviceRefused);
  ASSERT_TRUE(control.StartResuming().ok());
  EXPECT_EQ(control.SetState(kRunning).code, ErrorCode::kDeviceRefused);
  EXPECT_EQ(control.Read(buffer_).error.code, ErrorCode::kDeviceRefused);
}

TEST_F(DeviceControlTest, InPreCopyNothingAndNoMessageMeanNothingNow) {
  for (int empty : {0, ENOMSG}) {
    DeviceControl& control = Open({.initial = "abc", .empty_errno = empty});
    ASSERT_TRUE(control.SetState(kPreCopy).ok());
    EXPECT_EQ(control.Read(buffer_).bytes, 3u);
    EXPECT_EQ(control.Read(buffer_).kind, ReadResult::kNothingNow);
    EXPECT_EQ(control.Read(buffer_).kind, ReadResult::kNothingNow);
  }
}

TEST_F(DeviceControlTest, InStopCopyNothingIsTheEndAndNoMessageAnError) {
  DeviceControl& control = Open({.stop = "abc"});
  ASSERT_TRUE(control.SetState(kStopCopy).ok());
  EXPECT_EQ(control.Read(buffer_).bytes, 3u);
  EXPECT_EQ(control.Read(buffer_).kind, ReadResult::kEnd);
  FailNext(ENOMSG);
  EXPECT_EQ(control.Read(buffer_).error.code, ErrorCode::kDeviceProtocol);
}

TEST_F(DeviceControlTest, EagainMeansWaitWhereverItComes) {
  DeviceControl& control = Open({.initial = "abc", .stop = "def"});
  ASSERT_TRUE(control.SetState(kPreCopy).ok());
  FailNext(EAGAIN);
  EXPECT_EQ(control.Read(buffer_).kind, ReadResult::kWait);
  ASSERT_TRUE(control.SetState(kStopCopy).ok());
  FailNext(EAGAIN);
  EXPECT_EQ(control.Read(buffer_).kind, ReadResult::kWait);
  EXPECT_TRUE(control.Wait(/*writing=*/false).ok());
  ASSERT_TRUE(control.StartResuming().ok());
  FailNext(EAGAIN);
  EXPECT_TRUE(control.Write(AsBytes("xyz")).ok());
  EXPECT_EQ(fake().loaded, "xyz");
}

TEST_F(DeviceControlTest, InterruptedCallsAreRepeatedButNotASetOfTheState) {
  DeviceControl& control = Open({.initial = "abc"});
  FailNext(EINTR);
  EXPECT_EQ(control.SetState(kPreCopy).code, ErrorCode::kDeviceFailed);
  EXPECT_EQ(control.state(), kRunning);
  ASSERT_TRUE(control.SetState(kPreCopy).ok());
  FailNext(EINTR);
  EXPECT_EQ(control.Read(buffer_).bytes, 3u);
}

TEST_F(DeviceControlTest, AWriteThatTakesLessIsGoneOnWith) {
  DeviceControl& control = Open({.read_limit = 2});
  ASSERT_TRUE(control.StartResuming().ok());
  EXPECT_TRUE(control.Write(AsBytes("abcdefg")).ok());
  EXPECT_EQ(fake().loaded, "abcdefg");
}

TEST_F(DeviceControlTest, AResetUnderUsIsSeenByTheFdThatWasNotDue) {
  DeviceControl& control = Open({.initial = "abc"});
  ASSERT_TRUE(control.SetState(kPreCopy).ok());
  vfio_.GuestReset(fd_);
  // The kernel does it, with a new fd: a second stream would begin.
  Error error = control.SetState(kStopCopy);
  EXPECT_EQ(error.code, ErrorCode::kDeviceDesync);
  EXPECT_EQ(Text(error),
            "nic/vfio: from PRE_COPY to STOP_COPY it began a new session: it "
            "was reset while it was being moved");
  EXPECT_EQ(control.state(), kStopCopy);
  EXPECT_EQ(control.Read(buffer_).error.code, ErrorCode::kDeviceRefused);
  EXPECT_EQ(vfio_.open_data_fds(), 0u);
  EXPECT_TRUE(control.Recover().ok());
  EXPECT_EQ(fake().state, kRunning);
}

TEST_F(DeviceControlTest, AResetUnderUsIsSeenByItsDataFd) {
  for (int way = 0; way < 3; ++way) {
    DeviceControl& control = Open({.initial = "abc"});
    ASSERT_TRUE(way == 2 ? control.StartResuming().ok()
                         : control.SetState(kPreCopy).ok());
    vfio_.GuestReset(fd_);
    PrecopyBytes bytes;
    Error error = way == 0   ? control.Read(buffer_).error
                  : way == 1 ? control.GetPrecopyBytes(&bytes)
                             : control.Write(AsBytes("x"));
    EXPECT_EQ(error.code, ErrorCode::kDeviceDesync);
    EXPECT_EQ(control.state(), kRunning);
    EXPECT_FALSE(control.report().was_reset) << "not by us";
  }
}

TEST_F(DeviceControlTest, AfterAFailedSetTheDeviceIsAskedWhereItIs) {
  DeviceControl& control = Open({});
  FailNext(EBUSY, FakeFault::kMoved);  // RUNNING_P2P, on the way to STOP.
  Error error = control.SetState(kStop);
  EXPECT_EQ(Text(error),
            "nic/vfio: it does not go from RUNNING to STOP: Device or resource "
            "busy");
  EXPECT_EQ(control.state(), kRunningP2p);
  EXPECT_EQ(ToString(control.report()),
            "nic/vfio: RUNNING_P2P, STOP was asked for, setting its state "
            "failed: Device or resource busy");
}

TEST_F(DeviceControlTest, ADeviceInErrorIsResetAndRuns) {
  DeviceControl& control = Open({});
  ASSERT_TRUE(control.SetState(kPreCopy).ok());
  FailNext(EIO, FakeFault::kErrorState);
  EXPECT_FALSE(control.SetState(kStopCopy).ok());
  EXPECT_EQ(control.state(), kRunning);
  EXPECT_TRUE(control.report().was_reset);
  EXPECT_EQ(fake().resets, 1u);
  EXPECT_EQ(vfio_.open_data_fds(), 0u);
}

TEST_F(DeviceControlTest, ADeviceThatNoResetBringsBackIsLostAndThatIsSaid) {
  DeviceControl& control = Open({});
  FailNext(EIO, FakeFault::kStuck);
  EXPECT_FALSE(control.SetState(kPreCopy).ok());
  EXPECT_TRUE(control.report().lost);
  EXPECT_EQ(control.SetState(kStop).code, ErrorCode::kDeviceRefused);
  EXPECT_EQ(control.Recover().code, ErrorCode::kDeviceLost);
}

TEST_F(DeviceControlTest, DataThatIsRejectedIsToldWithHowMuchWasTaken) {
  // However much comes at a time.
  for (size_t piece : {8, 4, 2}) {
    DeviceControl& control = Open({.read_limit = 4, .expected = "abcd"});
    ASSERT_TRUE(control.StartResuming().ok());
    ByteSpan data = AsBytes("abcdefgh");
    Error error;
    for (; error.ok() && !data.empty(); data = data.subspan(piece)) {
      error = control.Write(data.first(piece));
    }
    EXPECT_EQ(error.code, ErrorCode::kDeviceRejected);
    EXPECT_EQ(Text(error),
              "nic/vfio: it does not take the data after its first 4 bytes: "
              "Cannot allocate memory");
  }
}

TEST_F(DeviceControlTest, ADriverMayJudgeTheDataOnlyAtTheEnd) {
  DeviceControl& control = Open({.expected = "abcdef"});
  ASSERT_TRUE(control.StartResuming().ok());
  ASSERT_TRUE(control.Write(AsBytes("abc")).ok());
  EXPECT_EQ(control.FinishResuming().code, ErrorCode::kDeviceFailed);
  EXPECT_EQ(control.state(), kResuming) << "from where only a reset leads";
  EXPECT_TRUE(control.Recover().ok());
  EXPECT_EQ(fake().state, kRunning);
}

TEST_F(DeviceControlTest, AWriteOfNothingIsAgainstTheRules) {
  DeviceControl& control = Open({.read_limit = 0});
  ASSERT_TRUE(control.StartResuming().ok());
  EXPECT_EQ(control.Write(AsBytes("x")).code, ErrorCode::kDeviceProtocol);
}

TEST(KernelDeviceTest, ADriverWithoutMigrationIsNamedAsThat) {
  FakeVfio vfio;
  std::unique_ptr<KernelDevice> device;
  Error error = KernelDevice::Open(vfio.Add({.can_migrate = false}), &device,
                                   {.calls = &vfio});
  EXPECT_EQ(error.code, ErrorCode::kDeviceCannotMigrate);
  EXPECT_EQ(error.reason, "the kernel's driver cannot migrate this device");
  error = KernelDevice::Open(vfio.Add({.flags = 6}), &device, {.calls = &vfio});
  EXPECT_EQ(error.reason,
            "the kernel's driver has migration flags 0x6, which are not "
            "defined");
}

TEST(KernelDeviceTest, AnOldKernelDoesNotTellOfNewInitialData) {
  FakeVfio vfio;
  std::unique_ptr<KernelDevice> device;
  for (bool knows : {false, true}) {
    int fd = vfio.Add({.knows_precopy_v2 = knows, .reinit = true});
    ASSERT_TRUE(KernelDevice::Open(fd, &device, {.calls = &vfio}).ok());
    EXPECT_EQ(device->tells_reinit(), knows);
    bool session;
    ASSERT_EQ(device->SetState(kPreCopy, &session), 0);
    PrecopyBytes bytes;
    ASSERT_EQ(device->GetPrecopyBytes(&bytes), 0);
    // Without having opted in, the flags that come back mean nothing.
    EXPECT_EQ(bytes.reinit, knows);
  }
}

TEST(KernelDeviceTest, TheEstimatesAreThoseOfTheDriver) {
  FakeVfio vfio;
  std::unique_ptr<KernelDevice> device;
  int fd = vfio.Add({.initial = "1234", .dirty = "12", .stop = "1"});
  ASSERT_TRUE(KernelDevice::Open(fd, &device, {.calls = &vfio}).ok());
  bool session;
  ASSERT_EQ(device->SetState(kPreCopy, &session), 0);
  uint8_t buffer[3];
  EXPECT_EQ(device->Read(buffer).bytes, 3u);
  PrecopyBytes bytes;
  ASSERT_EQ(device->GetPrecopyBytes(&bytes), 0);
  EXPECT_EQ(bytes.initial, 1u);
  EXPECT_EQ(bytes.dirty, 2u);
  uint64_t stop_copy;
  ASSERT_EQ(device->GetStopCopyBytes(&stop_copy), 0);
  EXPECT_EQ(stop_copy, 7u);
}

TEST(KernelDeviceTest, ItsDataFdIsClosedWithIt) {
  FakeVfio vfio;
  std::unique_ptr<KernelDevice> device;
  int fd = vfio.Add({});
  ASSERT_TRUE(KernelDevice::Open(fd, &device, {.calls = &vfio}).ok());
  bool session;
  ASSERT_EQ(device->SetState(kPreCopy, &session), 0);
  EXPECT_TRUE(session);
  EXPECT_EQ(vfio.open_data_fds(), 1u);
  device.reset();
  EXPECT_EQ(vfio.open_data_fds(), 0u);
}

}  // namespace
}  // namespace migstream
