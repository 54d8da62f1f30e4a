// The C interface, any bytes: its decoders give a status that is one of those
// declared, whole and in pieces the same one, and take nothing that was not
// there; what a stream's decoder gives is encoded again as it was; and all
// memory is given back, by an allocator that may fail.

#include <algorithm>
#include <cstdlib>
#include <string>

#include "codec/c/migstream.h"
#include "fuzz/fuzzing.h"

using namespace migstream;  // NOLINT: this file is a program.

namespace {

// Counts blocks, and fails after so many.
struct Allocator {
  migstream_allocator c = {sizeof c, this, Allocate, Release};
  uint64_t left = UINT64_MAX;
  int64_t blocks = 0;
  bool failed = false;

  static void* Allocate(void* context, size_t bytes, size_t alignment) {
    Allocator& self = *static_cast<Allocator*>(context);
    if (self.left == 0) {
      self.failed = true;
      return nullptr;
    }
    --self.left;
    ++self.blocks;
    return std::aligned_alloc(alignment,
                              (bytes + alignment - 1) / alignment * alignment);
  }
  static void Release(void* context, void* memory, size_t, size_t) {
    --static_cast<Allocator*>(context)->blocks;
    std::free(memory);
  }
};

struct Ended {
  migstream_status status = MIGSTREAM_OK;
  int32_t code = 0;
  size_t taken = 0;
  std::string encoded;
};

int32_t LengthOf(void*, const migstream_section* section, const void*,
                 size_t input_bytes, uint64_t* bytes) {
  if (input_bytes == 0) return MIGSTREAM_LENGTH_NEED_INPUT;
  *bytes = section->instance_id % 64;
  return MIGSTREAM_LENGTH_BYTES;
}

void Append(migstream_stream_encoder* encoder,
            const migstream_stream_event* event, Ended& ended) {
  REQUIRE(migstream_stream_encoder_append(encoder, event) == MIGSTREAM_OK);
  const iovec* pieces;
  int count;
  REQUIRE(migstream_get_pieces(encoder, &pieces, &count) == MIGSTREAM_OK);
  for (int i = 0; i < count; ++i) {
    ended.encoded.append(static_cast<const char*>(pieces[i].iov_base),
                         pieces[i].iov_len);
  }
  REQUIRE(migstream_clear_pieces(encoder) == MIGSTREAM_OK);
}

// A stream, in pieces of so many bytes.
Ended Decode(ByteSpan bytes, int32_t dialect, size_t longest,
             Allocator& allocator) {
  Ended ended;
  migstream_stream_options options = {};
  options.struct_size = sizeof options;
  options.allocator = &allocator.c;
  options.dialect = dialect;
  options.content_length = LengthOf;
  migstream_stream_decoder* decoder = nullptr;
  migstream_stream_encoder* encoder = nullptr;
  ended.status = migstream_stream_decoder_create(&options, &decoder);
  if (ended.status == MIGSTREAM_OK) {
    ended.status = migstream_stream_encoder_create(&options, &encoder);
  }
  size_t end = 0;
  while (ended.status >= MIGSTREAM_OK && ended.status != MIGSTREAM_DONE) {
    iovec input = {const_cast<uint8_t*>(bytes.data()) + ended.taken,
                   end - ended.taken};
    const migstream_stream_event* event = nullptr;
    ended.status = migstream_stream_decoder_next(decoder, &input, &event);
    REQUIRE(input.iov_len <= end - ended.taken);
    ended.taken = end - input.iov_len;
    if (ended.status == MIGSTREAM_EVENT) {
      Append(encoder, event, ended);
    } else if (ended.status == MIGSTREAM_NEED_INPUT) {
      if (end == bytes.size()) {
        ended.status = migstream_at_end_of_input(decoder, &input);
        if (ended.status != MIGSTREAM_EVENT) break;
      }
      end = std::min(bytes.size(), end + longest);
    }
  }
  const migstream_error* error;
  if (ended.status == MIGSTREAM_ERROR &&
      migstream_last_error(decoder, &error) == MIGSTREAM_OK) {
    ended.code = error->code;
    REQUIRE(error->text[0] != '\0');
  }
  REQUIRE(ended.status == MIGSTREAM_OK || ended.status == MIGSTREAM_DONE ||
          ended.status == MIGSTREAM_ERROR ||
          (ended.status == MIGSTREAM_NO_MEMORY && allocator.failed));
  migstream_destroy(decoder);
  migstream_destroy(encoder);
  REQUIRE(allocator.blocks == 0);
  return ended;
}

// The other decoders take them as well as they can.
template <typename Decoder, typename Options, typename Event>
void Run(ByteSpan bytes, migstream_status (*create)(const Options*, Decoder**),
         migstream_status (*next)(Decoder*, iovec*, const Event**)) {
  Options options = {};
  options.struct_size = sizeof options;
  Decoder* decoder;
  REQUIRE(create(&options, &decoder) == MIGSTREAM_OK);
  iovec input = {const_cast<uint8_t*>(bytes.data()), bytes.size()};
  const Event* event;
  size_t steps = 0;
  migstream_status status;
  while ((status = next(decoder, &input, &event)) == MIGSTREAM_EVENT) {
    REQUIRE(++steps <= 8 * bytes.size() + 16);
  }
  REQUIRE(status == MIGSTREAM_NEED_INPUT || status == MIGSTREAM_ERROR);
  status = migstream_at_end_of_input(decoder, &input);
  REQUIRE(status == MIGSTREAM_OK || status == MIGSTREAM_ERROR);
  REQUIRE(migstream_destroy(decoder) == MIGSTREAM_OK);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  const uint8_t choice = input.Choice();
  const int32_t dialect = choice % (MIGSTREAM_DIALECT_V111M + 1);
  const uint8_t allocations = input.Choice();
  const ByteSpan bytes = input.Rest();

  Allocator plenty;
  const Ended whole = Decode(bytes, dialect, bytes.size() + 1, plenty);
  REQUIRE(AsText(bytes).starts_with(whole.encoded));
  for (size_t longest : {size_t{1}, size_t{64}}) {
    const Ended cut = Decode(bytes, dialect, longest, plenty);
    REQUIRE(cut.status == whole.status && cut.code == whole.code);
  }
  Allocator few;
  few.left = allocations;
  Decode(bytes, dialect, 64, few);

  Run(bytes, migstream_return_path_decoder_create,
      migstream_return_path_decoder_next);
  Run(bytes, migstream_channel_decoder_create, migstream_channel_decoder_next);
  Run(bytes, migstream_payload_decoder_create, migstream_payload_decoder_next);
  return 0;
}
