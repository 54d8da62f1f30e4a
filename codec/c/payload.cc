// A driver's payload, for C.

#include <optional>
#include <string>
#include <string_view>

#include "codec/c/handle.h"
#include "codec/c/migstream.h"
#include "codec/payload/formats.h"
#include "codec/payload/payload_decoder.h"

using namespace migstream;     // NOLINT: this file is the C side.
using namespace migstream::c;  // NOLINT

namespace {

constexpr int32_t NumberOf(PayloadEventKind kind) {
  return static_cast<int32_t>(kind);
}
static_assert(NumberOf(PayloadEventKind::kRecord) == MIGSTREAM_PAYLOAD_RECORD);
static_assert(NumberOf(PayloadEventKind::kFields) == MIGSTREAM_PAYLOAD_FIELDS);
static_assert(NumberOf(PayloadEventKind::kOpaque) == MIGSTREAM_PAYLOAD_OPAQUE);
static_assert(NumberOf(PayloadEventKind::kRecordEnd) ==
              MIGSTREAM_PAYLOAD_RECORD_END);
static_assert(NumberOf(PayloadEventKind::kOverrun) ==
              MIGSTREAM_PAYLOAD_OVERRUN);

}  // namespace

struct migstream_payload_decoder : Handle {
  static constexpr uint32_t kKind = kKinds | 9;

  migstream_payload_decoder(const char* given_device, const Recognition& found)
      : Handle(kKind),
        device(given_device),
        driver(found.format->name),
        decoder(*found.root, found.big_endian) {}

  migstream_status GetPosition(const migstream_position** out) override {
    position = {sizeof position, decoder.offset(), decoder.opaque_left(),
                decoder.bytes_needed()};
    *out = &position;
    return MIGSTREAM_OK;
  }
  migstream_status AtEndOfInput(ByteSpan left) override {
    return decoder.Finish(left) == Step::kDone ? MIGSTREAM_OK
                                               : Fail(decoder.error(device));
  }

  const std::string device;
  const std::string driver;
  PayloadDecoder decoder;
  PayloadEvent event;
  migstream_payload_event out = {};
  migstream_position position = {};
};

extern "C" {

migstream_status migstream_payload_decoder_create(
    const migstream_payload_options* options,
    migstream_payload_decoder** decoder) {
  if (decoder == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *decoder = nullptr;
  migstream_payload_options given;
  migstream_status status = ReadOptions(options, &given);
  if (status != MIGSTREAM_OK) return status;
  if (!IsBytes(given.head, given.head_bytes)) return MIGSTREAM_BAD_ARGUMENT;
  ByteSpan head = Bytes(given.head, given.head_bytes);
  if (head.size() > kRecognizedBytes) head = head.first(kRecognizedBytes);
  Recognition found;
  if (given.driver != nullptr) {
    const payload::Format* format = FormatNamed(given.driver);
    if (format == nullptr) return MIGSTREAM_BAD_ARGUMENT;
    found = RecognizeAs(*format, head);
  } else {
    std::optional<PciId> id;
    if (given.has_ids != 0) {
      if (given.vendor_id > UINT16_MAX || given.device_id > UINT16_MAX) {
        return MIGSTREAM_BAD_ARGUMENT;
      }
      id = PciId{static_cast<uint16_t>(given.vendor_id),
                 static_cast<uint16_t>(given.device_id)};
    }
    found = Recognize(head, id);
  }
  return Make(given.allocator, decoder,
              given.device == nullptr ? "vfio" : given.device, found);
}

const char* migstream_payload_decoder_driver(
    const migstream_payload_decoder* decoder) {
  return Is(decoder) ? decoder->driver.c_str() : nullptr;
}

migstream_status migstream_payload_decoder_next(
    migstream_payload_decoder* decoder, iovec* input,
    const migstream_payload_event** event) {
  if (!IsInput(input) || event == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *event = nullptr;
  return Call(decoder, [&]() -> migstream_status {
    const Step step = TakeFrom(*input, [&](ByteSpan& rest) {
      return decoder->decoder.Next(rest, decoder->event);
    });
    if (step == Step::kError) {
      return decoder->Fail(decoder->decoder.error(decoder->device));
    }
    if (step != Step::kEvent) return StatusOf(step);
    const PayloadEvent& given = decoder->event;
    const std::string_view name =
        given.record == nullptr ? std::string_view() : given.record->name;
    decoder->out = {.struct_size = sizeof(migstream_payload_event),
                    .kind = NumberOf(given.kind),
                    .depth = given.depth,
                    .offset = given.offset,
                    .record_offset = given.record_offset,
                    .key = given.key,
                    .bytes = given.bytes,
                    .left = given.left,
                    .name = name.data(),
                    .name_bytes = name.size(),
                    .view = given.view.data(),
                    .view_bytes = given.view.size(),
                    .big_endian = given.big_endian ? 1 : 0};
    *event = &decoder->out;
    return MIGSTREAM_EVENT;
  });
}

}  // extern "C"
