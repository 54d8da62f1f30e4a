// Reads a capture of a migration's return path.
//
//   Error error = ReadReturnPath(source, [](const ReturnPathMessage& message) {
//     …
//   });

#ifndef MIGSTREAM_CODEC_QEMU_RETURN_PATH_READER_H_
#define MIGSTREAM_CODEC_QEMU_RETURN_PATH_READER_H_

#include <functional>

#include "codec/io/byte_source.h"
#include "codec/qemu/return_path.h"
#include "codec/wire/error.h"

namespace migstream {

Error ReadReturnPath(
    ByteSource& source,
    const std::function<void(const ReturnPathMessage&)>& on_message);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_RETURN_PATH_READER_H_
