// What a release's loader must say to a generated stream. FORMAT.md sections
// 10 and 16.
//
// A loader stops at the first thing that it refuses: of all that is known of
// the stream, and of the damage done to it, what comes first in the bytes.

#ifndef MIGSTREAM_FUZZ_EXPECTATION_H_
#define MIGSTREAM_FUZZ_EXPECTATION_H_

#include "absl/strings/string_view.h"
#include "flags/dialect.h"
#include "fuzz/generated.h"
#include "fuzz/stream.pb.h"

namespace migstream {

recipe::Expectation Expect(const Generated& stream, Release loader);

// 1101 for "qemu-11.1" or "11.1"; 0 for what is no release from 5.2 to 11.1.
Release ParseLoader(absl::string_view name);

}  // namespace migstream

#endif  // MIGSTREAM_FUZZ_EXPECTATION_H_
