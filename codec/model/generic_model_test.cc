#include "codec/model/generic_model.h"

#include <string>
#include <vector>

#include "codec/model/compatibility.h"
#include "codec/payload/payload_tally.h"
#include "codec/wire/bytes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testdata/payloads.h"

namespace migstream {
namespace {

using testing::HasSubstr;

// A device with these ids and nothing more.
std::vector<uint8_t> ConfigSpace(uint16_t vendor, uint16_t device) {
  std::vector<uint8_t> config(4096);
  config[0] = static_cast<uint8_t>(vendor);
  config[1] = static_cast<uint8_t>(vendor >> 8);
  config[2] = static_cast<uint8_t>(device);
  config[3] = static_cast<uint8_t>(device >> 8);
  config[0x08] = 2;
  config[0x2c] = 0xb3;
  config[0x2d] = 0x15;
  return config;
}

// From a payload of ours.
ModelDescription Describe(std::string_view payload, uint16_t vendor,
                          uint16_t device,
                          std::optional<KernelRelease> kernel = {}) {
  const std::string bytes = ReadPayload(GetPayload(payload));
  PayloadTally tally({.id = PciId{vendor, device}});
  tally.Add(AsBytes(bytes), {});
  return DescribeDevice(ConfigSpace(vendor, device), tally.Finish(), kernel);
}

std::string Answer(const ModelDescription& source,
                   const ModelDescription& destination) {
  Compatibility answer =
      CheckCompatible(InitialConfig(source), {&destination, 1});
  return answer.why_not ? ToString(*answer.why_not) : "";
}

TEST(GenericModelTest, ADeviceIsItsIdsItsDriverAndItsCapacities) {
  EXPECT_EQ(
      CanonicalDevice(InitialConfig(Describe("mtty-2port", 0x4348, 0x3253))),
      "pci://4348.3253.15b3.0000,config-bytes=4096,driver=mtty,"
      "msix-vectors=0,payload=1.0,ports=2,revision=2");
  EXPECT_EQ(
      CanonicalDevice(InitialConfig(Describe("mlx5-stopcopy", 0x15b3, 0x101e))),
      "pci://15b3.101e.15b3.0000,config-bytes=4096,"
      "driver=mlx5_vfio_pci,msix-vectors=0,payload=records-with-tags,"
      "revision=2");
}

TEST(GenericModelTest, ItIsCompatibleWithItself) {
  for (const testdata::Payload& payload : AllPayloads()) {
    ModelDescription model = Describe(payload.name(), 0x1af4, 0x1041);
    EXPECT_EQ(Answer(model, model), "") << payload.name();
    EXPECT_EQ(Prepare(model), "") << payload.name();
  }
}

TEST(GenericModelTest, AnotherCapacityIsTheReason) {
  EXPECT_EQ(Answer(Describe("mtty-2port", 0x4348, 0x3253),
                   Describe("mtty-1port", 0x4348, 0x3253)),
            "ports is 2, the destination allows 1");
}

TEST(GenericModelTest, AnotherDeviceIsTheReason) {
  EXPECT_EQ(Answer(Describe("mlx5-stopcopy", 0x15b3, 0x101e),
                   Describe("mlx5-stopcopy", 0x15b3, 0x1016)),
            "the destination does not offer pci://15b3.101e.15b3.0000, but "
            "pci://15b3.1016.15b3.0000");
}

// A kernel reads what older ones wrote, and not what later ones write.
TEST(GenericModelTest, AKernelReadsWhatItsDriverReads) {
  const ModelDescription v1 = Describe("hisi-v1", 0x19e5, 0xa251);
  const ModelDescription v2 = Describe("hisi-v2-stopcopy", 0x19e5, 0xa251);
  const ModelDescription new_kernel =
      Describe("hisi-v2-stopcopy", 0x19e5, 0xa251, KernelRelease{6, 17});
  EXPECT_EQ(Answer(v1, new_kernel), "");
  EXPECT_EQ(Answer(v1, v2), "payload is V1, the destination allows V2");
  EXPECT_EQ(
      Answer(v2, Describe("hisi-v1", 0x19e5, 0xa251, KernelRelease{6, 6})),
      "payload is V2, the destination allows V1");
}

TEST(GenericModelTest, WhatNobodyKnowsIsItsConfigurationSpaceAlone) {
  PayloadTally tally;
  const PayloadReport report = tally.Finish();
  EXPECT_EQ(
      CanonicalDevice(InitialConfig(
          DescribeDevice(ConfigSpace(0x8086, 0x1889), report, {}))),
      "pci://8086.1889.15b3.0000,config-bytes=4096,msix-vectors=0,revision=2");
}

}  // namespace
}  // namespace migstream
