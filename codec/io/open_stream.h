// Opens what a user names: a file, or standard input, with whatever is around
// the stream taken off.
//
//   OpenedStream opened = OpenStream(path);
//   if (!opened.error.ok()) return opened.error;
//   ByteSource& source = *opened.source;  // For a StreamReader.
//
// A qcow2 image is opened at the VM state of one of its snapshots.
//
// In this order, each if it is there: a compression that the file's first bytes
// say; `offset` bytes of something else; libvirt's header; the compression that
// this names, or that the bytes behind `offset` say.
//
// The source stands at the stream's first byte. Its offset() there is not 0 if
// something uncompressed stands before: all offsets, those of mapped-ram in the
// stream among them, then count from that file's first byte. Behind a
// compression they count from the first byte that it holds. FORMAT.md sections
// 2.7 and 15.3.

#ifndef MIGSTREAM_CODEC_IO_OPEN_STREAM_H_
#define MIGSTREAM_CODEC_IO_OPEN_STREAM_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "codec/io/byte_source.h"
#include "codec/io/decompressor.h"
#include "codec/io/libvirt_save.h"
#include "codec/wire/error.h"

namespace migstream {

struct OpenOptions {
  uint64_t offset = 0;
  FileAccess access = FileAccess::kRead;
  CompressionLimits limits = {};
  // Where limits.threads is more than 1, one more decompresses a file ahead of
  // who reads it, unless its frames are decompressed side by side: for somebody
  // who has other work to do meanwhile.
  bool ahead = false;
  // In a qcow2 image; see open_qcow2.h.
  std::string snapshot = "";
  // Given libvirt's XML, in pieces.
  std::function<void(ByteSpan)> on_xml = nullptr;
};

struct OpenedStream {
  std::unique_ptr<ByteSource> source;  // Null if there is an error.
  // If it was read, even where what it holds cannot be.
  std::optional<LibvirtSave> libvirt;
  // An error of the system's if its section is empty; its offset then means
  // nothing.
  Error error;
};

OpenedStream OpenStream(const std::string& path,
                        const OpenOptions& options = {});

// The same of a source that is open already.
OpenedStream Unwrap(std::unique_ptr<ByteSource> source,
                    const OpenOptions& options = {});

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_IO_OPEN_STREAM_H_
