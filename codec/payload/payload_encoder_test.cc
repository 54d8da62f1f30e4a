// One table for reading and writing: what the walker finds in a payload, the
// encoder writes again, byte by byte.

#include "codec/payload/payload_encoder.h"

#include <string>

#include "codec/payload/payload_decoder.h"
#include "codec/payload/payload_tally.h"
#include "codec/wire/text.h"
#include "gtest/gtest.h"
#include "testdata/payloads.h"

namespace migstream {
namespace {

using payload::Body;
using payload::Show;

constexpr payload::Field kHead[] = {{"size", 0, 2}, {"tag", 2, 1}};
constexpr payload::Field kTwo[] = {{"one", 0, 2},
                                   {"bytes", 2, 2, Show::kBytes}};
constexpr payload::Record kRows[] = {{.name = "two",
                                      .key = 7,
                                      .body = Body::kFields,
                                      .bytes = 4,
                                      .fields = kTwo},
                                     {.name = "blob", .key = 8}};
constexpr payload::Level kLevel = {.header_bytes = 4,
                                   .size = {0, 2},
                                   .key = {2, 1},
                                   .header = kHead,
                                   .records = kRows};
constexpr payload::Field kBare[] = {{"magic", 0, 4}};
constexpr payload::Record kRootRows[] = {{.name = "head",
                                          .body = Body::kFields,
                                          .bare = true,
                                          .bytes = 4,
                                          .fields = kBare}};
constexpr payload::Level kBareRoot = {.records = kRootRows};

std::string Bytes(std::initializer_list<int> bytes) {
  return std::string(bytes.begin(), bytes.end());
}

TEST(PayloadEncoderTest, SizesAndKeysComeFromTheRecords) {
  PayloadEncoder encoder(kLevel);
  encoder.Fields("two", {{"one", 0x102}, {"bytes", 0, 0, "ab"}});
  encoder.Opaque("blob", "xyz");
  encoder.Unknown(9, "");
  EXPECT_EQ(encoder.Take(), Bytes({4, 0, 7, 0, 2, 1, 'a', 'b',  // two
                                   3, 0, 8, 0, 'x', 'y', 'z',   // blob
                                   0, 0, 9, 0}));               // tag 9
}

TEST(PayloadEncoderTest, NumbersAreInTheOrderOfTheHost) {
  for (bool big : {false, true}) {
    PayloadEncoder encoder(kBareRoot, big);
    encoder.Fields("head", {{"magic", 0x01020304}});
    EXPECT_EQ(encoder.Take(), big ? Bytes({1, 2, 3, 4}) : Bytes({4, 3, 2, 1}));
  }
}

// ---- Samples ----

class RewriteTest : public testing::TestWithParam<testdata::Payload> {};

// Writes with the encoder what the walker says.
class Writer {
 public:
  Writer(const Recognition& found, const std::string& bytes)
      : bytes_(bytes),
        decoder_(*found.root, found.big_endian),
        encoder_(*found.root, found.big_endian) {}

  // False: the payload is damaged.
  bool Run() {
    ByteSpan input = AsBytes(bytes_);
    PayloadEvent event;
    while (decoder_.Next(input, event) == Step::kEvent) {
      if (event.kind == PayloadEventKind::kOverrun) return false;
      // Its fields are not all of it.
      if (event.kind == PayloadEventKind::kFields && event.record->bytes != 0 &&
          event.view.size() != event.record->bytes) {
        return false;
      }
      Write(event);
    }
    Body();
    if (decoder_.Finish(input) != Step::kDone) return false;
    while (depth_-- > 0) encoder_.End();
    return true;
  }
  std::string Take() { return encoder_.Take(); }

 private:
  void Write(const PayloadEvent& event) {
    switch (event.kind) {
      case PayloadEventKind::kRecord:
        Body();
        header_ = Values(event.level->header, event.view, event.big_endian);
        record_ = event.record;
        key_ = event.key;
        open_ = true;
        if (record_ && record_->body == Body::kList) {
          encoder_.Begin(record_->name, header_);
          ++depth_;
          open_ = false;
        }
        return;
      case PayloadEventKind::kFields:
        encoder_.Fields(record_->name,
                        Values(record_->fields, event.view, event.big_endian),
                        header_, event.view.size());
        open_ = false;
        return;
      case PayloadEventKind::kOpaque:
        body_ += AsText(event.view);
        return;
      case PayloadEventKind::kRecordEnd:
        Body();
        encoder_.End();
        --depth_;
        return;
      case PayloadEventKind::kOverrun:
        return;
    }
  }

  // An opaque record's body has ended.
  void Body() {
    if (!open_) return;
    open_ = false;
    if (record_) {
      encoder_.Opaque(record_->name, body_, header_);
    } else {
      encoder_.Unknown(key_, body_, header_);
    }
    body_.clear();
  }

  static PayloadEncoder::Values Values(std::span<const payload::Field> fields,
                                       ByteSpan view, bool big) {
    PayloadEncoder::Values values;
    if (view.empty()) return values;
    for (const payload::Field& field : fields) {
      size_t width = field.bytes != 0 ? field.bytes : view.size();
      for (uint16_t i = 0; i < field.count; ++i) {
        size_t at = field.offset + i * width;
        if (at + width > view.size()) return values;
        ByteSpan here = view.subspan(at, width);
        if (field.show == Show::kBytes || width > 8) {
          values.push_back({field.name, 0, i, AsText(here)});
        } else {
          values.push_back(
              {field.name,
               payload::LoadNumber(here.data(), static_cast<int>(width), big),
               i});
        }
      }
    }
    return values;
  }

  const std::string& bytes_;
  PayloadDecoder decoder_;
  PayloadEncoder encoder_;
  PayloadEncoder::Values header_;
  const payload::Record* record_ = nullptr;
  uint64_t key_ = 0;
  bool open_ = false;
  int depth_ = 0;
  std::string body_;
};

TEST_P(RewriteTest, WhatTheWalkerReadsTheEncoderWritesAgain) {
  std::string bytes = ReadPayload(GetParam());
  Recognition found = RecognizeAs(
      *FormatNamed(GetParam().driver()),
      AsBytes(bytes).first(std::min<size_t>(bytes.size(), kRecognizedBytes)));
  Writer writer(found, bytes);
  if (!writer.Run()) {
    EXPECT_NE(GetParam().name().find("-bad-"), std::string::npos);
    return;
  }
  EXPECT_TRUE(writer.Take() == bytes);
}

INSTANTIATE_TEST_SUITE_P(Payloads, RewriteTest,
                         testing::ValuesIn(AllPayloads()), PayloadName());

}  // namespace
}  // namespace migstream
