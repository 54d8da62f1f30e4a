// One decoding of a device's section, for targets that compare several.

#ifndef MIGSTREAM_FUZZ_SECTION_TRACE_H_
#define MIGSTREAM_FUZZ_SECTION_TRACE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "codec/device/section_decoder.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"
#include "flags/dialect.h"

namespace migstream {

struct TracedEvent {
  EventKind kind = EventKind::kTag;
  Element element = Element::kNone;  // Of kTag.
  uint64_t offset = 0;
  std::string payload;  // All pieces of a record together.
  uint64_t record_bytes = 0;
  uint32_t pci_config_bytes = 0;
  uint32_t msix_vectors = 0;

  bool operator==(const TracedEvent&) const = default;
};

struct SectionTrace {
  std::vector<TracedEvent> events;
  Error error;          // Of the decoder, or kTruncated.
  bool done = false;    // The section ended.
  uint64_t bytes = 0;   // That the events took.
  uint64_t steps = 0;   // Calls of Next().
  std::string encoded;  // The events, through an encoder.
  bool encodable = true;
};

// Cuts of the input: all in one piece for 0, else pieces of 1 to `longest`
// bytes by the seed. If that is odd, whole records by batches.
SectionTrace TraceSection(ByteSpan bytes, SectionType type,
                          const Dialect& dialect, const DecoderOptions& options,
                          size_t longest = 0, uint64_t seed = 0);

// What slow::Item calls such an event; `element` is of kTag.
char SlowKind(EventKind kind, Element element);

// The four types that a device has, by a number.
SectionType SectionTypeOf(unsigned number);

}  // namespace migstream

#endif  // MIGSTREAM_FUZZ_SECTION_TRACE_H_
