// The walker: records, structs and opaque pieces of every framing, the same in
// every cut; and the same as a second reader's, on thousands of mutants.

#include "codec/payload/payload_decoder.h"

#include <random>

#include "codec/payload/formats.h"
#include "codec/payload/payload_trace.h"
#include "codec/payload/slow_reader.h"
#include "codec/wire/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testdata/payloads.h"

namespace migstream {
namespace {

using payload::Format;
using testdata::Payload;
using testing::ElementsAre;

const Format& Named(std::string_view name) { return *FormatNamed(name); }

const uint8_t kMlx5[] = {
    8,   0,    0,   0, 0, 0, 0, 0,  // record_size
    1,   0,    0,   0, 1, 0, 0, 0,  // flags optional, tag STOP_COPY_SIZE
    0,   0x20, 0,   0, 0, 0, 0, 0,  // stop_copy_size 8192
    3,   0,    0,   0, 0, 0, 0, 0,  // record_size
    0,   0,    0,   0, 0, 0, 0, 0,  // flags 0, tag FW_DATA
    'f', 'w',  '!',
};

TEST(PayloadDecoderTest, GivesHeadersStructsAndOpaquePieces) {
  PayloadDecoder decoder(*Named("mlx5").root);
  ByteSpan input(kMlx5);
  PayloadEvent event;
  ASSERT_EQ(decoder.Next(input, event), Step::kEvent);
  EXPECT_EQ(event.kind, PayloadEventKind::kRecord);
  EXPECT_EQ(event.record->name, "STOP_COPY_SIZE");
  EXPECT_EQ(event.bytes, 8);
  EXPECT_EQ(event.view.data(), kMlx5);
  ASSERT_EQ(decoder.Next(input, event), Step::kEvent);
  EXPECT_EQ(event.kind, PayloadEventKind::kFields);
  EXPECT_EQ(event.Number(0, 8), 8192);
  ASSERT_EQ(decoder.Next(input, event), Step::kEvent);
  EXPECT_EQ(event.record->name, "FW_DATA");
  EXPECT_EQ(decoder.opaque_left(), 3);
  ASSERT_EQ(decoder.Next(input, event), Step::kEvent);
  EXPECT_EQ(event.kind, PayloadEventKind::kOpaque);
  EXPECT_EQ(AsText(event.view), "fw!");
  EXPECT_EQ(event.view.data(), kMlx5 + 40) << "it is a copy";
  EXPECT_EQ(event.left, 0);
  EXPECT_EQ(decoder.Next(input, event), Step::kNeedInput);
  EXPECT_EQ(decoder.Finish(input), Step::kDone);
}

TEST(PayloadDecoderTest, ARecordsPhaseIsThatOfItsFirstByte) {
  PayloadTrace trace =
      TracePayload(*Named("mlx5").root, kMlx5, 1, 0, /*split=*/24, true);
  EXPECT_THAT(trace.lines, ElementsAre("record 0 0 1 8", "fields 16 8",
                                       "record 24 0 0 3 stop", "done"));
  // The switch is within the second header.
  trace = TracePayload(*Named("mlx5").root, kMlx5, 100, 0, /*split=*/30, true);
  EXPECT_EQ(trace.lines[2], "record 24 0 0 3");
}

TEST(PayloadDecoderTest, WhatIsMissingIsSaidAtTheRecordThatWantsIt) {
  PayloadTrace trace =
      TracePayload(*Named("mlx5").root, ByteSpan(kMlx5).first(42), 100);
  EXPECT_EQ(trace.lines.back(), "cut 24 3 2");
  EXPECT_EQ(trace.error, ErrorCode::kTruncated);
  EXPECT_EQ(trace.error_text,
            "0x18: device: FW_DATA wants 3 bytes, 2 are there");
}

TEST(PayloadDecoderTest, TheCallerMayMoveOpaqueBytesItself) {
  PayloadDecoder decoder(*Named("mlx5").root);
  ByteSpan input = ByteSpan(kMlx5).first(40);
  PayloadEvent event;
  while (decoder.Next(input, event) == Step::kEvent) {
  }
  EXPECT_EQ(decoder.TakeOver(2), Step::kEvent);
  EXPECT_EQ(decoder.opaque_left(), 1);
  EXPECT_EQ(decoder.TakeOver(1), Step::kEvent);
  EXPECT_EQ(decoder.offset(), sizeof kMlx5);
  EXPECT_EQ(decoder.Finish({}), Step::kDone);
  EXPECT_EQ(decoder.TakeOver(1), Step::kError);
  EXPECT_EQ(decoder.fault().code, ErrorCode::kRecordOverrun);
}

TEST(PayloadDecoderTest, NobodyHasAllBytesThatANumberCanCount) {
  const std::string bytes(1000, 'x');
  for (const Format* format : AllFormats()) {
    PayloadDecoder decoder(*format->root);
    ByteSpan input = AsBytes(bytes);
    PayloadEvent event;
    while (decoder.Next(input, event) == Step::kEvent) {
    }
    if (decoder.opaque_left() == 0) continue;
    EXPECT_EQ(decoder.TakeOver(decoder.opaque_left()), Step::kEvent);
    input = AsBytes(bytes);
    int events = 0;
    while (decoder.Next(input, event) == Step::kEvent) ++events;
    EXPECT_LT(events, 2000) << format->name;
  }
}

TEST(PayloadDecoderTest, ARecordBehindAnOverrunIsSound) {
  std::string bytes(
      "\x12\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"           // record of 18 bytes
      "\x03\x01\0\0\0\0\0\0\0\0\0\0\x09\0\0\0"       // a part of 9
      "ab"                                           // of which 2 fit
      "\x11\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"           // record of 17 bytes
      "\x03\x01\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\x0f",  // DEVICE_STATUS 15
      16 + 18 + 16 + 17);
  EXPECT_THAT(TracePayload(*Named("virtio").root, AsBytes(bytes), 1).lines,
              ElementsAre("record 0 0 0 18", "overrun 16 9 2", "end 34",
                          "record 34 0 0 17", "record 50 1 259 1",
                          "fields 66 1", "end 67", "done"));
}

TEST(PayloadDecoderTest, AnErrorIsFinal) {
  const Payload& truth = GetPayload("qat-bad-nesting");
  std::string bytes = ReadPayload(truth);
  PayloadDecoder decoder(*Named("qat").root);
  ByteSpan input = AsBytes(bytes);
  PayloadEvent event;
  while (decoder.Next(input, event) == Step::kEvent) {
  }
  EXPECT_EQ(decoder.fault().code, ErrorCode::kPayloadNesting);
  EXPECT_EQ(decoder.fault().offset, 32);
  EXPECT_EQ(decoder.Next(input, event), Step::kError);
  EXPECT_EQ(decoder.Finish({}), Step::kError);
  EXPECT_EQ(ToString(decoder.error("0000:00:05.0/vfio")),
            "0x20: 0000:00:05.0/vfio: gencap of 4000 bytes runs over its list, "
            "42 are left");
}

void ExpectSameInEveryCut(const payload::Level& root, ByteSpan bytes,
                          uint64_t split, uint32_t seed) {
  PayloadTrace whole =
      TracePayload(root, bytes, bytes.size() + 1, 0, split, true);
  ASSERT_EQ(whole.rebuilt, AsText(bytes.first(whole.offset)));
  for (auto [longest, cut_seed] : {std::pair<size_t, uint32_t>{1, 0},
                                   {16, 0},
                                   {40, seed + 1},
                                   {700, seed + 2}}) {
    PayloadTrace cut =
        TracePayload(root, bytes, longest, cut_seed, split, true);
    ASSERT_EQ(cut.lines, whole.lines) << longest;
    ASSERT_EQ(cut.error_text, whole.error_text);
    ASSERT_EQ(cut.rebuilt, whole.rebuilt);
    ASSERT_EQ(cut.offset, whole.offset);
    if (longest == 1) {
      ASSERT_LT(cut.kept_back, PayloadDecoder::kMaxWhole);
    }
  }
}

TEST(PayloadDecoderTest, EverySampleIsTheSameInEveryCut) {
  for (const Payload& truth : AllPayloads()) {
    std::string bytes = ReadPayload(truth);
    Recognition found = Recognize(
        AsBytes(bytes).first(std::min<size_t>(64, bytes.size())), std::nullopt);
    SCOPED_TRACE(truth.name());
    ExpectSameInEveryCut(*found.root, AsBytes(bytes), truth.phase_split(), 0);
  }
}

// A byte changed, a small number put in, bytes taken out or doubled, an end cut
// off.
std::string Mutant(std::string bytes, std::mt19937& random) {
  int changes = 1 + random() % 3;
  for (int i = 0; i < changes && !bytes.empty(); ++i) {
    size_t at = random() % std::min<size_t>(bytes.size(), 600);
    if (random() % 4 == 0) at = random() % bytes.size();
    size_t count = std::min<size_t>(1 + random() % 40, bytes.size() - at);
    switch (random() % 6) {
      case 0:
        bytes[at] = static_cast<char>(random());
        break;
      case 1:
        bytes[at] = static_cast<char>(random() % 4);
        break;
      case 2:
        bytes[at] = static_cast<char>(bytes[at] ^ 1 << random() % 8);
        break;
      case 3:
        bytes.erase(at, count);
        break;
      case 4:
        bytes.insert(at, bytes.substr(at, count));
        break;
      case 5:
        bytes.resize(at + count);
        break;
    }
  }
  return bytes;
}

TEST(PayloadDecoderTest, ASecondReaderSaysTheSameOfTenThousandMutants) {
  std::mt19937 random(14);
  int faults = 0;
  for (int i = 0; i < 10000; ++i) {
    const Payload& truth = AllPayloads()[i % AllPayloads().size()];
    const Format& format =
        truth.driver() == "mlx5" ? Named("mlx5") : Named(truth.driver());
    bool legacy = truth.name() == "mlx5-raw";
    std::string bytes = Mutant(ReadPayload(truth), random);
    const payload::Level& root = legacy ? *format.legacy_root : *format.root;
    PayloadTrace trace = TracePayload(root, AsBytes(bytes), bytes.size() + 1);
    ASSERT_EQ(trace.lines, ReadSlowly(format.driver, legacy, AsBytes(bytes)))
        << truth.name() << ", mutant " << i;
    faults += trace.error != ErrorCode::kNone;
    if (i % 20 == 0) {
      SCOPED_TRACE(StrCat(truth.name(), ", mutant ", i));
      ExpectSameInEveryCut(root, AsBytes(bytes), random() % 200, i);
    }
  }
  EXPECT_GT(faults, 1000);
}

}  // namespace
}  // namespace migstream
