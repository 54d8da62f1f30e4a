// How time grows with size: each series spans a factor of 1000 or more, and
// Google Benchmark fits it. BigO says the fit, RMS how far off it is.

#include <sys/uio.h>
#include <zstd.h>

#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bench/measure.h"
#include "bench/section_data.h"
#include "bench/stream_file.h"
#include "codec/device/config_bytes.h"
#include "codec/device/section_decoder.h"
#include "codec/device/section_encoder.h"
#include "codec/io/decompressing_source.h"
#include "codec/multifd/reassembler.h"
#include "codec/qemu/parse_description.h"
#include "codec/qemu/stream_reader.h"
#include "codec/report/report.pb.h"
#include "codec/report/report_builder.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

void Decode(ByteSpan input) {
  SectionDecoder decoder(SectionType::kEnd, BenchDialect());
  Event event;
  while (decoder.Next(input, event) == Step::kEvent) {
    benchmark::DoNotOptimize(event.payload.data());
  }
}

void BM_DecodeByRecords(benchmark::State& state) {
  SectionData section(std::vector<uint64_t>(state.range(0), 64));
  MeasureGrowth(state, state.range(0), [&] { Decode(section.bytes()); });
}

void BM_DecodeByPayload(benchmark::State& state) {
  SectionData section(std::vector<uint64_t>(64, state.range(0)));
  MeasureGrowth(state, state.range(0), [&] { Decode(section.bytes()); });
}

void MeasureEncode(benchmark::State& state, int64_t records,
                   uint64_t record_bytes) {
  SectionData section(std::vector<uint64_t>(records, record_bytes));
  std::vector<uint8_t> headers(records * kRecordHeaderBytes + kTagBytes);
  std::vector<iovec> pieces(records * 2 + 1);
  MeasureGrowth(state, state.range(0), [&] {
    SectionEncoder encoder(SectionType::kEnd, BenchDialect(), headers, pieces);
    for (ByteSpan payload : section.payloads()) encoder.Data(payload);
    encoder.EndOfState();
    benchmark::DoNotOptimize(encoder.pieces().data());
  });
}

void BM_EncodeByRecords(benchmark::State& state) {
  MeasureEncode(state, state.range(0), 64);
}
void BM_EncodeByPayload(benchmark::State& state) {
  MeasureEncode(state, 64, state.range(0));
}

// In the wrong order, pair by pair.
void BM_ReassembleByPackets(benchmark::State& state) {
  std::vector<std::vector<uint8_t>> packets;
  for (int64_t i = 0; i < state.range(0); ++i) {
    packets.emplace_back(VfioPacketHeader::kBytes + 64, 'x');
    VfioPacketHeader header = {.index = static_cast<uint32_t>(i ^ 1)};
    header.Store(packets.back().data(), false);
  }
  MeasureGrowth(state, state.range(0), [&] {
    Reassembler reassembler;
    for (const std::vector<uint8_t>& packet : packets) {
      Require(reassembler.Add({"0000:00:05.0/vfio", 0}, packet).ok(),
              "a packet is taken");
      for (ReassembledPiece piece; reassembler.Next(piece);) {
        benchmark::DoNotOptimize(piece.data.data());
      }
    }
  });
}

void BM_ConfigByVectors(benchmark::State& state) {
  ConfigBytes config;
  config.msix_vectors = static_cast<uint32_t>(state.range(0));
  std::string section(kTagBytes, '\0');
  StoreBe64(reinterpret_cast<uint8_t*>(section.data()),
            static_cast<uint64_t>(Tag::kDevConfigState));
  StrAppend(&section, config.Payload(), EndOfStateBytes());
  DecoderOptions options;
  options.config.content_bytes = section.size();
  MeasureGrowth(state, state.range(0), [&] {
    SectionDecoder decoder(SectionType::kFull, BenchDialect(), options);
    ByteSpan input = AsBytes(section);
    Event event;
    while (decoder.Next(input, event) == Step::kEvent) {
      benchmark::DoNotOptimize(event.payload.data());
    }
    Require(decoder.offset() == section.size(), "a config is decoded");
  });
}

void BM_DescriptionByDevices(benchmark::State& state) {
  std::string json = "{\"devices\":[";
  for (int64_t i = 0; i < (Once() ? 10 : state.range(0)); ++i) {
    StrAppend(&json, i == 0 ? "" : ",", R"({"name":"device-)", i,
              R"(","instance_id":0,"size":4,"fields":)",
              R"([{"name":"data","type":"uint32","size":4}]})");
  }
  StrAppend(&json, "]}");
  MeasureGrowth(state, state.range(0), [&] {
    Require(ParseDescription(json).ok(), "a description is parsed");
  });
}

void BM_WalkByKiB(benchmark::State& state) {
  std::string stream =
      MakeStream(StreamContent::kRam, Scaled(state.range(0) << 10));
  MeasureGrowth(state, state.range(0), [&] {
    MemorySource source(AsBytes(stream));
    StreamVisitor visitor;
    Require(StreamReader(source, visitor).Read().ok(), "a stream is walked");
  });
}

void BM_CheckByKiB(benchmark::State& state) {
  std::string stream =
      MakeStream(StreamContent::kRam, Scaled(state.range(0) << 10));
  MeasureGrowth(state, state.range(0), [&] {
    MemorySource source(AsBytes(stream));
    report::Report report;
    Require(BuildReport(source, {}, report).ok(), "a stream is checked");
  });
}

void BM_ZstdByKiB(benchmark::State& state) {
  std::string stream =
      MakeStream(StreamContent::kRam, Scaled(state.range(0) << 10));
  std::string compressed(ZSTD_compressBound(stream.size()), '\0');
  compressed.resize(ZSTD_compress(compressed.data(), compressed.size(),
                                  stream.data(), stream.size(), 1));
  MeasureGrowth(state, state.range(0), [&] {
    DecompressingSource source(
        std::make_unique<MemorySource>(AsBytes(compressed)),
        Compression::kZstd);
    Require(source.Skip(~uint64_t{0}) == stream.size(), "all comes out");
  });
}

// 1, 8, 64 … times `least`.
void Series(benchmark::internal::Benchmark* series, int64_t least) {
  for (int64_t times : {1, 8, 64, 512, 1024}) series->Arg(least * times);
  series->UseManualTime();
}
void Linear(benchmark::internal::Benchmark* series) {
  Series(series, 64);
  series->Complexity(benchmark::oN);
}
void LinearFromFew(benchmark::internal::Benchmark* series) {
  Series(series, 8);
  series->Complexity(benchmark::oN);
}
void Constant(benchmark::internal::Benchmark* series) {
  Series(series, 1 << 10);
  series->Complexity(benchmark::o1);
}

BENCHMARK(BM_DecodeByRecords)->Apply(Linear);
BENCHMARK(BM_DecodeByPayload)->Apply(Constant);
BENCHMARK(BM_EncodeByRecords)->Apply(Linear);
BENCHMARK(BM_EncodeByPayload)->Apply(Constant);
BENCHMARK(BM_ReassembleByPackets)->Apply(LinearFromFew);
BENCHMARK(BM_ConfigByVectors)
    ->RangeMultiplier(8)
    ->Range(2, 2048)
    ->UseManualTime()
    ->Complexity(benchmark::o1);
BENCHMARK(BM_DescriptionByDevices)->Apply(LinearFromFew);
BENCHMARK(BM_WalkByKiB)->Apply(Linear);
BENCHMARK(BM_CheckByKiB)->Apply(Linear);
BENCHMARK(BM_ZstdByKiB)->Apply(Linear);

}  // namespace
}  // namespace migstream
