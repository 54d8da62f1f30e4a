// Streams of many small things: memory is bounded, and work grows in step with
// the input. What is counted is allocations and their bytes, never time.

#include <malloc.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>

#include "codec/channels/channel_reader.h"
#include "codec/device/config_bytes.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/report/report.pb.h"
#include "codec/report/report_builder.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace {

// What this process has allocated since the last Watch().
struct Allocations {
  uint64_t count = 0;
  int64_t live = 0;  // Bytes.
  int64_t peak = 0;
};
Allocations g_allocations;

}  // namespace

void* operator new(size_t bytes) {
  void* at = std::malloc(bytes);
  if (at == nullptr) std::abort();
  ++g_allocations.count;
  g_allocations.live += static_cast<int64_t>(malloc_usable_size(at));
  g_allocations.peak = std::max(g_allocations.peak, g_allocations.live);
  return at;
}
void operator delete(void* at) noexcept {
  if (at == nullptr) return;
  g_allocations.live -= static_cast<int64_t>(malloc_usable_size(at));
  std::free(at);
}
void operator delete(void* at, size_t) noexcept { operator delete(at); }

namespace migstream {
namespace {

struct Watched {
  report::Report report;
  Error error;
  Allocations allocations;
};

Watched Read(const std::string& bytes) {
  Watched watched;
  MemorySource source(AsBytes(bytes));
  g_allocations = {};
  watched.error = BuildReport(source, {}, watched.report);
  watched.allocations = g_allocations;
  return watched;
}

HandlerBytes Device(uint32_t id) {
  return {.id = id, .idstr = StrCat(id, "/vfio")};
}

// START, a PART of one record, END and FULL for each device.
std::string ManyDevices(uint32_t devices) {
  const std::string config =
      ConfigBytes{.pci_config_bytes = 256, .msix_vectors = 3, .express = false}
          .Payload();
  const std::string full = TagBytes(2) + config + kEos;
  std::string bytes = HeaderBytes();
  for (uint32_t i = 0; i < devices; ++i) {
    bytes += Device(i).Start(kSetupTag + kEos);
  }
  for (uint32_t i = 0; i < devices; ++i) {
    bytes += Device(i).Part(DataBytes("0123456789") + kEos);
  }
  for (uint32_t i = 0; i < devices; ++i) {
    bytes += Device(i).End(DataBytes("end") + kEos);
  }
  std::string entries;
  for (uint32_t i = 0; i < devices; ++i) {
    bytes += Device(i).Full(full);
    StrAppend(&entries, i == 0 ? "" : ",", Device(i).Json(full.size()));
  }
  return bytes + EofBytes() +
         DescriptionBytes(StrCat("{\"devices\":[", entries, "]}"));
}

TEST(ScaleTest, TenThousandDevicesAreReadInStepWithTheirNumber) {
  Watched all = Read(ManyDevices(10'000));
  ASSERT_TRUE(all.error.ok()) << ToString(all.error);
  EXPECT_EQ(all.report.devices_size(), 10'000);
  EXPECT_EQ(all.report.devices(9'999).config().msix_vectors(), 3);
  EXPECT_FALSE(HasFindings(all.report));
  EXPECT_LT(all.allocations.peak, 32 << 20);

  Watched half = Read(ManyDevices(5'000));
  EXPECT_LT(all.allocations.count, half.allocations.count * 21 / 10);
}

TEST(ScaleTest, MoreDevicesThanTheLimitAreRefused) {
  Watched watched = Read(ManyDevices(StreamLimits{}.devices + 1));
  EXPECT_EQ(watched.error.code, ErrorCode::kDeviceLimit);
  EXPECT_EQ(watched.report.devices_size(), StreamLimits{}.devices);
}

// One device with so many PARTs.
std::string ManyParts(uint32_t parts, const std::string& content) {
  const HandlerBytes vfio = {.id = 1, .idstr = "vfio"};
  const std::string part = vfio.Part(content);
  std::string bytes = HeaderBytes() + vfio.Start(kSetupTag + kEos);
  bytes.reserve(parts * part.size() + 1000);
  for (uint32_t i = 0; i < parts; ++i) bytes += part;
  return bytes + vfio.End(kEos) + EofBytes();
}

TEST(ScaleTest, AMillionEmptyPartsNeedNoMemoryOfTheirOwn) {
  Watched all = Read(ManyParts(1'000'000, kEos));
  ASSERT_TRUE(all.error.ok()) << ToString(all.error);
  EXPECT_EQ(all.report.devices(0).empty_parts(), 1'000'000);
  EXPECT_LT(all.allocations.peak, 1 << 20);
  // A few for each PART, and no more as they get many.
  Watched few = Read(ManyParts(10'000, kEos));
  EXPECT_LT(all.allocations.count, few.allocations.count * 101);
}

TEST(ScaleTest, RecordSizesAreListedUpToALimit) {
  Watched watched = Read(ManyParts(300'000, DataBytes("x") + kEos));
  ASSERT_TRUE(watched.error.ok()) << ToString(watched.error);
  EXPECT_EQ(watched.report.devices(0).data_records(), 300'000);
  EXPECT_EQ(watched.report.devices(0).record_sizes_size(), 1 << 18);
  EXPECT_LT(watched.allocations.peak, 8 << 20);
}

TEST(ScaleTest, WhatDriversWroteIsListedUpToALimitForAllDevices) {
  // Optional tags that mlx5 does not know, and nothing in them.
  std::string payload = std::string("\x08\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0", 16) +
                        std::string(8, '\0');
  for (int i = 0; i < 15'000; ++i) {
    payload += std::string("\0\0\0\0\0\0\0\0\1\0\0\0\7\0\0\0", 16);
  }
  std::string bytes = HeaderBytes();
  for (uint32_t i = 0; i < 10; ++i) {
    bytes += Device(i).Start(kSetupTag + kEos) +
             Device(i).End(DataBytes(payload) + kEos);
  }
  Watched watched = Read(bytes + EofBytes());
  ASSERT_TRUE(watched.error.ok()) << ToString(watched.error);
  uint64_t listed = 0, omitted = 0;
  for (const report::Device& device : watched.report.devices()) {
    EXPECT_EQ(device.payload().driver(), "mlx5");
    omitted += device.payload().records_omitted();
    listed += device.payload().records_size();
    for (const report::PayloadRecord& record : device.payload().records()) {
      listed += record.fields_size();
    }
  }
  EXPECT_EQ(listed, 1 << 16);
  EXPECT_GT(omitted, 10'000);
  EXPECT_LT(watched.allocations.peak, 48 << 20);
}

TEST(ScaleTest, DifferentSectionsHaveALimit) {
  std::string bytes = HeaderBytes();
  // Whose content ends where the footer stands.
  for (uint32_t i = 0; i <= StreamLimits{}.sections; ++i) {
    bytes += HandlerBytes{.id = i, .idstr = "todclock"}.Full(U8Bytes(0));
  }
  Watched watched = Read(bytes + EofBytes());
  EXPECT_EQ(watched.error.code, ErrorCode::kSectionLimit)
      << ToString(watched.error);
  EXPECT_LT(watched.allocations.peak, 16 << 20);
}

TEST(ScaleTest, AnIndexOf4BillionIn300BytesCostsNothing) {
  std::string channel =
      Be32Bytes(0x11223344) + Be32Bytes(1) + std::string(16 + 1 + 7 + 32, '\0');
  ASSERT_EQ(channel.size(), 64);
  std::string idstr = "0000:00:05.0/vfio";
  idstr.resize(256, '\0');
  std::string packet = Be32Bytes(0x11223344) + Be32Bytes(1) + Be32Bytes(0x40) +
                       idstr + Be32Bytes(0) + Be32Bytes(24) +
                       Be32Bytes(0) +           // Version.
                       Be32Bytes(0xfffffffe) +  // Index.
                       Be32Bytes(0) + "twelve bytes";
  ASSERT_EQ(packet.size(), 300);
  channel += packet;
  MemorySource source(AsBytes(channel));
  ChannelReader reader({{"ch1", &source}}, {});
  g_allocations = {};
  Error error = reader.Read([](const ReassembledPiece&) { ADD_FAILURE(); });
  EXPECT_EQ(error.code, ErrorCode::kMultifdIndexLimit) << ToString(error);
  EXPECT_LT(g_allocations.peak, 16 << 10);
}

}  // namespace
}  // namespace migstream
