#include "codec/device/pci_config.h"

#include <vector>

#include "gtest/gtest.h"

namespace migstream {
namespace {

void Put(std::vector<uint8_t>& config, size_t at,
         std::initializer_list<uint8_t> bytes) {
  std::copy(bytes.begin(), bytes.end(), config.begin() + at);
}

// A network VF with PM at 0x40, MSI at 0x50, PCIe at 0x70 and MSI-X at 0xb0.
std::vector<uint8_t> Example() {
  std::vector<uint8_t> config(kPciConfigBytes);
  Put(config, 0x00,
      {0x86, 0x80,          // vendor 8086
       0x4c, 0x15,          // device 154c
       0x06, 0x04,          // command: memory, master, INTx off
       0x10, 0x00,          // status: capability list
       0x02,                // revision
       0x00, 0x00, 0x02});  // class 020000
  Put(config, 0x10, {0x0c, 0x00, 0x00, 0xfe,    // BAR0: 64-bit, prefetchable
                     0x01, 0x00, 0x00, 0x00,    // its upper half
                     0x01, 0xc0, 0x00, 0x00,    // BAR2: I/O 0xc000
                     0x00, 0x00, 0x00, 0x00,    // BAR3: none
                     0x00, 0x00, 0xe0, 0xfd});  // BAR4: 32-bit
  Put(config, 0x2c, {0xf4, 0x1a, 0x01, 0x11});  // subsystem 1af4:1101
  config[0x34] = 0x40;
  Put(config, 0x40, {0x01, 0x50});
  Put(config, 0x50, {0x05, 0x70, 0x8b, 0x01});  // MSI: on, 32 vectors, 64-bit
  Put(config, 0x60, {0x0f, 0x00, 0x00, 0x00});  // its mask bits
  Put(config, 0x70, {0x10, 0xb0});
  Put(config, 0xb0,
      {0x11, 0x00, 0x04, 0xc0,    // MSI-X: 5 vectors, on, masked
       0x03, 0x20, 0x00, 0x00,    // table: BAR3 + 0x2000
       0x03, 0x30, 0x00, 0x00});  // PBA: BAR3 + 0x3000
  return config;
}

TEST(PciConfigTest, NamesTheDevice) {
  PciConfig pci = PciConfig::Parse(Example());
  EXPECT_EQ(pci.vendor_id, 0x8086);
  EXPECT_EQ(pci.device_id, 0x154c);
  EXPECT_EQ(pci.class_code, 0x020000);
  EXPECT_EQ(pci.revision, 2);
  EXPECT_EQ(pci.subsystem_vendor_id, 0x1af4);
  EXPECT_EQ(pci.subsystem_id, 0x1101);
  EXPECT_EQ(PciClassName(pci.class_code), "network controller");
  EXPECT_EQ(PciCommandToString(pci.command), "MEMORY|MASTER|INTX_DISABLE");
}

TEST(PciConfigTest, A64BitBarTakesTwoRegisters) {
  PciConfig pci = PciConfig::Parse(Example());
  EXPECT_TRUE(pci.bars[0].is_64bit);
  EXPECT_TRUE(pci.bars[0].prefetchable);
  EXPECT_EQ(pci.bars[0].address, 0x1fe000000);
  EXPECT_FALSE(pci.bars[1].present);
  EXPECT_TRUE(pci.bars[2].io);
  EXPECT_EQ(pci.bars[2].address, 0xc000);
  EXPECT_FALSE(pci.bars[3].present);
  EXPECT_EQ(pci.bars[4].address, 0xfde00000);
}

TEST(PciConfigTest, TheCapabilityListIsWalkedInItsOrder) {
  PciConfig pci = PciConfig::Parse(Example());
  ASSERT_EQ(pci.capability_count, 4);
  EXPECT_EQ(PciCapabilityName(pci.capabilities[0].id), "PM");
  EXPECT_EQ(PciCapabilityName(pci.capabilities[3].id), "MSI-X");
  EXPECT_EQ(pci.capabilities[3].offset, 0xb0);
  EXPECT_TRUE(pci.express);
  EXPECT_FALSE(pci.capability_list_broken);
}

TEST(PciConfigTest, InterruptStateIsReadFromTheCapabilities) {
  PciConfig pci = PciConfig::Parse(Example());
  EXPECT_TRUE(pci.msi.enabled);
  EXPECT_EQ(pci.msi.vectors, 32);
  EXPECT_EQ(pci.msi.enabled_vectors, 1);
  EXPECT_TRUE(pci.msi.is_64bit);
  EXPECT_TRUE(pci.msi.per_vector_masking);
  EXPECT_EQ(pci.msi.mask_bits, 0xf);
  EXPECT_EQ(pci.msix.vectors, 5);
  EXPECT_TRUE(pci.msix.enabled);
  EXPECT_TRUE(pci.msix.function_mask);
  EXPECT_EQ(pci.msix.table_bar, 3);
  EXPECT_EQ(pci.msix.table_offset, 0x2000);
  EXPECT_EQ(pci.msix.pba_offset, 0x3000);
}

TEST(PciConfigTest, WithoutTheStatusBitThereIsNoList) {
  std::vector<uint8_t> config = Example();
  config[0x06] = 0;
  EXPECT_EQ(PciConfig::Parse(config).capability_count, 0);
  EXPECT_FALSE(PciConfig::Parse(config).msix.present);
}

TEST(PciConfigTest, ACapabilityOutsideTheListIsNotSeen) {
  std::vector<uint8_t> config = Example();
  config[0x71] = 0;  // PCIe is now the last; MSI-X's bytes remain.
  PciConfig pci = PciConfig::Parse(config);
  EXPECT_EQ(pci.capability_count, 3);
  EXPECT_FALSE(pci.msix.present);
}

TEST(PciConfigTest, AListThatGoesRoundIsWalkedOnce) {
  std::vector<uint8_t> config = Example();
  config[0xb1] = 0x40;
  PciConfig pci = PciConfig::Parse(config);
  EXPECT_EQ(pci.capability_count, 4);
  EXPECT_TRUE(pci.capability_list_broken);
}

TEST(PciConfigTest, TheLongestListHas48Entries) {
  std::vector<uint8_t> config = Example();
  config[0x34] = 0x40;
  for (int at = 0x40; at < 0x100; at += 4) {
    Put(config, at, {0x09, static_cast<uint8_t>(at + 4)});
  }
  PciConfig pci = PciConfig::Parse(config);
  EXPECT_EQ(pci.capability_count, 48);
}

TEST(PciConfigTest, AListIntoTheHeaderIsBroken) {
  std::vector<uint8_t> config = Example();
  config[0x34] = 0x10;
  PciConfig pci = PciConfig::Parse(config);
  EXPECT_EQ(pci.capability_count, 0);
  EXPECT_TRUE(pci.capability_list_broken);
}

TEST(PciConfigTest, CapabilitiesAtTheVeryEndAreReadWithinTheSpace) {
  std::vector<uint8_t> config = Example();
  config[0x34] = 0xfc;
  for (uint8_t id : {0x05, 0x11}) {
    Put(config, 0xfc, {id, 0x00, 0xff, 0xff});
    PciConfig pci = PciConfig::Parse(config);
    EXPECT_EQ(pci.capability_count, 1);
    EXPECT_EQ(pci.msix.vectors, id == 0x11 ? 2048 : 0);
  }
}

TEST(PciConfigTest, NamesAreThoseOfPci) {
  struct Case {
    uint32_t number;
    const char* name;
  };
  for (const Case& c :
       {Case{0x01, "PM"}, Case{0x03, "VPD"}, Case{0x04, "SLOTID"},
        Case{0x05, "MSI"}, Case{0x07, "PCI-X"}, Case{0x09, "VENDOR"},
        Case{0x10, "EXP"}, Case{0x11, "MSI-X"}, Case{0x12, "SATA"},
        Case{0x13, "AF"}, Case{0x14, "EA"}, Case{0x42, "0x42"}}) {
    EXPECT_EQ(PciCapabilityName(static_cast<uint8_t>(c.number)), c.name);
  }
  for (const Case& c :
       {Case{0x010802, "mass storage controller"},
        Case{0x020000, "network controller"},
        Case{0x030200, "display controller"},
        Case{0x040300, "multimedia device"},
        Case{0x050000, "memory controller"}, Case{0x060400, "bridge"},
        Case{0x070000, "communication controller"},
        Case{0x080000, "base system peripheral"}, Case{0x0b4000, "processor"},
        Case{0x0c0330, "serial bus controller"},
        Case{0x0d0000, "wireless controller"},
        Case{0x100000, "encryption controller"},
        Case{0x110000, "signal processing controller"},
        Case{0x120000, "processing accelerator"},
        Case{0xff0000, "class 0xff"}}) {
    EXPECT_EQ(PciClassName(c.number), c.name);
  }
  EXPECT_EQ(PciCommandToString(0), "0");
  EXPECT_EQ(PciCommandToString(0x7ff),
            "IO|MEMORY|MASTER|SPECIAL|INVALIDATE|VGA_PALETTE|PARITY|WAIT|SERR|"
            "FAST_BACK|INTX_DISABLE");
}

TEST(PciConfigTest, WhatIsTooShortHasNothing) {
  std::vector<uint8_t> config = Example();
  config.pop_back();
  EXPECT_EQ(PciConfig::Parse(config).vendor_id, 0);
}

}  // namespace
}  // namespace migstream
