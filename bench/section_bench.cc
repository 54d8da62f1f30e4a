// A VFIO device's sections: decoding to views, and encoding to headers and
// iovec. The ceiling, memcpy of the same bytes, is measured in the same run.
//
//   bazel run --config=bench //bench:section_bench

#include <sys/uio.h>

#include <cstring>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "codec/device/section_decoder.h"
#include "codec/device/section_encoder.h"

namespace migstream {
namespace {

constexpr size_t kRecords = 64;

// An END section of kRecords records of `record_bytes` each.
std::string EndSection(size_t record_bytes) {
  std::string payload(record_bytes, 'x');
  std::vector<uint8_t> headers(kRecords * 16 + 8);
  std::vector<iovec> pieces(kRecords * 2 + 1);
  SectionEncoder encoder(SectionType::kEnd, GetDialect(DialectId::kV111),
                         absl::MakeSpan(headers), absl::MakeSpan(pieces));
  for (size_t i = 0; i < kRecords; ++i) encoder.Data(AsBytes(payload));
  encoder.EndOfState();
  std::string bytes;
  for (const iovec& piece : encoder.pieces()) {
    bytes.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
  }
  return bytes;
}

void CountRecords(benchmark::State& state) {
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kRecords));
  state.SetBytesProcessed(
      static_cast<int64_t>(state.iterations() * kRecords * state.range(0)));
}

void BM_DecodeViews(benchmark::State& state) {
  std::string bytes = EndSection(state.range(0));
  for (auto _ : state) {
    SectionDecoder decoder(SectionType::kEnd, GetDialect(DialectId::kV111));
    ByteSpan input = AsBytes(bytes);
    Event event;
    while (decoder.Next(input, event) == Step::kEvent) {
      benchmark::DoNotOptimize(event.payload.data());
    }
  }
  CountRecords(state);
}

void BM_EncodeHeaders(benchmark::State& state) {
  std::string payload(state.range(0), 'x');
  std::vector<uint8_t> headers(kRecords * 16 + 8);
  std::vector<iovec> pieces(kRecords * 2 + 1);
  for (auto _ : state) {
    SectionEncoder encoder(SectionType::kEnd, GetDialect(DialectId::kV111),
                           absl::MakeSpan(headers), absl::MakeSpan(pieces));
    for (size_t i = 0; i < kRecords; ++i) encoder.Data(AsBytes(payload));
    encoder.EndOfState();
    benchmark::DoNotOptimize(encoder.pieces().data());
  }
  CountRecords(state);
}

void BM_Memcpy(benchmark::State& state) {
  std::string bytes = EndSection(state.range(0));
  std::string copy(bytes.size(), '\0');
  for (auto _ : state) {
    std::memcpy(copy.data(), bytes.data(), bytes.size());
    benchmark::DoNotOptimize(copy.data());
    benchmark::ClobberMemory();
  }
  CountRecords(state);
}

BENCHMARK(BM_DecodeViews)->Arg(64)->Arg(4096)->Arg(65536)->Arg(1 << 20);
BENCHMARK(BM_EncodeHeaders)->Arg(64)->Arg(4096)->Arg(65536)->Arg(1 << 20);
BENCHMARK(BM_Memcpy)->Arg(64)->Arg(4096)->Arg(65536)->Arg(1 << 20);

}  // namespace
}  // namespace migstream
