// What README shows in C: a PART goes through a pipe, from one to the other.

#include <migstream.h>
#include <unistd.h>

#include <string>

#include "gtest/gtest.h"

extern "C" {
migstream_status load_part(migstream_section_decoder* decoder, iovec* input,
                           int device);
ssize_t save_part(migstream_section_encoder* encoder, int fd,
                  const void* payload, size_t bytes);
}

namespace {

TEST(ReadmeTest, APartIsSavedAndLoaded) {
  migstream_section_options options = {};
  options.struct_size = sizeof options;
  options.type = MIGSTREAM_SECTION_PART;
  options.dialect = MIGSTREAM_DIALECT_V111;
  migstream_section_encoder* encoder;
  migstream_section_decoder* decoder;
  ASSERT_EQ(migstream_section_encoder_create(&options, &encoder), MIGSTREAM_OK);
  ASSERT_EQ(migstream_section_decoder_create(&options, &decoder), MIGSTREAM_OK);
  int channel[2];
  int device[2];
  ASSERT_EQ(pipe(channel), 0);
  ASSERT_EQ(pipe(device), 0);
  const std::string payload = "what the device gave";

  const ssize_t sent =
      save_part(encoder, channel[1], payload.data(), payload.size());
  ASSERT_EQ(sent, static_cast<ssize_t>(payload.size()) + 24);
  char bytes[100];
  iovec input = {bytes,
                 static_cast<size_t>(read(channel[0], bytes, sizeof bytes))};
  EXPECT_EQ(load_part(decoder, &input, device[1]), MIGSTREAM_DONE);
  EXPECT_EQ(input.iov_len, 0);
  char loaded[100];
  const ssize_t count = read(device[0], loaded, sizeof loaded);
  EXPECT_EQ(std::string(loaded, static_cast<size_t>(count)), payload);

  migstream_destroy(encoder);
  migstream_destroy(decoder);
  for (int fd : {channel[0], channel[1], device[0], device[1]}) close(fd);
}

}  // namespace
