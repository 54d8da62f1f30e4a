// A message of the return path as the C interface has it.

#ifndef MIGSTREAM_CODEC_C_REPLY_H_
#define MIGSTREAM_CODEC_C_REPLY_H_

#include "codec/c/migstream.h"
#include "codec/qemu/return_path.h"

namespace migstream::c {

migstream_reply ReplyOf(const ReturnPathMessage& message);

}  // namespace migstream::c

#endif  // MIGSTREAM_CODEC_C_REPLY_H_
