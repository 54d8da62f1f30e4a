#include "codec/generate/config_parts.h"

#include <algorithm>

#include "codec/device/pci_config.h"

namespace migstream {
namespace {

constexpr uint32_t kUsualVectors = 5;
// Where MakePciConfig() puts its capabilities.
constexpr uint8_t kPowerManagement = 0x40;
constexpr uint8_t kMsix = 0x70;
constexpr uint8_t kExpress = 0xa0;

std::string MakePciConfig(uint32_t bytes, uint32_t vectors, bool express) {
  std::string config(bytes, '\0');
  auto put = [&config](size_t at, std::initializer_list<int> values) {
    for (int value : values) config[at++] = static_cast<char>(value);
  };
  put(0x00, {0x86, 0x80, 0x89, 0x18});  // Vendor, device.
  put(0x04, {0x00, 0x00, 0x10, 0x00});  // A capability list.
  put(0x08, {0x02, 0x00, 0x00, 0x02});  // Ethernet.
  put(0x10, {0x0c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0c});  // BARs 0 and 3.
  put(0x2c, {0x86, 0x80, 0x01, 0x00});
  put(0x34, {kPowerManagement});
  uint8_t last = kPowerManagement;
  put(last, {0x01, 0, 0x03, 0x00});
  auto link = [&](uint8_t at, std::initializer_list<int> values) {
    put(last + 1, {at});
    put(at, values);
    last = at;
  };
  if (vectors > 0) {
    int field = static_cast<int>(vectors - 1);
    link(kMsix, {0x11, 0, field & 0xff, field >> 8 & 0x07, 0x03, 0, 0, 0, 0x03,
                 0x20, 0, 0});
  }
  if (express) link(kExpress, {0x10, 0, 0x02, 0x00});
  return config;
}

}  // namespace

ConfigParts ConfigParts::Make(const recipe::Config& config,
                              const Dialect& dialect, Random& random) {
  ConfigParts parts;
  uint32_t bytes = config.pci_config_bytes() == 0 ? kPcieConfigBytes
                                                  : config.pci_config_bytes();
  uint32_t vectors =
      config.has_msix_vectors() ? config.msix_vectors() : kUsualVectors;
  bool express = config.express() == recipe::USUAL
                     ? bytes == kPcieConfigBytes
                     : config.express() == recipe::YES;
  parts.pci_config = config.pci_config();
  if (parts.pci_config.empty()) {
    parts.pci_config =
        MakePciConfig(std::max(bytes, kPciConfigBytes), vectors, express);
    parts.pci_config.resize(bytes);
  } else {
    vectors = PciConfig::Parse(AsBytes(parts.pci_config)).msix.vectors;
  }
  auto set_id = [&parts](size_t at, uint32_t id) {
    if (id == 0) return;
    parts.pci_config[at] = static_cast<char>(id & 0xff);
    parts.pci_config[at + 1] = static_cast<char>(id >> 8 & 0xff);
  };
  if (parts.pci_config.size() >= 4) {
    set_id(0, config.pci_vendor());
    set_id(2, config.pci_device());
  }
  for (int i = 0; i < std::min(config.irq_state_size(), 4); ++i) {
    parts.irq_state[i] = config.irq_state(i);
  }
  // After reset; the guest has programmed what the recipe gives.
  for (uint32_t i = 0; i < vectors; ++i) {
    parts.msix_table += std::string(12, '\0') + std::string("\1\0\0\0", 4);
  }
  parts.msix_pba.assign((vectors + 7) / 8, '\0');
  auto overlay = [](const std::string& from, std::string& to) {
    std::copy_n(from.begin(), std::min(from.size(), to.size()), to.begin());
  };
  overlay(config.msix_table(), parts.msix_table);
  overlay(config.msix_pba(), parts.msix_pba);
  if (config.display()) {
    parts.subsections.push_back(
        {std::string(kDisplaySubsection), 1, std::string(kRamfbBytes, '\0')});
  }
  for (const recipe::Subsection& subsection : config.subsections()) {
    parts.subsections.push_back(
        {subsection.name(), subsection.version(), subsection.payload()});
  }
  // The two older layouts. An MSI-X table is there for type 3 alone.
  if (dialect.config_layout == ConfigLayoutKind::kReleased) return parts;
  parts.interrupt_type = config.interrupt_type();
  if (parts.interrupt_type != kInterruptMsix) {
    parts.msix_table.clear();
    parts.msix_pba.clear();
  }
  if (dialect.config_layout == ConfigLayoutKind::kE5V7) {
    parts.pci_config.clear();
    for (uint32_t& bar : parts.bars) bar = random.Next() & 0xfffff000;
    for (uint32_t& word : parts.msi)
      word = static_cast<uint32_t>(random.Next());
    // Bits 10 to 8 of the table's size are all that is left of it.
    if (vectors > 0) parts.msix_flags = (vectors - 1) >> 8 & 0x07;
    parts.command = 0x0006;
  }
  return parts;
}

ConfigParts ConfigParts::Copy(const ConfigView& view) {
  auto text = [](ByteSpan bytes) { return std::string(AsText(bytes)); };
  ConfigParts parts;
  parts.pci_config = text(view.pci_config);
  parts.irq_state = view.irq_state;
  parts.msix_table = text(view.msix_table);
  parts.msix_pba = text(view.msix_pba);
  return parts;
}

void ConfigParts::AddSubsection(const SubsectionView& view) {
  subsections.push_back({std::string(view.name), view.version,
                         std::string(AsText(view.payload))});
}

ConfigView ConfigParts::View() const {
  ConfigView view;
  view.pci_config = AsBytes(pci_config);
  view.irq_state = irq_state;
  view.msix_table = AsBytes(msix_table);
  view.msix_pba = AsBytes(msix_pba);
  view.interrupt_type = interrupt_type;
  view.bars = bars;
  view.msi = msi;
  view.msix_flags = msix_flags;
  view.command = command;
  return view;
}

}  // namespace migstream
