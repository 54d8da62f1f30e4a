// Decoding and encoding are the inverse of each other on all that decodes: the
// encoder takes every event that the decoder of its dialect gives, and makes
// the same bytes of them.

#include "fuzz/fuzzing.h"
#include "fuzz/section_trace.h"

using namespace migstream;  // NOLINT: this file is a program.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  const Dialect& dialect = AllDialects()[input.Choice() % AllDialects().size()];
  uint8_t choice = input.Choice();
  SectionType type = SectionTypeOf(choice);
  DecoderOptions options;
  ByteSpan bytes = input.Rest();
  if ((choice & 4) != 0) options.config.content_bytes = bytes.size();

  SectionTrace first = TraceSection(bytes, type, dialect, options);
  REQUIRE(first.encodable);
  REQUIRE(first.encoded == AsText(bytes.first(first.bytes)));
  // With what came after the section, if that was needed to tell its parts.
  if (!first.done) return 0;
  std::string again_bytes = first.encoded;
  again_bytes += std::string(AsText(bytes.subspan(first.bytes)));
  // Record by record, and by batches.
  for (uint64_t seed : {0, 1}) {
    SectionTrace again =
        TraceSection(AsBytes(again_bytes), type, dialect, options, 0, seed);
    REQUIRE(again.done);
    REQUIRE(again.events == first.events);
    REQUIRE(again.encoded == first.encoded);
  }
  return 0;
}
