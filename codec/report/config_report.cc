#include "codec/report/config_report.h"

#include "absl/strings/str_format.h"
#include "codec/device/pci_config.h"
#include "codec/device/subsection.h"
#include "codec/report/report_builder.h"
#include "codec/wire/printable.h"

namespace migstream {
namespace {

void FillPci(const PciConfig& pci, report::Pci& out) {
  out.set_ids(absl::StrFormat("%04x:%04x", pci.vendor_id, pci.device_id));
  out.set_vendor_id(pci.vendor_id);
  out.set_device_id(pci.device_id);
  out.set_subsystem_vendor_id(pci.subsystem_vendor_id);
  out.set_subsystem_id(pci.subsystem_id);
  out.set_class_code(pci.class_code);
  out.set_class_name(PciClassName(pci.class_code));
  out.set_revision(pci.revision);
  out.set_command(pci.command);
  out.set_command_bits(PciCommandToString(pci.command));
  for (size_t i = 0; i < pci.bars.size(); ++i) {
    const PciBar& bar = pci.bars[i];
    if (!bar.present) continue;
    report::Bar& row = *out.add_bars();
    row.set_index(static_cast<uint32_t>(i));
    row.set_type(bar.io ? "io" : bar.is_64bit ? "mem64" : "mem32");
    row.set_prefetchable(bar.prefetchable);
    row.set_address(bar.address);
  }
  for (int i = 0; i < pci.capability_count; ++i) {
    report::Capability& row = *out.add_capabilities();
    row.set_id(pci.capabilities[i].id);
    row.set_name(PciCapabilityName(pci.capabilities[i].id));
    row.set_offset(pci.capabilities[i].offset);
  }
  out.set_capability_list_broken(pci.capability_list_broken);
  out.set_msi_enabled(pci.msi.enabled);
  out.set_msi_vectors(pci.msi.vectors);
  out.set_msi_enabled_vectors(pci.msi.enabled_vectors);
  out.set_msi_mask_bits(pci.msi.mask_bits);
  out.set_msix_enabled(pci.msix.enabled);
  out.set_msix_function_mask(pci.msix.function_mask);
}

}  // namespace

void FillConfig(const Event& event, const ConfigView& view, bool msix_table,
                report::Config& config) {
  config.set_offset(event.offset);
  config.set_bytes(event.layout.total_bytes);
  config.set_pci_config_bytes(event.layout.pci_config_bytes);
  config.set_other_pci_config_bytes(event.layout.other_pci_config_bytes);
  for (uint32_t state : view.irq_state) config.add_irq_state(state);
  config.set_msix_vectors(view.msix_vectors());
  for (uint32_t vector = 0; vector < view.msix_vectors(); ++vector) {
    if (view.msix_entry(vector).masked) {
      config.set_msix_masked(config.msix_masked() + 1);
    }
    if (view.msix_pending(vector)) {
      config.set_msix_pending(config.msix_pending() + 1);
    }
    if (!msix_table) continue;
    const MsixEntry entry = view.msix_entry(vector);
    report::MsixVector& row = *config.add_msix();
    row.set_address(entry.address);
    row.set_data(entry.data);
    row.set_masked(entry.masked);
    row.set_pending(view.msix_pending(vector));
  }
  if (!view.pci_config.empty()) {
    FillPci(PciConfig::Parse(view.pci_config), *config.mutable_pci());
  }
}

void FillSubsection(const SubsectionView& view,
                    report::Subsection& subsection) {
  subsection.set_name(Printable(view.name));
  subsection.set_version(view.version);
  subsection.set_bytes(view.payload.size());
  if (view.name != kDisplaySubsection) return;
  RamfbConfig ramfb = RamfbConfig::Parse(view.payload);
  report::Ramfb& out = *subsection.mutable_ramfb();
  out.set_address(ramfb.address);
  out.set_fourcc(ramfb.fourcc);
  out.set_flags(ramfb.flags);
  out.set_width(ramfb.width);
  out.set_height(ramfb.height);
  out.set_stride(ramfb.stride);
}

}  // namespace migstream
