// One section of a VFIO device, for C; what is called for each record is in
// section_records.cc.

#include "codec/c/section.h"

#include <optional>
#include <span>

#include "codec/c/event.h"
#include "codec/c/handle.h"
#include "codec/c/migstream.h"
#include "codec/c/values.h"

using namespace migstream;     // NOLINT: this file is the C side.
using namespace migstream::c;  // NOLINT

migstream_status migstream_section_decoder::Start(
    const migstream_section_options& given) {
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

migstream_status migstream_section_decoder::GetPosition(
    const migstream_position** out) {
  position = PositionOf(*decoder);
  *out = &position;
  return MIGSTREAM_OK;
}

migstream_status migstream_section_decoder::AtEndOfInput(ByteSpan left) {
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

migstream_status migstream_section_decoder::FailDecoder() {
  return Call(this, [&] { return Fail(decoder->error(device)); });
}

migstream_status migstream_section_encoder::Start(
    const migstream_section_options& given) {
  const Dialect* dialect = DialectOf(given.dialect);
  const std::optional<SectionType> type = SectionTypeOf(given.type);
  if (dialect == nullptr || !type) return MIGSTREAM_BAD_ARGUMENT;
  if (given.device != nullptr) device = given.device;
  const Gather gather = encoder ? encoder->gather() : Gather(headers, pieces);
  encoder.emplace(*type, *dialect, gather);
  return MIGSTREAM_OK;
}

migstream_status migstream_section_encoder::GetPieces(
    std::span<const iovec>* all) {
  *all = encoder->pieces();
  return MIGSTREAM_OK;
}

migstream_status migstream_section_encoder::ClearPieces() {
  encoder->Clear();
  return MIGSTREAM_OK;
}

migstream_status migstream_section_encoder::FailEncoder() {
  return Call(this, [&] { return Fail(encoder->error(device)); });
}

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
  return Encode(encoder, PutTag, element);
}

migstream_status migstream_section_encoder_data_header(
    migstream_section_encoder* encoder, uint64_t record_bytes) {
  return Encode(encoder, PutDataHeader, record_bytes);
}

migstream_status migstream_section_encoder_payload(
    migstream_section_encoder* encoder, const void* payload, size_t bytes) {
  return Encode(encoder, PutPayload, payload, bytes);
}

migstream_status migstream_section_encoder_take_over(
    migstream_section_encoder* encoder, uint64_t bytes) {
  return Encode(encoder, PutTakenOver, bytes);
}

migstream_status migstream_section_encoder_config(
    migstream_section_encoder* encoder, const migstream_config* config) {
  return Encode(encoder, PutConfig, config);
}

migstream_status migstream_section_encoder_subsection(
    migstream_section_encoder* encoder, const char* name, uint32_t version,
    const void* payload, size_t bytes) {
  return Encode(encoder, PutSubsection, name, version, payload, bytes);
}

migstream_status migstream_section_encoder_end_config(
    migstream_section_encoder* encoder) {
  return Encode(encoder, PutConfigEnd);
}

migstream_status migstream_section_encoder_append(
    migstream_section_encoder* encoder, const migstream_event* event) {
  return Encode(encoder, PutEvent, event);
}

}  // extern "C"
