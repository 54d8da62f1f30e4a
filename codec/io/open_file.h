// Opens a file as a source of bytes, as it is: open_stream.h is for a file that
// may be compressed.

#ifndef MIGSTREAM_CODEC_IO_OPEN_FILE_H_
#define MIGSTREAM_CODEC_IO_OPEN_FILE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "codec/io/byte_source.h"

namespace migstream {

// Opens a file for reading, or takes standard input for "-". The error says why
// not, without the path.
absl::StatusOr<std::unique_ptr<ByteSource>> OpenFile(
    const std::string& path, FileAccess access = FileAccess::kRead);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_IO_OPEN_FILE_H_
