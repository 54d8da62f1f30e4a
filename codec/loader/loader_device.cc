#include "codec/loader/loader_device.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "codec/device/config_compare.h"
#include "codec/device/config_layout.h"
#include "codec/device/pci_config.h"
#include "codec/device/subsection.h"
#include "codec/wire/error.h"

namespace migstream {
namespace {

constexpr uint32_t kNewestConfigVersion = 2;
constexpr uint64_t kConfigHeadBytes = 4;
constexpr uint64_t kIrqStateBytes = 16;
// 05, length, name, be32 version, content.
constexpr uint64_t kDisplayBytes =
    2 + kDisplaySubsection.size() + 4 + kRamfbBytes;

// What a config payload of the destination's device holds.
struct Sizes {
  uint32_t pci_config_bytes = 0;
  uint32_t msix_bytes = 0;
};

// From the length of the whole payload: each has one answer.
Sizes SizesOf(uint64_t config_bytes) {
  Sizes sizes;
  uint64_t head = kConfigHeadBytes + kIrqStateBytes;
  sizes.pci_config_bytes = config_bytes >= head + kPcieConfigBytes
                               ? kPcieConfigBytes
                               : kPciConfigBytes;
  uint64_t rest =
      config_bytes - std::min(config_bytes, head + sizes.pci_config_bytes);
  for (uint64_t display : {uint64_t{0}, kDisplayBytes}) {
    if (rest < display) break;
    // A vector has 16 bytes and a bit.
    uint32_t vectors = static_cast<uint32_t>((rest - display) * 8 / 129);
    if (MsixBytes(vectors) == rest - display) {
      sizes.msix_bytes = MsixBytes(vectors);
      break;
    }
  }
  return sizes;
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
  // Damaged: most devices are PCI Express.
  ByteSpan bytes = input.Peek(kConfigHeadBytes + kPcieConfigBytes);
  if (bytes.size() < kConfigHeadBytes + kPcieConfigBytes) return {};
  return SizesOfDevice(bytes.subspan(kConfigHeadBytes, kPcieConfigBytes));
}

std::string UnknownSubsection(LoaderInput& input, absl::string_view parent) {
  ByteSpan bytes = input.Peek(257);
  return absl::StrCat("VM subsection '", AsText(bytes.subspan(2, bytes[1])),
                      "' in '", parent, "' does not exist");
}

bool AtSubsection(LoaderInput& input, absl::string_view parent) {
  return StartsSubsection(input.Peek(257), parent) == SubsectionStart::kYes;
}

}  // namespace

bool LoaderDevices::Load(LoaderInput& input, const LoaderDevice& device) {
  uint64_t at = input.offset();
  uint64_t tag = input.Be64();
  while (true) {
    Element element = plain_.Meaning(tag);
    if (element == Element::kNone) element = multifd_.Meaning(tag);
    switch (element) {
      case Element::kEndOfState:
        return true;
      case Element::kSetup:
        at = input.offset();
        tag = input.Be64();
        if (plain_.Meaning(tag) == Element::kEndOfState) return true;
        return input.Refuse(
            at, absl::StrCat("SETUP STATE: EOS not found ", Hex(tag)));
      case Element::kData:
        input.Skip(input.Be64());
        break;
      case Element::kConfig:
        if (!LoadConfig(input, device)) return false;
        // Only where records may follow it does the loader go on.
        if (!plain_.end.After(Element::kConfig).Contains(Element::kData)) {
          return true;
        }
        break;
      case Element::kInitDataSent:
        return LoadInitDataSent(input, at);
      case Element::kConfigLoadReady:
        if (!multifd_used_) {
          return input.Refuse(
              at, "got DEV_CONFIG_LOAD_READY outside multifd transfer");
        }
        if (!ready_.insert(device.idstr).second) {
          return input.Refuse(at, "duplicate DEV_CONFIG_LOAD_READY");
        }
        return true;
      default:
        return input.Refuse(at, absl::StrCat("Unknown tag ", Hex(tag)));
    }
    at = input.offset();
    tag = input.Be64();
    if (!input.CheckEnd()) return false;
  }
}

bool LoaderDevices::LoadInitDataSent(LoaderInput& input, uint64_t at) {
  init_data_sent_ = true;
  if (!switchover_ack_) {
    return input.Refuse(
        at, "Received INIT_DATA_SENT but switchover ack is not used");
  }
  if (acks_left_ == 0) {
    return input.Refuse(at,
                        "qemu_loadvm_approve_switchover failed, err=-22 "
                        "(Invalid argument)");
  }
  --acks_left_;
  return true;
}

bool LoaderDevices::LoadConfig(LoaderInput& input, const LoaderDevice& device) {
  Sizes sizes = device.config.empty() ? device.config_bytes != 0
                                            ? SizesOf(device.config_bytes)
                                            : SizesThatFit(input)
                                      : SizesOfDevice(AsBytes(device.config));
  if (sizes.pci_config_bytes != 0) {
    uint64_t at = input.offset();
    uint32_t version = input.Be32();
    if (version > kNewestConfigVersion) {
      return input.Refuse(
          at,
          absl::StrCat("Invalid value ", static_cast<int32_t>(version),
                       " expecting positive value <= ", kNewestConfigVersion));
    }
    std::string config = input.Bytes(sizes.pci_config_bytes);
    if (!input.CheckEnd()) return false;
    if (!device.config.empty()) {
      ByteSpan own = AsBytes(device.config);
      ConfigMasks masks = DeviceMasks(own, row_.skips_vendor_capabilities);
      if (auto mismatch = CompareConfig(AsBytes(config), own, masks)) {
        size_t i = mismatch->offset;
        return input.Refuse(
            at + kConfigHeadBytes + i,
            absl::StrFormat("get_pci_config_device: Bad config data: i=0x%x "
                            "read: %x device: %x cmask: %x wmask: %x "
                            "w1cmask:%x",
                            i, mismatch->saved, mismatch->destination,
                            masks.check[i], masks.writable[i],
                            masks.clearable[i]));
      }
    }
    for (int i = 0; i < 4; ++i) {
      at = input.offset();
      uint32_t state = input.Be32();
      if (state > 1) {
        return input.Refuse(
            at, absl::StrCat("irq state ", static_cast<int32_t>(state),
                             ": must be 0 or 1."));
      }
    }
    if (AtSubsection(input, "PCIDevice")) {
      return input.Refuse(input.offset(),
                          UnknownSubsection(input, "PCIDevice"));
    }
    input.Skip(sizes.msix_bytes);
    if (sizes.msix_bytes != 0 && AtSubsection(input, "msix")) {
      return input.Refuse(input.offset(), UnknownSubsection(input, "msix"));
    }
    while (AtSubsection(input, kVfioPciVmstate)) {
      at = input.offset();
      std::string unknown = UnknownSubsection(input, kVfioPciVmstate);
      input.U8();
      std::string name = input.Str8();
      uint32_t subsection_version = input.Be32();
      if (name != kDisplaySubsection || !row_.display_subsection) {
        return input.Refuse(at, unknown);
      }
      if (subsection_version != 1) {
        return input.Refuse(
            at, absl::StrCat(name, ": incoming version_id ", subsection_version,
                             " is not the local 1"));
      }
      input.Skip(kRamfbBytes);
    }
  }
  uint64_t at = input.offset();
  uint64_t tag = input.Be64();
  if (plain_.Meaning(tag) != Element::kEndOfState) {
    return input.Refuse(
        at, absl::StrCat("Failed loading device config space, end flag "
                         "incorrect ",
                         Hex(tag)));
  }
  configured_.insert(device.idstr);
  return input.CheckEnd();
}

}  // namespace migstream
