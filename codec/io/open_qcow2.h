// Opens the VM state of a snapshot in a qcow2 image.

#ifndef MIGSTREAM_CODEC_IO_OPEN_QCOW2_H_
#define MIGSTREAM_CODEC_IO_OPEN_QCOW2_H_

#include <memory>
#include <string>

#include "codec/io/byte_source.h"
#include "codec/wire/error.h"

namespace migstream {

// The snapshot of that name or id; with none given the only one that has a VM
// state. Null, and `error`, which lists them, if there is no such; `error` with
// an empty section is one of the file as a whole.
std::unique_ptr<ByteSource> OpenQcow2(const std::string& path,
                                      const std::string& snapshot,
                                      Error& error);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_IO_OPEN_QCOW2_H_
