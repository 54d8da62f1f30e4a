// Makes a migration's streams from a recipe (stream.proto). The same recipe
// gives the same bytes on every machine.
//
//   absl::StatusOr<Generated> made = Generate(recipe);
//   made->main.bytes; made->channels[0].bytes;
//
// Everything is written by the codec's own encoders, so what comes out, before
// any damage, is what the dialect's writers could have written; a recipe that
// asks for more is refused, and the status says with what.

#ifndef MIGSTREAM_CODEC_GENERATE_GENERATOR_H_
#define MIGSTREAM_CODEC_GENERATE_GENERATOR_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "codec/generate/generated.h"
#include "codec/generate/stream.pb.h"
#include "codec/wire/bytes.h"
#include "flags/dialect.h"

namespace migstream {

struct GenerateOptions {
  // What the file that the recipe names as its frame holds. The caller reads
  // it: nothing is done here with a name.
  ByteSpan frame = {};
  // The size of all streams together. A recipe may ask for anything.
  uint64_t max_bytes = uint64_t{1} << 30;
  // Whether GeneratedDevice.payload is filled in, beside the streams.
  bool keep_payload = true;
};

absl::StatusOr<Generated> Generate(const recipe::Migration& recipe,
                                   const GenerateOptions& options = {});

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_GENERATE_GENERATOR_H_
