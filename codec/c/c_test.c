// The interface in C11: a device's section, encoded and decoded.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/c/migstream.h"

#define REQUIRE(condition)                                            \
  do {                                                                \
    if (!(condition)) {                                               \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                        \
    }                                                                 \
  } while (0)

// All pieces of an encoder, one after the other.
static size_t Flatten(void* encoder, unsigned char* to) {
  const struct iovec* pieces;
  int count;
  size_t bytes = 0;
  REQUIRE(migstream_get_pieces(encoder, &pieces, &count) == MIGSTREAM_OK);
  for (int i = 0; i < count; ++i) {
    memcpy(to + bytes, pieces[i].iov_base, pieces[i].iov_len);
    bytes += pieces[i].iov_len;
  }
  REQUIRE(migstream_clear_pieces(encoder) == MIGSTREAM_OK);
  return bytes;
}

static size_t Encode(unsigned char* section) {
  struct migstream_section_options options = {.struct_size = sizeof options};
  options.type = MIGSTREAM_SECTION_END;
  options.dialect = MIGSTREAM_DIALECT_V111;
  migstream_section_encoder* encoder;
  REQUIRE(migstream_section_encoder_create(&options, &encoder) == MIGSTREAM_OK);
  REQUIRE(migstream_section_encoder_data(encoder, "abc", 3) == MIGSTREAM_OK);
  REQUIRE(migstream_section_encoder_tag(
              encoder, MIGSTREAM_ELEMENT_END_OF_STATE) == MIGSTREAM_OK);
  const size_t bytes = Flatten(encoder, section);
  REQUIRE(bytes == 8 + 8 + 3 + 8);

  // Nothing may follow, and the error says so.
  const struct migstream_error* error;
  REQUIRE(migstream_section_encoder_data(encoder, "d", 1) == MIGSTREAM_ERROR);
  REQUIRE(migstream_last_error(encoder, &error) == MIGSTREAM_OK);
  REQUIRE(error->code == 601);
  REQUIRE(error->text[0] != '\0');
  REQUIRE(migstream_destroy(encoder) == MIGSTREAM_OK);
  return bytes;
}

// A byte at a time.
static void Decode(const unsigned char* section, size_t bytes) {
  struct migstream_section_options options = {.struct_size = sizeof options};
  options.type = MIGSTREAM_SECTION_END;
  options.device = "0000:00:05.0/vfio";
  options.offset = 1000;
  migstream_section_decoder* decoder;
  REQUIRE(migstream_section_decoder_create(&options, &decoder) == MIGSTREAM_OK);
  size_t taken = 0;
  size_t payload = 0;
  migstream_status status = MIGSTREAM_NEED_INPUT;
  for (size_t end = 0; end <= bytes; ++end) {
    struct iovec input = {(void*)(section + taken), end - taken};
    const struct migstream_event* event;
    while ((status = migstream_section_decoder_next(decoder, &input, &event)) ==
           MIGSTREAM_EVENT) {
      REQUIRE(event->struct_size == sizeof *event);
      if (event->kind != MIGSTREAM_EVENT_DATA) continue;
      REQUIRE(event->record_bytes == 3);
      REQUIRE(memcmp(event->payload, &"abc"[event->record_offset],
                     event -> payload_bytes) == 0);
      payload += event->payload_bytes;
    }
    taken = end - input.iov_len;
  }
  REQUIRE(status == MIGSTREAM_DONE);
  REQUIRE(payload == 3);
  const struct migstream_position* position;
  REQUIRE(migstream_get_position(decoder, &position) == MIGSTREAM_OK);
  REQUIRE(position->offset == 1000 + bytes);

  // The same decoder, and an input that is cut off.
  REQUIRE(migstream_section_decoder_restart(decoder, &options) == MIGSTREAM_OK);
  struct iovec cut = {(void*)section, 5};
  const struct migstream_event* event;
  const struct migstream_error* error;
  REQUIRE(migstream_section_decoder_next(decoder, &cut, &event) ==
          MIGSTREAM_NEED_INPUT);
  REQUIRE(migstream_at_end_of_input(decoder, &cut) == MIGSTREAM_ERROR);
  REQUIRE(migstream_last_error(decoder, &error) == MIGSTREAM_OK);
  REQUIRE(error->code == 100);
  REQUIRE(strncmp(error->section, "0000:00:05.0/vfio", 17) == 0);
  REQUIRE(migstream_destroy(decoder) == MIGSTREAM_OK);
}

int main(void) {
  REQUIRE(migstream_version_number() == MIGSTREAM_VERSION_NUMBER);
  unsigned char section[64];
  Decode(section, Encode(section));
  return 0;
}
