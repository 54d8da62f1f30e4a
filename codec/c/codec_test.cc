// The codec's C interface over real captures: it gives what C++ gives, and its
// encoder writes the stream again.

#include <sys/uio.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "codec/c/migstream.h"
#include "codec/qemu/decode_stream.h"
#include "codec/wire/bytes.h"
#include "gtest/gtest.h"
#include "testdata/captures.h"

namespace migstream {
namespace {

int32_t LengthOf(void* context, const migstream_section* section, const void*,
                 size_t, uint64_t* bytes) {
  const KnownLengths& known = *static_cast<const KnownLengths*>(context);
  SectionView view;
  view.offset = section->offset;
  const ContentLength length = known(view, {});
  *bytes = length.bytes;
  return length.kind == ContentLength::kBytes ? MIGSTREAM_LENGTH_BYTES
                                              : MIGSTREAM_LENGTH_UNKNOWN;
}

// A stream through both, in pieces of so many bytes at the most.
class Pipe {
 public:
  explicit Pipe(const std::string& stream)
      : stream_(stream), lengths_(KnownLengths::Of(stream)) {
    migstream_stream_options options = {};
    options.struct_size = sizeof options;
    options.context = &lengths_;
    options.content_length = LengthOf;
    EXPECT_EQ(migstream_stream_decoder_create(&options, &decoder_),
              MIGSTREAM_OK);
    EXPECT_EQ(migstream_stream_encoder_create(&options, &encoder_),
              MIGSTREAM_OK);
  }
  ~Pipe() {
    migstream_destroy(decoder_);
    migstream_destroy(encoder_);
  }

  migstream_status Run(size_t longest) {
    std::minstd_rand random(1);
    size_t taken = 0;
    for (size_t end = 0;;) {
      const size_t step = longest < 8 ? longest : 1 + random() % longest;
      end = std::min(stream_.size(), end + step);
      iovec input = {const_cast<char*>(&stream_[taken]), end - taken};
      migstream_status status = Decode(input);
      taken = end - input.iov_len;
      if (status != MIGSTREAM_NEED_INPUT) return status;
      if (end != stream_.size()) continue;
      status = migstream_at_end_of_input(decoder_, &input);
      if (status != MIGSTREAM_EVENT) return status;
    }
  }

  int32_t error_code() const {
    const migstream_error* error = nullptr;
    migstream_last_error(decoder_, &error);
    return error->code;
  }
  const std::string& written() const { return written_; }
  const std::string& payload() const { return payload_; }

 private:
  migstream_status Decode(iovec& input) {
    const migstream_stream_event* event;
    migstream_status status;
    while ((status = migstream_stream_decoder_next(decoder_, &input, &event)) ==
           MIGSTREAM_EVENT) {
      EXPECT_EQ(migstream_stream_encoder_append(encoder_, event), MIGSTREAM_OK);
      const iovec* pieces;
      int count;
      migstream_get_pieces(encoder_, &pieces, &count);
      for (int i = 0; i < count; ++i) {
        written_.append(static_cast<const char*>(pieces[i].iov_base),
                        pieces[i].iov_len);
      }
      migstream_clear_pieces(encoder_);
      if (event->kind == MIGSTREAM_STREAM_DEVICE &&
          event->device->kind == MIGSTREAM_EVENT_DATA) {
        payload_.append(reinterpret_cast<const char*>(event->device->payload),
                        event->device->payload_bytes);
      }
    }
    return status;
  }

  const std::string& stream_;
  KnownLengths lengths_;
  migstream_stream_decoder* decoder_ = nullptr;
  migstream_stream_encoder* encoder_ = nullptr;
  std::string written_;
  std::string payload_;
};

bool IsOneOfThree(const testdata::Capture& capture) {
  return capture.name() == "s52-plain" || capture.name() == "s111-ramfb" ||
         capture.name() == "s111-switchover-ack";
}

class CodecTest : public testing::TestWithParam<testdata::Capture> {};

TEST_P(CodecTest, IsWrittenAgainHoweverItIsCut) {
  const std::string stream = ReadCapture(GetParam());
  for (size_t longest : {size_t{1} << 20, size_t{4096}, size_t{5}}) {
    if (longest == 5 && !IsOneOfThree(GetParam())) continue;  // It takes long.
    Pipe pipe(stream);
    if (GetParam().completed()) {
      EXPECT_GE(pipe.Run(longest), MIGSTREAM_OK);
      EXPECT_TRUE(pipe.written() == stream);
    } else {
      EXPECT_EQ(pipe.Run(longest), MIGSTREAM_ERROR);
      EXPECT_EQ(pipe.error_code(), 100);
    }
    if (GetParam().devices_size() == 1 && GetParam().completed() &&
        !HasDeviceStateChannels(GetParam())) {
      EXPECT_EQ(Sha256(pipe.payload()), GetParam().devices(0).payload_sha256());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, CodecTest, testing::ValuesIn(AllCaptures()),
                         CaptureName());

TEST(StreamEventTest, WhatAFindingHadIsGoneWithTheNextEvent) {
  migstream_stream_options options = {};
  options.struct_size = sizeof options;
  migstream_stream_encoder* encoder;
  ASSERT_EQ(migstream_stream_encoder_create(&options, &encoder), MIGSTREAM_OK);
  migstream_section section = {};
  section.struct_size = sizeof section;
  section.type = MIGSTREAM_SECTION_START;
  section.idstr = "0000:00:05.0/vfio";
  section.idstr_bytes = 17;
  section.version_id = 2;  // Which no loader takes.
  section.vfio = 1;
  ASSERT_EQ(migstream_stream_encoder_header(encoder), MIGSTREAM_OK);
  ASSERT_EQ(migstream_stream_encoder_section(encoder, &section), MIGSTREAM_OK);
  ASSERT_EQ(migstream_stream_encoder_tag(encoder, MIGSTREAM_ELEMENT_SETUP),
            MIGSTREAM_OK);
  const iovec* pieces;
  int count;
  ASSERT_EQ(migstream_get_pieces(encoder, &pieces, &count), MIGSTREAM_OK);
  std::string stream;
  for (int i = 0; i < count; ++i) {
    stream.append(static_cast<const char*>(pieces[i].iov_base),
                  pieces[i].iov_len);
  }
  migstream_destroy(encoder);

  migstream_stream_decoder* decoder;
  ASSERT_EQ(migstream_stream_decoder_create(&options, &decoder), MIGSTREAM_OK);
  iovec input = {stream.data(), stream.size()};
  const migstream_stream_event* event;
  std::vector<int32_t> kinds;
  while (migstream_stream_decoder_next(decoder, &input, &event) ==
         MIGSTREAM_EVENT) {
    kinds.push_back(event->kind);
    const bool finding = event->kind == MIGSTREAM_STREAM_FINDING;
    EXPECT_EQ(event->finding != nullptr, finding) << event->kind;
    EXPECT_EQ(event->name != nullptr, finding) << event->kind;
  }
  EXPECT_EQ(kinds, (std::vector<int32_t>{
                       MIGSTREAM_STREAM_HEADER, MIGSTREAM_STREAM_SECTION,
                       MIGSTREAM_STREAM_FINDING, MIGSTREAM_STREAM_DEVICE}));
  migstream_destroy(decoder);
}

}  // namespace
}  // namespace migstream
