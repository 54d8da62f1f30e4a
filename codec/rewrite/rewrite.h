// Rewrites a stream: the same migration in another shape, or with a part
// exchanged. FORMAT.md sections 9, 10 and 13.
//
//   RewriteOptions options;
//   options.to = &GetDialect(DialectId::kV60);
//   Error error = Rewrite(input, sink, options);
//   // What was written is of use only if there is no error.
//
// The VMDESCRIPTION is kept true. What cannot be rewritten safely is refused
// with kNotWritable and the reason. A stream must be complete for it.

#ifndef MIGSTREAM_CODEC_REWRITE_REWRITE_H_
#define MIGSTREAM_CODEC_REWRITE_REWRITE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "codec/qemu/byte_source.h"
#include "codec/qemu/stream_reader.h"
#include "codec/qemu/stream_writer.h"
#include "codec/wire/error.h"
#include "flags/dialect.h"

namespace migstream {

struct RewriteOptions {
  ReaderOptions reader = {};
  // Cuts DATA records to this many bytes; 0 leaves them. v2 only.
  uint64_t record_bytes = 0;
  // The dialect to write; null for the one that is there. CONFIG moves to where
  // it has it.
  const Dialect* to = nullptr;
  // Leaves out PARTs that give a device nothing.
  bool strip_empty_parts = false;
  // The device that the next two mean; empty for the only one.
  std::string device = {};
  // Another PCI config space: 256 or 4096 bytes; empty for none.
  std::string config = {};
  // Another payload, of a size that is known; null for none.
  ByteSource* payload = nullptr;
  // Devices to leave out, by idstr.
  std::vector<std::string> dropped_devices = {};
};

// The input can be read several times: each call gives it from its start, null
// if it cannot.
using Reopen = std::function<std::unique_ptr<ByteSource>()>;

// `input` is called more than once only if the dialect must be known before the
// first byte is written, which option `reader.dialect` avoids, or if CONFIG
// moves to END.
Error Rewrite(const Reopen& input, ByteSink& sink,
              const RewriteOptions& options);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REWRITE_REWRITE_H_
