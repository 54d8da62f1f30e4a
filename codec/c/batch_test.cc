// The C interface's calls for many records: they give what those for one give,
// wherever the input is cut, and refuse what those refuse.

#include <sys/uio.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "codec/c/migstream.h"
#include "codec/device/section_bytes.h"
#include "codec/wire/bytes.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

migstream_section_options Options(int32_t type = MIGSTREAM_SECTION_END) {
  migstream_section_options options = {};
  options.struct_size = sizeof options;
  options.type = type;
  options.dialect = MIGSTREAM_DIALECT_V111;
  return options;
}

class Decoder {
 public:
  explicit Decoder(int32_t type = MIGSTREAM_SECTION_END) {
    const migstream_section_options options = Options(type);
    EXPECT_EQ(migstream_section_decoder_create(&options, &c_), MIGSTREAM_OK);
  }
  ~Decoder() { migstream_destroy(c_); }

  // What is taken of `input` is taken off it.
  size_t Batch(ByteSpan& input, std::span<iovec> records) {
    iovec in = {const_cast<uint8_t*>(input.data()), input.size()};
    size_t count = 99;
    EXPECT_EQ(migstream_section_decoder_next_batch(c_, &in, records.data(),
                                                   records.size(), &count),
              MIGSTREAM_OK);
    input = input.last(in.iov_len);
    return count;
  }
  migstream_status Next(ByteSpan& input, const migstream_event*& event) {
    iovec in = {const_cast<uint8_t*>(input.data()), input.size()};
    const migstream_status status =
        migstream_section_decoder_next(c_, &in, &event);
    input = input.last(in.iov_len);
    return status;
  }
  migstream_section_decoder* c() { return c_; }

 private:
  migstream_section_decoder* c_ = nullptr;
};

class Encoder {
 public:
  explicit Encoder(int32_t type = MIGSTREAM_SECTION_END) {
    const migstream_section_options options = Options(type);
    EXPECT_EQ(migstream_section_encoder_create(&options, &c_), MIGSTREAM_OK);
  }
  ~Encoder() { migstream_destroy(c_); }

  migstream_status Batch(std::span<const iovec> payloads, size_t& put) {
    put = 99;
    return migstream_section_encoder_data_batch(c_, payloads.data(),
                                                payloads.size(), &put);
  }
  // What was put since the last call.
  std::string Written() {
    const iovec* pieces = nullptr;
    int count = 0;
    EXPECT_EQ(migstream_get_pieces(c_, &pieces, &count), MIGSTREAM_OK);
    std::string bytes;
    for (const iovec& piece : std::span(pieces, count)) {
      bytes.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
    }
    EXPECT_EQ(migstream_clear_pieces(c_), MIGSTREAM_OK);
    return bytes;
  }
  migstream_section_encoder* c() { return c_; }

 private:
  migstream_section_encoder* c_ = nullptr;
};

iovec Vector(const std::string& bytes) {
  return {const_cast<char*>(bytes.data()), bytes.size()};
}

TEST(BatchTest, IsTheWholeRecordsThatComeNext) {
  const std::string bytes =
      DataBytes("abc") + DataBytes("") + DataBytes("defg") + kEos;
  ByteSpan input = AsBytes(bytes);
  Decoder decoder;
  iovec records[2];
  ASSERT_EQ(decoder.Batch(input, records), 2) << "as many as have room";
  EXPECT_EQ(records[0].iov_base, bytes.data() + 16) << "a view of the input";
  EXPECT_EQ(records[0].iov_len, 3);
  EXPECT_EQ(records[1].iov_len, 0);
  EXPECT_EQ(decoder.Batch(input, {}), 0) << "no room";
  ASSERT_EQ(decoder.Batch(input, records), 1) << "as many as there are";
  EXPECT_EQ(records[0].iov_len, 4);
  EXPECT_EQ(decoder.Batch(input, records), 0) << "another element";
  const migstream_event* event = nullptr;
  ASSERT_EQ(decoder.Next(input, event), MIGSTREAM_EVENT);
  EXPECT_EQ(event->offset, 3 * 16 + 3 + 4);
  EXPECT_EQ(decoder.Batch(input, records), 0) << "the section has ended";
  EXPECT_EQ(decoder.Next(input, event), MIGSTREAM_DONE);
}

// In each of two pieces what is whole is taken by batches, the rest by one.
TEST(BatchTest, GivesTheSameWhereverTheInputIsCut) {
  const std::string bytes = DataBytes("abc") + DataBytes("") +
                            DataBytes("defgh") + DataBytes("i") + kEos;
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    Decoder decoder;
    iovec records[3];
    std::string payload;
    migstream_status status = MIGSTREAM_NEED_INPUT;
    ByteSpan input = AsBytes(bytes).first(cut);
    for (size_t end : {cut, bytes.size()}) {
      input = AsBytes(bytes).first(end).last(input.size() + end - cut);
      do {
        while (size_t count = decoder.Batch(input, records)) {
          for (const iovec& record : std::span(records, count)) {
            payload.append(static_cast<char*>(record.iov_base), record.iov_len);
          }
        }
        const migstream_event* event = nullptr;
        status = decoder.Next(input, event);
        if (status == MIGSTREAM_EVENT && event->kind == MIGSTREAM_EVENT_DATA) {
          payload += AsText(ByteSpan(event->payload, event->payload_bytes));
        }
      } while (status == MIGSTREAM_EVENT);
    }
    EXPECT_EQ(status, MIGSTREAM_DONE) << cut;
    EXPECT_EQ(payload, "abcdefghi") << cut;
  }
}

TEST(BatchTest, EndsBeforeWhatIsDamaged) {
  const std::string bytes = DataBytes("abcd") + TagBytes(9) + "efghi";
  ByteSpan input = AsBytes(bytes);
  Decoder decoder;
  iovec records[4];
  EXPECT_EQ(decoder.Batch(input, records), 1);
  const migstream_event* event = nullptr;
  EXPECT_EQ(decoder.Next(input, event), MIGSTREAM_ERROR);
  EXPECT_EQ(decoder.Batch(input, records), 0) << "sticky";
  Decoder start(MIGSTREAM_SECTION_START);
  input = AsBytes(bytes);
  EXPECT_EQ(start.Batch(input, records), 0) << "no DATA there";
}

TEST(BatchTest, WritesWhatOneRecordAfterTheOtherDoes) {
  const std::string a(5, 'a'), empty, c(3000, 'c');
  const iovec payloads[] = {Vector(a), Vector(empty), Vector(c)};
  Encoder encoder;
  size_t put;
  EXPECT_EQ(encoder.Batch(payloads, put), MIGSTREAM_OK);
  EXPECT_EQ(put, 3);
  EXPECT_EQ(encoder.Written(), DataBytes(a) + DataBytes(empty) + DataBytes(c));
  EXPECT_EQ(encoder.Batch({}, put), MIGSTREAM_OK);
  EXPECT_EQ(put, 0);
  const iovec nothing[] = {{nullptr, 0}};
  EXPECT_EQ(encoder.Batch(nothing, put), MIGSTREAM_OK);
  EXPECT_EQ(put, 1);
  EXPECT_EQ(encoder.Written(), DataBytes(""));
}

TEST(BatchTest, WhatDoesNotFitIsPutByTheNextCalls) {
  std::vector<std::string> bytes(1000);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = std::to_string(i);
  std::vector<iovec> payloads;
  payloads.reserve(bytes.size());
  std::string wanted;
  for (const std::string& each : bytes) {
    payloads.push_back(Vector(each));
    wanted += DataBytes(each);
  }
  Encoder encoder;
  std::string written;
  migstream_status status = MIGSTREAM_FULL;
  std::span<const iovec> left = payloads;
  size_t calls = 0;
  while (status == MIGSTREAM_FULL) {
    size_t put;
    status = encoder.Batch(left, put);
    ASSERT_TRUE(put > 0 || status == MIGSTREAM_ERROR);
    left = left.subspan(put);
    written += encoder.Written();
    ++calls;
  }
  EXPECT_EQ(status, MIGSTREAM_OK);
  EXPECT_GT(calls, 1U);
  EXPECT_TRUE(left.empty());
  EXPECT_TRUE(written == wanted);
}

TEST(BatchTest, WhereNoRecordMayStandNoneIsPut) {
  const std::string a = "a";
  const iovec payloads[] = {Vector(a)};
  size_t put;
  Encoder start(MIGSTREAM_SECTION_START);
  EXPECT_EQ(start.Batch(payloads, put), MIGSTREAM_ERROR);
  EXPECT_EQ(put, 0);
  EXPECT_EQ(start.Written(), "");
  Encoder ended;
  EXPECT_EQ(
      migstream_section_encoder_tag(ended.c(), MIGSTREAM_ELEMENT_END_OF_STATE),
      MIGSTREAM_OK);
  EXPECT_EQ(ended.Batch(payloads, put), MIGSTREAM_ERROR);
  EXPECT_EQ(put, 0);
}

TEST(BatchTest, BytesAtNoAddressAreABadArgument) {
  const std::string a = "a";
  const iovec payloads[] = {Vector(a), {nullptr, 5}};
  Encoder encoder;
  size_t put;
  EXPECT_EQ(encoder.Batch(payloads, put), MIGSTREAM_BAD_ARGUMENT);
  EXPECT_EQ(put, 0) << "nor those before";
  EXPECT_EQ(encoder.Written(), "");
  EXPECT_EQ(migstream_section_encoder_data_batch(encoder.c(), nullptr, 1, &put),
            MIGSTREAM_BAD_ARGUMENT);
  EXPECT_EQ(
      migstream_section_encoder_data_batch(encoder.c(), payloads, 1, nullptr),
      MIGSTREAM_BAD_ARGUMENT);
  EXPECT_EQ(migstream_section_encoder_data_batch(nullptr, payloads, 1, &put),
            MIGSTREAM_BAD_ARGUMENT);
  EXPECT_EQ(encoder.Batch(std::span(payloads, 1), put), MIGSTREAM_OK)
      << "it is as it was";

  Decoder decoder;
  iovec records[1];
  size_t count;
  iovec input = Vector(a);
  EXPECT_EQ(migstream_section_decoder_next_batch(decoder.c(), &input, nullptr,
                                                 1, &count),
            MIGSTREAM_BAD_ARGUMENT);
  EXPECT_EQ(migstream_section_decoder_next_batch(decoder.c(), nullptr, records,
                                                 1, &count),
            MIGSTREAM_BAD_ARGUMENT);
  EXPECT_EQ(migstream_section_decoder_next_batch(decoder.c(), &input, records,
                                                 1, nullptr),
            MIGSTREAM_BAD_ARGUMENT);
  input = {nullptr, 5};
  EXPECT_EQ(migstream_section_decoder_next_batch(decoder.c(), &input, records,
                                                 1, &count),
            MIGSTREAM_BAD_ARGUMENT);
}

}  // namespace
}  // namespace migstream
