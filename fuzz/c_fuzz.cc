// The C interface, any bytes, as a stream, a device's section, a channel, a
// return path, a payload and what a device loads, with multifd too: a status
// that is one of those declared, whole and in pieces the same one; nothing is
// taken that was not there; what a decoder gives is encoded again as it was;
// and all memory is given back, by an allocator that may fail.

#include <algorithm>
#include <cstdlib>
#include <string>

#include "codec/c/migstream.h"
#include "codec/c/rig.h"
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

// What is decoded, and encoded again: a decoder, an encoder, how they are made.
struct Stream {
  using Decoder = migstream_stream_decoder;
  using Encoder = migstream_stream_encoder;
  using Event = migstream_stream_event;
  using Options = migstream_stream_options;
  static constexpr auto Decode = migstream_stream_decoder_create;
  static constexpr auto Encode = migstream_stream_encoder_create;
  static constexpr auto Next = migstream_stream_decoder_next;
  static constexpr auto Append = migstream_stream_encoder_append;
};

struct Section {
  using Decoder = migstream_section_decoder;
  using Encoder = migstream_section_encoder;
  using Event = migstream_event;
  using Options = migstream_section_options;
  static constexpr auto Decode = migstream_section_decoder_create;
  static constexpr auto Encode = migstream_section_encoder_create;
  static constexpr auto Next = migstream_section_decoder_next;
  static constexpr auto Append = migstream_section_encoder_append;
};

struct Channel {
  using Decoder = migstream_channel_decoder;
  using Encoder = migstream_channel_encoder;
  using Event = migstream_channel_event;
  using Options = migstream_channel_options;
  static constexpr auto Decode = migstream_channel_decoder_create;
  static constexpr auto Encode = migstream_channel_encoder_create;
  static constexpr auto Next = migstream_channel_decoder_next;
  static constexpr auto Append = migstream_channel_encoder_append;
};

// What is null but for events of its kind.
void CheckEvent(const migstream_stream_event& event) {
  REQUIRE((event.device != nullptr) == (event.kind == MIGSTREAM_STREAM_DEVICE));
  REQUIRE((event.finding != nullptr) ==
          (event.kind == MIGSTREAM_STREAM_FINDING));
  REQUIRE(event.section != nullptr || event.kind != MIGSTREAM_STREAM_SECTION);
}
void CheckEvent(const migstream_event& event) {
  REQUIRE((event.config != nullptr) == (event.kind == MIGSTREAM_EVENT_CONFIG));
}
void CheckEvent(const migstream_channel_event& event) {
  REQUIRE(event.packet == nullptr || event.kind == MIGSTREAM_CHANNEL_PAYLOAD);
}

// What `encoder` has to write.
void Write(void* encoder, std::string& encoded) {
  const iovec* pieces;
  int count;
  REQUIRE(migstream_get_pieces(encoder, &pieces, &count) == MIGSTREAM_OK);
  for (int i = 0; i < count; ++i) {
    encoded.append(static_cast<const char*>(pieces[i].iov_base),
                   pieces[i].iov_len);
  }
  REQUIRE(migstream_clear_pieces(encoder) == MIGSTREAM_OK);
}

// Decodes and encodes again, in pieces of so many bytes.
template <typename Kind>
Ended Decode(ByteSpan bytes, typename Kind::Options options, size_t longest,
             Allocator& allocator) {
  Ended ended;
  options.struct_size = sizeof options;
  options.allocator = &allocator.c;
  typename Kind::Decoder* decoder = nullptr;
  typename Kind::Encoder* encoder = nullptr;
  ended.status = Kind::Decode(&options, &decoder);
  if (ended.status == MIGSTREAM_OK) {
    ended.status = Kind::Encode(&options, &encoder);
  }
  size_t end = 0;
  while (ended.status >= MIGSTREAM_OK && ended.status != MIGSTREAM_DONE) {
    iovec input = {const_cast<uint8_t*>(bytes.data()) + ended.taken,
                   end - ended.taken};
    const typename Kind::Event* event = nullptr;
    ended.status = Kind::Next(decoder, &input, &event);
    REQUIRE(input.iov_len <= end - ended.taken);
    ended.taken = end - input.iov_len;
    if (ended.status == MIGSTREAM_EVENT) {
      CheckEvent(*event);
      REQUIRE(Kind::Append(encoder, event) == MIGSTREAM_OK);
      Write(encoder, ended.encoded);
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

// However they come, the same becomes of them; and with little memory something
// that is declared.
template <typename Kind>
void DecodeAllWays(ByteSpan bytes, const typename Kind::Options& options,
                   uint8_t allocations) {
  Allocator plenty;
  const Ended whole = Decode<Kind>(bytes, options, bytes.size() + 1, plenty);
  REQUIRE(AsText(bytes).starts_with(whole.encoded));
  for (size_t longest : {size_t{1}, size_t{64}}) {
    const Ended cut = Decode<Kind>(bytes, options, longest, plenty);
    REQUIRE(cut.status == whole.status && cut.code == whole.code);
    REQUIRE(AsText(bytes).starts_with(cut.encoded));
  }
  Allocator few;
  few.left = allocations;
  Decode<Kind>(bytes, options, 64, few);
}

// The devices' packets of a channel, put in order: the piece is the packet's.
void Reassemble(ByteSpan bytes, uint8_t allocations) {
  Allocator allocator;
  migstream_reassembler_options options = {};
  options.struct_size = sizeof options;
  options.allocator = &allocator.c;
  migstream_channel_decoder* decoder;
  migstream_reassembler* reassembler;
  REQUIRE(migstream_channel_decoder_create(nullptr, &decoder) == MIGSTREAM_OK);
  REQUIRE(migstream_reassembler_create(&options, &reassembler) == MIGSTREAM_OK);
  allocator.left = allocations;
  iovec input = {const_cast<uint8_t*>(bytes.data()), bytes.size()};
  const migstream_channel_event* event;
  migstream_status status = MIGSTREAM_OK;
  while (status == MIGSTREAM_OK &&
         migstream_channel_decoder_next(decoder, &input, &event) ==
             MIGSTREAM_EVENT) {
    if (event->packet == nullptr) continue;
    const std::string idstr(event->name, event->name_bytes);
    status = migstream_reassembler_add(reassembler, idstr.c_str(),
                                       event->instance_id, event->packet,
                                       event->packet_bytes);
    if (status != MIGSTREAM_OK) break;
    const migstream_piece* piece;
    while ((status = migstream_reassembler_next(reassembler, &piece)) ==
           MIGSTREAM_EVENT) {
      REQUIRE(piece->data_bytes <= bytes.size());
    }
    if (status == MIGSTREAM_DONE) status = MIGSTREAM_OK;
  }
  if (status == MIGSTREAM_OK)
    status = migstream_reassembler_finish(reassembler);
  REQUIRE(status == MIGSTREAM_OK || status == MIGSTREAM_ERROR ||
          (status == MIGSTREAM_NO_MEMORY && allocator.failed));
  REQUIRE(migstream_destroy(decoder) == MIGSTREAM_OK);
  REQUIRE(migstream_destroy(reassembler) == MIGSTREAM_OK);
  REQUIRE(allocator.blocks == 0);
}

// What the return path brings is sent again.
void SendAgain(ByteSpan bytes) {
  migstream_return_path_decoder* decoder;
  migstream_return_path_encoder* encoder;
  REQUIRE(migstream_return_path_decoder_create(nullptr, &decoder) ==
          MIGSTREAM_OK);
  REQUIRE(migstream_return_path_encoder_create(nullptr, &encoder) ==
          MIGSTREAM_OK);
  iovec input = {const_cast<uint8_t*>(bytes.data()), bytes.size()};
  const migstream_reply* reply;
  std::string encoded;
  migstream_status status;
  while ((status = migstream_return_path_decoder_next(
              decoder, &input, &reply)) == MIGSTREAM_EVENT) {
    // Its bitmap is passed over, and not there to be sent.
    if (reply->type == MIGSTREAM_REPLY_RECV_BITMAP) continue;
    encoded.clear();
    REQUIRE(migstream_return_path_encoder_send(encoder, reply, nullptr, 0) ==
            MIGSTREAM_OK);
    Write(encoder, encoded);
    REQUIRE(AsText(bytes.subspan(reply->offset)).starts_with(encoded));
  }
  REQUIRE(status == MIGSTREAM_NEED_INPUT || status == MIGSTREAM_ERROR);
  REQUIRE(migstream_destroy(decoder) == MIGSTREAM_OK);
  REQUIRE(migstream_destroy(encoder) == MIGSTREAM_OK);
}

struct Loaded {
  migstream_status status = MIGSTREAM_OK;
  int32_t outcome = 0;
  uint32_t state = 0;
  std::string bytes;
  friend bool operator==(const Loaded&, const Loaded&) = default;
};

// A device of the caller's is sent `stream`, in pieces of so many bytes, and
// what comes on a multifd channel if there is one.
Loaded LoadIn(const std::string& stream, const std::string* channel,
              size_t piece, Allocator& allocator) {
  c::MemoryDevice device;
  Loaded loaded;
  loaded.status =
      c::Load(&allocator.c, device, stream, piece, &loaded.outcome, channel);
  loaded.state = device.is;
  loaded.bytes = device.loaded;
  REQUIRE(loaded.status >= MIGSTREAM_OK || loaded.status == MIGSTREAM_ERROR ||
          (loaded.status == MIGSTREAM_NO_MEMORY && allocator.failed));
  REQUIRE(loaded.outcome != MIGSTREAM_OUTCOME_COMPLETED ||
          loaded.state == MIGSTREAM_STATE_RUNNING || allocator.failed);
  REQUIRE(loaded.bytes.size() <=
          stream.size() + (channel == nullptr ? 0 : channel->size()));
  REQUIRE(allocator.blocks == 0);
  return loaded;
}

// The channel begins where its magic first stands.
void Load(ByteSpan bytes, uint8_t allocations) {
  std::string stream(AsText(bytes));
  std::string channel;
  const size_t magic = stream.find("\x11\x22\x33\x44");
  if (magic != std::string::npos) {
    channel = stream.substr(magic);
    stream.resize(magic);
  }
  const std::string* has_channel =
      magic == std::string::npos ? nullptr : &channel;
  Allocator plenty;
  const Loaded whole = LoadIn(stream, has_channel, stream.size() + 1, plenty);
  REQUIRE(LoadIn(stream, has_channel, 64, plenty) == whole);
  REQUIRE(LoadIn(stream, has_channel, 1, plenty) == whole);
  Allocator few;
  few.left = allocations;
  LoadIn(stream, has_channel, 64, few);
}

void DecodePayload(ByteSpan bytes) {
  migstream_payload_decoder* decoder;
  REQUIRE(migstream_payload_decoder_create(nullptr, &decoder) == MIGSTREAM_OK);
  iovec input = {const_cast<uint8_t*>(bytes.data()), bytes.size()};
  const migstream_payload_event* event;
  size_t steps = 0;
  migstream_status status;
  while ((status = migstream_payload_decoder_next(decoder, &input, &event)) ==
         MIGSTREAM_EVENT) {
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

  migstream_stream_options stream = {};
  stream.dialect = dialect;
  stream.content_length = LengthOf;
  DecodeAllWays<Stream>(bytes, stream, allocations);
  migstream_section_options section = {};
  section.type = MIGSTREAM_SECTION_START + choice / 16 % 4;
  section.dialect = dialect;
  DecodeAllWays<Section>(bytes, section, allocations);
  migstream_channel_options channel = {};
  channel.page_bytes = 4096u << choice / 64;
  DecodeAllWays<Channel>(bytes, channel, allocations);
  Reassemble(bytes, allocations);
  SendAgain(bytes);
  Load(bytes, allocations);
  DecodePayload(bytes);
  return 0;
}
