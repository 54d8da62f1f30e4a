// Walking what a driver put inside DATA: records of mlx5's kind, as views, from
// input at once and in pieces.

#include <algorithm>
#include <cstring>
#include <vector>

#include "bench/measure.h"
#include "bench/section_data.h"
#include "codec/payload/formats.h"
#include "codec/payload/mlx5.h"
#include "codec/payload/payload_decoder.h"
#include "codec/payload/payload_rules.h"

namespace migstream {
namespace {

constexpr size_t kRecords = 64;
constexpr size_t kHeaderBytes = 16;

// FW_DATA records of one size.
class PayloadData {
 public:
  explicit PayloadData(uint64_t record_bytes)
      : memory_(kRecords * (kHeaderBytes + record_bytes)) {
    for (size_t i = 0; i < kRecords; ++i) {
      uint8_t* at = memory_.data() + i * (kHeaderBytes + record_bytes);
      std::memcpy(at, &record_bytes, sizeof record_bytes);
    }
  }
  ByteSpan bytes() const { return memory_.span(); }

 private:
  Memory memory_;
};

void Walk(ByteSpan input) {
  PayloadDecoder decoder(*kMlx5Format.root);
  PayloadEvent event;
  while (decoder.Next(input, event) == Step::kEvent) {
    benchmark::DoNotOptimize(event.view.data());
  }
  Require(decoder.Finish(input) == Step::kDone, "a payload is walked");
}

void WalkWithRules(ByteSpan input) {
  PayloadDecoder decoder(*kMlx5Format.root);
  PayloadRules rules({&kMlx5Format, kMlx5Format.root});
  PayloadEvent event;
  while (decoder.Next(input, event) == Step::kEvent) rules.Add(event);
  Require(decoder.Finish(input) == Step::kDone, "a payload is walked");
}

// The least that any walk does: it goes from size to size, and believes them.
void BareWalk(ByteSpan input) {
  const uint8_t* at = input.data();
  const uint8_t* end = at + input.size();
  while (at < end) {
    uint64_t bytes;
    std::memcpy(&bytes, at, sizeof bytes);
    at += kHeaderBytes + bytes;
    benchmark::DoNotOptimize(at);
  }
}

void BM_PayloadWalk(benchmark::State& state) {
  PayloadData data(Scaled(state.range(0)));
  Measure(
      state, {.items = kRecords}, [&] { Walk(data.bytes()); },
      [&] { BareWalk(data.bytes()); });
}

void BM_PayloadRules(benchmark::State& state) {
  PayloadData data(Scaled(state.range(0)));
  Measure(
      state, {.items = kRecords}, [&] { WalkWithRules(data.bytes()); },
      [&] { BareWalk(data.bytes()); });
}

BENCHMARK(BM_PayloadWalk)->Arg(64)->Arg(1 << 20)->UseManualTime();
BENCHMARK(BM_PayloadRules)->Arg(64)->Arg(1 << 20)->UseManualTime();

}  // namespace
}  // namespace migstream
