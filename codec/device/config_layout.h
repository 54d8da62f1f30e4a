// Where the parts of a config payload stand. The payload says neither its own
// length nor that of its parts: they are deduced. FORMAT.md sections 11 and 14.
//
// Two things are not on the wire, the size of the PCI configuration space (256
// or 4096) and the number of MSI-X vectors. The number is in the MSI-X
// capability, and each size puts END_OF_STATE at one certain place; a size fits
// if it is there and all that stands before it is as it must be. Nothing is
// ever searched for: the guest may have written any tag into these bytes.

#ifndef MIGSTREAM_CODEC_DEVICE_CONFIG_LAYOUT_H_
#define MIGSTREAM_CODEC_DEVICE_CONFIG_LAYOUT_H_

#include <cstdint>

#include "codec/device/limits.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"
#include "flags/dialect.h"

namespace migstream {

// What the caller knows beforehand. All may be left unknown.
struct ConfigHints {
  // Bytes of the whole FULL content, tags and all: its size in the
  // VMDESCRIPTION. 0: unknown.
  uint64_t content_bytes = 0;
  // A destination knows its own device. A live loader should give both: else
  // it may have to wait for bytes that come after the section.
  uint32_t pci_config_bytes = 0;  // 256 or 4096; 0: unknown.
  int32_t msix_vectors = -1;      // 0: the device has no MSI-X; -1: unknown.
  // The section id that a footer after the section must name. It decides
  // between two sizes that both fit.
  bool footer_expected = false;
  uint32_t footer_section_id = 0;
  // DATA or END_OF_STATE must come next, as in an END section of QEMU 5.2. It
  // decides likewise; SectionDecoder sets it.
  bool element_expected = false;
};

inline constexpr uint32_t kNewestConfigVersion = 2;
inline constexpr uint32_t kMsixEntryBytes = 16;
// From a released CONFIG's tag to its PCI configuration space: the tag, and the
// payload's version.
inline constexpr uint32_t kBeforePciConfig = 8 + 4;
// be32 interrupt type of E5-v7 and E5-v26; 0 is no interrupt, 1 INTx.
inline constexpr uint32_t kInterruptMsi = 2;
inline constexpr uint32_t kInterruptMsix = 3;

struct ConfigLayout {
  ConfigLayoutKind kind = ConfigLayoutKind::kReleased;
  uint32_t pci_config_bytes = 0;  // 0 in E5-v7, which has none.
  uint32_t msix_vectors = 0;      // As many entries are in the payload.
  uint32_t fixed_bytes = 0;       // All before the subsections.
  uint32_t total_bytes = 0;       // All before END_OF_STATE.
  // The other size, where both fit and only a hint decided; else 0.
  uint32_t other_pci_config_bytes = 0;
};

// Bytes of an MSI-X table and its pending bits as a config payload holds them.
uint32_t MsixBytes(uint32_t vectors);

struct ConfigDeduction {
  enum Outcome { kFits, kNeedInput, kError };

  Outcome outcome = kError;
  ConfigLayout layout;      // kFits
  size_t bytes_needed = 0;  // kNeedInput: as many from the payload's start.
  // kError: what is wrong, where, counted from the payload's start, and the
  // number that stands there.
  ErrorCode code = ErrorCode::kNone;
  uint64_t offset = 0;
  uint64_t found = 0;
};

// `bytes` begins with the payload, and may go on past its end; `end_of_input`
// says that no more will ever come. `config_bytes` is the payload's length, 0
// if unknown. The hint content_bytes is not used here.
ConfigDeduction DeduceConfigLayout(ByteSpan bytes, bool end_of_input,
                                   ConfigLayoutKind kind, uint64_t config_bytes,
                                   const ConfigHints& hints,
                                   const DeviceLimits& limits);

// The length of the subsection at the start of `bytes`, which are all that is
// left of the payload if `last`; 0 if it cannot be told. The loader's rule has
// found that one begins here.
uint64_t SubsectionBytes(ByteSpan bytes, bool last);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DEVICE_CONFIG_LAYOUT_H_
