// All that `migstream check` does with a stream: walk, report, checks. The
// ceiling reads the same bytes once.

#include <string>

#include "bench/measure.h"
#include "bench/stream_file.h"
#include "codec/report/report_builder.h"

namespace migstream {
namespace {

void MeasureCheck(benchmark::State& state, StreamContent content) {
  std::string stream = MakeStream(content, Scaled(state.range(0) << 20));
  Measure(
      state, {.bytes = stream.size()},
      [&] {
        MemorySource source(AsBytes(stream));
        report::Report report;
        Require(BuildReport(source, {}, report).ok(), "a stream is checked");
      },
      [&] { ReadAll(AsBytes(stream)); });
}

void BM_CheckRam(benchmark::State& state) {
  MeasureCheck(state, StreamContent::kRam);
}
void BM_CheckDevice(benchmark::State& state) {
  MeasureCheck(state, StreamContent::kDevice);
}

BENCHMARK(BM_CheckRam)->Arg(64)->UseManualTime();
BENCHMARK(BM_CheckDevice)->Arg(64)->UseManualTime();

}  // namespace
}  // namespace migstream
