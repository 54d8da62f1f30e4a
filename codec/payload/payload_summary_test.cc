// What people read of a payload.

#include "codec/payload/payload_summary.h"

#include <string>

#include "codec/payload/report_lines.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testdata/payloads.h"

namespace migstream {
namespace {

using testdata::Payload;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Not;
using testing::StartsWith;

std::vector<std::string> Lines(std::string_view name, PciId id) {
  const Payload& truth = GetPayload(name);
  std::vector<std::string> lines;
  for (const PayloadLine& line : Summarize(TallyInPieces(
           AsBytes(ReadPayload(truth)), id, truth.phase_split(), 1000))) {
    lines.push_back(StrCat(line.label, ": ", line.text));
  }
  return lines;
}

TEST(PayloadSummaryTest, Mlx5) {
  EXPECT_THAT(
      Lines("mlx5-precopy", {0x15b3, 0x101e}),
      ElementsAre(
          "driver: mlx5 (15b3:101e ConnectX or BlueField VF; bytes agree)",
          "generation: records with tags (6.3): needs mlx5_vfio_pci >= 6.3 on "
          "the destination; not in the stream: firmware, PSID and "
          "capabilities, which must match",
          "stop_copy_size: 73728, reserved for the final image",
          "early images: 3 of 4416 bytes (firmware)",
          "final images: 1 of 512 bytes (firmware)", "pre-copy: 4488 bytes",
          "stop-copy: 528 bytes", "records: 5, complete to the last byte"));
}

TEST(PayloadSummaryTest, HisiAcc) {
  EXPECT_THAT(
      Lines("hisi-v2-zip", {0x19e5, 0xa251}),
      AllOf(Contains("match: qp_num 16, dev_id 0xa251, que_iso_cfg 0x1f, "
                     "qp_base 32"),
            Contains("state: vf_qm_state 0 ready, major_ver 1, minor_ver 0")));
  EXPECT_THAT(Lines("hisi-notready", {0x19e5, 0xa251}),
              Contains("state: vf_qm_state 1 not ready, major_ver 1, "
                       "minor_ver 0"));
}

TEST(PayloadSummaryTest, Virtio) {
  EXPECT_THAT(Lines("virtio-net-precopy", {0x1af4, 0x1041}),
              AllOf(Contains("snapshots: 4; the last one counts"),
                    Contains("DRV_FEATURES: 0x930010020 INDIRECT_DESC "
                             "EVENT_IDX VERSION_1 IN_ORDER"),
                    Contains("DEVICE_STATUS: 0xf ACKNOWLEDGE DRIVER DRIVER_OK "
                             "FEATURES_OK"),
                    Contains("virtqueues: 3 of num_queues 3")));
}

TEST(PayloadSummaryTest, Qat) {
  EXPECT_THAT(
      Lines("qat-420xx", {0x8086, 0x4947}),
      AllOf(Contains(StartsWith("generation: mstate version 1: needs "
                                "qat_vfio_pci >= 6.10 on the destination (for "
                                "8086:4947 >= 6.18); gencap")),
            Contains("services: comp comp comp comp"), Contains("banks: 4")));
}

TEST(PayloadSummaryTest, Xe) {
  EXPECT_THAT(
      Lines("xe-bad-no-trailer", {0x8086, 0xe20b}),
      AllOf(Contains("packets: 2 GTs, GUC 384 bytes (firmware), GGTT 8 PTEs, "
                     "VRAM 9216 bytes"),
            Contains("trailer: no"),
            Contains("pre-copy: 0 bytes; this driver has no PRE_COPY: all of "
                     "it is downtime")));
}

TEST(PayloadSummaryTest, Mtty) {
  EXPECT_THAT(Lines("mtty-1port", {0x4348, 0x3253}),
              AllOf(Contains("port0: count 12, head 12, tail 0, divisor 12, "
                             "fcr 0x1, intr_trigger_level 1"),
                    Not(Contains(StartsWith("port1")))));
}

TEST(PayloadSummaryTest, WhatDisagreesOrHasNoMarkIsSaidSo) {
  EXPECT_THAT(Lines("mtty-1port", {0x15b3, 0x101e}),
              Contains("driver: mtty (15b3:101e ConnectX or BlueField VF; "
                       "bytes disagree)"));
  EXPECT_THAT(Lines("pds", {0x1dd8, 0x1003}),
              Contains("driver: pds (1dd8:1003 Pensando VF; no mark)"));
  EXPECT_THAT(Lines("qat-bad-nesting", {0x8086, 0x4941}),
              Contains("records: 2, unreadable from 0x20"));
}

}  // namespace
}  // namespace migstream
