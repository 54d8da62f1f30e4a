// The decoder and the encoder of one section, and what the calls that are made
// for each record leave to others.

#ifndef MIGSTREAM_CODEC_C_SECTION_H_
#define MIGSTREAM_CODEC_C_SECTION_H_

#include <cstdint>
#include <optional>
#include <string>

#include "codec/c/event.h"
#include "codec/c/handle.h"
#include "codec/c/migstream.h"
#include "codec/device/section_decoder.h"
#include "codec/device/section_encoder.h"
#include "codec/wire/step.h"

struct migstream_section_decoder : migstream::c::Handle {
  static constexpr uint32_t kKind = migstream::c::kKinds | 1;

  migstream_section_decoder() : Handle(kKind) {}

  migstream_status Start(const migstream_section_options& given);
  migstream_status GetPosition(const migstream_position** out) override;
  migstream_status AtEndOfInput(migstream::ByteSpan left) override;
  [[gnu::cold]] migstream_status FailDecoder();

  std::optional<migstream::SectionDecoder> decoder;
  std::string device = "vfio";
  migstream::Event event;
  migstream::c::EventOut out{event};
  migstream_position position = {};
};

struct migstream_section_encoder : migstream::c::Handle {
  static constexpr uint32_t kKind = migstream::c::kKinds | 2;

  migstream_section_encoder() : Handle(kKind) {}

  migstream_status Start(const migstream_section_options& given);
  migstream_status GetPieces(std::span<const iovec>* all) override;
  migstream_status ClearPieces() override;
  [[gnu::cold]] migstream_status FailEncoder();

  // Many records' worth, so that a caller need not write after each.
  uint8_t headers[16 * migstream::SectionEncoder::kMinHeaderBytes];
  iovec pieces[64 * migstream::SectionEncoder::kMinPieces];
  std::optional<migstream::SectionEncoder> encoder;
  std::string device = "vfio";
};

namespace migstream::c {

// Calls `run`, one of event.h, with the encoder, what it is given and where it
// says what became of it. Nothing here allocates but what an error says.
template <typename Run, typename... Given>
migstream_status Encode(migstream_section_encoder* encoder, Run run,
                        Given... given) {
  if (!Is(encoder)) return MIGSTREAM_BAD_ARGUMENT;
  Put put = Put::kDone;
  migstream_status status = run(*encoder->encoder, given..., &put);
  if (status != MIGSTREAM_OK || put == Put::kDone) return status;
  return put == Put::kFull ? migstream_status{MIGSTREAM_FULL}
                           : encoder->FailEncoder();
}

}  // namespace migstream::c

#endif  // MIGSTREAM_CODEC_C_SECTION_H_
