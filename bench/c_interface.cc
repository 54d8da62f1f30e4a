// What the C interface costs over the C++ that it stands on, which is its
// ceiling here: decoding and encoding a VFIO device's section.

#include <sys/uio.h>

#include <span>
#include <vector>

#include "bench/measure.h"
#include "bench/section_data.h"
#include "codec/c/migstream.h"
#include "codec/device/section_decoder.h"
#include "codec/device/section_encoder.h"

namespace migstream {
namespace {

constexpr size_t kRecords = 256;
constexpr size_t kBatch = 64;  // At a time, decoding.
// As many as the C encoder has room for.
constexpr size_t kHeaderBytes = 16 * SectionEncoder::kMinHeaderBytes;
constexpr size_t kPieces = 64 * SectionEncoder::kMinPieces;

SectionData Records(benchmark::State& state) {
  return SectionData(std::vector<uint64_t>(kRecords, Scaled(state.range(0))));
}

migstream_section_options Options() {
  migstream_section_options options = {};
  options.struct_size = sizeof options;
  options.type = MIGSTREAM_SECTION_END;
  options.dialect = MIGSTREAM_DIALECT_V111;
  return options;
}

void Decode(const SectionData& section) {
  ByteSpan input = section.bytes();
  SectionDecoder decoder(SectionType::kEnd, BenchDialect());
  Event event;
  while (decoder.Next(input, event) == Step::kEvent) {
    benchmark::DoNotOptimize(event.payload.data());
  }
}

void Encode(const SectionData& section, std::vector<uint8_t>& headers,
            std::vector<iovec>& pieces) {
  SectionEncoder encoder(SectionType::kEnd, BenchDialect(), std::span(headers),
                         std::span(pieces));
  for (ByteSpan payload : section.payloads()) {
    while (encoder.Data(payload) == Put::kFull) {
      benchmark::DoNotOptimize(encoder.pieces().data());
      encoder.Clear();
    }
  }
  encoder.EndOfState();
  benchmark::DoNotOptimize(encoder.pieces().data());
}

void BM_CDecode(benchmark::State& state) {
  const SectionData section = Records(state);
  const migstream_section_options options = Options();
  migstream_section_decoder* decoder;
  Require(migstream_section_decoder_create(&options, &decoder) == MIGSTREAM_OK,
          "a decoder is made");
  auto decode = [&] {
    iovec input = {const_cast<uint8_t*>(section.bytes().data()),
                   section.bytes().size()};
    const migstream_event* event;
    migstream_section_decoder_restart(decoder, &options);
    while (migstream_section_decoder_next(decoder, &input, &event) ==
           MIGSTREAM_EVENT) {
      // A copy, as in C++ above: what is const may be optimized.
      benchmark::DoNotOptimize(
          ByteSpan(event->payload, event->payload_bytes).data());
    }
  };
  Measure(state, {.items = kRecords}, decode, [&] { Decode(section); });
  migstream_destroy(decoder);
}

void BM_CEncode(benchmark::State& state) {
  const SectionData section = Records(state);
  const migstream_section_options options = Options();
  migstream_section_encoder* encoder;
  Require(migstream_section_encoder_create(&options, &encoder) == MIGSTREAM_OK,
          "an encoder is made");
  const iovec* pieces;
  int count;
  auto flush = [&] {
    migstream_get_pieces(encoder, &pieces, &count);
    benchmark::DoNotOptimize(pieces);
    migstream_clear_pieces(encoder);
  };
  auto encode = [&] {
    migstream_section_encoder_restart(encoder, &options);
    for (ByteSpan payload : section.payloads()) {
      while (migstream_section_encoder_data(encoder, payload.data(),
                                            payload.size()) == MIGSTREAM_FULL) {
        flush();
      }
    }
    migstream_section_encoder_tag(encoder, MIGSTREAM_ELEMENT_END_OF_STATE);
    flush();
  };
  std::vector<uint8_t> headers(kHeaderBytes);
  std::vector<iovec> buffer(kPieces);
  Measure(state, {.items = kRecords}, encode,
          [&] { Encode(section, headers, buffer); });
  migstream_destroy(encoder);
}

void BM_CDecodeBatch(benchmark::State& state) {
  const SectionData section = Records(state);
  const migstream_section_options options = Options();
  migstream_section_decoder* decoder;
  Require(migstream_section_decoder_create(&options, &decoder) == MIGSTREAM_OK,
          "a decoder is made");
  iovec records[kBatch];
  auto through_c = [&] {
    iovec input = {const_cast<uint8_t*>(section.bytes().data()),
                   section.bytes().size()};
    size_t count = 0;
    migstream_section_decoder_restart(decoder, &options);
    do {
      migstream_section_decoder_next_batch(decoder, &input, records, kBatch,
                                           &count);
      benchmark::DoNotOptimize(records);
    } while (count != 0);
  };
  auto through_cxx = [&] {
    ByteSpan input = section.bytes();
    SectionDecoder to(SectionType::kEnd, BenchDialect());
    while (to.NextBatch(input, records) != 0) benchmark::DoNotOptimize(records);
  };
  Measure(state, {.items = kRecords}, through_c, through_cxx);
  migstream_destroy(decoder);
}

void BM_CEncodeBatch(benchmark::State& state) {
  const SectionData section = Records(state);
  std::vector<iovec> payloads;
  for (ByteSpan payload : section.payloads()) {
    payloads.push_back({const_cast<uint8_t*>(payload.data()), payload.size()});
  }
  const migstream_section_options options = Options();
  migstream_section_encoder* encoder;
  Require(migstream_section_encoder_create(&options, &encoder) == MIGSTREAM_OK,
          "an encoder is made");
  auto through_c = [&] {
    migstream_section_encoder_restart(encoder, &options);
    std::span<const iovec> left = payloads;
    const iovec* pieces;
    int count;
    while (!left.empty()) {
      size_t put;
      migstream_section_encoder_data_batch(encoder, left.data(), left.size(),
                                           &put);
      left = left.subspan(put);
      migstream_get_pieces(encoder, &pieces, &count);
      benchmark::DoNotOptimize(pieces);
      migstream_clear_pieces(encoder);
    }
  };
  std::vector<uint8_t> headers(kHeaderBytes);
  std::vector<iovec> buffer(kPieces);
  auto through_cxx = [&] {
    SectionEncoder to(SectionType::kEnd, BenchDialect(), std::span(headers),
                      std::span(buffer));
    std::span<const iovec> left = payloads;
    while (!left.empty()) {
      to.DataBatch(left);
      benchmark::DoNotOptimize(to.pieces().data());
      to.Clear();
    }
  };
  Measure(state, {.items = kRecords}, through_c, through_cxx);
  migstream_destroy(encoder);
}

BENCHMARK(BM_CDecode)->Arg(64)->Arg(4096)->UseManualTime();
BENCHMARK(BM_CEncode)->Arg(64)->Arg(4096)->UseManualTime();
BENCHMARK(BM_CDecodeBatch)->Arg(64)->Arg(4096)->UseManualTime();
BENCHMARK(BM_CEncodeBatch)->Arg(64)->Arg(4096)->UseManualTime();

}  // namespace
}  // namespace migstream
