// Walking a payload allocates nothing: not per record, not per piece. This
// binary counts what operator new is asked for.

#include <algorithm>
#include <cstdint>
#include <string>

#include "codec/payload/formats.h"
#include "codec/payload/payload_decoder.h"
#include "codec/payload/payload_rules.h"
#include "codec/wire/count_allocations.h"
#include "gtest/gtest.h"
#include "testdata/payloads.h"

namespace migstream {
namespace {

// Recognises and walks `bytes`, presented `piece` bytes at a time, with their
// rules.
uint64_t Walk(ByteSpan bytes, size_t piece) {
  Recognition found = Recognize(
      bytes.first(std::min(kRecognizedBytes, bytes.size())), std::nullopt);
  PayloadDecoder decoder(*found.root, found.big_endian);
  PayloadRules rules(found);
  ByteSpan input = bytes.first(std::min(piece, bytes.size()));
  PayloadEvent event;
  uint64_t events = 0;
  while (true) {
    Step step = decoder.Next(input, event);
    if (step == Step::kEvent) {
      rules.Add(event);
      ++events;
      continue;
    }
    if (step == Step::kError) break;
    size_t end = input.data() + input.size() - bytes.data();
    if (end == bytes.size()) break;
    input = ByteSpan(input.data(),
                     std::min(input.size() + piece,
                              static_cast<size_t>(bytes.data() + bytes.size() -
                                                  input.data())));
  }
  decoder.Finish(input);
  return events;
}

TEST(PayloadAllocationsTest, WalkingASoundPayloadAllocatesNothing) {
  EXPECT_LE(sizeof(PayloadDecoder), 512);
  for (const testdata::Payload& truth : AllPayloads()) {
    if (truth.findings_size() > 0) continue;
    std::string bytes = ReadPayload(truth);
    for (size_t piece : {size_t{1}, size_t{100}, bytes.size()}) {
      uint64_t before = AllocatedSoFar().times;
      uint64_t events = Walk(AsBytes(bytes), piece);
      EXPECT_EQ(AllocatedSoFar().times, before) << truth.name();
      EXPECT_GT(events, 0);
    }
  }
}

}  // namespace
}  // namespace migstream
