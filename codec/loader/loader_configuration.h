// How a release's loader reads the CONFIGURATION. FORMAT.md section 3,
// LOADERS.md section 4.

#ifndef MIGSTREAM_CODEC_LOADER_LOADER_CONFIGURATION_H_
#define MIGSTREAM_CODEC_LOADER_LOADER_CONFIGURATION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/loader/loader_input.h"
#include "codec/loader/loader_row.h"
#include "codec/multifd/packet.h"
#include "codec/qemu/ram_decoder.h"
#include "codec/qemu/stream_event.h"

namespace migstream {

struct LoaderConfiguration {
  bool present = false;
  std::string machine_type;
  std::vector<std::string> capabilities;
  std::optional<VmUuid> uuid;  // If the stream says it.
  uint32_t page_bits = 0;      // If the stream says them.
};

// The destination's machine type; empty: one that its release has, or `any`.
struct LocalMachine {
  std::string_view type;
  bool any = false;
};

// Judges a CONFIGURATION that was read. Nothing if the loader takes it.
std::optional<LoaderRefusal> CheckConfiguration(const ConfigurationView& view,
                                                const LocalMachine& local,
                                                const LoaderRow& row);

// From the byte behind the header on; false if it is refused. What it says of
// RAM goes to `traits`.
bool LoadConfiguration(LoaderInput& input, const LoaderRow& row,
                       const LocalMachine& local,
                       LoaderConfiguration& configuration, RamTraits& traits);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_LOADER_LOADER_CONFIGURATION_H_
