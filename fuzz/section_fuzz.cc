// A device's section, any bytes, in any dialect: however the input is cut, and
// by batches too, the events and the error are the same; errors are those that
// are declared; and the work is linear in the input.

#include "fuzz/fuzzing.h"
#include "fuzz/section_trace.h"

using namespace migstream;  // NOLINT: this file is a program.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  const Dialect& dialect = AllDialects()[input.Choice() % AllDialects().size()];
  uint8_t choice = input.Choice();
  SectionType type = SectionTypeOf(choice);
  DecoderOptions options;
  options.switchover_ack_off = (choice & 4) != 0;
  options.config.footer_expected = (choice & 8) != 0;
  options.config.footer_section_id = 7;
  if ((choice & 16) != 0) options.config.content_bytes = input.Rest().size();
  if ((choice & 32) != 0) options.limits = {.record_bytes = 100};
  uint8_t seed = input.Choice();

  ByteSpan bytes = input.Rest();
  SectionTrace whole = TraceSection(bytes, type, dialect, options);
  REQUIRE(IsOfClass(whole.error, 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4));
  REQUIRE(whole.done == whole.error.ok());
  REQUIRE(whole.bytes <= bytes.size());
  REQUIRE(whole.steps <= bytes.size() / 8 + 4);
  for (size_t longest : {size_t{0}, size_t{1}, size_t{16}, size_t{4000}}) {
    SectionTrace cut =
        TraceSection(bytes, type, dialect, options, longest, seed);
    REQUIRE(cut.events == whole.events);
    REQUIRE(ToString(cut.error) == ToString(whole.error));
    REQUIRE(cut.done == whole.done);
    REQUIRE(cut.bytes == whole.bytes);
    REQUIRE(cut.steps <= 2 * bytes.size() + 4);
  }
  return 0;
}
