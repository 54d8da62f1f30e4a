#include "codec/device/section_bytes.h"

#include <algorithm>
#include <random>
#include <span>

#include "codec/device/section_encoder.h"
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

// Writes what the encoder has after each event, as small buffers would ask for.
class Flattened {
 public:
  Flattened(SectionType type, const Dialect& dialect)
      : encoder_(type, dialect, headers_, pieces_) {}

  void Append(const Event& event) {
    EXPECT_EQ(encoder_.Append(event), Put::kDone)
        << ToString(encoder_.error("device"));
    for (const iovec& piece : encoder_.pieces()) {
      bytes_.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
    }
    encoder_.Clear();
  }

  const std::string& bytes() const { return bytes_; }
  bool done() const { return encoder_.done(); }

 private:
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
                       const std::vector<size_t>& sizes) {
  Decoded decoded;
  SectionDecoder decoder(type, dialect, options);
  Flattened encoder(type, dialect);
  std::string held;  // What the decoder left, and what came after it.
  size_t given = 0;
  size_t turn = 0;
  Event event;
  while (true) {
    std::string buffer = held;
    ByteSpan input = AsBytes(buffer);
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
  std::mt19937 random(1);
  for (int way = 0; way < 12; ++way) {
    std::vector<size_t> sizes = {1};
    if (way > 0) {
      sizes.clear();
      for (int i = 0; i < 64; ++i) sizes.push_back(1 + random() % (1u << way));
    }
    Decoded pieces = DecodeInPieces(bytes, type, dialect, options, sizes);
    EXPECT_EQ(pieces.events, whole.events) << "cuts " << way;
    EXPECT_EQ(ToString(pieces.error), ToString(whole.error)) << "cuts " << way;
    EXPECT_EQ(pieces.done, whole.done);
    EXPECT_EQ(pieces.left, whole.left);
    EXPECT_EQ(pieces.encoded, whole.encoded);
  }
  return whole;
}

}  // namespace migstream
