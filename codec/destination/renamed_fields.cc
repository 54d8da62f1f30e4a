#include "codec/destination/renamed_fields.h"

#include <algorithm>
#include <span>

namespace migstream {
namespace {

// Names that stand for each other in one place.
struct Row {
  std::string_view where;
  std::span<const std::string_view> names;
};

constexpr std::string_view kDev[] = {"dev", "parent_obj"};
constexpr std::string_view kPciDev[] = {"pci_dev", "parent_obj"};
constexpr std::string_view kEhci[] = {"dev", "pcidev"};
constexpr std::string_view kAhci[] = {"card", "parent_obj"};
constexpr std::string_view kMch[] = {"d", "parent_obj"};
constexpr std::string_view kBridge[] = {"bridge.dev", "parent_obj",
                                        "bridge.dev.shpc", "shpc"};
constexpr std::string_view kPiix3[] = {"pci_irq_levels",
                                       "pci_irq_levels_vmstate"};
constexpr std::string_view kPiix4[] = {
    "dev", "parent_obj", "pci0_status",
    "acpi_pci_hotplug.acpi_pcihp_pci_status[0x0]"};
constexpr std::string_view kQxl[] = {"num_surfaces", "ssd.num_surfaces"};
constexpr std::string_view kPointer[] = {"usb-ptr-queue",
                                         "HIDPointerEventQueue"};
constexpr std::string_view kPort[] = {
    "port.br.dev", "parent_obj.parent_obj.parent_obj",
    "port.br.dev.exp.aer_log", "parent_obj.parent_obj.parent_obj.exp.aer_log"};
constexpr std::string_view kUpstream[] = {"br.dev", "parent_obj.parent_obj",
                                          "br.dev.exp.aer_log",
                                          "parent_obj.parent_obj.exp.aer_log"};

constexpr Row kRows[] = {
    {"e1000", kDev},
    {"ehci", kEhci},
    {"I440FX", kDev},
    {"ich9_ahci", kAhci},
    {"ioh-3240-express-root-port", kPort},
    {"mch", kMch},
    {"pci_bridge", kBridge},
    {"pcnet", kPciDev},
    {"PIIX3", kPiix3},
    {"piix4_pm", kPiix4},
    {"rtl8139", kDev},
    {"qxl", kQxl},
    {"usb-host", kDev},
    {"usb-mouse", kPointer},
    {"usb-tablet", kPointer},
    {"xhci", kPciDev},
    {"xio3130-express-downstream-port", kPort},
    {"xio3130-express-upstream-port", kUpstream},
};

constexpr std::string_view kSections[][2] = {{"ICH9 LPC", "ICH9-LPC"}};

}  // namespace

bool IsSameField(std::string_view where, std::string_view a,
                 std::string_view b) {
  if (a == b) return true;
  for (const Row& row : kRows) {
    if (row.where != where) continue;
    auto has = [&row](std::string_view name) {
      return std::find(row.names.begin(), row.names.end(), name) !=
             row.names.end();
    };
    return has(a) && has(b);
  }
  return false;
}

std::string_view OtherSectionName(std::string_view section) {
  for (const auto& [before, after] : kSections) {
    if (section == before) return after;
    if (section == after) return before;
  }
  return {};
}

}  // namespace migstream
