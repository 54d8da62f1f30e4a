#include "codec/device/config_view.h"

#include "codec/device/subsection.h"
#include "codec/wire/cursor.h"

namespace migstream {
namespace {

void ParseMsix(Cursor& cursor, uint32_t vectors, ConfigView& view) {
  view.msix_table = cursor.Bytes(uint64_t{vectors} * kMsixEntryBytes);
  view.msix_pba = cursor.Bytes((vectors + 7) / 8);
}

ConfigView ParseV7(Cursor& cursor, uint32_t vectors) {
  ConfigView view;
  for (uint32_t& bar : view.bars) bar = cursor.Be32();
  view.interrupt_type = cursor.Be32();
  if (view.interrupt_type == kInterruptMsi) {
    for (uint32_t& word : view.msi) word = cursor.Be32();
  }
  if (view.interrupt_type == kInterruptMsix) {
    view.msix_flags = cursor.Be16();
    ParseMsix(cursor, vectors, view);
  }
  view.command = cursor.Be16();
  return view;
}

}  // namespace

ConfigView ConfigView::Parse(ByteSpan fixed, const ConfigLayout& layout) {
  Cursor cursor(fixed);
  if (layout.kind == ConfigLayoutKind::kE5V7) {
    return ParseV7(cursor, layout.msix_vectors);
  }
  ConfigView view;
  view.version = cursor.Be32();
  view.pci_config = cursor.Bytes(layout.pci_config_bytes);
  for (uint32_t& state : view.irq_state) state = cursor.Be32();
  if (layout.kind == ConfigLayoutKind::kE5V26) {
    view.vfio_version = cursor.Be32();
    view.interrupt_type = cursor.Be32();
  }
  ParseMsix(cursor, layout.msix_vectors, view);
  return view;
}

MsixEntry ConfigView::msix_entry(uint32_t vector) const {
  MsixEntry entry;
  if (vector >= msix_vectors()) return entry;
  const uint8_t* at = &msix_table[size_t{vector} * kMsixEntryBytes];
  entry.address = LoadLe32(at) | uint64_t{LoadLe32(at + 4)} << 32;
  entry.data = LoadLe32(at + 8);
  entry.masked = (LoadLe32(at + 12) & 1) != 0;
  return entry;
}

bool ConfigView::msix_pending(uint32_t vector) const {
  return vector / 8 < msix_pba.size() &&
         (msix_pba[vector / 8] >> (vector % 8) & 1) != 0;
}

bool MsixSpellsSubsection(const ConfigView& config) {
  return StartsSubsection(config.msix_table, "PCIDevice") ==
         SubsectionStart::kYes;
}

}  // namespace migstream
