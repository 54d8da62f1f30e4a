// A FULL section with a config payload: its layout deduced, its parts as views.
// The ceiling reads the same bytes once.

#include <string>

#include "bench/measure.h"
#include "bench/section_data.h"
#include "codec/device/config_bytes.h"
#include "codec/device/config_view.h"
#include "codec/device/section_decoder.h"

namespace migstream {
namespace {

void BM_Config(benchmark::State& state) {
  ConfigBytes config;
  config.msix_vectors = static_cast<uint32_t>(state.range(0));
  std::string section(kTagBytes, '\0');
  StoreBe64(reinterpret_cast<uint8_t*>(section.data()),
            static_cast<uint64_t>(Tag::kDevConfigState));
  section += config.Payload() + EndOfStateBytes();
  DecoderOptions options;
  options.config.content_bytes = section.size();
  auto decode = [&] {
    SectionDecoder decoder(SectionType::kFull, BenchDialect(), options);
    ByteSpan input = AsBytes(section);
    Event event;
    Require(decoder.Next(input, event) == Step::kEvent, "a config is decoded");
    ConfigView view = ConfigView::Parse(event.payload, event.layout);
    benchmark::DoNotOptimize(view.msix_table.data());
    Require(decoder.Next(input, event) == Step::kEvent &&
                decoder.Next(input, event) == Step::kDone,
            "a config has its end");
  };
  Measure(state, {.items = 1, .bytes = section.size()}, decode,
          [&] { ReadAll(AsBytes(section)); });
}

BENCHMARK(BM_Config)->Arg(0)->Arg(5)->Arg(64)->Arg(2048)->UseManualTime();

}  // namespace
}  // namespace migstream
