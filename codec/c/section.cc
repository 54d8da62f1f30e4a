// One section of a VFIO device, for C.

#include <cassert>
#include <optional>
#include <string>

#include "codec/c/event.h"
#include "codec/c/handle.h"
#include "codec/c/migstream.h"
#include "codec/c/values.h"
#include "codec/device/section_decoder.h"
#include "codec/device/section_encoder.h"

using namespace migstream;     // NOLINT: this file is the C side.
using namespace migstream::c;  // NOLINT

struct migstream_section_decoder : Handle {
  static constexpr uint32_t kKind = kKinds | 1;

  migstream_section_decoder() : Handle(kKind) {}

  migstream_status Start(const migstream_section_options& given) {
    const Dialect* dialect = DialectOf(given.dialect);
    const std::optional<SectionType> type = SectionTypeOf(given.type);
    if (dialect == nullptr || !type) return MIGSTREAM_BAD_ARGUMENT;
    DecoderOptions options;
    migstream_status status = OptionsOf(given, &options);
    if (status != MIGSTREAM_OK) return status;
    if (given.device != nullptr) device = given.device;
    decoder.emplace(*type, *dialect, options);
    return MIGSTREAM_OK;
  }

  migstream_status GetPosition(const migstream_position** out) override {
    position = PositionOf(*decoder);
    *out = &position;
    return MIGSTREAM_OK;
  }
  migstream_status AtEndOfInput(ByteSpan left) override {
    decoder->SetEndOfInput();
    Event ended;
    switch (SectionDecoder(*decoder).Next(left, ended)) {
      case Step::kEvent:
        return MIGSTREAM_EVENT;
      case Step::kDone:
        return MIGSTREAM_OK;
      case Step::kNeedInput:
        return Fail(decoder->Truncated(device, left));
      case Step::kError:
        break;
    }
    return MIGSTREAM_EVENT;  // An error is what there is to give.
  }

  std::optional<SectionDecoder> decoder;
  std::string device = "vfio";
  Event event;
  EventOut out{event};
  migstream_position position = {};
};

struct migstream_section_encoder : Handle {
  static constexpr uint32_t kKind = kKinds | 2;

  migstream_section_encoder() : Handle(kKind) {}

  migstream_status Start(const migstream_section_options& given) {
    const Dialect* dialect = DialectOf(given.dialect);
    const std::optional<SectionType> type = SectionTypeOf(given.type);
    if (dialect == nullptr || !type) return MIGSTREAM_BAD_ARGUMENT;
    if (given.device != nullptr) device = given.device;
    const Gather gather = encoder ? encoder->gather() : Gather(headers, pieces);
    encoder.emplace(*type, *dialect, gather);
    return MIGSTREAM_OK;
  }

  migstream_status GetPieces(std::span<const iovec>* all) override {
    *all = encoder->pieces();
    return MIGSTREAM_OK;
  }
  migstream_status ClearPieces() override {
    encoder->Clear();
    return MIGSTREAM_OK;
  }

  // Many records' worth, so that a caller need not write after each.
  uint8_t headers[16 * SectionEncoder::kMinHeaderBytes];
  iovec pieces[64 * SectionEncoder::kMinPieces];
  std::optional<SectionEncoder> encoder;
  std::string device = "vfio";
};

namespace {

template <typename T>
migstream_status Create(const migstream_section_options* options, T** out) {
  if (out == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *out = nullptr;
  migstream_section_options given;
  migstream_status status = ReadOptions(options, &given);
  if (status != MIGSTREAM_OK) return status;
  return MakeStarted(given.allocator, out,
                     [&](T& made) { return made.Start(given); });
}

template <typename T>
migstream_status Restart(T* handle, const migstream_section_options* options) {
  migstream_section_options given;
  migstream_status status = ReadOptions(options, &given);
  if (status != MIGSTREAM_OK) return status;
  return Call(handle, [&] { return handle->Start(given); });
}

// Out of the way of what is called for each record.
[[gnu::noinline, gnu::cold]] migstream_status FailDecoder(
    migstream_section_decoder* decoder) {
  return Call(decoder, [&] {
    return decoder->Fail(decoder->decoder->error(decoder->device));
  });
}
[[gnu::noinline, gnu::cold]] migstream_status FailEncoder(
    migstream_section_encoder* encoder) {
  return Call(encoder, [&] {
    return encoder->Fail(encoder->encoder->error(encoder->device));
  });
}

// What is not a whole record.
[[gnu::noinline]] migstream_status NextOther(migstream_section_decoder* decoder,
                                             iovec* input,
                                             const migstream_event** event) {
  const Step step = TakeFrom(*input, [&](ByteSpan& rest) {
    return decoder->decoder->Next(rest, decoder->event);
  });
  if (step == Step::kEvent) {
    *event = decoder->out.Give();
    return MIGSTREAM_EVENT;
  }
  *event = nullptr;
  return step == Step::kError ? FailDecoder(decoder) : StatusOf(step);
}

// Nothing here allocates but what an error says.
template <typename Run>
migstream_status Encode(migstream_section_encoder* encoder, Run run) {
  if (!Is(encoder)) return MIGSTREAM_BAD_ARGUMENT;
  Put put = Put::kDone;
  migstream_status status = run(*encoder->encoder, &put);
  if (status != MIGSTREAM_OK || put == Put::kDone) return status;
  return put == Put::kFull ? migstream_status{MIGSTREAM_FULL}
                           : FailEncoder(encoder);
}

// What did not go in at once.
[[gnu::noinline]] migstream_status DataNotPut(
    migstream_section_encoder* encoder, const void* payload, size_t bytes) {
  return Encode(encoder, [&](SectionEncoder& to, Put* put) {
    return PutData(to, payload, bytes, put);
  });
}

}  // namespace

extern "C" {

migstream_status migstream_section_decoder_create(
    const migstream_section_options* options,
    migstream_section_decoder** decoder) {
  return Create(options, decoder);
}

migstream_status migstream_section_decoder_restart(
    migstream_section_decoder* decoder,
    const migstream_section_options* options) {
  return Restart(decoder, options);
}

migstream_status migstream_section_decoder_next(
    migstream_section_decoder* decoder, iovec* input,
    const migstream_event** event) {
  if (!Is(decoder) || input == nullptr || event == nullptr ||
      !IsBytes(input->iov_base, input->iov_len)) {
    return MIGSTREAM_BAD_ARGUMENT;
  }
  // Most of a section is whole records, which need no Event.
  ByteSpan rest = Bytes(*input);
  ByteSpan payload;
  const uint64_t offset = decoder->decoder->offset();
  if (!decoder->decoder->NextRecord(rest, payload)) [[unlikely]]
    return NextOther(decoder, input, event);
  *input = {const_cast<uint8_t*>(rest.data()), rest.size()};
  *event = decoder->out.GiveRecord(offset, payload);
  return MIGSTREAM_EVENT;
}

migstream_status migstream_section_decoder_next_batch(
    migstream_section_decoder* decoder, iovec* input, iovec* records,
    size_t capacity, size_t* count) {
  if (!Is(decoder) || input == nullptr || count == nullptr ||
      !IsBytes(input->iov_base, input->iov_len) ||
      !IsBytes(records, capacity)) {
    return MIGSTREAM_BAD_ARGUMENT;
  }
  ByteSpan rest = Bytes(*input);
  *count = decoder->decoder->NextBatch(rest, std::span(records, capacity));
  *input = {const_cast<uint8_t*>(rest.data()), rest.size()};
  return MIGSTREAM_OK;
}

migstream_status migstream_section_decoder_take_over(
    migstream_section_decoder* decoder, uint64_t bytes) {
  return Call(decoder, [&]() -> migstream_status {
    if (decoder->decoder->TakeOver(bytes) != Step::kError) return MIGSTREAM_OK;
    return decoder->Fail(decoder->decoder->error(decoder->device));
  });
}

migstream_status migstream_section_encoder_create(
    const migstream_section_options* options,
    migstream_section_encoder** encoder) {
  return Create(options, encoder);
}

migstream_status migstream_section_encoder_restart(
    migstream_section_encoder* encoder,
    const migstream_section_options* options) {
  return Restart(encoder, options);
}

migstream_status migstream_section_encoder_tag(
    migstream_section_encoder* encoder, int32_t element) {
  return Encode(encoder, [&](SectionEncoder& to, Put* put) {
    return PutTag(to, element, put);
  });
}

// As SectionEncoder::Data().
[[gnu::aligned(64)]] migstream_status migstream_section_encoder_data(
    migstream_section_encoder* encoder, const void* payload, size_t bytes) {
  if (!Is(encoder) || !IsBytes(payload, bytes)) return MIGSTREAM_BAD_ARGUMENT;
  // At an address of its own: it is far into the handle, and each of its
  // members would else take an instruction of 7 bytes.
  SectionEncoder* to = &*encoder->encoder;
  asm("" : "+r"(to));
  if (to->PutRecord(Bytes(payload, bytes))) [[likely]]
    return MIGSTREAM_OK;
  return DataNotPut(encoder, payload, bytes);
}

migstream_status migstream_section_encoder_data_batch(
    migstream_section_encoder* encoder, const iovec* payloads, size_t count,
    size_t* done) {
  if (done == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *done = 0;
  return Encode(encoder, [&](SectionEncoder& to, Put* put) {
    if (!IsBytes(payloads, count)) return MIGSTREAM_BAD_ARGUMENT;
    std::span<const iovec> left(payloads, count);
    *put = to.DataBatch(left);
    *done = count - left.size();
    return MIGSTREAM_OK;
  });
}

migstream_status migstream_section_encoder_data_header(
    migstream_section_encoder* encoder, uint64_t record_bytes) {
  return Encode(encoder, [&](SectionEncoder& to, Put* put) {
    *put = to.DataHeader(record_bytes);
    return MIGSTREAM_OK;
  });
}

migstream_status migstream_section_encoder_payload(
    migstream_section_encoder* encoder, const void* payload, size_t bytes) {
  return Encode(encoder, [&](SectionEncoder& to, Put* put) {
    return PutPayload(to, payload, bytes, put);
  });
}

migstream_status migstream_section_encoder_take_over(
    migstream_section_encoder* encoder, uint64_t bytes) {
  return Encode(encoder, [&](SectionEncoder& to, Put* put) {
    *put = to.TakeOver(bytes);
    return MIGSTREAM_OK;
  });
}

migstream_status migstream_section_encoder_config(
    migstream_section_encoder* encoder, const migstream_config* config) {
  return Encode(encoder, [&](SectionEncoder& to, Put* put) {
    return PutConfig(to, config, put);
  });
}

migstream_status migstream_section_encoder_subsection(
    migstream_section_encoder* encoder, const char* name, uint32_t version,
    const void* payload, size_t bytes) {
  return Encode(encoder, [&](SectionEncoder& to, Put* put) {
    return PutSubsection(to, name, version, payload, bytes, put);
  });
}

migstream_status migstream_section_encoder_end_config(
    migstream_section_encoder* encoder) {
  return Encode(encoder, [&](SectionEncoder& to, Put* put) {
    *put = to.EndConfig();
    return MIGSTREAM_OK;
  });
}

migstream_status migstream_section_encoder_append(
    migstream_section_encoder* encoder, const migstream_event* event) {
  return Encode(encoder, [&](SectionEncoder& to, Put* put) {
    return PutEvent(to, event, put);
  });
}

}  // extern "C"
