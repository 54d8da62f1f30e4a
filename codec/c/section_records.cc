// What is called for each record of a VFIO device's section, for C.

#include "codec/c/event.h"
#include "codec/c/handle.h"
#include "codec/c/migstream.h"
#include "codec/c/section.h"

using namespace migstream;     // NOLINT: this file is the C side.
using namespace migstream::c;  // NOLINT

namespace {

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
  return step == Step::kError ? decoder->FailDecoder() : StatusOf(step);
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
    for (const iovec& payload : left) {
      if (!IsBytes(payload.iov_base, payload.iov_len)) {
        return MIGSTREAM_BAD_ARGUMENT;
      }
    }
    *put = to.DataBatch(left);
    *done = count - left.size();
    return MIGSTREAM_OK;
  });
}

}  // extern "C"
