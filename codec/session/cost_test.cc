// What a record costs: one read of the device, one write, no allocation; and
// what one call may cost.

#include <functional>
#include <string>

#include "codec/device/config_bytes.h"
#include "codec/session/load_session.h"
#include "codec/session/plain_device.h"
#include "codec/session/save_session.h"
#include "codec/wire/count_allocations.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

constexpr char kIdstr[] = "0000:00:05.0/vfio";
constexpr size_t kRecordBytes = 1000;

// It has always more, while it runs, and takes all.
class EndlessDevice : public PlainDevice {
 public:
  IoResult Read(std::span<uint8_t> buffer) override {
    ++reads;
    if (state() == DeviceState::kStopCopy && ++stopped_reads > 100) return {};
    return {std::min(buffer.size(), kRecordBytes)};
  }
  IoResult Write(ByteSpan bytes) override {
    written += bytes.size();
    return {bytes.size()};
  }

  size_t reads = 0, stopped_reads = 0, written = 0;
};

// Keeps what is written in memory that is there already.
class KeepingOutput : public ChannelOutput {
 public:
  KeepingOutput() { bytes.reserve(4 << 20); }
  int Write(std::span<const iovec> pieces) override {
    ++writes;
    for (const iovec& piece : pieces) {
      bytes.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
    }
    return 0;
  }
  std::string bytes;
  size_t writes = 0;
};

class CostTest : public testing::Test {
 protected:
  CostTest() {
    EXPECT_TRUE(set_.Add(device_, kIdstr).ok());
    EXPECT_TRUE(session_.Start().ok());
  }

  EndlessDevice device_;
  KeepingOutput main_;
  MigrationSet set_;
  SaveSession session_{set_, main_, SaveOptions()};
};

TEST_F(CostTest, ARecordCostsOneReadOneWriteAndNoAllocation) {
  const size_t writes = main_.writes;
  const size_t before = AllocatedSoFar().times;
  Progress progress;
  ASSERT_TRUE(
      session_.Iterate({.max_bytes = 1000 * kRecordBytes}, &progress).ok());
  EXPECT_EQ(AllocatedSoFar().times - before, 0u);
  EXPECT_EQ(progress.bytes, 1000 * kRecordBytes);
  EXPECT_EQ(device_.reads, 1000u);
  EXPECT_EQ(main_.writes - writes, 1000u);
}

TEST_F(CostTest, LoadingARecordAllocatesNothing) {
  Progress progress;
  ASSERT_TRUE(
      session_.Iterate({.max_bytes = 1000 * kRecordBytes}, &progress).ok());
  // A header, which a stream begins with.
  const std::string stream =
      std::string("QEVM\0\0\0\3", 8) + main_.bytes + std::string(1, '\x02');
  EndlessDevice device;
  MigrationSet set;
  ASSERT_TRUE(set.Add(device, kIdstr).ok());
  LoadSession load(set, LoadOptions());
  ASSERT_TRUE(load.Start().ok());
  LoadAction action;
  // The first sections are remembered; of the others nothing is.
  constexpr size_t kFirst = 3000;
  ByteSpan input = AsBytes(stream).first(kFirst);
  while (load.Next(input, action) == Step::kEvent) continue;
  input = AsBytes(stream).subspan(kFirst - input.size());
  const size_t before = AllocatedSoFar().times;
  while (load.Next(input, action) == Step::kEvent) continue;
  EXPECT_EQ(AllocatedSoFar().times - before, 0u);
  EXPECT_EQ(device.written, 1000 * kRecordBytes);
}

TEST_F(CostTest, TenThousandCallsKeepTheirPace) {
  for (int call = 0; call < 10000; ++call) {
    main_.bytes.clear();
    Progress progress;
    // A clock that ends every seventh call after its second look.
    int looks = 0;
    const uint64_t max_bytes = (call % 5) * kRecordBytes + call % 3;
    const size_t reads = device_.reads;
    ASSERT_TRUE(session_
                    .Iterate({.max_bytes = max_bytes,
                              .out_of_time =
                                  [&] { return call % 7 == 0 && ++looks > 2; }},
                             &progress)
                    .ok());
    ASSERT_LT(progress.bytes, max_bytes + kRecordBytes);
    if (call % 7 == 0) {
      ASSERT_LE(device_.reads - reads, 2u);
    }
  }
}

TEST_F(CostTest, AStoppedDevicesRecordsCostAsMuch) {
  ASSERT_TRUE(session_.Switchover().ok());
  const std::string payload = ConfigBytes{}.Payload();
  SavedConfig config;
  config.config.pci_config = AsBytes(payload).subspan(4, 4096);
  const size_t reads = device_.reads;
  const size_t writes = main_.writes;
  ASSERT_TRUE(session_.Complete({&config, 1}).ok());
  EXPECT_EQ(device_.reads - reads, 101u);  // The last finds the end.
  // SWITCHOVER_START, 100 records, END_OF_STATE, FULL.
  EXPECT_LE(main_.writes - writes, 104u);
}

TEST(PendingBytesTest, TheDowntimeFollowsFromTheSpeed) {
  PendingBytes pending = {.stop_copy = uint64_t{3} << 40};
  EXPECT_EQ(pending.DowntimeMs(1 << 30), 3u * 1024 * 1000);
  EXPECT_EQ(pending.DowntimeMs(0), UINT64_MAX);
  pending.stop_copy = 500;
  EXPECT_EQ(pending.DowntimeMs(1000), 500u);
  pending.stop_copy = UINT64_MAX;
  EXPECT_EQ(pending.DowntimeMs(1), UINT64_MAX);
  EXPECT_EQ(pending.DowntimeMs(UINT64_MAX), 1000u);
}

}  // namespace
}  // namespace migstream
