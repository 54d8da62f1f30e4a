// Reads a migration's main channel from front to back, and tells a visitor what
// is in it. FORMAT.md sections 2 to 9.
//
//   StreamReader reader(source, visitor);
//   Error error = reader.Read();
//   if (!error.ok()) …   // What came before it was told all the same.
//
// FULL sections of other devices are walked by the description at the stream's
// end. A source that can seek is asked for its end; from any other, what
// follows is held in memory until the description has come, so that both give
// the same. Where there is none, their ends are guessed, and a note says so.

#ifndef MIGSTREAM_CODEC_QEMU_STREAM_READER_H_
#define MIGSTREAM_CODEC_QEMU_STREAM_READER_H_

#include <cstdint>
#include <memory>
#include <string_view>

#include "codec/io/byte_source.h"
#include "codec/qemu/limits.h"
#include "codec/qemu/ram_walker.h"
#include "codec/qemu/stream_visitor.h"
#include "codec/qemu/vm_description.h"
#include "codec/wire/error.h"
#include "flags/dialect.h"

namespace migstream {

struct ReaderOptions {
  const Dialect* dialect = &GetDialect(DialectId::kAuto);
  StreamLimits limits = {};
  // See DecoderOptions.
  bool switchover_ack_off = false;
};

class StreamReader {
 public:
  // All must outlive the reader.
  StreamReader(ByteSource& source, StreamVisitor& visitor,
               const ReaderOptions& options = {});
  ~StreamReader();

  // Reads all of it. The error is final, and its offset is where the input
  // ends (1xx) or where it is wrong.
  Error Read();

  const RamStats& ram() const;
  // Of the target; from the configuration or the postcopy advice.
  uint64_t page_bytes() const;
  // Null if the stream has none, or it was never reached. It may outlive the
  // reader.
  std::shared_ptr<const VmDescription> description() const;
  // Whether sections are closed by footers: 1 yes, 0 no, -1 none was read.
  int footers() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Whether an idstr is that of a VFIO device: "…/vfio", or "vfio" alone.
bool IsVfioIdstr(std::string_view idstr);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_STREAM_READER_H_
