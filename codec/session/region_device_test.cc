// The v1 protocol: the pretended kernel watches the order and the width of each
// access.

#include "codec/session/region_device.h"

#include <cerrno>
#include <string>

#include "codec/session/device_control.h"
#include "codec/session/fake_vfio.h"
#include "codec/wire/text.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

using enum DeviceState;

class RegionDeviceTest : public testing::Test {
 protected:
  DeviceControl& Open(FakeDevice fake) {
    fake.v1 = true;
    fake.flags = 5;
    fd_ = vfio_.Add(std::move(fake));
    MigrationRegion region;
    EXPECT_TRUE(FindMigrationRegion(fd_, &region, vfio_).ok());
    device_.emplace(fd_, region, vfio_);
    control_.emplace(*device_, "nic/vfio", 0);
    EXPECT_TRUE(control_->Open().ok());
    return *control_;
  }
  FakeDevice& fake() { return vfio_.device(fd_); }

  // All transactions, "abc|de|" each.
  std::string ReadAll(DeviceControl& control, size_t piece) {
    std::string all;
    for (RecordStart start;;) {
      EXPECT_TRUE(control.StartReading(&start).ok());
      if (!start.pending) return all;
      std::string record(start.bytes, '\0');
      for (size_t at = 0; at < record.size();) {
        ReadResult read = control.Read(
            std::span(reinterpret_cast<uint8_t*>(record.data()) + at,
                      std::min(piece, record.size() - at)));
        if (read.kind != ReadResult::kData) return all + "failed";
        at += read.bytes;
      }
      all += record + "|";
    }
  }

  FakeVfio vfio_;
  int fd_ = -1;
  std::optional<RegionDevice> device_;
  std::optional<DeviceControl> control_;
};

TEST_F(RegionDeviceTest, TransactionsAreReadWholeAndInTheProtocolsOrder) {
  for (size_t piece : {1, 2, 100}) {
    DeviceControl& control =
        Open({.initial = "abc", .stop = "defgh", .reads = {2, 1, 4, 1}});
    ASSERT_TRUE(control.SetState(kPreCopy).ok());
    EXPECT_EQ(ReadAll(control, piece), "ab|c|");
    ASSERT_TRUE(control.SetState(kStopCopy).ok());
    EXPECT_EQ(ReadAll(control, piece), "defg|h|");
    ASSERT_TRUE(control.SetState(kStop).ok());
    EXPECT_EQ(fake().misuse, "");
  }
}

TEST_F(RegionDeviceTest, TransactionsAreWrittenAsTheyWere) {
  DeviceControl& control = Open({});
  ASSERT_TRUE(control.StartResuming().ok());
  for (std::string_view record : {"abcdef", "g", "hi"}) {
    ASSERT_TRUE(control.StartWriting(record.size()).ok());
    ASSERT_TRUE(control.Write(AsBytes(record.substr(0, 1))).ok());
    ASSERT_TRUE(control.Write(AsBytes(record.substr(1))).ok());
  }
  EXPECT_TRUE(control.FinishResuming().ok());
  EXPECT_TRUE(control.RunLoaded().ok());
  EXPECT_EQ(fake().state, kRunning);
  EXPECT_EQ(fake().loaded, "abcdefghi");
  EXPECT_EQ(fake().record_sizes, (std::vector<size_t>{6, 1, 2}));
  EXPECT_EQ(fake().misuse, "");
}

TEST_F(RegionDeviceTest, ARecordThatDoesNotFitIsRefusedNotCut) {
  DeviceControl& control = Open({.region_bytes = 4096 + 100});
  ASSERT_TRUE(control.StartResuming().ok());
  EXPECT_EQ(control.StartWriting(101).code, ErrorCode::kDeviceRecordLimit);
  EXPECT_TRUE(control.StartWriting(100).ok());
}

TEST_F(RegionDeviceTest, WaysThatTheProtocolDoesNotHaveAreRefused) {
  DeviceControl& control = Open({});
  EXPECT_EQ(control.SetState(kRunningP2p).code, ErrorCode::kDeviceRefused);
  ASSERT_TRUE(control.SetState(kStop).ok());
  Error error = control.SetState(kStopCopy);
  EXPECT_EQ(ToString(error), "nic/vfio: v1 has no way from STOP to STOP_COPY");
  EXPECT_EQ(fake().misuse, "");
}

TEST_F(RegionDeviceTest, AFailedWriteOfTheStateIsReadAgainAndAnErrorReset) {
  DeviceControl& control = Open({});
  // SET reads the bits that are to be kept, then writes.
  vfio_.Fail({vfio_.calls() + 1, EIO});
  EXPECT_FALSE(control.SetState(kPreCopy).ok());
  EXPECT_EQ(control.state(), kRunning);
  vfio_.Fail({vfio_.calls() + 1, EIO, FakeFault::kStuck});
  EXPECT_FALSE(control.SetState(kPreCopy).ok());
  EXPECT_TRUE(control.report().lost);
}

TEST_F(RegionDeviceTest, ADeviceWithoutSuchARegionCannotMigrate) {
  MigrationRegion region;
  Error error = FindMigrationRegion(vfio_.Add({}), &region, vfio_);
  EXPECT_EQ(error.code, ErrorCode::kDeviceCannotMigrate);
  EXPECT_EQ(error.reason, "the device has no migration region");
}

}  // namespace
}  // namespace migstream
