// All that `migstream check` does with a stream: walk, report, checks. The
// ceiling reads the same bytes once, where nothing else is said.

#include <string>

#include "bench/measure.h"
#include "bench/stream_file.h"
#include "codec/io/byte_source.h"
#include "codec/report/report.pb.h"
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

// A device's payload that is looked into, from a file; the ceiling does the
// same and does not look.
void BM_CheckPayload(benchmark::State& state) {
  StreamFile file(StreamContent::kFirmware, Scaled(state.range(0) << 20));
  auto check = [&file](bool payloads) {
    FileSource source(file.Open(), FileAccess::kMap);
    report::Report report;
    ReportOptions options;
    options.payloads = payloads;
    options.payload_records = 0;
    Require(BuildReport(source, options, report).ok(), "a stream is checked");
  };
  Measure(
      state, {.bytes = file.bytes()}, [&] { check(true); },
      [&] { check(false); });
}

BENCHMARK(BM_CheckRam)->Arg(64)->UseManualTime();
BENCHMARK(BM_CheckDevice)->Arg(64)->UseManualTime();
BENCHMARK(BM_CheckPayload)->Arg(2048)->UseManualTime();

}  // namespace
}  // namespace migstream
