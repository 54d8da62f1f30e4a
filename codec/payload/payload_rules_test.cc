// Each finding, from a sound payload with one thing changed; and what kernels
// of which release say to which payload.

#include "codec/payload/payload_rules.h"

#include <string>

#include "codec/payload/payload_tally.h"
#include "codec/payload/payload_verdict.h"
#include "codec/payload/report_lines.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testdata/payloads.h"

namespace migstream {
namespace {

using payload::Moment;
using testdata::Payload;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

PciId IdOf(const Payload& truth) {
  return {
      static_cast<uint16_t>(
          std::stoul(truth.pci_id().substr(0, 4), nullptr, 16)),
      static_cast<uint16_t>(std::stoul(truth.pci_id().substr(5), nullptr, 16))};
}

struct Damage {
  std::string name;  // Of the test.
  std::string sample;
  size_t at = 0;
  std::string bytes;       // Written there; none: the payload is cut off there.
  std::string finding;     // "payload-cut error 24".
  std::string error = {};  // What a kernel refuses it with, if it does.
};

std::string Bytes(uint64_t value, int width) {
  std::string bytes;
  for (int i = 0; i < width; ++i, value >>= 8) {
    bytes.push_back(static_cast<char>(value));
  }
  return bytes;
}

std::vector<Damage> Damages() {
  return {
      // mlx5-precopy: 0 STOP_COPY_SIZE, 24 FW_DATA 4096, 4136, 4408, 4488.
      {"Mlx5Cut", "mlx5-precopy", 5000, "", "payload-cut error 4488"},
      {"Mlx5CutHeader", "mlx5-precopy", 4500, "", "payload-cut error 4488"},
      {"Mlx5NoFinal", "mlx5-precopy", 4488, "", "payload-no-final error 4488"},
      {"Mlx5MandatoryTag", "mlx5-precopy", 36, Bytes(5, 4),
       "payload-unknown-tag error 24", "EOPNOTSUPP"},
      {"Mlx5OptionalTag", "mlx5-precopy", 32, Bytes(1, 4) + Bytes(5, 4),
       "payload-unknown-tag note 24"},
      {"Mlx5Flags", "mlx5-precopy", 32, Bytes(4, 4),
       "payload-reserved warning 32"},
      {"Mlx5OptionalImage", "mlx5-precopy", 32, Bytes(1, 4),
       "payload-value warning 32"},
      {"Mlx5TooLong", "mlx5-precopy", 28, Bytes(1, 4), "payload-cut error 24",
       "ENOMEM"},
      {"Mlx5HugeStopCopySize", "mlx5-precopy", 16, Bytes(0xfffff000, 8),
       "payload-value warning 16"},
      {"Mlx5OddStopCopySize", "mlx5-precopy", 16, Bytes(0x1001, 8),
       "payload-value warning 16"},
  };
}

std::vector<Damage> HisiAndVirtioDamages() {
  return {
      // hisi-v2-zip: 0 match, 40 registers.
      {"HisiShort", "hisi-v2-zip", 100, "", "payload-length error 100",
       "EINVAL"},
      {"HisiNotMatched", "hisi-v2-zip", 39, "", "payload-length error 39",
       "EINVAL"},
      {"HisiQueues", "hisi-v2-zip", 8, Bytes(0, 4), "payload-value error 8",
       "EFAULT"},
      {"HisiDevice", "hisi-v2-zip", 12, Bytes(0xa256, 4),
       "payload-device error 12", "EFAULT"},
      {"HisiMajor", "hisi-v2-zip", 28, Bytes(3, 2), "payload-version error 28",
       "EFAULT"},
      {"HisiMinorIsNotCompared", "hisi-v2-zip", 30, Bytes(3, 2), ""},
      {"HisiReserved", "hisi-v2-zip", 36, Bytes(1, 4),
       "payload-reserved warning 32"},
      {"HisiPadding", "hisi-v2-zip", 140, Bytes(1, 4),
       "payload-reserved warning 120"},
      {"HisiDmaNull", "hisi-v2-zip", 160, Bytes(0, 8),
       "payload-dma-null warning 160"},
      {"HisiEqe", "hisi-v2-zip", 144, Bytes(1, 8), "payload-value warning 144"},
      {"HisiNotReadyWithRegisters", "hisi-v2-zip", 24, Bytes(1, 4),
       "payload-value warning 24"},
      {"HisiMagic", "hisi-v2-zip", 0, Bytes(7, 8), "payload-driver error 0",
       "EFAULT"},
      // virtio-net-precopy: the last snapshot is at 1173; its parts: 1189
      // DEV_FEATURES, 1213 DRV_FEATURES, 1237 PCI_COMMON_CFG of offset 0.
      {"VirtioCut", "virtio-net-precopy", 1300, "", "payload-cut error 1173"},
      {"VirtioNoFinal", "virtio-net-precopy", 1173, "",
       "payload-no-final error 1173"},
      {"VirtioPartOverrun", "virtio-net-precopy", 1201, Bytes(4000, 4),
       "payload-nesting error 1189"},
      {"VirtioReserved", "virtio-net-precopy", 1192, Bytes(1, 1),
       "payload-reserved warning 1189"},
      {"VirtioFeatures", "virtio-net-precopy", 1236, Bytes(0x80, 1),
       "payload-value warning 1213"},
      {"VirtioWidth", "virtio-net-precopy", 1241, Bytes(20, 4),
       "payload-value warning 1237"},
      {"VirtioSameOffset", "virtio-net-precopy", 1241, Bytes(8, 4),
       "payload-value error 1257"},
      {"VirtioReservedPart", "virtio-net-precopy", 1189, Bytes(0x700, 2),
       "payload-unknown-tag note 1189"},
      {"VirtioStatus", "virtio-net-precopy", 1347, Bytes(3, 1),
       "payload-value warning 1173"},
  };
}

std::vector<Damage> OtherDamages() {
  return {
      // qat: 0 setup, 90 state, 340 bnk0/mregs, 2340 zero fill.
      {"QatIdsFill", "qat", 112, Bytes(0x20, 1),
       "payload-reserved warning 106"},
      {"QatStateSizeIsNotLookedAt", "qat", 102, Bytes(0x100, 4),
       "payload-nesting error 308"},
      {"QatSectionBeyondTheBuffer", "qat", 114, Bytes(5000, 4),
       "payload-nesting error 106", "EINVAL"},
      {"QatLength", "qat", 4095, "", "payload-length warning 4095"},
      {"QatCut", "qat", 1000, "", "payload-cut error 90"},
      {"QatStateVersion", "qat", 94, Bytes(2, 4), "payload-version error 94",
       "EINVAL"},
      {"QatStateMagic", "qat", 90, Bytes(1, 4), "payload-missing error 90",
       "EINVAL"},
      {"QatSetupMagic", "qat", 0, Bytes(1, 4), "payload-driver error 0",
       "EINVAL"},
      {"QatRenamedSection", "qat", 32, "gencup", "payload-missing error 0",
       "EINVAL"},
      {"QatUnknownSection", "qat", 188, "vizrc",
       "payload-unknown-tag note 188"},
      {"QatCount", "qat", 28, Bytes(4, 4), "payload-nesting error 16",
       "EINVAL"},
      {"QatSvcmapSize", "qat", 60, Bytes(200, 4), "payload-nesting error 52",
       "EINVAL"},
      {"QatTail", "qat", 4095, Bytes(1, 1), "payload-reserved warning 4095"},
      {"QatCompver", "qat", 155, Bytes(0, 1), "payload-value warning 139"},
      // xe-bmg: 0 DESCRIPTOR, 40 GUC, 320 GGTT, 408 MMIO, 448 GUC of GT 1,
      // 600 VRAM, 9928 TRAILER.
      {"XeCut", "xe-bmg", 9900, "", "payload-cut error 8880", ""},
      {"XeType0", "xe-bmg", 41, Bytes(0, 1), "payload-value error 40",
       "EINVAL"},
      {"XeGt", "xe-bmg", 43, Bytes(7, 1), "payload-value error 40", "EINVAL"},
      {"XeFlags", "xe-bmg", 44, Bytes(7, 1), "payload-reserved warning 44"},
      {"XeOffset", "xe-bmg", 48, Bytes(7, 1), "payload-value warning 48"},
      {"XeDevice", "xe-bmg", 28, Bytes(0xe202, 4), "payload-device error 24",
       "ENODEV"},
      {"XeKlvOverrun", "xe-bmg", 32, Bytes(9, 2), "payload-nesting error 32",
       "ENODATA"},
      {"XeNoDescriptor", "xe-bmg", 1, Bytes(9, 1), "payload-missing warning 0"},
      {"XeTwoDescriptors", "xe-bmg", 41, Bytes(1, 1),
       "payload-two-sessions error 40", "ENODATA"},
      // mtty-2port: 0 header, 24 and 60 ports.
      {"MttyMagic", "mtty-2port", 0, Bytes(1, 1), "payload-driver error 0",
       "EFAULT"},
      {"MttyMajor", "mtty-2port", 8, Bytes(2, 4), "payload-version error 8",
       "EFAULT"},
      {"MttyPorts", "mtty-2port", 16, Bytes(3, 4), "payload-value error 16",
       "EFAULT"},
      {"MttyOnePort", "mtty-2port", 16, Bytes(1, 4), "payload-length error 60",
       "ENOMEM"},
      {"MttyFlags", "mtty-2port", 20, Bytes(1, 4), "payload-value error 20",
       "EFAULT"},
      {"MttyTail", "mtty-2port", 24 + 25, Bytes(16, 1),
       "payload-value error 24"},
      {"MttyCount", "mtty-2port", 60 + 26, Bytes(3, 1),
       "payload-value warning 60"},
      {"MttyHeaderAlone", "mtty-2port", 24, "", "payload-length error 24",
       "EINVAL"},
  };
}

// Where the kernel's code decides otherwise than its format looks.
std::vector<Damage> Surprises() {
  return {
      {"QatIdsFill", "qat", 112, Bytes(0x20, 1),
       "payload-reserved warning 106"},
      {"QatStateSizeIsNotLookedAt", "qat", 102, Bytes(0x100, 4),
       "payload-nesting error 308"},
      {"QatSectionBeyondTheBuffer", "qat", 114, Bytes(5000, 4),
       "payload-nesting error 106", "EINVAL"},
      {"XeAfterTheTrailer", "xe-bmg", 9952, "more", "payload-cut error 9952"},
      {"MttyLessThanItsMagic", "mtty-2port", 5, "", "payload-driver error 0",
       "EINVAL"},
      {"MttyNothing", "mtty-2port", 0, "", "payload-no-final error 0",
       "EINVAL"},
  };
}

std::string Edited(const Damage& damage) {
  std::string bytes = ReadPayload(GetPayload(damage.sample));
  if (damage.bytes.empty()) return bytes.substr(0, damage.at);
  return bytes.replace(damage.at, damage.bytes.size(), damage.bytes);
}

class DamageTest : public testing::TestWithParam<Damage> {};

TEST_P(DamageTest, IsFoundWhereItIs) {
  const Damage& damage = GetParam();
  const Payload& truth = GetPayload(damage.sample);
  PayloadReport report = TallyInPieces(AsBytes(Edited(damage)), IdOf(truth),
                                       truth.phase_split(), 100);
  std::vector<std::string> found;
  for (const PayloadFinding& finding : report.findings) {
    found.push_back(StrCat(GetRow(finding.id).name, " ",
                           ToString(finding.severity), " ", finding.offset));
  }
  if (damage.finding.empty()) {
    EXPECT_THAT(found, IsEmpty());
  } else {
    EXPECT_THAT(found, Contains(damage.finding));
  }
  PayloadVerdict verdict = Judge(report, kNewestKernel);
  EXPECT_EQ(verdict.refusal.error, damage.error) << verdict.text;
}

constexpr auto kName = [](const auto& info) { return info.param.name; };
INSTANTIATE_TEST_SUITE_P(Each, DamageTest, testing::ValuesIn(Damages()), kName);
INSTANTIATE_TEST_SUITE_P(Hisi, DamageTest,
                         testing::ValuesIn(HisiAndVirtioDamages()), kName);
INSTANTIATE_TEST_SUITE_P(Others, DamageTest, testing::ValuesIn(OtherDamages()),
                         kName);
INSTANTIATE_TEST_SUITE_P(Kernel, DamageTest, testing::ValuesIn(Surprises()),
                         kName);

PayloadReport Sample(std::string_view name) {
  const Payload& truth = GetPayload(name);
  return TallyInPieces(AsBytes(ReadPayload(truth)), IdOf(truth),
                       truth.phase_split(), 1000);
}

TEST(PhaseTest, APrefixIsAllThatTravelsEarly) {
  const Payload& truth = GetPayload("qat");
  std::string bytes = ReadPayload(truth);
  PayloadReport report = TallyInPieces(AsBytes(bytes), IdOf(truth), 100, 1000);
  ASSERT_EQ(report.findings.size(), 1);
  EXPECT_EQ(report.findings[0].text, "100 bytes in pre-copy, 90 at the most");
  EXPECT_EQ(report.findings[0].offset, 90);
  // Less is a switchover that came early.
  EXPECT_THAT(TallyInPieces(AsBytes(bytes), IdOf(truth), 50, 1000).findings,
              IsEmpty());
}

TEST(PhaseTest, InitialBytesComeBeforeInitDataSent) {
  std::string bytes = ReadPayload(GetPayload("mlx5-precopy"));
  PayloadTally tally;
  tally.Add(AsBytes(bytes).first(24), {});
  tally.InitialDataSent();
  tally.Add(AsBytes(bytes).subspan(24, 4488 - 24), {});
  tally.BeginStopCopy();
  tally.Add(AsBytes(bytes).subspan(4488), {});
  PayloadReport report = tally.Finish();
  ASSERT_EQ(report.findings.size(), 1);
  EXPECT_EQ(report.findings[0].id, PayloadFindingId::kInitEarly);
  EXPECT_EQ(report.findings[0].text,
            "INIT_DATA_SENT after 24 of 4136 initial bytes");
}

TEST(VerdictTest, AReleaseReadsTheGenerationsOfItsRow) {
  PayloadReport tags = Sample("mlx5-precopy");
  EXPECT_EQ(Judge(tags, {5, 15}).fate, PayloadFate::kNoDriver);
  EXPECT_EQ(Judge(tags, {6, 1}).fate, PayloadFate::kDeviceDecides);
  EXPECT_EQ(Judge(tags, {6, 2}).refusal.error, "EOPNOTSUPP");
  EXPECT_EQ(Judge(tags, {6, 3}).fate, PayloadFate::kAccepted);
  EXPECT_EQ(Judge(tags, {7, 3}).fate, PayloadFate::kAccepted);

  PayloadReport raw = Sample("mlx5-raw");
  EXPECT_EQ(Judge(raw, {6, 1}).fate, PayloadFate::kAccepted);
  EXPECT_EQ(Judge(raw, {6, 8}).fate, PayloadFate::kAccepted);
  EXPECT_EQ(Judge(raw, {6, 9}).refusal.error, "ENOMEM");

  PayloadReport v2 = Sample("hisi-v2-zip");
  EXPECT_EQ(Judge(v2, {6, 12}).text,
            "linux-6.12: hisi_acc_vfio_pci refuses it at the write: "
            "EFAULT, \"failed to match ACC_DEV_MAGIC\"; late 6.1.y and 6.12.y "
            "read V2 as well");
  EXPECT_EQ(Judge(v2, {6, 16}).fate, PayloadFate::kAccepted);
  EXPECT_EQ(Judge(Sample("hisi-v1"), {5, 18}).fate, PayloadFate::kAccepted);
}

TEST(VerdictTest, ADeviceMayBeYoungerThanItsDriver) {
  EXPECT_EQ(Judge(Sample("qat"), {6, 12}).fate, PayloadFate::kAccepted);
  PayloadVerdict verdict = Judge(Sample("qat-420xx"), {6, 12});
  EXPECT_EQ(verdict.fate, PayloadFate::kNoDriver);
  EXPECT_EQ(verdict.text, "linux-6.12: no qat_vfio_pci for it before 6.18");
}

TEST(VerdictTest, WhatIsLostInSilenceIsSaid) {
  PayloadVerdict verdict = Judge(Sample("mlx5-bad-cut"), kNewestKernel);
  EXPECT_EQ(verdict.fate, PayloadFate::kAcceptedWithLoss);
  EXPECT_THAT(verdict.text, HasSubstr("does not notice: FW_DATA wants 512"));
}

TEST(VerdictTest, AnErrorMayBeAnotherInAnOlderRelease) {
  std::string bytes = ReadPayload(GetPayload("xe-bmg"));
  bytes[32] = 9;
  PayloadReport report =
      TallyInPieces(AsBytes(bytes), PciId{0x8086, 0xe20b}, 0, 1000);
  EXPECT_EQ(Judge(report, {7, 2}).refusal.error, "EINVAL");
  EXPECT_EQ(Judge(report, {7, 3}).refusal.error, "ENODATA");
}

TEST(KernelReleaseTest, Parses) {
  EXPECT_EQ(ParseKernelRelease("linux-6.12"), (KernelRelease{6, 12}));
  EXPECT_EQ(ParseKernelRelease("6.1.176"), (KernelRelease{6, 1}));
  for (std::string_view bad :
       {"", "6", "6.", "6.x", "qemu-6.1", "6.1.2.3", "-6.1", "6.123456789"}) {
    EXPECT_FALSE(ParseKernelRelease(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace migstream
