#include "codec/device/pci_register.h"

#include <vector>

#include "gtest/gtest.h"

namespace migstream {
namespace {

// PM at 0x40, MSI-X at 0x70.
std::vector<uint8_t> Config() {
  std::vector<uint8_t> config(4096);
  config[0x06] = 0x10;  // Status: a capability list.
  config[0x34] = 0x40;
  config[0x40] = 0x01;  // PM
  config[0x41] = 0x70;
  config[0x70] = 0x11;  // MSI-X
  config[0x71] = 0x00;
  return config;
}

void ExpectRegister(uint32_t at, const char* name, uint32_t offset,
                    uint32_t bytes) {
  PciRegister found = PciRegisterAt(Config(), at);
  EXPECT_EQ(found.name, name);
  EXPECT_EQ(found.offset, offset);
  EXPECT_EQ(found.bytes, bytes);
}

TEST(PciRegisterTest, RegistersOfTheHeaderHaveNames) {
  ExpectRegister(0x00, "vendor id", 0x00, 2);
  ExpectRegister(0x05, "command", 0x04, 2);
  ExpectRegister(0x0b, "class", 0x09, 3);
  ExpectRegister(0x27, "BAR 5", 0x24, 4);
  ExpectRegister(0x3f, "maximum latency", 0x3f, 1);
}

TEST(PciRegisterTest, WordsOfACapabilityAreCountedFromItsStart) {
  ExpectRegister(0x45, "PM + 0x4", 0x44, 2);
  ExpectRegister(0x73, "MSI-X + 0x2", 0x72, 2);
}

TEST(PciRegisterTest, WhatHasNoNameIsCalledByItsOffset) {
  ExpectRegister(0x36, "0x36", 0x36, 2);
  ExpectRegister(0x105, "0x104", 0x104, 2);
  EXPECT_EQ(PciRegisterAt({}, 0x45).name, "0x44");
}

}  // namespace
}  // namespace migstream
