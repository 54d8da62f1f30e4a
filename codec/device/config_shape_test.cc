#include "codec/device/config_shape.h"

#include <string>
#include <vector>

#include "codec/device/config_bytes.h"
#include "codec/device/config_view.h"
#include "codec/qemu/decode_stream.h"
#include "codec/wire/text.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

// The device that the captures' QEMUs were given: interop/vfioshim.c.
std::vector<uint8_t> CapturedDevice() {
  std::vector<uint8_t> config(4096);
  const std::pair<uint32_t, uint32_t> rows[] = {
      {0x000, 0x18898086}, {0x004, 0x00100000}, {0x008, 0x02000002},
      {0x010, 0xe000000c}, {0x01c, 0xe100000c}, {0x02c, 0x00018086},
      {0x034, 0x40},       {0x040, 0x00037001}, {0x044, 0x00000008},
      {0x070, 0x0004a011}, {0x074, 0x00000003}, {0x078, 0x00002003},
      {0x0a0, 0x00020010}, {0x0a4, 0x10008001}, {0x0a8, 0x00002010},
      {0x0ac, 0x00000081}, {0x0b0, 0x00810000}, {0x100, 0x14020001},
      {0x108, 0x00462030}, {0x140, 0x00010003}, {0x144, 0x5af10000},
      {0x148, 0x76666900}};
  for (auto [at, value] : rows) StoreLe32(&config[at], value);
  return config;
}

// The config space of a capture's first device, as QEMU saved it.
std::string SavedConfig(std::string_view name) {
  const std::string stream = ReadCapture(GetCapture(name));
  StreamDecoder decoder({.content_length = KnownLengths::Of(stream)});
  ByteSpan input = AsBytes(stream);
  for (StreamEvent event; decoder.Next(input, event) == Step::kEvent;) {
    if (event.kind == StreamEvent::kDevice &&
        event.device.kind == EventKind::kConfig) {
      return std::string(
          AsText(ConfigView::Parse(event.device.payload, event.device.layout)
                     .pci_config));
    }
  }
  return "";
}

TEST(ConfigShapeTest, RealQemusSavedWhatIsMadeHere) {
  struct {
    std::string_view capture;
    PciPlace place;
    Release release;
  } cases[] = {{"s111-stop3m", PciPlace::kRootComplex, 1101},
               {"s100-stop3m", PciPlace::kRootComplex, 1000},
               {"s72-stop3m", PciPlace::kRootComplex, 702},
               {"s100-rootport", PciPlace::kPort, 1000}};
  for (const auto& row : cases) {
    const std::string saved = SavedConfig(row.capture);
    EXPECT_EQ(WhyConfigRefused(AsBytes(saved), CapturedDevice(), row.place,
                               row.release),
              "")
        << row.capture;
    // Not only in the bits that are compared: the capability as a whole.
    ShapedConfig shaped = ShapeConfig(CapturedDevice(), row.place);
    EXPECT_TRUE(IsSame(AsBytes(saved).subspan(0xa0, 0x14),
                       ByteSpan(shaped.config).subspan(0xa0, 0x14)))
        << row.capture;
  }
}

TEST(ConfigShapeTest, TheDevicesOwnConfigIsRefusedByName) {
  EXPECT_EQ(WhyConfigRefused(CapturedDevice(), CapturedDevice(),
                             PciPlace::kRootComplex, 1101),
            "the destination's EXP + 0x2 is 0x0092, saved was 0x0002");
  EXPECT_EQ(WhyConfigRefused(CapturedDevice(), CapturedDevice(),
                             PciPlace::kPort, 1101),
            "");
}

TEST(ConfigShapeTest, AnotherDeviceIsRefusedByName) {
  std::vector<uint8_t> other = CapturedDevice();
  other[0x08] = 3;
  EXPECT_EQ(WhyConfigRefused(other, CapturedDevice(), PciPlace::kPort, 1101),
            "the destination's revision is 0x02, saved was 0x03");
  other.resize(256);
  EXPECT_EQ(WhyConfigRefused(other, CapturedDevice(), PciPlace::kPort, 1101),
            "the destination's configuration space has 4096 bytes, saved were "
            "256");
}

TEST(ConfigShapeTest, BehindABridgeTheExpressCapabilityIsHidden) {
  ShapedConfig shaped = ShapeConfig(CapturedDevice(), PciPlace::kBehindBridge);
  EXPECT_EQ(shaped.config[0x71], 0) << "MSI-X was linked to it";
  EXPECT_EQ(LoadLe32(&shaped.config[0x100]), 0u);
  shaped = ShapeConfig(CapturedDevice(), PciPlace::kConventional);
  EXPECT_EQ(shaped.config[0x71], 0xa0);
}

TEST(ConfigShapeTest, ARootComplexEndpointInAPortGetsALink) {
  std::vector<uint8_t> device = CapturedDevice();
  device[0xa2] = 0x92;
  ShapedConfig shaped = ShapeConfig(device, PciPlace::kPort);
  EXPECT_EQ(shaped.config[0xa2], 0x02);
  EXPECT_EQ(LoadLe32(&shaped.config[0xac]), 0x11u);
}

TEST(ConfigShapeTest, ABridgeCannotBeAssigned) {
  std::vector<uint8_t> device = CapturedDevice();
  device[0xa2] = 0x42;
  EXPECT_EQ(ShapeConfig(device, PciPlace::kPort).refused,
            "PCI Express type 4 is no endpoint");
}

TEST(ConfigShapeTest, ExtendedCapabilitiesThatQemuHidesAreLeftOut) {
  std::vector<uint8_t> device = CapturedDevice();
  StoreLe32(&device[0x140], 0x18010010);  // SR-IOV, then the serial number.
  StoreLe32(&device[0x180], 0x00010003);
  ShapedConfig shaped = ShapeConfig(device, PciPlace::kPort);
  EXPECT_EQ(LoadLe32(&shaped.config[0x100]), 0x18020001u);
  StoreLe32(&device[0x100], 0x1401000e);  // ARI is the first.
  shaped = ShapeConfig(device, PciPlace::kPort);
  EXPECT_EQ(LoadLe32(&shaped.config[0x100]), 0x18000000u);
}

TEST(ConfigShapeTest, AListThatGoesRoundEnds) {
  std::vector<uint8_t> device = CapturedDevice();
  StoreLe32(&device[0x140], 0x10010010);
  EXPECT_EQ(ShapeConfig(device, PciPlace::kPort).config.size(), 4096u);
}

TEST(ConfigShapeTest, AnySizeButTheSmallOneIsTakenForTheLargeOne) {
  std::vector<uint8_t> device = CapturedDevice();
  device.resize(256);
  EXPECT_EQ(ShapeConfig(device, PciPlace::kConventional).config.size(), 256u);
  device.resize(255);  // As the kernel's mtty has it.
  EXPECT_EQ(ShapeConfig(device, PciPlace::kConventional).config.size(), 4096u);
}

}  // namespace
}  // namespace migstream
