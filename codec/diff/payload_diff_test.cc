// Payloads compared by record and field: what is inserted shifts nothing, and
// what is opaque is compared as bytes of its record.

#include <string>
#include <vector>

#include "codec/diff/diff_lines.h"
#include "codec/generate/generator.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// A vendor's payload in a stream, with some of its bytes changed.
class Stream {
 public:
  explicit Stream(const std::string& vendor,
                  recipe::Dialect dialect = recipe::V111) {
    recipe_.set_dialect(dialect);
    recipe::Migration recipe = recipe_;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
        vendor, recipe.add_devices()->mutable_vendor()));
    auto made = Generate(recipe);
    EXPECT_TRUE(made.ok()) << made.status();
    payload_ = made->devices[0].payload;
    id_ = made->devices[0].pci_config.substr(0, 4);
    for (const Mark& mark : made->main.marks) {
      bool part =
          mark.kind == MarkKind::kData && mark.section == SectionType::kPart;
      if (part) split_ += mark.bytes - 16;
    }
  }

  void Flip(size_t at) { payload_[at] ^= 1; }
  void Put(size_t at, std::string_view bytes) {
    payload_.replace(at, bytes.size(), bytes);
  }
  void Insert(size_t at, std::string_view bytes) {
    payload_.insert(at, bytes);
    if (at <= split_) split_ += bytes.size();
  }
  size_t size() const { return payload_.size(); }
  uint64_t split() const { return split_; }

  Streams Make() const {
    recipe::Migration recipe = recipe_;
    recipe::Carried& carried =
        *recipe.add_devices()->mutable_vendor()->mutable_carried();
    carried.set_bytes(payload_);
    carried.set_pre_copy_bytes(split_);
    const uint8_t* id = AsBytes(id_).data();
    carried.set_pci_vendor(LoadLe16(id));
    carried.set_pci_device(LoadLe16(id + 2));
    auto made = Generate(recipe);
    EXPECT_TRUE(made.ok()) << made.status();
    Streams streams = {made->main.bytes};
    for (const MarkedBytes& channel : made->channels) {
      streams.channels.push_back(channel.bytes);
    }
    return streams;
  }

 private:
  recipe::Migration recipe_;
  std::string payload_;
  std::string id_;
  uint64_t split_ = 0;
};

// Without the device's name.
std::vector<std::string> Lines(const Stream& a, const Stream& b,
                               bool ignore_cuts = true) {
  std::vector<std::string> lines;
  for (const std::string& line : Diff(a.Make(), b.Make(), ignore_cuts)) {
    lines.push_back(line.substr(line.find(": ") + 2));
  }
  return lines;
}

TEST(PayloadDiffTest, FieldsHaveTheirDriversNames) {
  Stream a("mtty {}"), b = a;
  b.Put(24 + 24, std::string("\x09\x00\x09", 3));  // head, tail and count
  b.Flip(24 + 8);
  a.Put(24 + 24, std::string("\x00\x00\x00", 3));
  EXPECT_THAT(Lines(a, b), ElementsAre("payload port0 fifo: 16 bytes | differ",
                                       "payload port0 head: 0 | 9",
                                       "payload port0 count: 0 | 9"));
}

TEST(PayloadDiffTest, TheSamePayloadInOtherRecordsDoesNotDiffer) {
  Stream a("virtio { snapshots: 3 }");
  EXPECT_THAT(Lines(a, a), IsEmpty());
  Stream multifd("virtio { snapshots: 3 }", recipe::V111M);
  EXPECT_THAT(Lines(a, multifd), Not(Contains(HasSubstr("payload"))));
}

TEST(PayloadDiffTest, AnInsertedRecordShiftsNothing) {
  Stream a("mlx5 { increments: 1 final_images: 2 }"), b = a;
  const std::string increment("\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0WXYZ", 20);
  b.Insert(b.split(), increment);
  EXPECT_THAT(Lines(a, b),
              ElementsAre(StrCat("payload bytes: ", a.size(), " | ", b.size()),
                          "payload FW_DATA 2 of pre-copy:  | 4 bytes"));
  b.Flip(b.size() - 1);
  EXPECT_THAT(
      Lines(a, b),
      Contains("payload FW_DATA 1 of stop-copy 0x1ff-0x1ff: 1 bytes | differ"));
}

TEST(PayloadDiffTest, BodiesWithoutFieldsAreComparedAsBytesOfTheirRecord) {
  Stream a("xe { gts: 2 vram_bytes: 12288 vram_packets: 3 }"), b = a;
  // The trailer, the second GT's records, then the last VRAM.
  const size_t vram_end = a.size() - 24 - (24 + 16) - (24 + 256);
  b.Flip(vram_end - 1);
  EXPECT_THAT(Lines(a, b), ElementsAre("payload GT 0 VRAM 0x2000 0xfff-0xfff: "
                                       "1 bytes | differ"));
}

TEST(PayloadDiffTest, PartsOfADeviceAreFoundByTheirSelector) {
  Stream a("virtio { snapshots: 1 queues: 2 }");
  Stream more("virtio { snapshots: 1 queues: 3 }");
  std::vector<std::string> lines = Lines(a, more);
  EXPECT_THAT(lines, Contains("payload PCI_COMMON_CFG 18 value: 0x2 | 0x3"));
  EXPECT_THAT(lines, Contains("payload VQ_CFG 2:  | 32 bytes"));
  EXPECT_THAT(lines, Contains("payload VQ_NOTIFY_CFG 2:  | 8 bytes"));
  EXPECT_THAT(lines, Not(Contains(HasSubstr("VQ_NOTIFY_CFG 1"))));
}

TEST(PayloadDiffTest, ADevicesLastSnapshotsAreHeldAgainstEachOther) {
  Stream a("virtio { snapshots: 2 }"), b("virtio { snapshots: 4 }");
  std::vector<std::string> lines = Lines(a, b);
  EXPECT_THAT(lines, Contains(HasSubstr("payload DEVICE_DATA 3 before the "
                                        "last:  | ")));
  EXPECT_THAT(lines, Not(Contains(HasSubstr("payload DRV_FEATURES"))));
}

TEST(PayloadDiffTest, PayloadsOfTwoDriversAreBytes) {
  std::vector<std::string> lines = Lines(Stream("mtty {}"), Stream("qat {}"));
  EXPECT_THAT(lines, Contains("payload's driver: mtty | qat"));
  EXPECT_THAT(lines, Contains(HasSubstr("payload 0x0-")));
}

TEST(PayloadDiffTest, WhatStandsBehindBrokenFramingIsCompared) {
  Stream a("qat {}"), b = a;
  // gencap of 4000 bytes: the walk ends there, in both.
  a.Put(16 + 16 + 8, std::string("\xa0\x0f\0\0", 4));
  b.Put(16 + 16 + 8, std::string("\xa0\x0f\0\0", 4));
  b.Flip(2000);
  EXPECT_THAT(Lines(a, b), Contains(HasSubstr("payload beyond its records")));
}

// ---- Within one stream ----

std::vector<std::string> Within(const Stream& stream, size_t& devices) {
  StreamState state;
  EXPECT_TRUE(Read(stream.Make(), state).ok());
  std::vector<Difference> differences;
  Error error = CompareSnapshots(state, {}, differences, devices);
  EXPECT_TRUE(error.ok()) << ToString(error);
  std::vector<std::string> lines;
  for (const Difference& d : differences) {
    lines.push_back(StrCat(d.what, ": ", d.a, " | ", d.b));
  }
  return lines;
}

TEST(PayloadDiffTest, WhatTheGuestChangedMeanwhile) {
  size_t devices = 0;
  std::vector<std::string> lines =
      Within(Stream("virtio { snapshots: 3 queues: 1 }"), devices);
  EXPECT_EQ(devices, 1u);
  EXPECT_THAT(lines, Contains(HasSubstr("payload DEVICE_STATUS device_status: "
                                        "0x3 ACKNOWLEDGE DRIVER | 0xf")));
  EXPECT_THAT(lines, Contains("payload VQ_CFG 0 enabled: 0 | 1"));
  EXPECT_THAT(lines, Not(Contains(HasSubstr("FEATURES feature_bits"))));
}

TEST(PayloadDiffTest, TheFirstImageIsHeldAgainstTheFinalOne) {
  size_t devices = 0;
  EXPECT_THAT(Within(Stream("mlx5 {}"), devices),
              Contains("payload FW_DATA bytes: 4096 | 512"));
  EXPECT_EQ(devices, 1u);
}

TEST(PayloadDiffTest, DriversThatSendOneSnapshotHaveNothingToCompare) {
  for (const char* vendor : {"mtty {}", "qat {}", "xe {}", "pds {}"}) {
    size_t devices = 1;
    EXPECT_THAT(Within(Stream(vendor), devices), IsEmpty());
    EXPECT_EQ(devices, 0u) << vendor;
  }
}

}  // namespace
}  // namespace migstream
