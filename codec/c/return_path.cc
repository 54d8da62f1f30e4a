// The return path, for C.

#include "codec/qemu/return_path.h"

#include "codec/c/handle.h"
#include "codec/c/migstream.h"
#include "codec/c/reply.h"

using namespace migstream;     // NOLINT: this file is the C side.
using namespace migstream::c;  // NOLINT

namespace migstream::c {

migstream_reply ReplyOf(const ReturnPathMessage& message) {
  return {.struct_size = sizeof(migstream_reply),
          .type = static_cast<int32_t>(message.type),
          .value = message.value,
          .offset = message.offset,
          .start = message.start,
          .bytes = message.bytes,
          .block = message.block.data(),
          .block_bytes = message.block.size(),
          .bitmap_bytes = message.bitmap_bytes};
}

}  // namespace migstream::c

struct migstream_return_path_decoder : Handle {
  static constexpr uint32_t kKind = kKinds | 5;

  explicit migstream_return_path_decoder(uint64_t offset)
      : Handle(kKind), decoder(offset) {}

  migstream_status GetPosition(const migstream_position** out) override {
    position = PositionOf(decoder);
    *out = &position;
    return MIGSTREAM_OK;
  }
  migstream_status AtEndOfInput(ByteSpan left) override {
    return Check(decoder.AtEndOfInput(left));
  }

  ReturnPathDecoder decoder;
  migstream_reply reply = {};
  migstream_position position = {};
};

struct migstream_return_path_encoder : Handle {
  static constexpr uint32_t kKind = kKinds | 6;

  migstream_return_path_encoder() : Handle(kKind), encoder(headers, pieces) {}

  migstream_status GetPieces(std::span<const iovec>* all) override {
    *all = encoder.pieces();
    return MIGSTREAM_OK;
  }
  migstream_status ClearPieces() override {
    encoder.Clear();
    return MIGSTREAM_OK;
  }

  uint8_t headers[4 * ReturnPathEncoder::kMinHeaderBytes];
  iovec pieces[4 * ReturnPathEncoder::kMinPieces];
  ReturnPathEncoder encoder;
};

extern "C" {

migstream_status migstream_return_path_decoder_create(
    const migstream_return_path_options* options,
    migstream_return_path_decoder** decoder) {
  if (decoder == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *decoder = nullptr;
  migstream_return_path_options given;
  migstream_status status = ReadOptions(options, &given);
  if (status != MIGSTREAM_OK) return status;
  return Make(given.allocator, decoder, given.offset);
}

migstream_status migstream_return_path_decoder_next(
    migstream_return_path_decoder* decoder, iovec* input,
    const migstream_reply** reply) {
  if (!IsInput(input) || reply == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *reply = nullptr;
  return Call(decoder, [&] {
    ReturnPathMessage message;
    const Step step = TakeFrom(*input, [&](ByteSpan& rest) {
      return decoder->decoder.Next(rest, message);
    });
    if (step == Step::kEvent) {
      decoder->reply = ReplyOf(message);
      *reply = &decoder->reply;
    }
    return decoder->Fail(step, decoder->decoder.error());
  });
}

migstream_status migstream_return_path_encoder_create(
    const migstream_return_path_options* options,
    migstream_return_path_encoder** encoder) {
  if (encoder == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *encoder = nullptr;
  migstream_return_path_options given;
  migstream_status status = ReadOptions(options, &given);
  if (status != MIGSTREAM_OK) return status;
  return Make(given.allocator, encoder);
}

migstream_status migstream_return_path_encoder_send(
    migstream_return_path_encoder* encoder, const migstream_reply* reply,
    const void* bitmap, size_t bitmap_bytes) {
  migstream_reply given;
  if (reply == nullptr || !IsBytes(bitmap, bitmap_bytes)) {
    return MIGSTREAM_BAD_ARGUMENT;
  }
  migstream_status status = ReadOptions(reply, &given);
  if (status != MIGSTREAM_OK) return status;
  if (given.type < MIGSTREAM_REPLY_SHUT ||
      given.type > MIGSTREAM_REPLY_SWITCHOVER_ACK ||
      !IsBytes(given.block, given.block_bytes)) {
    return MIGSTREAM_BAD_ARGUMENT;
  }
  const ReturnPathMessage message = {
      .type = static_cast<ReturnMessage>(given.type),
      .value = given.value,
      .start = given.start,
      .bytes = given.bytes,
      .block = AsText(Bytes(given.block, given.block_bytes)),
      .bitmap_bytes = bitmap_bytes};
  return Call(encoder, [&]() -> migstream_status {
    switch (encoder->encoder.Send(message, Bytes(bitmap, bitmap_bytes))) {
      case Put::kDone:
        return MIGSTREAM_OK;
      case Put::kFull:
        return MIGSTREAM_FULL;
      case Put::kError:
        break;
    }
    return encoder->Fail({ErrorCode::kNotWritable, 0, "return path",
                          "a block's name has 1 to 255 bytes"});
  });
}

}  // extern "C"
