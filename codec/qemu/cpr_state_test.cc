#include "codec/qemu/cpr_state.h"

#include <string>

#include "codec/qemu/stream_bytes.h"
#include "codec/qemu/stream_recording.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

// be32 length, which counts the NUL.
std::string NameBytes(const std::string& name) {
  return Be32Bytes(static_cast<uint32_t>(name.size() + 1)) + name + '\0';
}

// A byte 1, the name, be32 id, and then the mark of a descriptor that travels
// beside the bytes.
std::string PassedBytes(const std::string& name, uint32_t id) {
  return "\1" + NameBytes(name) + Be32Bytes(id) + "\x20";
}

const std::string kHeader = "QCPR" + Be32Bytes(1);
const std::string kEnd(1, '\0');

std::string VfioDevicesBytes(const std::string& devices) {
  return "\5" + Str8Bytes("CprState/vfio devices") + Be32Bytes(1) + devices +
         kEnd;
}

struct Seen {
  Error error;
  CprState state;
};

Seen Read(const std::string& bytes, const CprLimits& limits = {}) {
  Seen seen;
  MemorySource source(AsBytes(bytes));
  seen.error = ReadCprState(source, seen.state, limits);
  Seen piped;
  ShortReadSource pipe(AsBytes(bytes), 1);
  piped.error = ReadCprState(pipe, piped.state, limits);
  EXPECT_EQ(ToString(piped.error), ToString(seen.error));
  EXPECT_EQ(piped.state.descriptors.size(), seen.state.descriptors.size());
  return seen;
}

TEST(CprStateTest, ListsTheDescriptorsThatTravelBeside) {
  Seen seen = Read(kHeader + PassedBytes("memory", 0) +
                   PassedBytes("/dev/vfio/1", 3) + kEnd);
  ASSERT_TRUE(seen.error.ok()) << ToString(seen.error);
  ASSERT_EQ(seen.state.descriptors.size(), 2);
  EXPECT_EQ(seen.state.descriptors[0].name, "memory");
  EXPECT_EQ(seen.state.descriptors[0].offset, 8);
  EXPECT_EQ(seen.state.descriptors[1].name, "/dev/vfio/1");
  EXPECT_EQ(seen.state.descriptors[1].id, 3);
  EXPECT_EQ(seen.state.descriptors[1].number, std::nullopt);
}

TEST(CprStateTest, WithExecDescriptorsAreNumbers) {
  Seen seen = Read(kHeader + "\1" + NameBytes("memory") + Be32Bytes(0) +
                   Be32Bytes(27) + kEnd);
  ASSERT_TRUE(seen.error.ok()) << ToString(seen.error);
  EXPECT_EQ(seen.state.descriptors[0].number, 27);
}

TEST(CprStateTest, ListsTheVfioDevices) {
  Seen seen =
      Read(kHeader + kEnd +
           VfioDevicesBytes("\1" + NameBytes("0000:00:05.0") + Be32Bytes(1) +
                            Be32Bytes(2) + Be32Bytes(3)));
  ASSERT_TRUE(seen.error.ok()) << ToString(seen.error);
  ASSERT_EQ(seen.state.vfio_devices.size(), 1);
  EXPECT_EQ(seen.state.vfio_devices[0].name, "0000:00:05.0");
  EXPECT_EQ(seen.state.vfio_devices[0].device_id, 1);
  EXPECT_EQ(seen.state.vfio_devices[0].ioas_id, 2);
  EXPECT_EQ(seen.state.vfio_devices[0].hwpt_id, 3);
}

TEST(CprStateTest, OtherVersionsAndSubsectionsAreRefused) {
  EXPECT_EQ(ToString(Read("QCPR" + Be32Bytes(2)).error),
            "0x4: CPR state: version 2, expected 1");
  EXPECT_EQ(ToString(Read("QEVM" + Be32Bytes(3)).error),
            "0x0: CPR state: begins with 0x5145564d, expected 0x51435052 "
            "(QCPR)");
  EXPECT_EQ(ToString(Read(kHeader + kEnd + "\5" + Str8Bytes("CprState/x") +
                          Be32Bytes(1))
                         .error),
            "0x9: CPR state: unknown subsection 'CprState/x' version 1");
  EXPECT_EQ(ToString(Read(kHeader + kEnd + "x").error),
            "0x9: CPR state: bytes behind the state that are no subsection");
  EXPECT_EQ(ToString(Read(kHeader + kEnd + VfioDevicesBytes("") + "x").error),
            "0x25: CPR state: bytes behind the state");
}

TEST(CprStateTest, AListIsNothingButEntriesAndItsEnd) {
  EXPECT_EQ(ToString(Read(kHeader + "\2").error),
            "0x8: CPR state: byte 0x2, expected 1 before an entry or 0 behind "
            "the last");
}

TEST(CprStateTest, ClaimsAreBounded) {
  EXPECT_EQ(ToString(Read(kHeader + "\1" + Be32Bytes(0xffffffff)).error),
            "0x9: CPR state: name claims 4294967295 bytes, the limit is 4096");
  std::string two = kHeader + PassedBytes("a", 0) + PassedBytes("b", 0) + kEnd;
  EXPECT_TRUE(Read(two, {.entries = 2}).error.ok());
  EXPECT_EQ(Read(two, {.entries = 1}).error.code, ErrorCode::kHoldLimit);
}

TEST(CprStateTest, EveryCutIsTruncatedSaveBeforeTheSubsection) {
  std::string state = kHeader + PassedBytes("memory", 0) + kEnd;
  std::string bytes =
      state + VfioDevicesBytes("\1" + NameBytes("x") + Be32Bytes(1) +
                               Be32Bytes(2) + Be32Bytes(3));
  for (size_t length = 0; length < bytes.size(); ++length) {
    Error error = Read(bytes.substr(0, length)).error;
    EXPECT_EQ(error.code,
              length == state.size() ? ErrorCode::kNone : ErrorCode::kTruncated)
        << length;
  }
}

}  // namespace
}  // namespace migstream
