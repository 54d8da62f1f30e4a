// A device's config payload, made from a recipe or kept from a real stream.
// FORMAT.md sections 11 and 12.

#ifndef MIGSTREAM_CODEC_GENERATE_CONFIG_PARTS_H_
#define MIGSTREAM_CODEC_GENERATE_CONFIG_PARTS_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "codec/device/config_view.h"
#include "codec/device/section_encoder.h"
#include "codec/device/subsection.h"
#include "codec/generate/random.h"
#include "codec/generate/stream.pb.h"
#include "flags/dialect.h"

namespace migstream {

struct ConfigParts {
  // A device of the dialect's time, with all that the recipe says of it, within
  // its bounds (recipe_bounds.h).
  static ConfigParts Make(const recipe::Config& config, const Dialect& dialect,
                          Random& random);
  static ConfigParts Copy(const ConfigView& view);
  void AddSubsection(const SubsectionView& view);

  // Good as long as the parts, and as they are.
  ConfigView View() const;

  // The payload and the END_OF_STATE that closes it, with what `flush` does
  // after each put; false if the encoder refuses.
  template <typename Flush>
  bool Encode(SectionEncoder& encoder, uint8_t trigger_flags,
              bool payload_follows, Flush flush) const {
    if (encoder.Config(View(), trigger_flags) != Put::kDone) return false;
    flush();
    for (const Subsection& subsection : subsections) {
      if (!payload_follows) break;
      if (encoder.Subsection({subsection.name, subsection.version,
                              AsBytes(subsection.payload)}) != Put::kDone) {
        return false;
      }
      flush();
    }
    return true;
  }

  struct Subsection {
    std::string name;
    uint32_t version = 1;
    std::string payload;
  };

  std::string pci_config;
  std::array<uint32_t, 4> irq_state = {};
  std::string msix_table;
  std::string msix_pba;
  std::vector<Subsection> subsections;
  uint32_t interrupt_type = 0;  // E5.
  std::array<uint32_t, 6> bars = {};
  std::array<uint32_t, 3> msi = {};
  uint16_t msix_flags = 0;
  uint16_t command = 0;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_GENERATE_CONFIG_PARTS_H_
