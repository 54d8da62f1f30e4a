// How a release's loader reads a VFIO device's config payload. FORMAT.md
// section 11, LOADERS.md section 3.

#ifndef MIGSTREAM_CODEC_LOADER_LOADER_CONFIG_H_
#define MIGSTREAM_CODEC_LOADER_LOADER_CONFIG_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "codec/loader/loader_input.h"
#include "codec/loader/loader_row.h"
#include "codec/payload/payload_tally.h"
#include "codec/wire/bytes.h"

namespace migstream {

// The destination's device, as far as it is known.
struct LoaderDevice {
  std::string idstr;
  uint32_t instance_id = 0;
  // Its PCI configuration space; empty: it agrees with the stream's.
  std::string config = {};
  // Bytes of its config payload; 0: unknown, what fits is taken.
  uint64_t config_bytes = 0;
  // Told of its DATA and its ids; may be null.
  PayloadTally* payload = nullptr;
  bool display = false;  // Its config payload had the display's subsection.
};

// From behind the CONFIG tag up to the END_OF_STATE; false if it is refused.
bool LoadConfigPayload(LoaderInput& input, LoaderDevice& device,
                       const LoaderRow& row);

// The first byte of a saved configuration space that the destination's own does
// not take, and what the loader says of it.
struct ConfigRefusal {
  size_t offset = 0;
  std::string message;
};
std::optional<ConfigRefusal> CompareWithDestination(ByteSpan saved,
                                                    ByteSpan destination,
                                                    const LoaderRow& row);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_LOADER_LOADER_CONFIG_H_
