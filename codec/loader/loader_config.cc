#include "codec/loader/loader_config.h"

#include <algorithm>
#include <string_view>

#include "codec/device/config_compare.h"
#include "codec/device/config_layout.h"
#include "codec/device/pci_config.h"
#include "codec/device/subsection.h"
#include "codec/loader/loader_vmstate.h"
#include "codec/qemu/loader_words.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

constexpr uint64_t kVersionBytes = 4;
constexpr uint64_t kIrqStates = 4;
constexpr uint64_t kIrqStateBytes = 4 * kIrqStates;
// 05, length, name, be32 version, content.
constexpr uint64_t kDisplayBytes =
    2 + kDisplaySubsection.size() + 4 + kRamfbBytes;
constexpr uint64_t kMaxSubsectionHead = 2 + 255;

// What every release says last of whatever is wrong here.
constexpr std::string_view kFailed = "Failed to load device config space";

// What a config payload of the destination's device holds.
struct Sizes {
  uint32_t pci_config_bytes = 0;
  uint32_t msix_bytes = 0;
};

// The sizes of a payload with so much configuration space, if there is one of
// this length.
std::optional<Sizes> SizesWith(uint32_t pci_config_bytes, uint64_t bytes) {
  const uint64_t fixed = kVersionBytes + pci_config_bytes + kIrqStateBytes;
  for (uint64_t before : {fixed, fixed + kDisplayBytes}) {
    if (bytes < before) break;
    // A vector has 16 bytes and a bit.
    const uint64_t vectors = (bytes - before) * 8 / 129;
    if (vectors > kMaxMsixVectors) break;
    const uint32_t msix_bytes = MsixBytes(static_cast<uint32_t>(vectors));
    if (msix_bytes == bytes - before)
      return Sizes{pci_config_bytes, msix_bytes};
  }
  return std::nullopt;
}

Sizes SizesOfDevice(ByteSpan config) {
  PciConfig pci = PciConfig::Parse(config);
  return {static_cast<uint32_t>(config.size()),
          pci.msix.present ? MsixBytes(pci.msix.vectors) : 0};
}

// The destination has what fits the stream.
Sizes SizesThatFit(LoaderInput& input) {
  DeviceLimits limits;
  for (size_t window = 8;;) {
    ByteSpan bytes = input.Peek(window);
    bool end_of_input = bytes.size() < window;
    ConfigDeduction deduced = DeduceConfigLayout(
        bytes, end_of_input, ConfigLayoutKind::kReleased, 0, {}, limits);
    if (deduced.outcome == ConfigDeduction::kFits) {
      return {deduced.layout.pci_config_bytes,
              MsixBytes(deduced.layout.msix_vectors)};
    }
    if (deduced.outcome == ConfigDeduction::kError || end_of_input) break;
    window = deduced.bytes_needed;
  }
  // Damaged, or cut short: most devices are PCI Express.
  ByteSpan bytes = input.Peek(kVersionBytes + kPcieConfigBytes);
  if (bytes.size() < kVersionBytes + kPcieConfigBytes) {
    return {kPcieConfigBytes, 0};
  }
  return SizesOfDevice(bytes.subspan(kVersionBytes, kPcieConfigBytes));
}

Sizes SizesOf(LoaderInput& input, const LoaderDevice& device) {
  if (!device.config.empty()) return SizesOfDevice(AsBytes(device.config));
  std::optional<Sizes> large = SizesWith(kPcieConfigBytes, device.config_bytes);
  std::optional<Sizes> small = SizesWith(kPciConfigBytes, device.config_bytes);
  if (large.has_value() != small.has_value()) return large ? *large : *small;
  return SizesThatFit(input);
}

bool RefuseIfEnded(LoaderInput& input) {
  return !input.ended() || input.Refuse(input.offset(), std::string(kFailed));
}

bool LoadSpace(LoaderInput& input, uint32_t bytes, const LoaderDevice& device,
               const LoaderRow& row) {
  uint64_t at = input.offset();
  uint32_t version = input.Be32();
  if (!RefuseIfEnded(input)) return false;
  if (version > kNewestConfigVersion) {
    return input.Refuse(
        at, StrCat("Invalid value ", static_cast<int32_t>(version),
                   " expecting positive value <= ", kNewestConfigVersion));
  }
  at = input.offset();
  std::string saved = input.Bytes(bytes);
  if (!RefuseIfEnded(input)) return false;
  if (device.config.empty()) return true;
  std::optional<ConfigRefusal> refusal =
      CompareWithDestination(AsBytes(saved), AsBytes(device.config), row);
  return !refusal || input.Refuse(at + refusal->offset, refusal->message);
}

bool LoadIrqStates(LoaderInput& input) {
  for (uint64_t i = 0; i < kIrqStates; ++i) {
    uint64_t at = input.offset();
    uint32_t state = input.Be32();
    if (state > 1) {
      return input.Refuse(at, StrCat("irq state ", static_cast<int32_t>(state),
                                     ": must be 0 or 1."));
    }
  }
  return RefuseIfEnded(input);
}

bool AtSubsection(LoaderInput& input, std::string_view parent) {
  return StartsSubsection(input.Peek(kMaxSubsectionHead), parent) ==
         SubsectionStart::kYes;
}

bool RefuseSubsection(LoaderInput& input, std::string_view parent,
                      const LoaderRow& row) {
  ByteSpan bytes = input.Peek(kMaxSubsectionHead);
  if (row.names_subsections) {
    return input.Refuse(
        input.offset(),
        UnknownSubsection(AsText(bytes.subspan(2, bytes[1])), parent));
  }
  // Else the field that holds what has it is all that is named.
  return input.Refuse(input.offset(), parent == kVfioPciVmstate
                                          ? std::string(kFailed)
                                          : StrCat("Failed to load ",
                                                   kVfioPciVmstate, ":pdev"));
}

bool LoadSubsections(LoaderInput& input, const LoaderRow& row) {
  while (AtSubsection(input, kVfioPciVmstate)) {
    const uint64_t at = input.offset();
    ByteSpan head = input.Peek(kMaxSubsectionHead);
    const std::string name(AsText(head.subspan(2, head[1])));
    if (name.substr(0, name.find('\0')) != kDisplaySubsection ||
        !row.display_subsection) {
      return RefuseSubsection(input, kVfioPciVmstate, row);
    }
    input.Skip(2 + name.size());
    if (!CheckSubsectionVersion(input, at, name, input.Be32(), row)) {
      return false;
    }
    input.Skip(kRamfbBytes);
    if (!RefuseIfEnded(input)) return false;
  }
  return true;
}

}  // namespace

bool LoadConfigPayload(LoaderInput& input, const LoaderDevice& device,
                       const LoaderRow& row) {
  const Sizes sizes = SizesOf(input, device);
  if (!LoadSpace(input, sizes.pci_config_bytes, device, row) ||
      !LoadIrqStates(input)) {
    return false;
  }
  if (AtSubsection(input, "PCIDevice")) {
    return RefuseSubsection(input, "PCIDevice", row);
  }
  input.Skip(sizes.msix_bytes);
  if (!RefuseIfEnded(input)) return false;
  if (sizes.msix_bytes != 0 && AtSubsection(input, "msix")) {
    return RefuseSubsection(input, "msix", row);
  }
  // The loader looks whether a subsection follows, and so at the input's end.
  if (input.Peek(1).empty()) {
    return input.Refuse(input.offset(), std::string(kFailed));
  }
  return LoadSubsections(input, row);
}

std::optional<ConfigRefusal> CompareWithDestination(ByteSpan saved,
                                                    ByteSpan destination,
                                                    const LoaderRow& row) {
  ConfigMasks masks = DeviceMasks(destination, row.skips_vendor_capabilities);
  std::optional<ConfigMismatch> mismatch =
      CompareConfig(saved, destination, masks);
  if (!mismatch) return std::nullopt;
  return ConfigRefusal{mismatch->offset, BadConfigData(*mismatch, masks)};
}

}  // namespace migstream
