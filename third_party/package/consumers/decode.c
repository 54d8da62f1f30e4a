/* Compiled as C11 and as C++17, with what is installed and nothing else: prints
 * the bytes of device payload in a stream. usage: decode STREAM */

#include <migstream.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For a test: up to the first footer with the section's id. */
static int32_t ContentLength(void* context,
                             const struct migstream_section* section,
                             const void* input, size_t input_bytes,
                             uint64_t* bytes) {
  const unsigned char footer[5] = {0x7e, (unsigned char)(section->id >> 24),
                                   (unsigned char)(section->id >> 16),
                                   (unsigned char)(section->id >> 8),
                                   (unsigned char)section->id};
  const unsigned char* content = (const unsigned char*)input;
  size_t at;
  (void)context;
  for (at = 0; at + sizeof footer <= input_bytes; ++at) {
    if (memcmp(content + at, footer, sizeof footer) == 0) {
      *bytes = at;
      return MIGSTREAM_LENGTH_BYTES;
    }
  }
  return MIGSTREAM_LENGTH_UNKNOWN;
}

int main(int argc, char** argv) {
  static unsigned char stream[64 << 20];
  struct migstream_stream_options options;
  const struct migstream_stream_event* event;
  const struct migstream_error* error;
  struct iovec input;
  migstream_stream_decoder* decoder;
  migstream_status status;
  unsigned long long payload = 0;
  FILE* file = argc == 2 ? fopen(argv[1], "rb") : NULL;
  if (file == NULL) return 2;
  input.iov_base = stream;
  input.iov_len = fread(stream, 1, sizeof stream, file);
  fclose(file);

  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.content_length = ContentLength;
  if (migstream_stream_decoder_create(&options, &decoder) != MIGSTREAM_OK) {
    return 2;
  }
  while ((status = migstream_stream_decoder_next(decoder, &input, &event)) ==
         MIGSTREAM_EVENT) {
    if (event->device != NULL && event->device->kind == MIGSTREAM_EVENT_DATA) {
      payload += event->device->payload_bytes;
    }
  }
  if (status == MIGSTREAM_ERROR &&
      migstream_last_error(decoder, &error) == MIGSTREAM_OK) {
    fprintf(stderr, "%s\n", error->text);
  }
  migstream_destroy(decoder);
  printf("%llu\n", payload);
  return status == MIGSTREAM_DONE ? 0 : 1;
}
