// The channel decoder against a slow, plain one that was written from FORMAT.md
// alone: the same packets, and the input refused at the same place.

#include "fuzz/fuzzing.h"
#include "fuzz/slow_channel.h"
#include "fuzz/slow_items.h"

using namespace migstream;  // NOLINT: this file is a program.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  // Larger pages make shorter packets.
  uint32_t page_bytes = input.Choice() % 2 == 0 ? 65536 : 4096;
  ByteSpan bytes = input.Rest();
  slow::SlowChannel fast = TellChannel(bytes, page_bytes);
  slow::SlowChannel slow = slow::DecodeChannelSlowly(AsText(bytes), page_bytes);
  REQUIRE(fast.packets == slow.packets);
  REQUIRE(fast.end == slow.end);
  if (slow.end != slow::SlowChannel::kCut) REQUIRE(fast.at == slow.at);
  return 0;
}
