// For tests: what the loaders of QEMU do with a generated stream, damaged or
// not, as LOADERS.md and FORMAT.md section 10 have it: seen with a real QEMU,
// read in its source, or inferred. Not from its bytes, so that it is a truth
// apart from codec/loader.
//
// A loader stops at the first thing that it refuses: of all that is known of
// the stream, and of the damage done to it, what comes first in the bytes.

#ifndef MIGSTREAM_CODEC_GENERATE_DOCUMENTED_VERDICTS_H_
#define MIGSTREAM_CODEC_GENERATE_DOCUMENTED_VERDICTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "codec/generate/generated.h"
#include "codec/generate/stream.pb.h"
#include "flags/dialect.h"

namespace migstream {

enum class Basis : uint8_t {
  kNotKnown,
  kSeen,      // With a real loader of that release, or of those around it.
  kRead,      // In the loader's source.
  kInferred,  // It follows from the format.
};

struct DocumentedVerdict {
  // UNKNOWN: nobody has seen it, and nothing settles it.
  recipe::Expectation::Verdict verdict = recipe::Expectation::LOADS;
  Basis basis = Basis::kSeen;
  std::string message = "";  // A part of what it prints, if it refuses.
  std::string because = "";  // The damage's name; empty: the stream as it is.
  std::vector<std::string> provided = {};  // As in Expectation.
};

// `loader` is one that FindLoader() (codec/loader/loader_row.h) knows.
DocumentedVerdict Documented(const Generated& stream, Release loader);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_GENERATE_DOCUMENTED_VERDICTS_H_
