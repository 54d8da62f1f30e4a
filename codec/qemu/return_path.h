// Reads a capture of a migration's return path: what the destination sent back
// to the source. FORMAT.md section 4.2.
//
//   Error error = ReadReturnPath(source, [](const ReturnPathMessage& message) {
//     …
//   });
//
// The return path has no header and no end of its own: any message may be the
// last.

#ifndef MIGSTREAM_CODEC_QEMU_RETURN_PATH_H_
#define MIGSTREAM_CODEC_QEMU_RETURN_PATH_H_

#include <cstdint>
#include <functional>
#include <string>

#include "codec/io/byte_source.h"
#include "codec/wire/error.h"
#include "flags/command.h"

namespace migstream {

struct ReturnPathMessage {
  uint64_t offset = 0;
  ReturnMessage type = ReturnMessage::kShut;
  uint32_t value = 0;         // SHUT, PONG, RESUME_ACK.
  uint64_t start = 0;         // REQ_PAGES, REQ_PAGES_ID: offset in the block,
  uint32_t bytes = 0;         // and length.
  std::string block = {};     // REQ_PAGES_ID, RECV_BITMAP.
  uint64_t bitmap_bytes = 0;  // RECV_BITMAP; they are skipped.
};

// "PONG 1"; "REQ_PAGES_ID pc.ram 0x1000, 4096 bytes"
std::string ToString(const ReturnPathMessage& message);

Error ReadReturnPath(
    ByteSource& source,
    const std::function<void(const ReturnPathMessage&)>& on_message);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_RETURN_PATH_H_
