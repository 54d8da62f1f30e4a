// What a release's loader must say to a generated stream. FORMAT.md section
// 10, LOADERS.md.
//
// A loader stops at the first thing that it refuses: of all that is known of
// the stream, and of the damage done to it, what comes first in the bytes.

#ifndef MIGSTREAM_CODEC_GENERATE_EXPECTATION_H_
#define MIGSTREAM_CODEC_GENERATE_EXPECTATION_H_

#include "codec/generate/generated.h"
#include "codec/generate/stream.pb.h"
#include "flags/dialect.h"

namespace migstream {

// `loader` is one that FindLoader() (codec/loader/loader_row.h) knows.
recipe::Expectation Expect(const Generated& stream, Release loader);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_GENERATE_EXPECTATION_H_
