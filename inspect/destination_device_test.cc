// describe, and check --destination with a device, as a user runs them: fake
// folders of sysfs, and destinations that differ in one thing each.

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/destination/pci_device.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inspect/run_program.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kMtty[] = "testdata/real_driver/r100-mtty.qvm.zst";

// The config space of a stream's only device, as `extract` gives it.
std::string ConfigOf(const std::string& file) {
  const std::string out = TestFolder() + "/config";
  EXPECT_EQ(RunProgram({"extract", file, "--what=config", "-o", out, "--force"})
                .status,
            0);
  return ReadTestFile(out);
}

std::string VfioFile() { return CapturePath(GetCapture("s111-msix-64")); }

// A folder as the kernel has it for a device with such a space.
std::string Sysfs(const std::string& name, const std::string& config,
                  const std::string& driver) {
  PciDevice device;
  device.config = config;
  CompleteFromConfig(device);
  const std::filesystem::path root = TestFolder() + "/sys-" + name;
  const std::filesystem::path folder = root / "0000:3b:00.1";
  std::filesystem::remove_all(root);
  std::filesystem::create_directories(folder);
  std::filesystem::create_directories(root / "drivers" / driver);
  std::filesystem::create_symlink(root / "drivers" / driver, folder / "driver");
  auto write = [&](const char* attribute, const std::string& text) {
    const std::string written = WriteTestFile("attribute", text);
    std::filesystem::copy_file(written, folder / attribute);
  };
  write("config", config);
  write("vendor", Hex(device.vendor_id, 4) + "\n");
  write("device", Hex(device.device_id, 4) + "\n");
  write("subsystem_vendor", Hex(device.subsystem_vendor_id, 4) + "\n");
  write("subsystem_device", Hex(device.subsystem_id, 4) + "\n");
  write("class", Hex(device.class_code, 6) + "\n");
  write("revision", Hex(device.revision, 2) + "\n");
  write("resource",
        "0x0000000000000000 0x0000000000000000 0x0000000000000000\n");
  return folder;
}

ProgramRun Check(const std::string& file, const std::string& destination) {
  return RunProgram({"check", file, StrCat("--destination=", destination)});
}

// As lspci prints it.
std::string Lspci(const std::string& config) {
  std::string text = "3b:00.1 Ethernet controller: a device\n";
  for (size_t at = 0; at < config.size(); at += 16) {
    StrAppend(&text, Hex(at, 2).substr(2), ":");
    for (size_t i = at; i < at + 16; ++i) {
      StrAppend(&text, " ", Hex(static_cast<uint8_t>(config[i]), 2).substr(2));
    }
    text += "\n";
  }
  return text;
}

TEST(DescribeTest, AFolderItsDescriptionAndLspciSayTheSame) {
  const std::string config = ConfigOf(VfioFile());
  const std::string folder = Sysfs("same", config, "vfio-pci");
  const ProgramRun described = RunProgram({"describe", folder});
  EXPECT_EQ(described.status, 0) << described.errors;
  EXPECT_THAT(described.output, HasSubstr("\"address\": \"0000:3b:00.1\""));
  EXPECT_THAT(described.output, HasSubstr("\"driver\": \"vfio-pci\""));
  EXPECT_THAT(described.output, HasSubstr("\"msix_vectors\": 64"));
  const std::string json = WriteTestFile("dest.json", described.output);
  for (const std::string& destination :
       {folder, json, WriteTestFile("lspci.txt", Lspci(config))}) {
    const ProgramRun run = Check(VfioFile(), destination);
    EXPECT_EQ(run.status, 0) << run.output << run.errors;
    EXPECT_THAT(run.output, Not(HasSubstr("refuse")));
    EXPECT_THAT(run.output, HasSubstr("compared with 0000:3b:00.1"));
  }
  // What it prints it reads.
  EXPECT_EQ(RunProgram({"describe", json}).output, described.output);
}

TEST(DescribeTest, ThreeKindsOfDevices) {
  for (const std::string& file :
       {VfioFile(), CapturePath(GetCapture("s111-tiny")), std::string(kMtty)}) {
    const std::string folder = Sysfs("kinds", ConfigOf(file), "mtty");
    const std::string json = WriteTestFile(
        "kind.json", RunProgram({"describe", folder, "--kernel=6.12"}).output);
    EXPECT_THAT(Check(file, json).output,
                Not(HasSubstr("the destination would refuse it: ")))
        << file;
  }
}

TEST(DescribeTest, SaysIfOnlyTheHeadOfTheSpaceCouldBeRead) {
  const std::string head = ConfigOf(VfioFile()).substr(0, 64);
  const ProgramRun run =
      RunProgram({"describe", Sysfs("head", head, "vfio-pci")});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.errors, HasSubstr("root can read all"));
}

TEST(DescribeTest, WhatIsNoDeviceIsSaid) {
  const ProgramRun run = RunProgram({"describe", TestFolder()});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("it is no folder of a PCI device"));
  EXPECT_EQ(RunProgram({"describe", WriteTestFile("x", "QEVM")}).status, 2);
}

// One thing that is changed, and the line that it gives.
struct Change {
  const char* what;
  std::function<void(PciDevice&)> apply;
  const char* line;
};

TEST(DeviceCheckTest, TwelveDestinationsThatDifferInOneThingEach) {
  const std::string config = ConfigOf(VfioFile());
  PciDevice same;
  same.address = "0000:3b:00.1";
  same.config = config;
  CompleteFromConfig(same);
  const size_t msix = [&] {
    size_t at = static_cast<uint8_t>(config[0x34]);
    while (at != 0 && config[at] != 0x11) {
      at = static_cast<uint8_t>(config[at + 1]);
    }
    return at;
  }();
  ASSERT_NE(msix, 0);
  auto flip = [](size_t at, uint8_t bits) {
    return [=](PciDevice& device) {
      device.config[at] = static_cast<char>(device.config[at] ^ bits);
    };
  };
  const Change changes[] = {
      {"vendor", [](PciDevice& d) { d.vendor_id ^= 1; },
       "refuse it: vendor id: "},
      {"device", [](PciDevice& d) { d.device_id ^= 1; },
       "refuse it: device id: "},
      {"revision", [](PciDevice& d) { d.revision ^= 1; },
       "refuse it: revision: "},
      {"class", [](PciDevice& d) { d.class_code ^= 0x100; },
       "refuse it: class: "},
      {"subsystem vendor", [](PciDevice& d) { d.subsystem_vendor_id ^= 1; },
       "differs, and loads: subsystem vendor id: "},
      {"subsystem", [](PciDevice& d) { d.subsystem_id ^= 2; },
       "differs, and loads: subsystem id: "},
      {"BAR's kind", [](PciDevice& d) { d.bars[0] = {.bytes = 4, .io = true}; },
       "refuse it: BAR 0: "},
      {"vectors", flip(msix + 2, 0x01),
       "refuse it: MSI-X vectors: 64, the destination's 63\n"},
      {"table", flip(msix + 5, 0x20), "refuse it: MSI-X table: "},
      {"PBA", flip(msix + 9, 0x20), "refuse it: MSI-X PBA: "},
      {"capability", flip(msix, 0x40), "refuse it: capability MSI-X: at "},
      {"no space", [](PciDevice& d) { d.config.resize(64); },
       "; its capabilities are not in what was given, root can read them\n"},
  };
  for (const Change& change : changes) {
    PciDevice device = same;
    change.apply(device);
    const ProgramRun run =
        Check(VfioFile(), WriteTestFile("one.json", ToJson(device)));
    EXPECT_THAT(run.output, HasSubstr(change.line)) << change.what;
    size_t lines = Split(run.output, '\n').size() - 2;
    EXPECT_EQ(lines, change.line[0] == ';' ? 0 : 1)
        << change.what << ": " << run.output;
  }
}

TEST(DeviceCheckTest, DriverAndKernelMustReadThePayload) {
  PciDevice device;
  device.address = "mtty";
  device.config = ConfigOf(kMtty);
  CompleteFromConfig(device);
  device.driver = "vfio-pci";
  EXPECT_THAT(Check(kMtty, WriteTestFile("driver.json", ToJson(device))).output,
              HasSubstr("its driver is vfio-pci, the payload needs mtty"));
  device.driver = "mtty";
  device.kernel = "6.1.0-40-amd64";
  EXPECT_THAT(Check(kMtty, WriteTestFile("kernel.json", ToJson(device))).output,
              HasSubstr("the destination would refuse it: linux-6.1: "));
  device.kernel = "6.12.57";
  EXPECT_EQ(Check(kMtty, WriteTestFile("good.json", ToJson(device))).status, 0);
}

TEST(DeviceCheckTest, OneOfSeveralDevicesHasToBeNamed) {
  const std::string two = CapturePath(GetCapture("s111-two"));
  const std::string json = WriteTestFile("any.json", [] {
    PciDevice device;
    device.config.resize(256);
    return ToJson(device);
  }());
  const ProgramRun run = Check(two, json);
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("--device= says which"));
  // A part of a name is enough, as everywhere.
  for (const char* name : {"05.0", "0000:00:05.0/vfio"}) {
    EXPECT_THAT(RunProgram({"check", two, StrCat("--destination=", json),
                            StrCat("--device=", name)})
                    .output,
                HasSubstr(": 0000:00:05.0/vfio: compared with "));
  }
}

}  // namespace
}  // namespace migstream
