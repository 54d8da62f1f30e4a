// The stream decoder against a slow, plain one that was written from FORMAT.md
// alone: the same things in the same order, and the input refused at the same
// place.

#include "fuzz/fuzzing.h"
#include "fuzz/slow_items.h"
#include "fuzz/slow_stream.h"

using namespace migstream;  // NOLINT: this file is a program.

using slow::SlowStream;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ByteSpan bytes(data, size);
  SlowStream fast = TellStream(bytes);
  SlowStream slow =
      slow::DecodeSlowly(AsText(bytes), [&](uint64_t, uint64_t content_at) {
        return FullLength(bytes[content_at]);
      });
  if (slow.end == SlowStream::kRefused) {
    // It tells no less.
    REQUIRE(fast.items.size() >= slow.items.size());
    fast.items.resize(slow.items.size());
    REQUIRE(fast.items == slow.items);
    REQUIRE(fast.end != SlowStream::kWhole);
    REQUIRE(fast.at >= slow.at);
    return 0;
  }
  REQUIRE(fast.items == slow.items);
  REQUIRE(fast.end == slow.end);
  if (slow.end != SlowStream::kCut) REQUIRE(fast.at == slow.at);
  return 0;
}
