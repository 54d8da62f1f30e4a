#include "inspect/pci_device_file.h"

#include <sys/utsname.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string_view>
#include <system_error>

#include "codec/device/pci_config.h"
#include "codec/io/decompressing_source.h"
#include "codec/io/open_file.h"
#include "codec/wire/bytes.h"
#include "codec/wire/text.h"
#include "inspect/inputs.h"

namespace migstream {
namespace {

constexpr size_t kMaxTextBytes = 1 << 20;
constexpr size_t kHeadBytes = 512;

bool IsFolder(const std::string& file) {
  std::error_code error;
  return std::filesystem::is_directory(file, error);
}

// A file of sysfs, which has no size; empty if there is none.
std::string ReadAttribute(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kPcieConfigBytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

uint64_t ParseNumber(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  if (text.starts_with("0x")) text.remove_prefix(2);
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number, 16);
  return number;
}

// A line a region, "FIRST LAST FLAGS"; the first six are BARs.
void ReadBars(const std::filesystem::path& path, PciDevice& device) {
  // The flags of the kernel's resources.
  constexpr uint64_t kIo = 0x100;
  constexpr uint64_t kPrefetch = 0x2000;
  constexpr uint64_t kMemory64 = 0x100000;
  const std::string text = ReadAttribute(path);
  unsigned index = 0;
  for (std::string_view line : Split(text, '\n')) {
    const std::vector<std::string_view> parts = Split(line, ' ');
    if (parts.size() != 3 || index == 6) break;
    const uint64_t first = ParseNumber(parts[0]);
    const uint64_t last = ParseNumber(parts[1]);
    const uint64_t flags = ParseNumber(parts[2]);
    if (last > first) {
      device.bars[index] = {last - first + 1, (flags & kIo) != 0,
                            (flags & kMemory64) != 0, (flags & kPrefetch) != 0};
    }
    ++index;
  }
}

std::string ReadSysfs(const std::filesystem::path& folder, PciDevice& device) {
  std::error_code error;
  const std::filesystem::path real = std::filesystem::canonical(folder, error);
  device.address = (error ? folder : real).filename();
  device.config = ReadAttribute(folder / "config");
  if (device.config.size() < 64) {
    return "it is no folder of a PCI device: there is no config in it";
  }
  utsname name = {};
  if (uname(&name) == 0) device.kernel = name.release;
  const std::filesystem::path driver =
      std::filesystem::read_symlink(folder / "driver", error);
  if (!error) device.driver = driver.filename();
  auto number = [&folder](const char* attribute) {
    return ParseNumber(ReadAttribute(folder / attribute));
  };
  SetNumbers(device, number);
  ReadBars(folder / "resource", device);
  CompleteFromConfig(device);
  return "";
}

}  // namespace

bool IsPciDeviceFile(const Arguments& arguments, const std::string& file) {
  if (IsFolder(file)) return true;
  // What cannot be read twice is a stream.
  if (!IsRegularFile(file)) return false;
  auto opened = OpenFile(file);
  if (!opened.ok()) return false;
  std::unique_ptr<ByteSource> source =
      Decompressed(*std::move(opened), OpenOptionsOf(arguments).limits);
  return LooksLikePciDevice(AsText(source->Peek(kHeadBytes)));
}

bool ReadPciDevice(const Arguments& arguments, const std::string& file,
                   PciDevice& device) {
  std::string problem;
  if (IsFolder(file)) {
    problem = ReadSysfs(file, device);
  } else {
    std::unique_ptr<ByteSource> source = OpenRaw(file);
    if (!source) return false;
    source = Decompressed(std::move(source), OpenOptionsOf(arguments).limits);
    const std::string_view text = AsText(source->Peek(kMaxTextBytes));
    problem = source->failure();
    if (problem.empty() && !LooksLikePciDevice(text)) {
      problem =
          "it describes no PCI device: neither as migstream describe does, nor "
          "as lspci -xxxx";
    }
    if (problem.empty()) problem = ParsePciDevice(text, device);
  }
  if (problem.empty()) return true;
  PrintError(StrCat(file, ": ", problem));
  return false;
}

}  // namespace migstream
