// Decoding a VFIO device's section: views only, copied into the caller's
// buffer, and from input that comes in pieces.

#include <algorithm>
#include <cstring>
#include <random>

#include "bench/measure.h"
#include "bench/section_data.h"
#include "codec/device/section_decoder.h"

namespace migstream {
namespace {

constexpr size_t kRecords = 64;

// Each gives where the section ends.
const uint8_t* Views(ByteSpan input) {
  SectionDecoder decoder(SectionType::kEnd, BenchDialect());
  Event event;
  while (decoder.Next(input, event) == Step::kEvent) {
    benchmark::DoNotOptimize(event.payload.data());
  }
  Require(decoder.Next(input, event) == Step::kDone, "a section is decoded");
  return input.data();
}

const uint8_t* Batches(ByteSpan input) {
  SectionDecoder decoder(SectionType::kEnd, BenchDialect());
  iovec records[kRecords];
  Event event;
  Step step;
  do {
    benchmark::DoNotOptimize(decoder.NextBatch(input, records));
    benchmark::ClobberMemory();
    step = decoder.Next(input, event);
  } while (step == Step::kEvent);
  Require(step == Step::kDone, "a section is decoded");
  return input.data();
}

// The least that any decoder does: compares each tag, and goes from size to
// size. No bounds, no limits, no grammar.
const uint8_t* BareWalk(ByteSpan input) {
  const uint8_t* at = input.data();
  while (LoadBe64(at) == static_cast<uint64_t>(Tag::kDevDataState)) {
    at += kRecordHeaderBytes + LoadBe64(at + kTagBytes);
    benchmark::DoNotOptimize(at);
  }
  return at + kTagBytes;
}

// As in a stream, where a section begins is known when the one before has
// ended. A processor would else begin the next before this one is done.
void MeasureViews(benchmark::State& state, const SectionData& section,
                  const uint8_t* (*decode)(ByteSpan)) {
  const ByteSpan bytes = section.bytes();
  const uint8_t* const end = bytes.data() + bytes.size();
  auto behind = [&](const uint8_t* ended) {
    return ByteSpan(bytes.data() + (ended - end), bytes.size());
  };
  const uint8_t* ours = end;
  const uint8_t* bare = end;
  Measure(
      state, {.items = section.payloads().size()},
      [&] { ours = decode(behind(ours)); },
      [&] { bare = BareWalk(behind(bare)); });
}

SectionData EqualRecords(uint64_t bytes) {
  return SectionData(std::vector<uint64_t>(kRecords, Scaled(bytes)));
}

// No record tells the size of the next.
SectionData RecordsOfAnySize(uint64_t most) {
  std::mt19937 random(1);
  std::uniform_int_distribution<uint64_t> size(0, Scaled(most));
  std::vector<uint64_t> sizes(kRecords);
  for (uint64_t& bytes : sizes) bytes = size(random);
  return SectionData(sizes);
}

void BM_DecodeViews(benchmark::State& state) {
  MeasureViews(state, EqualRecords(state.range(0)), Views);
}
void BM_DecodeViewsOfAnySize(benchmark::State& state) {
  MeasureViews(state, RecordsOfAnySize(state.range(0)), Views);
}
void BM_DecodeBatch(benchmark::State& state) {
  MeasureViews(state, EqualRecords(state.range(0)), Batches);
}
void BM_DecodeBatchOfAnySize(benchmark::State& state) {
  MeasureViews(state, RecordsOfAnySize(state.range(0)), Batches);
}

// Decodes `input`, presented `piece` bytes at a time, into `to`.
void DecodeInto(ByteSpan input, size_t piece, uint8_t* to) {
  SectionDecoder decoder(SectionType::kEnd, BenchDialect());
  Event event;
  const uint8_t* end = input.data() + input.size();
  ByteSpan here = input.first(std::min(piece, input.size()));
  while (true) {
    Step step = decoder.Next(here, event);
    if (step == Step::kEvent) {
      if (event.kind != EventKind::kData) continue;
      std::memcpy(to, event.payload.data(), event.payload.size());
      to += event.payload.size();
      continue;
    }
    if (step == Step::kDone) return;
    Require(step == Step::kNeedInput, "a section in pieces is decoded");
    // What is left comes again, with the next piece behind it.
    size_t more = std::min<size_t>(here.size() + piece, end - here.data());
    here = ByteSpan(here.data(), more);
  }
}

// memcpy of the same bytes between the same buffers, cut where the input is.
void CopyPayloads(const SectionData& section, size_t piece, uint8_t* to) {
  const uint8_t* begin = section.bytes().data();
  size_t cut = piece;  // Where the piece ends that is being copied.
  for (ByteSpan payload : section.payloads()) {
    const uint8_t* from = payload.data();
    const uint8_t* end = from + payload.size();
    while (from < end) {
      size_t at = from - begin;
      while (cut <= at) cut += piece;
      size_t bytes = std::min<size_t>(cut - at, end - from);
      std::memcpy(to, from, bytes);
      to += bytes;
      from += bytes;
    }
  }
}

void MeasureCopy(benchmark::State& state, size_t piece) {
  SectionData section(TouchedRecords(state.range(0)), true);
  Memory device(section.payload_bytes());
  device.Touch();
  Measure(
      state,
      {.items = section.payloads().size(), .bytes = section.payload_bytes()},
      [&] { DecodeInto(section.bytes(), piece, device.data()); },
      [&] { CopyPayloads(section, piece, device.data()); });
}

void BM_DecodeCopy(benchmark::State& state) {
  MeasureCopy(state, size_t{1} << 40);
}
void BM_DecodeCopyInPieces(benchmark::State& state) {
  MeasureCopy(state, state.range(1));
}

const std::vector<int64_t> kPieces = {4 << 10, 32 << 10, 1 << 20};

const std::vector<int64_t> kMost = {1 << 10, 64 << 10, 1 << 20};

BENCHMARK(BM_DecodeViews)->ArgsProduct({kRecordSizes})->UseManualTime();
BENCHMARK(BM_DecodeViewsOfAnySize)->ArgsProduct({kMost})->UseManualTime();
BENCHMARK(BM_DecodeBatch)->ArgsProduct({kRecordSizes})->UseManualTime();
BENCHMARK(BM_DecodeBatchOfAnySize)->ArgsProduct({kMost})->UseManualTime();
BENCHMARK(BM_DecodeCopy)->ArgsProduct({kRecordSizes})->UseManualTime();
BENCHMARK(BM_DecodeCopyInPieces)
    ->ArgsProduct({kRecordSizes, kPieces})
    ->UseManualTime();

}  // namespace
}  // namespace migstream
