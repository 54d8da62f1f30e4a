// Reading a migration's main channel, for C.

#include <optional>
#include <string>

#include "codec/c/end_event.h"
#include "codec/c/event.h"
#include "codec/c/handle.h"
#include "codec/c/migstream.h"
#include "codec/c/stream_event.h"
#include "codec/c/values.h"
#include "codec/qemu/stream_decoder.h"
#include "codec/qemu/stream_event.h"

using namespace migstream;     // NOLINT: this file is the C side.
using namespace migstream::c;  // NOLINT

namespace {

ConfigHints AskHints(const migstream_stream_options& options,
                     const SectionView& view) {
  const migstream_section section = SectionOf(view);
  migstream_config_hints given = {};
  given.struct_size = sizeof given;
  options.config_hints(options.context, &section, &given);
  ConfigHints hints;
  // Hints that are wrong are as none.
  return HintsOf(&given, &hints) == MIGSTREAM_OK ? hints : ConfigHints{};
}

[[gnu::cold]] StreamDecoderOptions OptionsOf(
    const migstream_stream_options& given, const Dialect& dialect) {
  StreamDecoderOptions options;
  options.dialect = &dialect;
  options.switchover_ack_off = given.switchover_ack_off != 0;
  options.offset = given.offset;
  options.page_bytes = given.page_bytes;
  if (given.has_footers != 0) options.footers = given.footers != 0;
  StreamLimits& limits = options.limits;
  if (given.max_record_bytes != 0) {
    limits.device.record_bytes = given.max_record_bytes;
  }
  if (given.max_sections != 0) limits.sections = given.max_sections;
  if (given.max_devices != 0) limits.devices = given.max_devices;
  if (given.max_ram_blocks != 0) limits.ram_blocks = given.max_ram_blocks;
  if (given.content_length != nullptr) {
    options.content_length = [given](const SectionView& section,
                                     ByteSpan input) {
      return AskLength(given.content_length, given.context, section, input);
    };
  }
  if (given.config_hints != nullptr) {
    options.config_hints = [given](const SectionView& section) {
      return AskHints(given, section);
    };
  }
  return options;
}

}  // namespace

struct migstream_stream_decoder : Handle {
  static constexpr uint32_t kKind = kKinds | 3;

  [[gnu::cold]] migstream_stream_decoder(const migstream_stream_options& given,
                                         const Dialect& dialect)
      : Handle(kKind), decoder(OptionsOf(given, dialect)) {}

  migstream_status GetPosition(const migstream_position** out) override {
    position = PositionOf(decoder);
    *out = &position;
    return MIGSTREAM_OK;
  }
  [[gnu::cold]] ~migstream_stream_decoder() override {}

  [[gnu::cold]] migstream_status AtEndOfInput(ByteSpan left) override {
    Error error;
    const migstream_status status =
        end.Find(decoder, decoder, left, event, &error);
    return status == MIGSTREAM_ERROR ? Fail(error) : status;
  }

  [[gnu::cold, gnu::noinline]] migstream_status FailDecoder() {
    return Fail(decoder.error());
  }

  StreamDecoder decoder;
  StreamEvent event;
  EndEvent end;
  StreamEventOut out{event};
  migstream_position position = {};
};

extern "C" {

migstream_status migstream_stream_decoder_create(
    const migstream_stream_options* options,
    migstream_stream_decoder** decoder) {
  if (decoder == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *decoder = nullptr;
  migstream_stream_options given;
  migstream_status status = ReadOptions(options, &given);
  if (status != MIGSTREAM_OK) return status;
  const Dialect* dialect = DialectOf(given.dialect);
  if (dialect == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  return Make(given.allocator, decoder, given, *dialect);
}

migstream_status migstream_stream_decoder_next(
    migstream_stream_decoder* decoder, iovec* input,
    const migstream_stream_event** event) {
  if (!Is(decoder) || !IsInput(input) || event == nullptr) {
    return MIGSTREAM_BAD_ARGUMENT;
  }
  return RunCall(*decoder, [&]() -> migstream_status {
    if (!decoder->end.MayBeGiven(Bytes(*input))) return MIGSTREAM_BAD_ARGUMENT;
    const Step step = TakeFrom(*input, [&](ByteSpan& rest) {
      return decoder->end.Next(decoder->decoder, rest, decoder->event);
    });
    if (step == Step::kEvent) {
      *event = decoder->out.Give();
      return MIGSTREAM_EVENT;
    }
    *event = nullptr;
    return step == Step::kError ? decoder->FailDecoder() : StatusOf(step);
  });
}

migstream_status migstream_stream_decoder_take_over(
    migstream_stream_decoder* decoder, uint64_t bytes) {
  return Call(decoder, [&]() -> migstream_status {
    if (decoder->decoder.TakeOver(bytes) != Step::kError) return MIGSTREAM_OK;
    return decoder->FailDecoder();
  });
}

migstream_status migstream_stream_decoder_end_content(
    migstream_stream_decoder* decoder) {
  return Call(decoder, [&]() -> migstream_status {
    if (decoder->decoder.EndContent() != Step::kError) return MIGSTREAM_OK;
    return decoder->FailDecoder();
  });
}

}  // extern "C"
