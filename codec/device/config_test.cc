#include <string>

#include "codec/device/config_bytes.h"
#include "codec/device/config_compare.h"
#include "codec/device/config_layout.h"
#include "codec/device/config_view.h"
#include "codec/device/pci_config.h"
#include "codec/device/subsection.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

using Kind = ConfigLayoutKind;

ConfigDeduction Deduce(const std::string& bytes, bool end = true,
                       const ConfigHints& hints = {}, uint64_t config_bytes = 0,
                       Kind kind = Kind::kReleased) {
  return DeduceConfigLayout(AsBytes(bytes), end, kind, config_bytes, hints,
                            DeviceLimits());
}

std::string Ended(const ConfigBytes& config) {
  return config.Payload() + EndOfStateBytes();
}

TEST(ConfigLayoutTest, SizesAreThoseOfTheSpecification) {
  struct Case {
    uint32_t pci_config_bytes, vectors, total;
  };
  for (const Case& c :
       {Case{256, 0, 276}, Case{256, 5, 357}, Case{4096, 0, 4116},
        Case{4096, 1, 4133}, Case{4096, 5, 4197}, Case{4096, 64, 5148},
        Case{4096, 2048, 37140}}) {
    ConfigBytes config = {.pci_config_bytes = c.pci_config_bytes,
                          .msix_vectors = c.vectors};
    ConfigDeduction result = Deduce(Ended(config));
    ASSERT_EQ(result.outcome, ConfigDeduction::kFits);
    EXPECT_EQ(result.layout.pci_config_bytes, c.pci_config_bytes);
    EXPECT_EQ(result.layout.msix_vectors, c.vectors);
    EXPECT_EQ(result.layout.total_bytes, c.total);
    EXPECT_EQ(result.layout.other_pci_config_bytes, 0);

    config.subsections =
        Subsection("VFIOPCIDevice/VFIODisplay", std::string(28, '\0'));
    result = Deduce(Ended(config));
    ASSERT_EQ(result.outcome, ConfigDeduction::kFits);
    EXPECT_EQ(result.layout.fixed_bytes, c.total);
    EXPECT_EQ(result.layout.total_bytes, c.total + 59);
  }
}

TEST(ConfigLayoutTest, NoByteBeyondTheSectionIsAskedForWhereTheLargeSizeFits) {
  std::string bytes = Ended({});
  size_t have = 0;
  while (true) {
    ConfigDeduction result = Deduce(bytes.substr(0, have), false);
    if (result.outcome == ConfigDeduction::kFits) break;
    ASSERT_EQ(result.outcome, ConfigDeduction::kNeedInput);
    ASSERT_GT(result.bytes_needed, have);
    ASSERT_LE(result.bytes_needed, bytes.size());
    have = result.bytes_needed;
  }
}

TEST(ConfigLayoutTest, TagsThatTheGuestWroteDoNotEndThePayload) {
  ConfigBytes config;
  std::string pci = config.PciConfig();
  for (size_t at = 0x100; at + 8 <= 0x1000; at += 8) {
    if (at != 276 + 81) pci.replace(at, 8, EndOfStateBytes());
  }
  pci.replace(256 - 256 + 4096 - 24, 16, std::string(16, '\0'));
  config.pci_config = pci;
  config.msix = EndOfStateBytes() + EndOfStateBytes() +
                std::string(5 * 16 + 1 - 16, '\xff');
  ConfigDeduction result = Deduce(Ended(config));
  ASSERT_EQ(result.outcome, ConfigDeduction::kFits);
  EXPECT_EQ(result.layout.pci_config_bytes, 4096);
  EXPECT_EQ(result.layout.total_bytes, 4197);
}

// A guest that knows the format makes the smaller size fit as well.
ConfigBytes Forged(bool express) {
  ConfigBytes config;
  config.express = express;
  std::string pci = config.PciConfig();
  // As if 256 bytes were all: IRQ states at 260, table and bits, the tag.
  pci.replace(276 - 4 + 81, 8, EndOfStateBytes());
  config.pci_config = pci;
  return config;
}

TEST(ConfigLayoutTest, WhereBothSizesFitBothAreReported) {
  ConfigDeduction result = Deduce(Ended(Forged(true)));
  ASSERT_EQ(result.outcome, ConfigDeduction::kFits);
  EXPECT_EQ(result.layout.pci_config_bytes, 4096);
  EXPECT_EQ(result.layout.other_pci_config_bytes, 256);

  result = Deduce(Ended(Forged(false)));
  ASSERT_EQ(result.outcome, ConfigDeduction::kFits);
  EXPECT_EQ(result.layout.pci_config_bytes, 256);
  EXPECT_EQ(result.layout.other_pci_config_bytes, 4096);
}

TEST(ConfigLayoutTest, AFooterInItsPlaceDecidesBetweenTwoSizes) {
  ConfigHints hints = {.footer_expected = true, .footer_section_id = 0x25};
  std::string bytes = Ended(Forged(false)) + std::string("\x7e\0\0\0\x25", 5);
  ConfigDeduction result = Deduce(bytes, false, hints);
  ASSERT_EQ(result.outcome, ConfigDeduction::kFits);
  EXPECT_EQ(result.layout.pci_config_bytes, 4096);
  EXPECT_EQ(result.layout.other_pci_config_bytes, 256);
}

TEST(ConfigLayoutTest, AnElementInItsPlaceDecidesToo) {
  ConfigHints hints = {.element_expected = true};
  std::string bytes = Ended(Forged(false)) + EndOfStateBytes();
  ConfigDeduction result = Deduce(bytes, false, hints);
  ASSERT_EQ(result.outcome, ConfigDeduction::kFits);
  EXPECT_EQ(result.layout.pci_config_bytes, 4096);
  EXPECT_EQ(result.layout.other_pci_config_bytes, 256);
}

TEST(ConfigLayoutTest, AKnownLengthOrShapeLeavesNoDoubt) {
  std::string bytes = Ended(Forged(false));
  ConfigDeduction result = Deduce(bytes, false, {}, 4197);
  ASSERT_EQ(result.outcome, ConfigDeduction::kFits);
  EXPECT_EQ(result.layout.pci_config_bytes, 4096);
  EXPECT_EQ(result.layout.other_pci_config_bytes, 0);

  result = Deduce(bytes, false, {.pci_config_bytes = 4096, .msix_vectors = 5});
  ASSERT_EQ(result.outcome, ConfigDeduction::kFits);
  EXPECT_EQ(result.layout.pci_config_bytes, 4096);
}

TEST(ConfigLayoutTest, ASmallSizeWithoutAHintWaitsForWhatTheLargeOneWouldNeed) {
  ConfigBytes config = {.pci_config_bytes = 256};
  std::string bytes = Ended(config);
  EXPECT_EQ(Deduce(bytes, false).outcome, ConfigDeduction::kNeedInput);
  EXPECT_EQ(Deduce(bytes, true).outcome, ConfigDeduction::kFits);
  EXPECT_EQ(Deduce(bytes, false, {.pci_config_bytes = 256}).outcome,
            ConfigDeduction::kFits);
}

TEST(ConfigLayoutTest, AnIrqStateIsZeroOrOne) {
  std::string bytes = Ended({});
  bytes[4 + 4096 + 7] = 2;
  ConfigDeduction result =
      Deduce(bytes, true, {.pci_config_bytes = 4096, .msix_vectors = 5});
  EXPECT_EQ(result.code, ErrorCode::kConfigIrqState);
  EXPECT_EQ(result.offset, 4 + 4096 + 4);
  EXPECT_EQ(result.found, 2);
}

TEST(ConfigLayoutTest, TheVersionIsAtMostTwo) {
  std::string bytes = Ended({});
  bytes[3] = 3;
  ConfigDeduction result = Deduce(bytes);
  EXPECT_EQ(result.code, ErrorCode::kConfigVersion);
  EXPECT_EQ(result.offset, 0);
  EXPECT_EQ(result.found, 3);
}

TEST(ConfigLayoutTest, WhatStandsInEndOfStatesPlaceIsNamedAndPlaced) {
  for (uint32_t size : {256u, 4096u}) {
    ConfigBytes config = {.pci_config_bytes = size, .express = size == 4096};
    std::string bytes =
        config.Payload() + std::string("\xff\xff\xff\xff\xef\x10\x00\x07", 8);
    ConfigDeduction result = Deduce(bytes);
    EXPECT_EQ(result.code, ErrorCode::kConfigNotEnded);
    EXPECT_EQ(result.offset, size + 20 + 81);
    EXPECT_EQ(result.found, 0xffffffffef100007);
  }
}

TEST(ConfigLayoutTest, AnUnknownSubsectionNeedsAKnownLength) {
  ConfigBytes config;
  config.subsections = Subsection("VFIOPCIDevice/VFIOFuture", "12345");
  EXPECT_EQ(Deduce(Ended(config)).code, ErrorCode::kUnknownSubsection);
  ConfigDeduction result =
      Deduce(Ended(config), false, {}, config.Payload().size());
  ASSERT_EQ(result.outcome, ConfigDeduction::kFits);
  EXPECT_EQ(result.layout.fixed_bytes, 4197);
}

TEST(ConfigLayoutTest, AKnownLengthMayLeaveOneByteForASubsection) {
  ConfigBytes config = {.pci_config_bytes = 256, .msix_vectors = 0};
  config.subsections = Subsection("VFIOPCIDevice/x", "");
  for (uint64_t length = 276; length < config.Payload().size(); ++length) {
    EXPECT_EQ(Deduce(Ended(config), true, {}, length).outcome,
              ConfigDeduction::kError);
  }
}

TEST(ConfigLayoutTest, ASubsectionOfAnotherParentIsNone) {
  ConfigBytes config;
  config.subsections = Subsection("PCIDevice/whatever", "");
  EXPECT_EQ(Deduce(Ended(config)).code, ErrorCode::kConfigNotEnded);
}

TEST(ConfigLayoutTest, MoreSubsectionsThanTheLimitAreRefused) {
  ConfigBytes config;
  for (int i = 0; i < 17; ++i) {
    config.subsections +=
        Subsection("VFIOPCIDevice/VFIODisplay", std::string(28, '\0'));
  }
  EXPECT_EQ(Deduce(Ended(config)).code, ErrorCode::kSubsectionLimit);
}

TEST(ConfigLayoutTest, AClaimOfFourBillionBytesIsRefused) {
  ConfigBytes config;
  config.subsections = Subsection("VFIOPCIDevice/VFIOFuture", "12345");
  ConfigDeduction result = Deduce(Ended(config), false, {}, uint64_t{1} << 32);
  EXPECT_EQ(result.code, ErrorCode::kConfigLimit);
}

TEST(ConfigLayoutTest, ALengthThatNoSizeFillsIsRefused) {
  EXPECT_EQ(Deduce(Ended({}), false, {}, 4200).code, ErrorCode::kConfigSize);
  EXPECT_EQ(Deduce(Ended({}), false, {}, 100).code, ErrorCode::kConfigSize);
}

TEST(ConfigLayoutTest, APayloadMayBeEmpty) {
  ConfigDeduction result = Deduce(EndOfStateBytes(), false);
  ASSERT_EQ(result.outcome, ConfigDeduction::kFits);
  EXPECT_EQ(result.layout.total_bytes, 0);
  EXPECT_EQ(result.layout.pci_config_bytes, 0);
}

TEST(ConfigLayoutTest, AnEmptyPayloadIsNotOneOfAKnownLength) {
  ConfigDeduction result = Deduce(EndOfStateBytes() + "x", true, {}, 1);
  EXPECT_EQ(result.outcome, ConfigDeduction::kError);
  EXPECT_EQ(result.code, ErrorCode::kConfigSize);
}

TEST(ConfigLayoutTest, E5V26AddsAVersionAndAnInterruptType) {
  ConfigBytes config;
  std::string head = std::string("\0\0\0\2", 4) + config.PciConfig() +
                     std::string(16, '\0') + std::string("\0\0\0\1", 4);
  std::string msix = head + std::string("\0\0\0\3", 4) + config.Msix();
  ConfigDeduction result =
      Deduce(msix + EndOfStateBytes(), true, {}, 0, Kind::kE5V26);
  ASSERT_EQ(result.outcome, ConfigDeduction::kFits);
  EXPECT_EQ(result.layout.total_bytes, msix.size());
  EXPECT_EQ(ConfigView::Parse(AsBytes(msix), result.layout).interrupt_type, 3);

  std::string intx = head + std::string("\0\0\0\1", 4);
  result = Deduce(intx + EndOfStateBytes(), true, {}, 0, Kind::kE5V26);
  ASSERT_EQ(result.outcome, ConfigDeduction::kFits);
  EXPECT_EQ(result.layout.total_bytes, intx.size());
  EXPECT_EQ(result.layout.msix_vectors, 0);
}

TEST(ConfigLayoutTest, E5V26DoesNotTrustTheInterruptType) {
  ConfigBytes config;
  std::string payload =
      std::string("\0\0\0\2", 4) + config.PciConfig() + std::string(16, '\0') +
      std::string("\xde\xad\xbe\xef\xde\xad\xbe\xef") + config.Msix();
  ConfigDeduction result =
      Deduce(payload + EndOfStateBytes(), true, {}, 0, Kind::kE5V26);
  ASSERT_EQ(result.outcome, ConfigDeduction::kFits);
  EXPECT_EQ(result.layout.msix_vectors, 5);
}

TEST(ConfigLayoutTest, E5V26OfManyVectorsAndNoTableAtTheEndOfTheInput) {
  // The table that there is none of would not fit into what is left.
  ConfigBytes config = {.msix_vectors = 738};
  std::string payload = std::string("\0\0\0\2", 4) + config.PciConfig() +
                        std::string(16, '\0') +
                        std::string("\0\0\0\1\0\0\0\1", 8);
  ConfigDeduction result =
      Deduce(payload + EndOfStateBytes(), true, {}, 0, Kind::kE5V26);
  ASSERT_EQ(result.outcome, ConfigDeduction::kFits);
  EXPECT_EQ(result.layout.total_bytes, payload.size());
  EXPECT_EQ(result.layout.msix_vectors, 0);
}

std::string V7(uint32_t vectors) {
  std::string payload(24, '\x11');
  payload += std::string("\0\0\0\3", 4);
  payload += '\x20';  // Table offset, low.
  payload += static_cast<char>((vectors - 1) >> 8 | 0x80);  // Control, high.
  payload += ConfigBytes{.msix_vectors = vectors}.Msix();
  payload += std::string("\x04\x06", 2);  // Command.
  return payload;
}

TEST(ConfigLayoutTest, E5V7FindsTheOneVectorCountThatFits) {
  for (uint32_t vectors : {1u, 5u, 256u, 257u, 2048u}) {
    std::string payload = V7(vectors);
    ConfigDeduction result =
        Deduce(payload + EndOfStateBytes(), true, {}, 0, Kind::kE5V7);
    ASSERT_EQ(result.outcome, ConfigDeduction::kFits) << vectors;
    EXPECT_EQ(result.layout.msix_vectors, vectors);
    EXPECT_EQ(result.layout.total_bytes, payload.size());
    ConfigView view = ConfigView::Parse(AsBytes(payload), result.layout);
    EXPECT_EQ(view.bars[5], 0x11111111);
    EXPECT_EQ(view.command, 0x0406);
  }
}

TEST(ConfigLayoutTest, E5V7WithTwoCountsThatFitIsAmbiguous) {
  std::string payload = V7(5);
  // As if there were one vector only.
  payload.replace(28 + 2 + 17 + 2, 8, EndOfStateBytes());
  EXPECT_EQ(Deduce(payload + EndOfStateBytes(), true, {}, 0, Kind::kE5V7).code,
            ErrorCode::kConfigAmbiguous);
  EXPECT_EQ(Deduce(payload + EndOfStateBytes(), true, {.msix_vectors = 5}, 0,
                   Kind::kE5V7)
                .outcome,
            ConfigDeduction::kFits);
}

TEST(ConfigViewTest, PartsAreViewsOfThePayload) {
  ConfigBytes config;
  std::string payload = config.Payload();
  payload[4 + 4096 + 3] = 1;  // INTA is up.
  size_t table = 4 + 4096 + 16;
  payload.replace(table + 16, 16,  // Vector 1.
                  std::string("\0\0\xe0\xfe\1\0\0\0\x41\0\0\0\0\0\0\0", 16));
  payload[table + 80] = 0x02;  // It is pending.
  ConfigDeduction result = Deduce(payload + EndOfStateBytes());
  ASSERT_EQ(result.outcome, ConfigDeduction::kFits);
  ConfigView view = ConfigView::Parse(AsBytes(payload), result.layout);
  EXPECT_EQ(view.version, 2);
  EXPECT_EQ(view.pci_config.data(), AsBytes(payload).data() + 4);
  EXPECT_EQ(view.irq_state[0], 1);
  EXPECT_EQ(view.msix_vectors(), 5);
  EXPECT_TRUE(view.msix_entry(0).masked);
  EXPECT_FALSE(view.msix_entry(1).masked);
  EXPECT_EQ(view.msix_entry(1).address, 0x1fee00000);
  EXPECT_EQ(view.msix_entry(1).data, 0x41);
  EXPECT_TRUE(view.msix_pending(1));
  EXPECT_FALSE(view.msix_pending(2));
  EXPECT_FALSE(MsixSpellsSubsection(view));
}

TEST(ConfigViewTest, MsixBytesThatSpellASubsectionStayMsix) {
  ConfigBytes config;
  std::string msix = config.Msix();
  msix.replace(0, 12, "\x05\x0aPCIDevice/");
  config.msix = msix;
  ConfigDeduction result = Deduce(Ended(config));
  ASSERT_EQ(result.outcome, ConfigDeduction::kFits);
  std::string payload = config.Payload();
  ConfigView view = ConfigView::Parse(AsBytes(payload), result.layout);
  EXPECT_EQ(view.msix_vectors(), 5);
  EXPECT_TRUE(MsixSpellsSubsection(view));
}

TEST(SubsectionTest, RamfbIsBigEndian) {
  std::string bytes(
      "\0\0\0\0\x01\xc0\0\0"  // address
      "\x34\x32\x52\x58"      // fourcc
      "\0\0\0\0"              // flags
      "\0\0\4\0\0\0\3\0"      // 1024 x 768
      "\0\0\x10\0",           // stride
      28);
  RamfbConfig ramfb = RamfbConfig::Parse(AsBytes(bytes));
  EXPECT_EQ(ramfb.address, 0x1c00000);
  EXPECT_EQ(ramfb.fourcc, 0x34325258);
  EXPECT_EQ(ramfb.width, 1024);
  EXPECT_EQ(ramfb.height, 768);
  EXPECT_EQ(ramfb.stride, 4096);
}

TEST(SubsectionTest, TheLoadersRuleWantsMarkerLengthAndPrefix) {
  auto starts = [](const std::string& bytes) {
    return StartsSubsection(AsBytes(bytes), "VFIOPCIDevice");
  };
  EXPECT_EQ(starts("\x05\x0fVFIOPCIDevice/x"), SubsectionStart::kYes);
  EXPECT_EQ(starts("\x04\x0fVFIOPCIDevice/x"), SubsectionStart::kNo);
  EXPECT_EQ(starts("\x05\x0dVFIOPCIDevice"), SubsectionStart::kNo);
  EXPECT_EQ(starts("\x05\x0fVFIOPCIDevicf/x"), SubsectionStart::kNo);
  EXPECT_EQ(starts("\x05\x0fVFIO"), SubsectionStart::kMore);
  EXPECT_EQ(starts(""), SubsectionStart::kMore);
}

TEST(ConfigCompareTest, AnotherVendorIsRefused) {
  std::string saved = ConfigBytes().PciConfig();
  std::string here = saved;
  saved[0] = '\x87';
  std::optional<ConfigMismatch> mismatch =
      CompareConfig(AsBytes(saved), AsBytes(here), HeaderMasks(4096));
  ASSERT_TRUE(mismatch.has_value());
  EXPECT_EQ(
      ToString(*mismatch),
      "config byte 0x0 is 87, the destination's is 86 (compared bits ff)");
}

TEST(ConfigCompareTest, TheCommandRegisterMayDiffer) {
  std::string saved = ConfigBytes().PciConfig();
  std::string here = saved;
  saved[4] = 7;
  EXPECT_FALSE(CompareConfig(AsBytes(saved), AsBytes(here), HeaderMasks(4096)));
}

TEST(ConfigCompareTest, WritableAndClearableBitsAreNotCompared) {
  std::string saved = ConfigBytes().PciConfig();
  std::string here = saved;
  saved[0] = '\x87';
  ConfigMasks masks = HeaderMasks(4096);
  masks.writable[0] = 1;
  EXPECT_FALSE(CompareConfig(AsBytes(saved), AsBytes(here), masks));
  masks.writable[0] = 0;
  masks.clearable[0] = 1;
  EXPECT_FALSE(CompareConfig(AsBytes(saved), AsBytes(here), masks));
}

TEST(ConfigCompareTest, CapabilitiesAreComparedButForWhatAGuestWrites) {
  // PM at 0x40, EXP at 0x60, MSI-X at 0x70, as real QEMUs compare them.
  std::string own = ConfigBytes().PciConfig();
  own[0x10] = 0x0c;  // BAR 0: 64 bits, prefetchable.
  ConfigMasks masks = DeviceMasks(AsBytes(own), false);
  auto taken = [&](size_t at, char flip) {
    std::string saved = own;
    saved[at] ^= flip;
    return !CompareConfig(AsBytes(saved), AsBytes(own), masks).has_value();
  };
  EXPECT_FALSE(taken(0x00, 1));
  EXPECT_TRUE(taken(0x04, 1));   // Command.
  EXPECT_FALSE(taken(0x10, 1));  // BAR type.
  EXPECT_TRUE(taken(0x13, 1));   // BAR address.
  EXPECT_TRUE(taken(0x3c, 1));   // Interrupt line.
  EXPECT_FALSE(taken(0x42, 1));  // PM capabilities
  EXPECT_TRUE(taken(0x44, 1));   // and power state,
  EXPECT_TRUE(taken(0x48, 1));   // and nothing behind it.
  EXPECT_FALSE(taken(0x62, 1));  // EXP, up to the next capability.
  EXPECT_FALSE(taken(0x6f, 1));
  EXPECT_FALSE(taken(0x72, 1));      // MSI-X vectors
  EXPECT_TRUE(taken(0x73, '\x80'));  // and enable bit.
  EXPECT_TRUE(taken(0x7c, 1));
  EXPECT_TRUE(taken(0x100, 1));  // No extended capabilities.
  own[0x100] = 1;
  masks = DeviceMasks(AsBytes(own), false);
  EXPECT_FALSE(taken(0xfff, 1));
}

TEST(ConfigCompareTest, NewerLoadersSkipWhatIsInAVendorSpecificCapability) {
  std::string own =
      ConfigBytes({.msix_vectors = 0, .express = false}).PciConfig();
  ASSERT_EQ(own[0x60], 0x09);
  std::string saved = own;
  saved[0x64] ^= 1;
  EXPECT_TRUE(CompareConfig(AsBytes(saved), AsBytes(own),
                            DeviceMasks(AsBytes(own), false)));
  EXPECT_FALSE(CompareConfig(AsBytes(saved), AsBytes(own),
                             DeviceMasks(AsBytes(own), true)));
}

}  // namespace
}  // namespace migstream
