#include "codec/qemu/configuration.h"

#include <deque>
#include <string>

#include "codec/qemu/stream_bytes.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

// What it gives are views, so that the bytes are kept.
ParsedConfiguration Parse(const std::string& bytes) {
  static auto& kept = *new std::deque<std::string>;
  kept.push_back(bytes);
  return ParseConfiguration(AsBytes(kept.back()), 8, /*end_of_input=*/false);
}

std::string PageBits(uint32_t bits) {
  return ConfigurationSubsectionBytes("target-page-bits", Be32Bytes(bits));
}

TEST(ConfigurationTest, IsTheMachineTypeAlone) {
  constexpr uint8_t kBytes[] = {
      0x07,                    // CONFIGURATION
      0x00, 0x00, 0x00, 0x06,  // be32 length
      'p',  'c',  '-',  'q',  '3', '5',
      0x04,  // What follows: a FULL.
  };
  ParsedConfiguration parsed = ParseConfiguration(kBytes, 8, false);
  ASSERT_TRUE(parsed.error.ok()) << ToString(parsed.error);
  EXPECT_FALSE(parsed.incomplete);
  EXPECT_EQ(parsed.bytes, sizeof kBytes - 1);
  EXPECT_EQ(parsed.view.offset, 8);
  EXPECT_EQ(parsed.view.machine_type, "pc-q35");
  EXPECT_TRUE(parsed.view.subsections.empty());
  EXPECT_FALSE(parsed.traits.ignore_shared);
  EXPECT_FALSE(parsed.traits.mapped_ram);
  EXPECT_EQ(parsed.traits.page_bits, 0);
}

TEST(ConfigurationTest, ItsSubsectionsComeInOrder) {
  std::string uuid = "0123456789abcdef";
  std::string bytes = ConfigurationBytes(
      "virt-10.0", PageBits(16) + CapabilitiesBytes({"mapped-ram"}) +
                       ConfigurationSubsectionBytes("uuid", uuid));
  ParsedConfiguration parsed = Parse(bytes + "\x01");
  ASSERT_TRUE(parsed.error.ok()) << ToString(parsed.error);
  EXPECT_EQ(parsed.bytes, bytes.size());
  ASSERT_EQ(parsed.view.subsections.size(), 3);
  EXPECT_EQ(parsed.view.subsections[0].name, kPageBitsSubsection);
  EXPECT_EQ(parsed.view.subsections[0].version, 1);
  EXPECT_EQ(AsText(parsed.view.subsections[0].payload), Be32Bytes(16));
  EXPECT_EQ(parsed.view.subsections[1].name, kCapabilitiesSubsection);
  EXPECT_EQ(parsed.view.subsections[2].name, kUuidSubsection);
  EXPECT_EQ(AsText(parsed.view.subsections[2].payload), uuid);
  EXPECT_EQ(parsed.traits.page_bits, 16);
  EXPECT_TRUE(parsed.traits.mapped_ram);
  EXPECT_FALSE(parsed.traits.ignore_shared);
}

TEST(ConfigurationTest, CapabilitiesAreKnownByTheirWholeNames) {
  ParsedConfiguration parsed = Parse(
      ConfigurationBytes("pc", CapabilitiesBytes({"x-ignore-shared", "mapped",
                                                  "mapped-ram2"})) +
      "\x01");
  ASSERT_TRUE(parsed.error.ok()) << ToString(parsed.error);
  EXPECT_TRUE(parsed.traits.ignore_shared);
  EXPECT_FALSE(parsed.traits.mapped_ram);
  EXPECT_EQ(
      ParseCapabilities(parsed.view.subsections[0].payload),
      (std::vector<std::string>{"x-ignore-shared", "mapped", "mapped-ram2"}));
}

TEST(ConfigurationTest, AMachineTypeMayBeEmptyAndHoldAnyByte) {
  EXPECT_EQ(Parse(ConfigurationBytes("") + "\x01").view.machine_type, "");
  std::string name("\0\xff\x05", 3);
  EXPECT_EQ(Parse(ConfigurationBytes(name) + "\x01").view.machine_type, name);
}

TEST(ConfigurationTest, AByteThatIsNoSubsectionBelongsToWhatFollows) {
  for (std::string next : {std::string("\x01\x0e"), std::string(1, '\0'),
                           std::string("\x08\x00\x01", 3)}) {
    std::string bytes = ConfigurationBytes("pc", PageBits(12));
    ParsedConfiguration parsed = Parse(bytes + next);
    EXPECT_TRUE(parsed.error.ok());
    EXPECT_FALSE(parsed.incomplete);
    EXPECT_EQ(parsed.bytes, bytes.size());
  }
}

TEST(ConfigurationTest, ASubsectionOfSomethingElseIsNotTaken) {
  // 05, but its name does not begin with "configuration".
  std::string bytes = ConfigurationBytes("pc");
  ParsedConfiguration parsed =
      Parse(bytes + "\x05" + Str8Bytes("VFIOPCIDevice/VFIODisplay"));
  EXPECT_TRUE(parsed.error.ok());
  EXPECT_EQ(parsed.bytes, bytes.size());
}

TEST(ConfigurationTest, AnUnknownSubsectionHasNoKnownLength) {
  ParsedConfiguration parsed = Parse(ConfigurationBytes(
      "pc", PageBits(12) + ConfigurationSubsectionBytes("future", "abc")));
  EXPECT_EQ(parsed.error.code, ErrorCode::kBadConfiguration);
  EXPECT_EQ(parsed.error.offset,
            8 + ConfigurationBytes("pc", PageBits(12)).size());
  EXPECT_EQ(parsed.error.section, "CONFIGURATION");
  EXPECT_NE(parsed.error.reason.find("configuration/future"),
            std::string::npos);
}

TEST(ConfigurationTest, TargetPageBitsHaveASaneRange) {
  for (uint32_t bits : {8, 10, 12, 14, 16}) {
    EXPECT_EQ(Parse(ConfigurationBytes("virt", PageBits(bits)) + "\x01")
                  .traits.page_bits,
              bits);
  }
  for (uint32_t bits : {0u, 7u, 17u, 64u, 0xffffffffu}) {
    ParsedConfiguration parsed =
        Parse(ConfigurationBytes("virt", PageBits(bits)) + "\x01");
    EXPECT_EQ(parsed.error.code, ErrorCode::kBadConfiguration) << bits;
    EXPECT_EQ(parsed.error.offset, 8 + ConfigurationBytes("virt").size());
  }
}

TEST(ConfigurationTest, ALengthBeyondMeasureIsRefusedWithoutItsBytes) {
  ParsedConfiguration parsed = Parse("\x07" + Be32Bytes(0xffffffff));
  EXPECT_EQ(parsed.error.code, ErrorCode::kBadConfiguration);
  EXPECT_EQ(parsed.error.offset, 9);
  EXPECT_NE(parsed.error.reason.find("4294967295"), std::string::npos);
}

TEST(ConfigurationTest, ACountBeyondMeasureIsRefusedWithoutItsBytes) {
  ParsedConfiguration parsed = Parse(ConfigurationBytes(
      "pc", ConfigurationSubsectionBytes("capabilities", Be32Bytes(1u << 31))));
  EXPECT_EQ(parsed.error.code, ErrorCode::kBadConfiguration);
  EXPECT_EQ(parsed.error.offset, 8 + ConfigurationBytes("pc").size());
}

TEST(ConfigurationTest, EveryCutIsIncompleteUnlessItIsBetweenSubsections) {
  const std::string name = ConfigurationBytes("pc-q35-8.2");
  const std::string bits = PageBits(12);
  const std::string capabilities =
      CapabilitiesBytes({"x-ignore-shared", "mapped-ram"});
  const std::string bytes = name + bits + capabilities;
  for (size_t length = 0; length <= bytes.size(); ++length) {
    std::string cut = bytes.substr(0, length);
    // While there may be more, the byte after it has to be seen.
    ParsedConfiguration open = ParseConfiguration(AsBytes(cut), 8, false);
    EXPECT_TRUE(open.incomplete) << length;
    EXPECT_TRUE(open.error.ok()) << length;

    ParsedConfiguration ended = ParseConfiguration(AsBytes(cut), 8, true);
    bool whole = length == name.size() || length == (name + bits).size() ||
                 length == bytes.size();
    EXPECT_EQ(ended.incomplete, !whole) << length;
    EXPECT_TRUE(ended.error.ok()) << length;
    if (whole) {
      EXPECT_EQ(ended.bytes, length);
    }
  }
}

}  // namespace
}  // namespace migstream
