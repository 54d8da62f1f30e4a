// The decoder against a slow, plain one that was written from FORMAT.md alone:
// the same elements, the same end. The two older config layouts (E5) are not
// compared.

#include "fuzz/fuzzing.h"
#include "fuzz/section_trace.h"
#include "fuzz/slow_decoder.h"

using namespace migstream;  // NOLINT: this file is a program.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  const Dialect& dialect = AllDialects()[input.Choice() % AllDialects().size()];
  if (dialect.config_layout != ConfigLayoutKind::kReleased) return 0;
  uint8_t choice = input.Choice();
  SectionType type = SectionTypeOf(choice);
  ByteSpan bytes = input.Rest();
  DecoderOptions options;
  if ((choice & 4) != 0) options.config.content_bytes = bytes.size();

  SectionTrace fast = TraceSection(bytes, type, dialect, options);
  slow::Section slow =
      slow::Decode(std::string(AsText(bytes)), static_cast<int>(type),
                   std::string(dialect.name), options.config.content_bytes);
  REQUIRE(fast.done == (slow.end == slow::Section::kWhole));
  REQUIRE(fast.events.size() == slow.items.size());
  for (size_t i = 0; i < fast.events.size(); ++i) {
    const TracedEvent& event = fast.events[i];
    const slow::Item& item = slow.items[i];
    REQUIRE(SlowKind(event.kind, event.element) == item.kind);
    REQUIRE(event.offset == item.at);
    REQUIRE(event.payload == item.payload);
    if (item.kind == 'D') REQUIRE(event.record_bytes == item.c);
    if (item.kind == 'C') {
      REQUIRE(event.pci_config_bytes == item.c);
      REQUIRE(event.msix_vectors == item.n);
    }
  }
  return 0;
}
