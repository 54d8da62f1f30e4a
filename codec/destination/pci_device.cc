#include "codec/destination/pci_device.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "codec/device/pci_config.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

class Comparer {
 public:
  Comparer(ByteSpan stream, const PciDevice& device, bool vendor_capabilities)
      : stream_(stream),
        own_(AsBytes(device.config)),
        device_(device),
        vendor_capabilities_(vendor_capabilities),
        pci_(PciConfig::Parse(stream)),
        own_pci_(PciConfig::Parse(own_)) {}

  std::vector<PciDifference> Compare() {
    if (stream_.size() < kPciConfigBytes) return {};
    Number("vendor id", pci_.vendor_id, device_.vendor_id, 4);
    Number("device id", pci_.device_id, device_.device_id, 4);
    Number("revision", pci_.revision, device_.revision, 2);
    Number("class", pci_.class_code, device_.class_code, 6);
    CompareBars();
    Number("subsystem vendor id", pci_.subsystem_vendor_id,
           device_.subsystem_vendor_id, 4, true);
    Number("subsystem id", pci_.subsystem_id, device_.subsystem_id, 4, true);
    if (own_.size() >= kPciConfigBytes) CompareCapabilities();
    if (own_.size() == kPcieConfigBytes && stream_.size() == kPcieConfigBytes) {
      CompareExtended();
    }
    return std::move(differences_);
  }

 private:
  void Differ(std::string what, std::string stream, std::string destination,
              bool loads = false) {
    differences_.push_back(
        {std::move(what), std::move(stream), std::move(destination), loads});
  }

  void Number(std::string what, uint64_t stream, uint64_t own, int digits,
              bool loads = false) {
    if (stream == own) return;
    Differ(std::move(what), Hex(stream, digits), Hex(own, digits), loads);
  }

  static std::string KindOf(bool io, bool is_64bit, bool prefetchable) {
    if (io) return "I/O ports";
    return StrCat(is_64bit ? "64-bit" : "32-bit",
                  prefetchable ? " prefetchable" : "", " memory");
  }

  void CompareBars() {
    constexpr uint32_t kFirstBar = 0x10;
    for (const auto& [index, own] : device_.bars) {
      if (index >= pci_.bars.size()) continue;
      const std::string name = StrCat("BAR ", index);
      const uint32_t low = LoadLe32(&stream_[kFirstBar + 4 * index]);
      const PciBar& bar = pci_.bars[index];
      const std::string stream =
          bar.present || low != 0
              ? KindOf((low & 1) != 0, (low & 6) == 4, (low & 9) == 8)
              : "32-bit memory";
      const std::string mine = KindOf(own.io, own.is_64bit, own.prefetchable);
      if (stream != mine) {
        Differ(name, stream, mine);
        continue;
      }
      // A larger one cannot stand where a smaller one does.
      if (own.bytes == 0 || (own.bytes & (own.bytes - 1)) != 0) continue;
      const uint64_t address = bar.present ? bar.address : 0;
      if ((address & (own.bytes - 1)) == 0) continue;
      Differ(StrCat(name, " address"), Hex(address),
             StrCat("a multiple of its size, ", Hex(own.bytes)));
    }
  }

  uint16_t Word(ByteSpan config, size_t at) const {
    return at + 2 <= config.size() ? LoadLe16(&config[at]) : 0;
  }
  uint32_t Long(ByteSpan config, size_t at) const {
    return at + 4 <= config.size() ? LoadLe32(&config[at]) : 0;
  }

  std::optional<uint8_t> OffsetOf(const PciConfig& pci, uint8_t id) const {
    for (int i = 0; i < pci.capability_count; ++i) {
      if (pci.capabilities[i].id == id) return pci.capabilities[i].offset;
    }
    return std::nullopt;
  }

  static bool Has(const PciConfig& pci, const PciCapability& wanted) {
    return std::any_of(pci.capabilities.begin(),
                       pci.capabilities.begin() + pci.capability_count,
                       [&](const PciCapability& capability) {
                         return capability.id == wanted.id &&
                                capability.offset == wanted.offset;
                       });
  }

  void CompareCapabilities() {
    std::vector<PciCapability> list(
        pci_.capabilities.begin(),
        pci_.capabilities.begin() + pci_.capability_count);
    std::sort(list.begin(), list.end(),
              [](const auto& a, const auto& b) { return a.offset < b.offset; });
    for (const PciCapability& capability : list) {
      if (Has(own_pci_, capability)) {
        CompareCapability(capability);
        continue;
      }
      const std::optional<uint8_t> elsewhere =
          OffsetOf(own_pci_, capability.id);
      Differ(StrCat("capability ", PciCapabilityName(capability.id)),
             StrCat("at ", Hex(capability.offset)),
             elsewhere ? StrCat("at ", Hex(*elsewhere)) : "");
    }
  }

  // What QEMU passes on of it.
  void CompareCapability(const PciCapability& capability) {
    const size_t at = capability.offset;
    const std::string name = PciCapabilityName(capability.id);
    auto word = [&](const char* what, size_t offset, uint16_t mask) {
      Number(StrCat(name, " ", what), Word(stream_, at + offset) & mask,
             Word(own_, at + offset) & mask, 4);
    };
    switch (capability.id) {
      case 0x01:
        return word("capabilities", 2, 0xffff);
      case 0x05:  // Not what a guest sets: enable, and how many vectors.
        return word("control", 2, 0xff8e);
      case 0x09:
        return CompareVendor(at, name);
      case 0x10:
        return Number(StrCat(name, " device capabilities"),
                      Long(stream_, at + 4), Long(own_, at + 4), 8);
      case 0x11:
        if (pci_.msix.vectors != own_pci_.msix.vectors) {
          Differ("MSI-X vectors", StrCat(pci_.msix.vectors),
                 StrCat(own_pci_.msix.vectors));
        }
        Number("MSI-X table", Long(stream_, at + 4), Long(own_, at + 4), 8);
        return Number("MSI-X PBA", Long(stream_, at + 8), Long(own_, at + 8),
                      8);
      default:
        return;
    }
  }

  void CompareVendor(size_t at, const std::string& name) {
    const size_t bytes = stream_[at + 2];
    if (bytes != own_[at + 2]) {
      return Differ(StrCat(name, " length"), StrCat(bytes),
                    StrCat(own_[at + 2]));
    }
    for (size_t i = at + 3; i < at + bytes && i < kPciConfigBytes; ++i) {
      if (stream_[i] == own_[i]) continue;
      return Differ(StrCat(name, " + ", Hex(i - at)), Hex(stream_[i], 2),
                    Hex(own_[i], 2), !vendor_capabilities_);
    }
  }

  // QEMU leaves some out, and none moves.
  void CompareExtended() {
    size_t left = (kPcieConfigBytes - kPciConfigBytes) / 4;
    for (size_t at = kPciConfigBytes;
         at >= kPciConfigBytes && at + 4 <= kPcieConfigBytes && left-- != 0;) {
      const uint32_t head = Long(stream_, at);
      const uint16_t id = head & 0xffff;
      // One that stands first is hidden by an id of its own.
      if (head == 0) return;
      const bool hidden = id == 0 || id == 0xffff;
      if (!hidden && (Long(own_, at) & 0xffff) != id) {
        Differ(StrCat("extended capability ", Hex(id, 4)),
               StrCat("at ", Hex(at)), "");
      }
      at = head >> 20 & ~size_t{3};
    }
  }

  const ByteSpan stream_;
  const ByteSpan own_;
  const PciDevice& device_;
  const bool vendor_capabilities_;
  const PciConfig pci_;
  const PciConfig own_pci_;
  std::vector<PciDifference> differences_;
};

}  // namespace

std::vector<PciDifference> CompareDevice(ByteSpan stream,
                                         const PciDevice& device,
                                         bool vendor_capabilities) {
  return Comparer(stream, device, vendor_capabilities).Compare();
}

}  // namespace migstream
