// The CONFIGURATION that may follow the header. FORMAT.md section 3.

#ifndef MIGSTREAM_CODEC_QEMU_CONFIGURATION_H_
#define MIGSTREAM_CODEC_QEMU_CONFIGURATION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/device/subsection.h"
#include "codec/multifd/packet.h"
#include "codec/qemu/record_cursor.h"
#include "codec/qemu/stream_event.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"

namespace migstream {

inline constexpr std::string_view kPageBitsSubsection =
    "configuration/target-page-bits";
inline constexpr std::string_view kCapabilitiesSubsection =
    "configuration/capabilities";
inline constexpr std::string_view kUuidSubsection = "configuration/uuid";

// What a CONFIGURATION says of the rest of the stream.
struct ConfigurationTraits {
  bool ignore_shared = false;
  bool mapped_ram = false;
  uint32_t page_bits = 0;  // 0: unknown.
  uint8_t seen = 0;        // A bit for each known subsection that came.
};

// Reads the CONFIGURATION byte and the machine type.
std::string_view ParseMachineType(RecordCursor& cursor);
// Reads one of its subsections, and adds what it says to `traits`.
ConfigurationView::Subsection ParseConfigurationSubsection(
    RecordCursor& cursor, ConfigurationTraits& traits);
// Whether a subsection of it begins here.
inline SubsectionStart StartsConfigurationSubsection(ByteSpan bytes) {
  return StartsSubsection(bytes, "configuration");
}

struct ParsedConfiguration {
  Error error;
  bool incomplete = false;  // More bytes are needed.
  uint64_t bytes = 0;       // From the CONFIGURATION byte on.
  ConfigurationView view;
  ConfigurationTraits traits;
  // The subsection that is not known; its length is not known either.
  std::string unknown_subsection = {};
};

// All of it at once: `bytes` begin with the CONFIGURATION byte, which stands at
// `offset`.
ParsedConfiguration ParseConfiguration(ByteSpan bytes, uint64_t offset,
                                       bool end_of_input);

// What a `configuration/uuid` subsection says.
std::optional<VmUuid> FindUuid(const ConfigurationView& configuration);

// "7a3f0d52-1111-4222-8333-944455566677"
std::string UuidText(const VmUuid& uuid);

// The names in a capabilities subsection's payload.
std::vector<std::string> ParseCapabilities(ByteSpan payload);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_CONFIGURATION_H_
