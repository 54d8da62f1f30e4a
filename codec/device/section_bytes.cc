#include "codec/device/section_bytes.h"

#include <algorithm>
#include <random>
#include <span>

#include "codec/device/section_encoder.h"
#include "codec/wire/text.h"
#include "flags/tag.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

void Add(const Event& event, std::vector<WholeEvent>& events) {
  if (event.kind == EventKind::kData && !event.starts_record) {
    events.back().payload += std::string(AsText(event.payload));
    return;
  }
  WholeEvent whole;
  whole.kind = event.kind;
  whole.element = std::string(ToString(event));
  whole.offset = event.offset;
  whole.payload = std::string(AsText(event.payload));
  if (event.kind == EventKind::kData) whole.record_bytes = event.record_bytes;
  if (event.kind == EventKind::kSubsection) {
    whole.name = std::string(event.subsection.name);
  }
  if (event.kind == EventKind::kConfig || event.Is(Element::kTrigger)) {
    whole.trigger_flags = event.trigger_flags;
  }
  events.push_back(whole);
}

// The records of a batch, the first of which stands at `offset`.
void Add(std::span<const iovec> records, uint64_t offset,
         std::vector<WholeEvent>& events) {
  for (const auto& [base, size] : records) {
    Event event;
    event.kind = EventKind::kData;
    event.offset = offset;
    event.payload = ByteSpan(static_cast<const uint8_t*>(base), size);
    event.starts_record = true;
    event.record_bytes = size;
    Add(event, events);
    offset += kRecordHeaderBytes + size;
  }
}

// Writes what the encoder has after each event, as small buffers would ask for.
class Flattened {
 public:
  Flattened(SectionType type, const Dialect& dialect)
      : encoder_(type, dialect, headers_, pieces_) {}

  void Append(const Event& event) {
    EXPECT_EQ(encoder_.Append(event), Put::kDone)
        << ToString(encoder_.error("device"));
    Write();
  }

  void Append(std::span<const iovec> records) {
    while (!records.empty()) {
      size_t before = records.size();
      Put put = encoder_.DataBatch(records);
      if (records.size() == before || put == Put::kError) break;
      Write();
    }
    EXPECT_TRUE(records.empty()) << ToString(encoder_.error("device"));
  }

  const std::string& bytes() const { return bytes_; }
  bool done() const { return encoder_.done(); }

 private:
  void Write() {
    for (const iovec& piece : encoder_.pieces()) {
      bytes_.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
    }
    encoder_.Clear();
  }

  uint8_t headers_[SectionEncoder::kMinHeaderBytes];
  iovec pieces_[SectionEncoder::kMinPieces];
  SectionEncoder encoder_;
  std::string bytes_;
};

}  // namespace

std::string DataBytes(const std::string& payload) {
  return TagBytes(4) + Be64Bytes(payload.size()) + payload;
}

Decoded DecodeInPieces(const std::string& bytes, SectionType type,
                       const Dialect& dialect, const DecoderOptions& options,
                       const std::vector<size_t>& sizes, size_t batch) {
  Decoded decoded;
  SectionDecoder decoder(type, dialect, options);
  Flattened encoder(type, dialect);
  std::string held;  // What the decoder left, and what came after it.
  size_t given = 0;
  size_t turn = 0;
  std::vector<iovec> records(batch);
  Event event;
  while (true) {
    std::string buffer = held;
    ByteSpan input = AsBytes(buffer);
    uint64_t offset = decoder.offset();
    size_t count = decoder.NextBatch(input, records);
    Add(std::span(records).first(count), offset, decoded.events);
    encoder.Append(std::span(records).first(count));
    Step step = decoder.Next(input, event);
    if (step == Step::kEvent) {
      Add(event, decoded.events);
      encoder.Append(event);
    }
    held = std::string(AsText(input));
    if (step == Step::kDone) {
      decoded.done = true;
      EXPECT_TRUE(encoder.done());
      break;
    }
    if (step == Step::kError) {
      decoded.error = decoder.error("device");
      EXPECT_EQ(decoder.Next(input, event), Step::kError) << "sticky";
      break;
    }
    if (step == Step::kNeedInput) {
      EXPECT_GT(decoder.bytes_needed(), held.size());
      if (given == bytes.size()) {
        decoded.error = decoder.Truncated("device", AsBytes(held));
        break;
      }
      size_t size = std::min(sizes[std::min(turn++, sizes.size() - 1)],
                             bytes.size() - given);
      held += bytes.substr(given, size);
      given += size;
      if (given == bytes.size()) decoder.SetEndOfInput();
    }
  }
  decoded.left = held + bytes.substr(given);
  decoded.encoded = encoder.bytes();
  return decoded;
}

Decoded DecodeAllWays(const std::string& bytes, SectionType type,
                      const Dialect& dialect, const DecoderOptions& options) {
  Decoded whole =
      DecodeInPieces(bytes, type, dialect, options, {bytes.size() + 1});
  if (whole.done) {
    EXPECT_EQ(whole.encoded, bytes.substr(0, bytes.size() - whole.left.size()));
  }
  auto decode_too = [&](const std::vector<size_t>& sizes, size_t batch) {
    SCOPED_TRACE(StrCat("first cut ", sizes[0], ", batches of ", batch));
    Decoded pieces =
        DecodeInPieces(bytes, type, dialect, options, sizes, batch);
    EXPECT_EQ(pieces.events, whole.events);
    EXPECT_EQ(ToString(pieces.error), ToString(whole.error));
    EXPECT_EQ(pieces.done, whole.done);
    EXPECT_EQ(pieces.left, whole.left);
    EXPECT_EQ(pieces.encoded, whole.encoded);
  };
  decode_too({bytes.size() + 1}, 3);
  decode_too({1}, 0);
  std::mt19937 random(1);
  for (int way = 1; way < 12; ++way) {
    std::vector<size_t> sizes(64);
    for (size_t& size : sizes) size = 1 + random() % (1u << way);
    decode_too(sizes, way % 2 == 0 ? 0 : way);
  }
  return whole;
}

}  // namespace migstream
