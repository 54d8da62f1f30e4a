// A config payload, and the capability list in its PCI configuration space: a
// layout that fits lies within the bytes, with END_OF_STATE where it says; and
// all that reads the payload by that layout stays within it.

#include "codec/device/config_compare.h"
#include "codec/device/config_layout.h"
#include "codec/device/config_view.h"
#include "codec/device/pci_config.h"
#include "flags/tag.h"
#include "fuzz/fuzzing.h"

using namespace migstream;  // NOLINT: this file is a program.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  uint8_t choice = input.Choice();
  constexpr ConfigLayoutKind kKinds[] = {
      ConfigLayoutKind::kReleased, ConfigLayoutKind::kReleased,
      ConfigLayoutKind::kE5V7, ConfigLayoutKind::kE5V26};
  ConfigLayoutKind kind = kKinds[choice & 3];
  bool end_of_input = (choice & 4) != 0;
  ConfigHints hints;
  if ((choice & 8) != 0) hints.pci_config_bytes = (choice & 16) ? 256 : 4096;
  if ((choice & 32) != 0) hints.msix_vectors = input.Choice();
  hints.element_expected = (choice & 64) != 0;
  ByteSpan bytes = input.Rest();
  uint64_t config_bytes = (choice & 128) != 0 && bytes.size() > kTagBytes
                              ? bytes.size() - kTagBytes
                              : 0;

  PciConfig pci = PciConfig::Parse(bytes);
  REQUIRE(pci.capability_count <= PciConfig::kMaxCapabilities);
  for (int i = 0; i < pci.capability_count; ++i) {
    REQUIRE(pci.capabilities[i].offset >= 0x40);
  }
  ConfigDeduction found =
      DeduceConfigLayout(bytes, end_of_input, kind, config_bytes, hints, {});
  switch (found.outcome) {
    case ConfigDeduction::kNeedInput:
      REQUIRE(found.bytes_needed > bytes.size());
      return 0;
    case ConfigDeduction::kError:
      REQUIRE(static_cast<int>(found.code) / 100 == 3 ||
              static_cast<int>(found.code) / 100 == 4);
      return 0;
    case ConfigDeduction::kFits:
      break;
  }
  const ConfigLayout& layout = found.layout;
  REQUIRE(layout.fixed_bytes <= layout.total_bytes);
  REQUIRE(layout.total_bytes + kTagBytes <= bytes.size());
  REQUIRE(LoadBe64(&bytes[layout.total_bytes]) ==
          static_cast<uint64_t>(Tag::kEndOfState));
  REQUIRE(config_bytes == 0 || layout.total_bytes == config_bytes);
  if (layout.total_bytes == 0) return 0;
  ConfigView view = ConfigView::Parse(bytes.first(layout.fixed_bytes), layout);
  REQUIRE(view.msix_vectors() == layout.msix_vectors);
  REQUIRE(view.msix_pba.size() == (layout.msix_vectors + 7) / 8);
  REQUIRE(view.pci_config.size() == layout.pci_config_bytes);
  (void)MsixSpellsSubsection(view);
  (void)view.msix_entry(choice);
  (void)view.msix_pending(choice);
  if (layout.pci_config_bytes != 0) {
    ConfigMasks masks = HeaderMasks(layout.pci_config_bytes);
    REQUIRE(!CompareConfig(view.pci_config, view.pci_config, masks));
  }
  return 0;
}
