// Coding a section allocates nothing: not per record, not per piece, not per
// section. This binary counts what operator new is asked for.

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>

#include "codec/device/config_bytes.h"
#include "codec/device/section_bytes.h"
#include "codec/device/section_decoder.h"
#include "codec/device/section_encoder.h"
#include "codec/wire/count_allocations.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

constexpr int kRecords = 1000;

// What has been allocated since the last call.
uint64_t Allocations() {
  static uint64_t before = 0;
  uint64_t count = AllocatedSoFar().times - before;
  before = AllocatedSoFar().times;
  return count;
}

// Decodes `bytes`, presented `piece` bytes at a time, and encodes every event
// again. Returns the bytes put.
uint64_t DecodeAndEncode(ByteSpan bytes, SectionType type, size_t piece) {
  const Dialect& dialect = GetDialect(DialectId::kV111);
  uint8_t headers[SectionEncoder::kMinHeaderBytes];
  iovec pieces[SectionEncoder::kMinPieces];
  SectionDecoder decoder(type, dialect);
  SectionEncoder encoder(type, dialect, headers, pieces);
  ByteSpan input = bytes.first(std::min(piece, bytes.size()));
  Event event;
  while (true) {
    Step step = decoder.Next(input, event);
    if (step == Step::kEvent) {
      if (encoder.Append(event) == Put::kFull) {
        encoder.Clear();
        encoder.Append(event);
      }
      continue;
    }
    size_t taken = input.data() - bytes.data();
    if (step != Step::kNeedInput || taken == bytes.size()) break;
    size_t more = std::max(piece, decoder.bytes_needed());
    input = bytes.subspan(taken, std::min(more, bytes.size() - taken));
  }
  return encoder.ok() && encoder.done() ? encoder.bytes() : 0;
}

TEST(SectionAllocationsTest, TheCounterCounts) {
  Allocations();
  ::operator delete(::operator new(100));
  EXPECT_EQ(Allocations(), 1);
}

TEST(SectionAllocationsTest, RecordsAndTheirPiecesAllocateNothing) {
  std::string section;
  for (int i = 0; i < kRecords; ++i) {
    section += DataBytes(std::string(i, 'x'));
  }
  section += kEos;
  for (size_t piece : {size_t{1}, size_t{64}, size_t{4096}, section.size()}) {
    Allocations();
    uint64_t put = DecodeAndEncode(AsBytes(section), SectionType::kEnd, piece);
    EXPECT_EQ(Allocations(), 0) << "in pieces of " << piece;
    EXPECT_EQ(put, section.size());
  }
}

TEST(SectionAllocationsTest, AConfigPayloadAllocatesNothing) {
  ConfigBytes config;
  std::string section = TagBytes(2) + config.Payload() + kEos;
  Allocations();
  uint64_t put =
      DecodeAndEncode(AsBytes(section), SectionType::kFull, section.size());
  EXPECT_EQ(Allocations(), 0);
  EXPECT_EQ(put, section.size());
}

TEST(SectionAllocationsTest, WholeRecordsAllocateNothing) {
  std::string payload(4096, 'x');
  uint8_t headers[SectionEncoder::kMinHeaderBytes];
  iovec pieces[SectionEncoder::kMinPieces];
  Allocations();
  SectionEncoder encoder(SectionType::kEnd, GetDialect(DialectId::kV111),
                         headers, pieces);
  for (int i = 0; i < kRecords; ++i) {
    if (encoder.Data(AsBytes(payload)) == Put::kFull) {
      encoder.Clear();
      encoder.Data(AsBytes(payload));
    }
  }
  EXPECT_EQ(Allocations(), 0);
  EXPECT_EQ(encoder.bytes(), kRecords * (16 + payload.size()));
}

TEST(SectionAllocationsTest, BatchesAllocateNothing) {
  std::string section;
  for (int i = 0; i < kRecords; ++i) section += DataBytes("payload");
  uint8_t headers[SectionEncoder::kMinHeaderBytes];
  iovec pieces[SectionEncoder::kMinPieces];
  iovec records[64];
  Allocations();
  const Dialect& dialect = GetDialect(DialectId::kV111);
  SectionDecoder decoder(SectionType::kEnd, dialect);
  SectionEncoder encoder(SectionType::kEnd, dialect, headers, pieces);
  ByteSpan input = AsBytes(section);
  while (size_t count = decoder.NextBatch(input, records)) {
    std::span<const iovec> left(records, count);
    while (encoder.DataBatch(left) == Put::kFull) encoder.Clear();
  }
  EXPECT_EQ(Allocations(), 0);
  EXPECT_EQ(encoder.bytes(), section.size());
}

TEST(SectionAllocationsTest, ADamagedSectionAllocatesOnlyItsMessage) {
  std::string section = DataBytes("payload") + TagBytes(6);
  SectionDecoder decoder(SectionType::kEnd, GetDialect(DialectId::kV111));
  ByteSpan input = AsBytes(section);
  Event event;
  Allocations();
  while (decoder.Next(input, event) == Step::kEvent) {
  }
  EXPECT_EQ(Allocations(), 0);
  EXPECT_FALSE(decoder.error("device").reason.empty());
  EXPECT_GT(Allocations(), 0);
}

}  // namespace
}  // namespace migstream
