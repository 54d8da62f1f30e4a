// What stands in a file before its stream, and is kept where `repack` writes
// the stream again: libvirt's header and XML if that was asked for, so that
// `virsh restore` takes the new file as well; and always what stands before
// mapped-ram, as its offsets count from the file's first byte. FORMAT.md
// sections 2.7 and 5.5.
//
//   BeforeStream before;
//   if (!FindBefore(inputs, channels, keep_header, before) ||
//       !WriteBefore(inputs, before, zstd, sink)) {
//     return kUnusable;
//   }

#ifndef MIGSTREAM_INSPECT_BEFORE_STREAM_H_
#define MIGSTREAM_INSPECT_BEFORE_STREAM_H_

#include <cstddef>
#include <cstdint>

#include "codec/io/byte_sink.h"
#include "inspect/inputs.h"

namespace migstream {

struct BeforeStream {
  uint64_t bytes = 0;  // From the file's first one; 0: nothing is kept.
  // It says how the stream behind it is compressed, and so is not compressed
  // itself.
  bool names_compression = false;
};

// Says on standard error what is left out, or kept without being asked for.
// False, with a message, if what is asked for cannot be kept; `channels` are
// those that are written beside.
bool FindBefore(const Inputs& inputs, size_t channels, bool keep_header,
                BeforeStream& before);

// Writes it; `zstd`: what follows is compressed. False, with a message, if it
// cannot be read again.
bool WriteBefore(const Inputs& inputs, const BeforeStream& before, bool zstd,
                 ByteSink& sink);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_BEFORE_STREAM_H_
