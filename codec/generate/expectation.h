// What a release's loader must say to a generated stream: what codec/loader
// predicts of a destination that has the devices as they were generated.

#ifndef MIGSTREAM_CODEC_GENERATE_EXPECTATION_H_
#define MIGSTREAM_CODEC_GENERATE_EXPECTATION_H_

#include "codec/generate/generated.h"
#include "codec/generate/stream.pb.h"
#include "flags/dialect.h"

namespace migstream {

// `loader` is one that FindLoader() (codec/loader/loader_row.h) knows. The
// destination's machine type is the stream's, whatever that is called.
recipe::Expectation Expect(const Generated& stream, Release loader);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_GENERATE_EXPECTATION_H_
